"""What Argo's pages show of a study: names of trainings with their values, titles of stages, what came of each."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from automl.execution import pod_contract
from automl.execution.pod_steps import deciding, node_texts
from automl.execution.steps.propose import propose
from automl.search.history import Checkpoint, Failure, Result
from automl.stores import open_store
from automl.study.opened_study import begin
from automl.study.record import Record
from tests.simulation.studies import ASHA, HALVING, OVERLAPPING, study

DEFINITION = study(HALVING)


@pytest.fixture
def record(tmp_path: Path) -> Record:
    record = Record(open_store(str(tmp_path / "line")))
    begin(record, DEFINITION, "a study\n")
    return record


def test_a_name_is_the_number_and_the_values_in_letters_that_argo_leaves_alone(record: Record) -> None:
    decision = propose(record, DEFINITION, 0, 0)
    names = node_texts.trainings(DEFINITION, decision)
    assert names[0] == "0 defaults"
    number, _, values = names[1].partition(" ")
    assert number == "1"
    assert "=" in values
    assert len(values) <= 110
    odd = replace(decision.issued[1], values={"train.x": '{{workflow.uid}}"\n', "train.y": 2.4e-4})
    (name,) = node_texts.trainings(DEFINITION, replace(decision, issued=(odd,)))
    assert not set(name) & set('{}"\n')
    assert name.endswith("y=2.4e-4")


def test_values_that_do_not_fit_are_left_out_whole(record: Record) -> None:
    decision = propose(record, DEFINITION, 0, 0)
    many = replace(decision.issued[1], values={f"train.parameter_{n}": n for n in range(50)})
    (name,) = node_texts.trainings(DEFINITION, replace(decision, issued=(many,)))
    assert name.startswith("1 parameter_0=0 parameter_1=1 ")
    assert name.endswith(" ...")
    assert len(name) < 120


def test_what_the_judgement_trains_again_names_its_source(record: Record) -> None:
    decision = propose(record, DEFINITION, 0, 0)
    again = tuple(replace(decision.issued[0], number=20 + source, source=source) for source in (0, 5))
    names = node_texts.trainings(DEFINITION, replace(decision, issued=again))
    assert names == ["20 defaults again", "25 experiment 5 again"]


def test_the_epochs_of_a_decision_and_those_that_are_left(record: Record) -> None:
    decision = propose(record, DEFINITION, 0, 0)
    on = tuple(replace(issued, epochs=9, resume_epoch=3) for issued in decision.issued)
    decision = replace(decision, issued=on)
    assert (node_texts.epochs(DEFINITION, decision), node_texts.epochs_to_train(DEFINITION, decision)) == ("9", "6")
    assert node_texts.epochs(DEFINITION, replace(decision, issued=())) == "0"


@pytest.mark.parametrize(
    ("settings", "titles"),
    [
        (HALVING, [("search.9-experiments", "rung"), ("final-judgement", "rung")]),
        (ASHA, [("search.9-experiments", "rung"), ("final-judgement", "rung")]),
        (OVERLAPPING, [("search.6-experiments", "step"), ("final-judgement", "rung")]),
        (
            {"algorithm": "hyperband", "R": 9, "max_epochs": 9},
            [("search.12-experiments", "rung"), ("final-judgement", "rung")],
        ),
        (
            {"algorithm": "hyperband", "R": 9, "max_epochs": 9, "sampler": "uniform"},
            [
                ("bracket-0.9-experiments", "rung"),
                ("bracket-1.3-experiments", "rung"),
                ("final-judgement", "rung"),
            ],
        ),
    ],
)
def test_stages_are_named_by_what_they_are(settings: dict[str, object], titles: list[tuple[str, str]]) -> None:
    definition = study({**settings, "final": {"repeats": 1}})
    stages = definition.plan.stages
    found = json.loads(deciding._stages(definition, stages))
    assert [(each["title"], each["part"]) for each in found] == titles
    assert [(each["stage"], each["rungs"]) for each in found] == [(str(s.index), str(s.most_decisions)) for s in stages]


def test_what_came_of_a_training(record: Record) -> None:
    decision = propose(record, DEFINITION, 0, 0)
    issued = decision.issued[1]
    name, epoch = DEFINITION.metric_rule.name, issued.epochs
    result = Result(1, 0, ("a1",), epoch, 1.0, ((epoch, 0.25),), best_value=0.25)
    record.store_result(result)
    history = record.history(DEFINITION)
    assert node_texts.outcome(DEFINITION, history, result) == f"{name} 0.2500 at epoch {epoch}, the best so far"
    assert node_texts.outcome(DEFINITION, None, result) == f"{name} 0.2500 at epoch {epoch}"
    earlier = replace(result, best=Checkpoint("m", 1), best_value=0.125, history=((1, 0.125), (9, 0.25)))
    assert f"{name} 0.2500 at epoch 9, 0.1250 at epoch 1" in node_texts.outcome(DEFINITION, None, earlier)
    failed = replace(result, failure=Failure.ERROR, message="exit code 1: it\ncrashed")
    assert node_texts.outcome(DEFINITION, history, failed) == "error: exit code 1: it crashed"


def test_a_workflow_of_before_finds_the_numbers_alone(
    record: Record, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pod_contract, "OUTPUTS", tmp_path / "outputs")
    decision = propose(record, DEFINITION, 0, 0)
    deciding._put_out_trainings(DEFINITION, decision)
    outputs = {path.name: path.read_text() for path in (tmp_path / "outputs").iterdir()}
    numbers = json.loads(outputs["experiments"])
    assert [name.split(" ", 1)[0] for name in json.loads(outputs["trainings"])] == numbers
