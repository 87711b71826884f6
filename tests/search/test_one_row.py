"""An algorithm is a file and a row, and so is a sampler: with those of toy/ all that a study can do is done."""

from __future__ import annotations

import base64
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from automl.errors import InvalidInput, StudyFileError
from automl.execution import submission
from automl.operations.extend import extend
from automl.operations.replay import Replay
from automl.search.algorithms import ALGORITHMS, SAMPLERS, Algorithm, SamplerRow
from automl.search.extension import Extension, GrowsBy, Growth
from automl.search.history import Origin
from automl.stores import open_store
from automl.study import study_file
from automl.study.cluster_options import ClusterSettings
from automl.study.definition import Definition
from automl.study.experiments import experiments
from automl.study.record import Record
from automl.study.template import template
from automl.text import strict_json
from automl.text.strict_yaml import mapping
from tests.search.toy.doubling import Doubling
from tests.simulation.runs import run
from tests.simulation.studies import study
from tests.small_network import write_small_network
from workflows import compile_study, lint, workflow_template

ROW = Algorithm(
    title="full trainings, twice as many in every step",
    options=("max_recommendations", "max_epochs"),
    schedule=lambda options: Doubling(options.get("max_recommendations", 7), options["max_epochs"]),
    sampler="near_the_best",
    template={"max_recommendations": "experiments in total"},
    lines="max_recommendations: 7    # full trainings, twice as many in every step",
    learns=True,
    growth=Growth(GrowsBy.EXPERIMENTS, Doubling.more),
)
TEXT = (
    "name: toy\nnetwork: fashion_mnist\nalgorithm: doubling\nmax_recommendations: 6\n"
    "run: {store: s3://bucket/toy}\nfinal: {repeats: 0}\n"
)


@pytest.fixture(autouse=True)
def _rows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(ALGORITHMS, "doubling", ROW)
    monkeypatch.setitem(
        SAMPLERS, "near_the_best", SamplerRow("tests.search.toy.near_the_best", "NearTheBest", learns=True)
    )


def test_a_study_runs_is_extended_and_runs_on(tmp_path: Path) -> None:
    definition = study({"algorithm": "doubling", "max_recommendations": 4, "max_epochs": 2, "final": {"repeats": 0}})
    assert [rung.size for rung in definition.plan.stages[0].rungs] == [1, 2, 1]
    place = tmp_path / "study"
    first = run(definition, place)
    issued = [each for decision in first.decisions for each in decision.issued]
    assert [each.origin for each in issued] == [Origin.DEFAULT, *[Origin.SAMPLER] * 3]
    assert {each.reason for each in issued[1:]} == {"near the best"}
    record = Record(open_store(str(place)))
    assert extend(record, definition, Extension(7), "toy").extended
    longer = Definition.from_json(record.metadata())
    assert [stage.name for stage in longer.plan.stages] == ["doubling", "doubling 2"]
    history = run(longer, place)
    assert [each.number for each in experiments(history, longer.plan)] == list(range(7))
    assert len(history.results) == 7
    assert [each.difference for each in Replay(record, longer)] == [None] * len(history.decisions)
    with pytest.raises(InvalidInput, match="doubling has no R"):
        extend(record, longer, Extension(R=9), "toy")


def test_it_compiles_and_has_a_template() -> None:
    definition = study_file.parse(TEXT, "toy.study.yaml", Path())
    assert lint.problems(compile_study(definition, TEXT).to_dict(), definition.plan) == []
    found: dict[str, Any] = workflow_template("doubling", ClusterSettings()).to_dict()
    assert lint.problems(found) == []
    assert found["metadata"]["name"] == "automl-doubling"
    names = {each["name"] for each in found["spec"]["arguments"]["parameters"]}
    assert "max_recommendations" in names
    assert not names & {"R", "nu", "parallel"}
    values = {"algorithm": "doubling", "study": TEXT, "max_recommendations": "9"}
    sent = strict_json.dump([{"name": name, "value": value} for name, value in values.items()])
    submitted = submission.parameters(base64.b64encode(sent).decode(), 1)
    assert [rung.size for rung in submitted.definition.plan.stages[0].rungs] == [1, 2, 4, 2]


def test_its_study_file_is_written_checked_and_described(tmp_path: Path) -> None:
    write_small_network(tmp_path)
    text = template(str(tmp_path / "small.yaml"), "doubling", tmp_path / "mine.yaml")
    assert mapping(text, "it")["max_recommendations"] == 7
    assert "doubling" in study_file.schema()["properties"]["algorithm"]["enum"]
    assert "near_the_best" in ALGORITHMS["bayesian"].samplers
    assert "near_the_best" not in ALGORITHMS["random"].samplers
    with pytest.raises(StudyFileError, match="did you mean 'doubling'") as error:
        study_file.parse(TEXT.replace("doubling", "doublin"), "it", Path())
    assert error.value.allowed.endswith("or pbt or doubling")
    with pytest.raises(StudyFileError, match="parallel: 2 is no option of algorithm: doubling"):
        study_file.parse(f"{TEXT}parallel: 2\n", "it", Path())
    with pytest.raises(StudyFileError, match="sampler: sobol does not go with"):
        study_file.parse(f"{TEXT}sampler: sobol\n", "it", Path())


def test_a_row_says_how_many_proposals_fill_the_space() -> None:
    for row in SAMPLERS.values():
        if row.starts is not None:
            sampler = getattr(import_module(row.module), row.kind)(**row.settings)
            assert getattr(sampler, "process", sampler).starts == row.starts
