"""One set of states: what people see of an experiment, and how many of each there are."""

from __future__ import annotations

import json
from pathlib import Path

from automl.execution.steps.propose import propose
from automl.search.history import Status
from automl.study.experiments import experiments
from automl.study.opened_study import OpenedStudy
from automl.study.states import State, counted_states, counts_in_words, state_of
from tests.command_line import automl
from tests.reporting.page.made_records import made

SETTINGS = "name: fashion\nnetwork: fashion_mnist\nsampler: uniform\nR: 9\nmax_epochs: 9\nfinal: {repeats: 0}\n"


def test_who_waits_for_its_next_rung_is_promoted_and_counts_as_such() -> None:
    opened = OpenedStudy.read(made(SETTINGS, rungs=1))
    propose(opened.record, opened.definition, 0, 1)
    every = experiments(opened.history(), opened.definition.plan)
    states = {one.number: state_of(one) for one in every}
    promoted = {number for number, state in states.items() if state is State.PROMOTED}
    assert len(promoted) == 3
    assert all(one.status is Status.PENDING for one in every if one.number in promoted), "the record's own word stays"
    counts = counted_states(states.values())
    assert sum(counts.values()) == 9
    assert "3 promoted" in counts_in_words(counts)


def test_json_has_the_state_beside_the_older_status(tmp_path: Path) -> None:
    (tmp_path / "train.sh").write_text("echo epoch 1: score=0.$1\n")
    (tmp_path / "study.yaml").write_text(
        "name: study\nalgorithm: random\nmax_recommendations: 2\nfinal: {repeats: 0}\nnetwork:\n"
        "  command: [sh, train.sh, '{x}', '{epochs}']\n  epochs: 1\n  metric: {name: score, goal: maximize}\n"
        "  status: {reader: regex, patterns: ['epoch (?P<epoch>{number}): score=(?P<score>{number})']}\n"
        "  parameters: {x: {low: 1, high: 9, default: 3}}\n"
    )
    automl("run", "study.yaml", cwd=tmp_path)
    status = json.loads(automl("status", "study.yaml", "-o", "json", cwd=tmp_path).out)
    assert [(row["status"], row["state"]) for row in status["experiments_table"]] == [("success", "succeeded")] * 2
    assert status["states"]["succeeded"] == status["experiments"]["success"] == 2
    why = json.loads(automl("why", "study.yaml", "1", "-o", "json", cwd=tmp_path).out)
    assert (why["status"], why["state"]) == ("success", "succeeded")
