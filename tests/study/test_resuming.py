"""What a population needs of its network and its search space, and the one error where that is missing."""

from __future__ import annotations

from typing import Any

import pytest

from automl.errors import SpaceError, StudyFileError
from tests.simulation.studies import NETWORK, POPULATION, study

FIXED = {"changes_at_resume": False}
FLOAT = {"type": "float", "low": 0.001, "high": 0.4, "automl_enabled": True}
WHOLE = {"type": "int", "low": 1, "high": 9, "automl_enabled": True}


def network(**parameters: dict[str, Any]) -> dict[str, Any]:
    """A network with these parameters in the section `train`."""
    spec = {**NETWORK["spec"], "train": {**NETWORK["spec"]["train"], **dict.fromkeys(parameters, 1)}}
    rows = {f"train.{name}": {"default": row["low"], **row} for name, row in parameters.items()}
    return {"spec": spec, "parameters": rows}


def test_real_numbers_may_change_and_all_else_that_the_network_or_the_study_names() -> None:
    marked = network(lr=FLOAT, momentum=FLOAT | FIXED, depth=WHOLE, batch=WHOLE | {"changes_at_resume": True})
    assert study(POPULATION, network=marked).changeable == ("train.batch", "train.lr")
    assert study(POPULATION, network=marked, perturbed=["train.depth"]).changeable == ("train.depth",)
    assert study({"algorithm": "random"}, network=marked).changeable == ()


@pytest.mark.parametrize(
    ("settings", "problem"),
    [
        (
            {"network": {"checkpoints": None}},
            "least_squares, which has no 'checkpoints' rule; allowed: with a net",
        ),
        (
            {"network": {"resume": "none"}},
            "resume: none with algorithm: pbt, whose members continue from the checkpoints",
        ),
        ({"resume": "none"}, "resume: none with algorithm: pbt.*; allowed: resume: checkpoint"),
        ({"resume": "stop"}, "resume: stop with algorithm: pbt"),
        ({"network": {"may_end_early": True}}, "which may end early and cannot resume then; allowed: with a network"),
        ({"network": network(depth=WHOLE)}, "none of train.depth may change during a training"),
        (
            {"perturbed": ["train.lt"]},
            "train.lt is not searched; did you mean 'train.lr'",
        ),
        ({"perturbed": ["train.lr", "train.lr"]}, "perturbed: train.lr is given twice"),
        (
            {"network": network(lr=FLOAT | FIXED), "perturbed": ["train.lr"]},
            "cannot change at a checkpoint, says",
        ),
        ({"perturbed": []}, "none of train.lr may change"),
        (
            {"R": 9},
            "R: 9 is no option of algorithm: pbt; allowed: population, interval, perturbed",
        ),
        ({"sampler": "tpe"}, "sampler: tpe does not go with algorithm: pbt; allowed: uniform, sobol, lhs, grid"),
    ],
)
def test_what_it_cannot_do_is_refused_before_anything_begins(settings: dict[str, Any], problem: str) -> None:
    with pytest.raises(StudyFileError, match=problem):
        study(POPULATION, **settings)


def test_a_mark_that_is_no_truth_value_is_refused() -> None:
    with pytest.raises(SpaceError, match="changes_at_resume is 'no'"):
        study(POPULATION, network=network(lr=FLOAT | {"changes_at_resume": "no"}))


def test_options_of_a_population_belong_to_it_alone() -> None:
    with pytest.raises(StudyFileError, match=r"population: 4 is no option of .*another algorithm: pbt"):
        study({"algorithm": "random", "population": 4})
