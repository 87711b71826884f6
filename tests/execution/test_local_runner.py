"""Real trainings, each a process of its own: what becomes of a study, and of programs that fail."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from moto import mock_aws

from automl.errors import AlreadyRunning, StudyFailed
from automl.execution.local_runner import LocalRun
from automl.operations.extend import extend
from automl.reporting import views
from automl.search.extension import Extension
from automl.search.history import MEANINGS, Failure, History
from automl.stores import open_store
from automl.study.events import Event
from automl.study.opened_study import OpenedStudy
from automl.study.record import Record
from automl.text import strict_json
from tests.simulation.crashes import check_end
from tests.simulation.runs import NO_FINAL, as_world, decisions, is_running, objects, run, simulated, soon, trained
from tests.simulation.studies import HALVING, HYPERBAND_9, RANDOM, study
from tests.simulation.world import contents

pytestmark = pytest.mark.usefixtures("quick_runner")

# -- to the end -------------------------------------------------------------------------------------------------------


def test_processes_and_the_simulator_make_the_same_study(tmp_path: Path, journal: Path) -> None:
    definition = study(HYPERBAND_9)
    run(definition, tmp_path / "study")
    check_end(as_world(tmp_path / "study", definition), simulated(definition, tmp_path), trained_once=False)
    assert trained(journal).total() == definition.plan.trained(definition.plan.stages, resume=True)
    assert not (tmp_path / "study/.work/attempts").exists() or not list((tmp_path / "study/.work/attempts").iterdir())


def test_all_views_made_anew_are_byte_for_byte_those_that_the_run_left(tmp_path: Path) -> None:
    definition = study(HALVING, {2: "error@1", 1: "preempt@2"})
    run(definition, tmp_path / "study")
    record, before = Record(open_store(str(tmp_path / "study"))), objects(tmp_path / "study")
    for key in before:
        view = not key.startswith(("decisions/", "results/", "automl_metadata", "study.yaml")) and "/rung_" not in key
        if view:
            record.store.delete(key)
    assert len(objects(tmp_path / "study")) < len(before) - 20
    views.rebuild(OpenedStudy.read(record))
    assert objects(tmp_path / "study") == before


def test_run_again_a_finished_study_trains_nothing_and_changes_nothing(tmp_path: Path, journal: Path) -> None:
    definition = study(RANDOM)
    run(definition, tmp_path / "study")
    before, epochs = objects(tmp_path / "study"), trained(journal)
    heard: list[Event] = []
    run(definition, tmp_path / "study", heard.append)
    assert (objects(tmp_path / "study"), trained(journal)) == (before, epochs)
    assert {event.kind for event in heard} == {"decided", "skipped"}


def test_a_study_that_was_extended_before_its_judgement_is_judged_both_times(tmp_path: Path) -> None:
    definition = study(RANDOM)
    run(definition, tmp_path / "study")
    store = open_store(str(tmp_path / "study"))
    for key in ("decisions/1/0.json", "results/4/0.json", "results/5/0.json"):
        store.delete(key)
    extend(Record(store), definition, Extension(max_recommendations=6), "study")
    record, extended = OpenedStudy.read(Record(store))
    LocalRun(record, extended, 2, tmp_path / "work", lambda _event: None).run()
    assert set(decisions(tmp_path / "study")) == {f"decisions/{stage}/0.json" for stage in range(4)}
    assert {key for key in objects(tmp_path / "study") if key.startswith("results/")} == {
        f"results/{number}/0.json" for number in range(10)
    }


def test_the_folder_is_the_one_that_users_know(tmp_path: Path) -> None:
    definition = study(RANDOM | NO_FINAL)
    run(definition, tmp_path / "study")
    found = objects(tmp_path / "study")
    names = {key for key in found if "/rung_" not in key and not key.startswith(("decisions/", "results/"))}
    best = strict_json.load(found["best_model/manifest.json"], "it")
    assert names == {
        "automl_metadata.json",
        "study.yaml",
        "brain.json",
        "controller.json",
        "report.html",
        "report-interactive.html",
        "views.json",
        *(f"recommendation_{number}.json" for number in range(4)),
        *(f"experiment_{number}/{name}" for number in range(4) for name in ("log.txt", "status.json")),
        "best_model/manifest.json",
        "best_model/log.txt",
        "best_model/status.json",
        f"best_model/recommendation_{best['experiment']}.json",
        f"best_model/line_{best['epoch']}.json",
    }
    assert strict_json.load(found[f"best_model/line_{best['epoch']}.json"], "it")["loss"] == best["value"]


def test_a_study_runs_in_a_thread_too(tmp_path: Path) -> None:
    """As in a notebook; Python gives signals to the main thread alone."""
    thread = threading.Thread(target=run, args=(study(RANDOM | NO_FINAL), tmp_path / "study"))
    thread.start()
    thread.join()
    assert "best_model/manifest.json" in objects(tmp_path / "study")


def test_a_second_runner_on_this_machine_is_refused(tmp_path: Path) -> None:
    definition = study(RANDOM | NO_FINAL)
    refused: list[AlreadyRunning] = []

    def try_to_run_too(event: Event) -> None:
        if event.kind == "started" and not refused:
            with pytest.raises(AlreadyRunning, match="is being run by another process") as caught:
                run(definition, tmp_path / "study")
            refused.append(caught.value)

    run(definition, tmp_path / "study", try_to_run_too)
    assert len(refused) == 1


@pytest.fixture
def moto_bucket(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[str]:
    from automl.stores.s3 import _client

    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    for name, value in {
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
        "AWS_REGION": "us-east-1",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }.items():
        monkeypatch.setenv(name, value)
    monkeypatch.chdir(tmp_path)
    with mock_aws():
        _client().create_bucket(Bucket="bucket")
        yield "s3://bucket/a/study"


def test_a_study_in_a_bucket_is_the_same_study(moto_bucket: str, tmp_path: Path) -> None:
    definition = study(RANDOM | {"max_recommendations": 2, "max_epochs": 2} | NO_FINAL)
    run(definition, moto_bucket)
    assert decisions(moto_bucket) == {
        key: data for key, data in contents(simulated(definition, tmp_path)).items() if key.startswith("decisions/")
    }


# -- programs that fail -----------------------------------------------------------------------------------------------


def failures(found: History) -> dict[int, tuple[Failure | None, str]]:
    return {number: (result.failure, result.message) for (number, _), result in found.results.items()}


def test_every_way_in_which_a_program_fails_is_data_and_the_study_goes_on(tmp_path: Path) -> None:
    faults = {
        1: "error@2",
        2: "said@1",
        3: "nan@2",
        4: "no_metric",
        5: "short@2",
        6: "no_checkpoint@2",
        7: "kill@1",
        8: "preempt@1",
        9: "preempt_always@1",
    }
    settings = RANDOM | {"max_recommendations": 10, "max_epochs": 2} | NO_FINAL
    found = run(study(settings, faults, run={"preemptions": 2}), tmp_path / "study")
    assert failures(found) == {
        0: (None, ""),
        1: (Failure.ERROR, "exit code 3: the disk is on fire"),
        2: (Failure.ERROR, "exit code 3: the gradient is on fire"),
        3: (Failure.NOT_FINITE, "loss = nan at epoch 2"),
        4: (Failure.NO_METRIC, "loss was never reported in status.json, 4 lines read; reported were: slope"),
        5: (Failure.SHORT, "ended after epoch 1 of 2"),
        6: (Failure.NO_CHECKPOINT, "no file line_{epoch}.json of epoch 2 was written"),
        7: (Failure.KILLED, MEANINGS[Failure.KILLED]),
        8: (None, ""),
        9: (Failure.PREEMPTED, "exit code 75, 3 times"),
    }
    assert [len(found.results[number, 0].attempts) for number in (0, 8)] == [1, 2]
    controller = strict_json.load(objects(tmp_path / "study")["controller.json"], "it")
    assert [row["status"] for row in controller["experiments"]] == ["success", *["failure"] * 7, "success", "failure"]


def test_a_training_that_takes_too_long_is_stopped_and_has_failed(tmp_path: Path) -> None:
    """hang: it answers SIGTERM with 75, as a preempted one does. stubborn: it answers with nothing."""
    settings = RANDOM | {"max_recommendations": 3, "max_epochs": 2} | NO_FINAL
    definition = study(settings, {1: "hang@2", 2: "stubborn@1"}, run={"timeout_minutes": 0.06})
    found = run(definition, tmp_path / "study")
    message = "ran longer than 0.06 minutes"
    assert failures(found) == {0: (None, ""), 1: (Failure.TIMEOUT, message), 2: (Failure.TIMEOUT, message)}
    assert found.results[1, 0].history[0][0] == 1


def test_a_program_that_does_not_exist_fails_the_study_and_says_so(tmp_path: Path) -> None:
    definition = study(RANDOM | NO_FINAL, network={"command": ["/no/such/program", "{spec}"]})
    with pytest.raises(StudyFailed, match="none of the 4 experiments succeeded"):
        run(definition, tmp_path / "study")
    with pytest.raises(StudyFailed, match="none of the 4 experiments succeeded"):  # and again, without training
        run(definition, tmp_path / "study")
    controller = strict_json.load(objects(tmp_path / "study")["controller.json"], "it")
    assert {row["reason"] for row in controller["experiments"]} == {
        "error: exit code 1: /no/such/program cannot be started: No such file or directory"
    }


def test_a_damaged_checkpoint_fails_its_experiment_and_the_study_goes_on(tmp_path: Path) -> None:
    definition = study(HALVING | NO_FINAL)
    store = open_store(str(tmp_path / "study"))
    damaged: list[int] = []

    def flip(event: Event) -> None:
        if event.kind == "decided" and event.decision is not None and event.decision.index == 1:
            losses = {each.experiment: each.value for each in event.decision.consumed}
            worst = max(event.decision.issued, key=lambda each: losses[each.number] or 0.0)
            result = event.study.results[worst.number, 0]
            assert result.last is not None
            key = result.last.manifest.replace("manifest.json", "0")
            data = bytearray(store.get(key) or b"")
            data[len(data) // 2] ^= 1
            store.put(key, bytes(data))
            damaged.append(worst.number)

    found = run(definition, tmp_path / "study", flip)
    failed = {number: result for (number, rung), result in found.results.items() if result.failure is not None}
    assert list(failed) == damaged
    assert failed[damaged[0]].failure is Failure.NO_CHECKPOINT
    assert "does not match the sha256 of its manifest" in failed[damaged[0]].message
    assert sorted(rung for _, rung in found.results) == [0] * 9 + [1] * 3 + [2]
    assert "best_model/manifest.json" in objects(tmp_path / "study")


def test_a_study_that_fails_before_its_judgement_leaves_its_page_too(tmp_path: Path) -> None:
    definition = study(RANDOM, network={"command": ["/no/such/program", "{spec}"]})
    with pytest.raises(StudyFailed):
        run(definition, tmp_path / "study")
    page = objects(tmp_path / "study")["report.html"].decode()
    assert "None of the 4 experiments succeeded." in page
    assert "/no/such/program cannot be started: No such file or directory" in page


def test_what_a_program_leaves_running_ends_with_it(tmp_path: Path) -> None:
    script = f"sleep 321 & echo $! >> {tmp_path}/children; test -f $0"
    definition = study(RANDOM | NO_FINAL, network={"command": ["sh", "-c", script, "{spec}"]})
    with pytest.raises(StudyFailed):
        run(definition, tmp_path / "study")
    children = [int(line) for line in (tmp_path / "children").read_text().split()]
    assert len(children) == 4
    assert soon(lambda: not any(is_running(child) for child in children))


def test_what_was_printed_faster_than_it_is_read_is_read_to_its_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("automl.execution.steps.observe.AT_A_LOOK", 1)  # a megabyte, the least that is read at once
    program = "for n in range(3): print('x\\n' * 700_000, 'epoch', n + 1, 'loss', 0.5 - n / 10, flush=True)"
    more = {"command": ["python3", "-c", program, "{spec}"], "checkpoints": None}
    rule = {"reader": "regex", "patterns": ["epoch (?P<epoch>\\d+) loss (?P<loss>{number})"]}
    definition = study(RANDOM | NO_FINAL | {"max_epochs": 3}, network=more | {"status": rule})
    history = run(definition, tmp_path / "study")
    assert [result.history for result in history.results.values()] == [((1, 0.5), (2, 0.4), (3, 0.3))] * 4
