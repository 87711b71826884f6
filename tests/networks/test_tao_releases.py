"""The catalogue against the clients that its images hold: what a training is handed, and what is looked for of it."""

from __future__ import annotations

from typing import Any

import pytest

from automl.networks import catalogue
from automl.networks.definition import shipped
from automl.networks.spec_formats import flatten
from automl.problem.search_space import SearchSpace
from automl.search.history import Recommendation
from automl.search.samplers.base import Request
from automl.search.samplers.uniform import Uniform
from automl.study.definition import Definition
from automl.study.options import StudyFile
from automl.study.train_spec import train_spec
from tests.networks.tao.releases import MANDATORY, Program, of_network

NETWORKS = [name for name in catalogue() if shipped(name).handed_over is not None and shipped(name).refused is None]
RELEASES = [(name, release) for name in NETWORKS for release, _ in of_network(shipped(name))]
PLACES: list[dict[str, str | None]] = [
    {},
    {"results": "/r", "resume_from": None},
    {"results": "/r", "resume_from": "/r/c.pth"},
]
# what a client of 7.3.0 no longer does, where the image has 6.26.3
LEFT_OUT = {("mask2former", "pytorch-7.3.0"): "it names the metric by its mode"}


def definition(name: str) -> Definition:
    return Definition(StudyFile.model_validate({"name": "s", "network": name, "dataset": "/data"}), shipped(name))


def program(name: str, release: str) -> Program:
    return dict(of_network(shipped(name)))[release]


def drawn(space: SearchSpace, seed: int) -> dict[str, Any]:
    (proposal,) = Uniform().propose(space, (), Request(count=1, first=0, total=1, seed=(seed, 0, 0)))
    return dict(proposal.values)


def test_every_program_that_fills_in_its_settings_is_handed_only_what_is_set() -> None:
    assert len(NETWORKS) == 30
    assert all(shipped(name).spec_format == "yaml" for name in NETWORKS)


@pytest.mark.parametrize(("name", "release"), RELEASES)
def test_what_a_training_is_handed_is_taken_by_the_client(name: str, release: str) -> None:
    study = definition(name)
    values = [study.space.defaults(), *(drawn(study.space, seed) for seed in range(20))]
    for number, drawn_values in enumerate(values):
        recommendation = Recommendation(number, drawn_values, 2, 2, reason="", seed=7)
        for places in PLACES:
            spec = train_spec(study, recommendation, places)
            assert program(name, release).refusals(spec) == []


def test_the_3d_stage_of_nvpanoptix3d_is_taken_by_the_client_and_writes_the_metric_that_a_study_names() -> None:
    network = shipped("nvpanoptix3d")
    file = {
        "name": "s",
        "network": "nvpanoptix3d",
        "dataset": "/data",
        "metric": {"name": "PRQ", "goal": "maximize"},
        "train_spec": {"dataset": {"enable_3d": True}, "train.checkpoint_2d": "/data/model_2d.pth"},
    }
    study = Definition(StudyFile.model_validate(file), network)
    spec = train_spec(study, Recommendation(0, study.space.defaults(), 2, 2, reason="", seed=7), PLACES[2])
    assert (spec["dataset"]["enable_3d"], spec["train"]["checkpoint_2d"]) == (True, "/data/model_2d.pth")
    for _, written in of_network(network):
        assert written.refusals(spec) == []
        assert written.writes(study.metric_rule.name)


@pytest.mark.parametrize(("name", "release"), RELEASES)
def test_what_the_catalogue_says_of_a_default_is_what_the_client_takes(name: str, release: str) -> None:
    """A default that no release of the client shares is handed over; of a null the client has its own."""
    network = shipped(name)
    own = {path: value for path, value in flatten(network.spec).items() if value is not None}
    for path in set(own) - set(network.handed_over or ()):
        if path == network.fields.epochs:
            continue  # always set
        defaults = [_default(each, path) for _, each in of_network(network)]
        assert any(default == "absent" or _same(own[path], default) for default in defaults), path


@pytest.mark.parametrize(("name", "release"), RELEASES)
def test_the_checkpoints_that_are_looked_for_are_those_that_are_written(name: str, release: str) -> None:
    rule = shipped(name).checkpoints
    assert rule is not None
    for pattern in program(name, release).checkpoints:
        names = [_checkpoint(pattern, epoch, step=60 * epoch) for epoch in range(1, 12)]
        assert sorted(rule.whole(f"train/{name}" for name in names)) == list(range(1, 12))


@pytest.mark.parametrize(("name", "release"), RELEASES)
def test_the_metric_is_one_that_the_client_writes(name: str, release: str) -> None:
    written = program(name, release)
    if not written.status or (name, release) in LEFT_OUT:
        pytest.skip(LEFT_OUT.get((name, release), "its code cannot be read"))
    assert written.writes(shipped(name).metric.name)


def test_a_setting_that_no_client_has_is_refused() -> None:
    (_, written), *_ = of_network(shipped("classification_pyt"))
    assert written.refusals({"train": {"checkpointer": None}}) == ["Key 'train.checkpointer' not in the settings"]
    assert written.refusals({"train": {"seed": None, "num_epochs": 2}}) == ["'train.seed' is of type int, not None"]
    assert written.refusals({"train": 3}) == ["'train' is a group, not 3"]
    assert written.refusals({"train": {"seed": True, "optim": {"lr": 1, "betas": [0.9, "x"]}}}) == [
        "'train.seed' is of type int, not True",
        "'train.optim.betas' is of type list[float]?, not [0.9, 'x']",
    ]


def _checkpoint(pattern: str, epoch: int, step: int) -> str:
    """The name that Lightning, or pointpillars' own loop, makes of a pattern."""
    if "{epoch" not in pattern:
        return pattern.replace("*.*", f"{epoch}.pth")
    return pattern.replace("{epoch:03d}", f"epoch_{epoch - 1:03d}").replace("{step:05d}", f"step_{step:05d}")


def _default(written: Program, path: str) -> object:
    try:
        return written.default(path)
    except (KeyError, TypeError):
        return "absent"


def _same(value: object, default: object) -> bool:
    empty: tuple[object, ...] = ("", None, [], MANDATORY)
    return value == default or str(value).lower() == str(default).lower() or (value in empty and default in empty)
