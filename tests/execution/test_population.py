"""A population from its first interval to its judgement: checkpoints of others, schedules, reasons, and the record."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from automl.analysis.epoch_ledger import epoch_ledger
from automl.analysis.explain import explain
from automl.analysis.planned import planned
from automl.analysis.rung_warning import rung_health
from automl.analysis.status import progress
from automl.errors import InvalidInput
from automl.execution import pod_contract
from automl.execution.pod_steps import deciding
from automl.operations.extend import extend
from automl.operations.replay import Replay
from automl.operations.verify import verify
from automl.reporting.figures.facts import read_facts
from automl.reporting.page.page import page
from automl.search.extension import Extension
from automl.search.history import Failure, Status
from automl.search.race import DEFAULTS
from automl.stores import open_store
from automl.study import study_file, summary
from automl.study.experiments import experiments
from automl.study.lineage import parts
from automl.study.opened_study import OpenedStudy, begin
from automl.study.outages import open_pause
from automl.study.record import Record
from tests.process_groups import kill_group
from tests.simulation.runs import run, simulated
from tests.simulation.studies import POPULATION, study
from tests.small_network import write_small_network
from tests.workflows.test_training_pod import STEP
from workflows.pods import TRAIN

FAULTS = {2: "error@3", 4: "nan@5"}
JUDGED = {"final": {"candidates": 2, "repeats": 2, "share": 9}}


@pytest.fixture(scope="module")
def record(tmp_path_factory: pytest.TempPathFactory) -> Record:
    definition = study(POPULATION | JUDGED, FAULTS)
    return Record(simulated(definition, tmp_path_factory.mktemp("population")).objects)


def test_it_is_whole_and_every_decision_is_made_again(record: Record) -> None:
    opened = OpenedStudy.read(record)
    assert [each.difference for each in Replay(record, opened.definition)] == [None] * (4 + 8)
    findings = verify(opened, lambda _part: None).findings
    assert (findings.problems, findings.notes) == ([], [])


def test_who_takes_over_has_the_epochs_of_the_other_behind_it(record: Record) -> None:
    study_ = OpenedStudy.read(record).history()
    asked = [run for decision in study_.of_stage(0) for run in decision.runs()]
    taken = [(issued, rung) for issued, rung in asked if issued.parent is not None]
    assert taken
    for issued, rung in taken:
        assert issued.parent is not None
        before, after = study_.results[issued.parent, rung - 1], study_.results[issued.number, rung]
        if after.failure is None:
            assert after.history[: len(before.history)] == before.history
            assert after.history[-1][0] == issued.epochs
    failed = [run for run, result in study_.results.items() if result.failure is Failure.ERROR]
    assert {(number, rung + 1) for number, rung in failed} <= {(issued.number, rung) for issued, rung in taken}


def test_all_train_to_the_end_and_the_ledger_sums(record: Record) -> None:
    opened = OpenedStudy.read(record)
    history = opened.history()
    by_status = {each.number: each.status for each in experiments(history, opened.definition.plan)}
    assert set(by_status.values()) == {Status.SUCCESS}
    found = progress(opened.definition, history)
    assert (found.state, found.epochs_pending) == ("done", 0)
    ledger = epoch_ledger(record, opened.definition, history, open_pause(record))
    assert ledger.planned == ledger.trained + ledger.lost + ledger.away
    assert ledger.reused > 0
    assert rung_health(opened.definition, history) is None, "nobody is promoted by a value"


def test_why_says_who_took_over_from_whom_and_with_which_values(record: Record) -> None:
    opened = OpenedStudy.read(record)
    definition, history = opened.definition, opened.history()
    stories = {number: explain(definition, history, number).story for number in range(6)}
    lines = [line for story in stories.values() for line in story]
    assert any("in the lower quarter; takes over from experiment" in line and ": train.lr " in line for line in lines)
    assert any("failed at epoch 2: error; takes over from experiment" in line for line in lines)
    assert all("keeps the defaults" in line for line in stories[DEFAULTS][1:4])
    best = summary.best_of_search(definition, history)
    assert best is not None
    assert any("its checkpoint comes from epoch" in line for line in stories[best.experiment])
    again = explain(definition, history, 7).story
    assert sum("goes on as its schedule says" in line for line in again) == 3


def test_the_judgement_trained_the_schedule_of_the_candidate(record: Record) -> None:
    opened = OpenedStudy.read(record)
    plan, history = opened.definition.plan, opened.history()
    first = history.of_stage(1)[0].issued[1]
    assert first.source is not None
    assert first.schedule is not None
    searched = parts(plan, history, first.source, 3)
    judged = parts(plan, history, first.number, 3)
    assert [(part.last, part.values) for part in judged] == [
        (part.last, part.values)
        for part, after in zip(searched, [*searched[1:], None], strict=True)
        if after is None or after.values != part.values
    ]
    assert {part.experiment for part in judged} == {first.number}
    assert len({part.experiment for part in searched}) > 1


def test_the_best_model_says_with_which_values_it_was_trained(tmp_path: Path) -> None:
    world = simulated(study(POPULATION | {"final": {"repeats": 0}}, FAULTS), tmp_path)
    model = json.loads(world.objects.get("best_model/manifest.json") or b"")
    schedule: dict[str, Any] = json.loads(world.objects.get("best_model/schedule.json") or b"")
    assert model["experiment"] != DEFAULTS
    spans = [part["epochs"] for part in schedule["parts"]]
    assert [first for first, _ in spans] == [1, *(last + 1 for _, last in spans[:-1])]
    assert spans[-1][1] == 7
    assert schedule["parts"][-1]["values"] == model["values"]
    assert schedule["parts"][-1]["experiment"] == model["training"]


def test_the_page_is_written_and_names_the_parts_of_the_best(record: Record, tmp_path: Path) -> None:
    opened = OpenedStudy.read(record)
    text = page(read_facts(opened), record)
    assert "takes over from experiment" in text
    assert "where the worst take over from the best" in text
    unjudged = Record(simulated(study(POPULATION | {"final": {"repeats": 0}}, FAULTS), tmp_path).objects)
    assert "The model was trained in epoch" in page(read_facts(OpenedStudy.read(unjudged)), unjudged)


def test_it_cannot_be_extended_and_says_so(record: Record) -> None:
    opened = OpenedStudy.read(record)
    for extension in (Extension(20), Extension(R=9)):
        with pytest.raises(InvalidInput, match="pbt"):
            extend(record, opened.definition, extension, "line")


def test_processes_of_their_own_make_the_same_decisions(tmp_path: Path) -> None:
    definition = study(POPULATION | {"population": 4, "final": {"candidates": 1, "repeats": 1}}, {2: "error@3"})
    history = run(definition, tmp_path / "study")
    expected = Record(simulated(definition, tmp_path).objects).history(definition)
    assert history.decisions == expected.decisions


def test_the_plan_says_which_values_change_and_what_all_intervals_cost() -> None:
    found = planned(study(POPULATION | JUDGED), (2,))
    assert "changed on the way: train.lr; 'perturbed' says otherwise" in found.notes
    assert any(note.startswith("4 intervals of 2 epochs, each with a barrier") for note in found.notes)
    assert (found.totals.search_epochs, found.totals.final_epochs) == (6 * 7, (3 + 2) * 7)
    spans = [(rung.from_epoch, rung.epochs, rung.experiments) for rung in found.stages[0].rungs]
    assert spans == [(0, 2, 6), (2, 4, 6), (4, 6, 6), (6, 7, 6)]


# -- pods -------------------------------------------------------------------------------------------------------------

IN_PODS = "name: small\nnetwork: small.yaml\nalgorithm: pbt\npopulation: 2\ninterval: 1\nmax_epochs: 2\n"


def test_a_pod_goes_on_from_the_checkpoint_of_another(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The pods of a study as processes of this machine, one after the other."""
    write_small_network(tmp_path)
    network = (tmp_path / "small.yaml").read_text()
    (tmp_path / "small.yaml").write_text(network.replace("[python,", f"[{sys.executable},"))
    text = f"{IN_PODS}final: {{repeats: 0}}\n"
    definition, record = study_file.parse(text, "study", tmp_path), Record(open_store(str(tmp_path / "store")))
    begin(record, definition, text)
    monkeypatch.setattr(pod_contract, "OUTPUTS", tmp_path / "outputs")
    for name, value in {"STORE": str(tmp_path / "store"), "STAGE": "0"}.items():
        monkeypatch.setenv(f"AUTOML_{name}", value)
    for rung in (0, 1):
        monkeypatch.setenv("AUTOML_RUNG", str(rung))
        deciding.propose_rung()
        for experiment in json.loads((tmp_path / "outputs/experiments").read_text()):
            _train_in_a_pod(tmp_path / f"pod-{experiment}-{rung}", experiment)
    deciding.collect()
    history = OpenedStudy.read(record).history()
    (taken,) = (issued for issued in history.of_stage(0)[1].issued if issued.parent is not None)
    assert (taken.number, taken.parent) == (1, DEFAULTS), "the defaults of this network are its best values"
    result, before = history.results[1, 1], history.results[DEFAULTS, 0]
    assert (result.failure, result.history[:1]) == (None, before.history)
    assert json.loads((tmp_path / "outputs/best").read_text())["experiment"] == DEFAULTS


def _train_in_a_pod(folder: Path, experiment: str) -> None:
    """stage-in, then main and observe side by side."""
    environment = {**os.environ, "AUTOML_EXPERIMENT": experiment, "AUTOML_ATTEMPT": folder.name}

    def container(*words: str) -> subprocess.Popen[bytes]:
        return subprocess.Popen(words, env=environment, start_new_session=True)

    assert container(sys.executable, "-c", STEP, str(folder), "stage-in").wait(60) == 0
    main = container("sh", "-c", TRAIN.replace("/automl/run", str(folder)))
    observe = container(sys.executable, "-c", STEP, str(folder), "observe")
    try:
        assert (main.wait(60), observe.wait(60)) == (0, 0)
    finally:
        for process in (main, observe):
            kill_group(process)
