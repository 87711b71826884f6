"""Programs without checkpoints that are started once and stopped at a rung, on this machine and in pods."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from automl.execution import pod_contract
from automl.execution.pod_steps import deciding
from automl.search.history import Failure
from automl.stores import open_store
from automl.study import study_file
from automl.study.opened_study import begin
from automl.study.record import Record
from tests.command_line import as_json, automl, refused
from tests.execution.test_without_resume import ANEW, controller, lay_out
from tests.process_groups import kill_group
from tests.workflows.test_training_pod import STEP, until
from workflows.pods import TRAIN

STOPPING = ANEW.replace("repeats: 1", "repeats: 0") + "resume: stop\n"
# Whoever has not the best `lr` hangs behind its first rung until it is stopped.
HANGS = """\
import pathlib, sys, time
lr, epochs = float(sys.argv[1]), int(sys.argv[2])
for epoch in range(1, epochs + 1):
    pathlib.Path("model.pt").write_text(f"{lr} {epoch}")
    print(f"epoch {epoch} val_acc={1 - lr + epoch / 1000}", flush=True)
    while lr > 0.001 and epoch == 2:
        time.sleep(0.01)
"""
SMALL = """\
name: mine
network:
  command: [python, hangs.py, "{lr}", "{epochs}"]
  metric: {name: val_acc, goal: maximize}
  status: {reader: regex, patterns: ['epoch (?P<epoch>\\d+) val_acc=(?P<val_acc>{number})']}
  keep: [model.pt]
  epochs: 3
  parameters:
    lr: {low: 0.001, high: 0.1, log: true, default: 0.001}
algorithm: asha
R: 3
max_recommendations: 3
resume: stop
final: {repeats: 0}
"""


def lay_out_hanging(folder: Path, text: str = SMALL) -> None:
    (folder / "hangs.py").write_text(HANGS)
    (folder / "study.yaml").write_text(text)


def decisions(folder: Path) -> list[dict[str, Any]]:
    paths = (folder / "mine/decisions/0").glob("*.json")
    return [json.loads(path.read_text()) for path in sorted(paths, key=lambda path: int(path.stem))]


@pytest.mark.usefixtures("quick_runner")
@pytest.mark.parametrize("rule", ["asha", "median"])
def test_an_argparse_program_is_started_once_for_all_its_epochs_and_each_stop_is_a_decision(
    rule: str, tmp_path: Path
) -> None:
    told = lay_out(tmp_path, f"{STOPPING}algorithm: asha\nstop_rule: {rule}\n")
    planned = as_json(automl("plan", "study.yaml", "-o", "json", cwd=tmp_path))
    ran = automl("run", "study.yaml", "-j", "2", cwd=tmp_path)
    assert ran.code == 0, ran
    assert [line.split()[0] for line in told.read_text().splitlines()] == ["9"] * 9
    rows = controller(tmp_path)
    assert {row["status"] for row in rows} <= {"stopped", "success"}
    stopped = {row["number"] for row in rows if row["status"] == "stopped"}
    made = decisions(tmp_path)
    assert {one["number"] for decision in made for one in decision["stopped"]} == stopped
    spent = sum(row["results"][-1]["epochs"] for row in rows)
    assert spent < planned["totals"]["search_epochs"] == 81
    epochs = as_json(automl("status", "study.yaml", "-o", "json", cwd=tmp_path))["epochs"]
    assert epochs == {"done": spent, "pending": 0, "dropped": 81 - spent}
    best = as_json(automl("best", "study.yaml", "-o", "json", cwd=tmp_path))
    assert json.loads((tmp_path / "mine/best_model/model.pt").read_text())["lr"] == best["values"]["lr"]
    assert rows[best["experiment"]]["results"][-1]["epochs"] == 9
    means = [outcome for decision in made for outcome in decision["consumed"] if "mean" in outcome]
    assert bool(means) == (rule == "median")
    for command in ("replay", "verify"):
        assert automl(command, "study.yaml", cwd=tmp_path).code == 0


@pytest.mark.usefixtures("quick_runner")
def test_a_training_that_falls_behind_is_ended_and_says_why(tmp_path: Path) -> None:
    lay_out_hanging(tmp_path)
    ran = automl("run", "study.yaml", "-j", "1", cwd=tmp_path)  # it would not come to an end by itself
    assert ran.code == 0, ran
    assert [row["status"] for row in controller(tmp_path)] == ["success", "stopped", "stopped"]
    assert "experiment 1: is stopped: rank 2 of 2 at epoch 1 by val_acc = " in ran.out
    story = " ".join(automl("why", "study.yaml", "1", cwd=tmp_path).out.split())
    assert "stopped: rank 2 of 2 at epoch 1 by val_acc" in story
    kept = sorted((tmp_path / "mine/experiment_1/rung_0").glob("*/checkpoints/1/manifest.json"))
    assert len(kept) == 1
    ledger = as_json(automl("status", "study.yaml", "-o", "json", cwd=tmp_path))["ledger"]
    assert ledger["trained"] == 3 + 2
    assert ledger["wasted"].keys() <= {"stopped"}
    assert (tmp_path / "mine/experiment_0/log.txt").read_text().count("epoch 2 ") == 1


@pytest.mark.usefixtures("quick_runner")
def test_the_model_of_one_that_the_end_of_the_search_stopped_is_the_best_there_is(tmp_path: Path) -> None:
    lay_out_hanging(tmp_path, f"{SMALL}until: {{epochs: 1}}\n")
    ran = automl("run", "study.yaml", "-j", "1", cwd=tmp_path)
    assert ran.code == 0, ran
    (row,) = controller(tmp_path)
    assert (row["status"], row["results"][-1]["epochs"]) == ("stopped", 1)
    assert (tmp_path / "mine/best_model/model.pt").read_text().startswith("0.001 ")


@pytest.mark.usefixtures("quick_runner")
def test_one_that_ends_by_itself_has_its_last_value_at_every_rung_behind(tmp_path: Path) -> None:
    longer = SMALL.replace("R: 3\nmax_recommendations: 3", "R: 9\nmax_recommendations: 9").replace(
        "epochs: 3", "epochs: 9"
    )
    lay_out_hanging(tmp_path, longer.replace("  keep:", "  may_end_early: true\n  keep:"))
    short = HANGS.replace("range(1, epochs + 1)", "range(1, 3)").replace("while lr > 0.001", "while False")
    (tmp_path / "hangs.py").write_text(short)
    assert automl("run", "study.yaml", "-j", "1", cwd=tmp_path).code == 0
    first = controller(tmp_path)[0]
    assert [(one["epochs"], one["value"]) for one in first["results"]] == [(1, 1.0), (3, 1.001), (9, 1.001)]
    assert first["results"][-1]["message"] == "ended by itself after epoch 2 of 9"
    assert (tmp_path / "mine/best_model/model.pt").read_text() == "0.001 2"
    assert automl("verify", "study.yaml", cwd=tmp_path).code == 0


def test_the_plan_says_how_many_epochs_at_most_and_how_many_are_likely(tmp_path: Path) -> None:
    lay_out(tmp_path, f"{STOPPING}algorithm: asha\n")
    said = " ".join(automl("plan", "study.yaml", cwd=tmp_path).out.split())
    assert "stopped at the end of a rung when it is not among the best 1/3 of the rung's results so far" in said
    assert "about 28 epochs where results come in an order of chance, 81 at most" in said


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ("algorithm: hyperband\n", ("resume: stop with algorithm: hyperband", "asha and asynchronous_hyperband")),
        ("algorithm: random\n", ("resume: stop is no option of algorithm: random",)),
        ("algorithm: asha\nstop_rule: medan\n", ('stop_rule: "medan"', "did you mean 'median'")),
    ],
)
def test_bad_input_is_refused(more: str, says: tuple[str, ...], tmp_path: Path) -> None:
    lay_out(tmp_path, STOPPING.replace("R: 9\n", "") + more)
    refused(automl("plan", "study.yaml", cwd=tmp_path), *says)


def test_a_rule_without_stopping_and_a_network_with_checkpoints_are_refused(tmp_path: Path) -> None:
    lay_out(tmp_path, ANEW + "algorithm: asha\nstop_rule: median\n")
    refused(automl("plan", "study.yaml", cwd=tmp_path), "stop_rule: median without resume: stop")
    text = STOPPING.replace("  keep: [model.pt]", "  checkpoints: {pattern: 'model_{epoch}.pt', resume: in_place}")
    lay_out(tmp_path, text + "algorithm: asha\n")
    refused(automl("plan", "study.yaml", cwd=tmp_path), "resume: stop with mine, which leaves checkpoints", "'keep'")


def test_a_program_that_takes_no_number_of_epochs_can_be_stopped(tmp_path: Path) -> None:
    fixed = SMALL.replace(', "{epochs}"', ', "3"').replace("  epochs: 3", "  epochs: 3\n  fixed_epochs: true")
    lay_out_hanging(tmp_path, fixed)
    assert automl("plan", "study.yaml", cwd=tmp_path).code == 0
    (tmp_path / "study.yaml").write_text((tmp_path / "study.yaml").read_text() + "epoch_multiplier: 2\n")
    refused(automl("plan", "study.yaml", cwd=tmp_path), "which always trains 3 (fixed_epochs)")


# -- pods -------------------------------------------------------------------------------------------------------------


class Pods:
    """The pods of a study as processes of this machine."""

    def __init__(self, folder: Path, patch: pytest.MonkeyPatch) -> None:
        self.folder, self.patch = folder, patch
        lay_out_hanging(folder, SMALL.replace("python, hangs.py", f"{sys.executable}, {folder}/hangs.py"))
        text = (folder / "study.yaml").read_text()
        self.definition = study_file.parse(text, "study", folder)
        self.record = Record(open_store(str(folder / "store")))
        begin(self.record, self.definition, text)
        self.processes: list[subprocess.Popen[bytes]] = []
        patch.setattr(pod_contract, "OUTPUTS", folder / "outputs")
        patch.setenv("AUTOML_STORE", str(folder / "store"))
        patch.setenv("AUTOML_STAGE", "0")

    def propose(self, turn: int) -> list[str]:
        self.patch.setenv("AUTOML_TURN", str(turn))
        deciding.propose_rung()
        found: list[str] = json.loads((self.folder / "outputs/experiments").read_text())
        return found

    def start(self, turn: int, attempt: str) -> tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]:
        """main and observe of the pod of a turn, whose experiment has the same number here."""
        run = self.folder / attempt
        told = {"AUTOML_TURN": str(turn), "AUTOML_EXPERIMENT": str(turn), "AUTOML_ATTEMPT": attempt}
        environment = {**os.environ, **told, "PYTHONUNBUFFERED": "1"}

        def container(*words: str) -> subprocess.Popen[bytes]:
            self.processes.append(subprocess.Popen(words, env=environment, start_new_session=True))
            return self.processes[-1]

        assert container(sys.executable, "-c", STEP, str(run), "stage-in").wait() == 0
        main = container("sh", "-c", TRAIN.replace("/automl/run", str(run)))
        return main, container(sys.executable, "-c", STEP, str(run), "observe")

    def lose_behind_the_first_rung(self, attempt: str) -> None:
        """Kills the pod of the first turn when the answer at its first rung is stored."""
        pod = self.start(0, attempt)
        until(lambda: self.record.decision(0, 1) is not None)
        for process in pod:
            kill_group(process)


@pytest.fixture
def pods(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Pods]:
    found = Pods(tmp_path, monkeypatch)
    yield found
    for process in found.processes:
        kill_group(process)


def test_the_sidecar_of_a_pod_asks_at_each_rung_and_a_pod_that_is_run_again_reads_its_answers(pods: Pods) -> None:
    assert [pods.propose(turn) for turn in (0, 1)] == [["0"], ["1"]]
    main, observe = pods.start(0, "first")
    assert (main.wait(60), observe.wait(60)) == (0, 0)
    done = pods.record.result(0, 1)
    assert done is not None
    assert (done.epochs, done.failure, len(done.history)) == (3, None, 3)
    main, observe = pods.start(1, "second")  # it hangs behind its second epoch
    assert (main.wait(60), observe.wait(60)) == (0, 0)
    stopped = pods.record.decisions(0)[-1][0].stopped
    assert [(one.number, one.reason[:24]) for one in stopped] == [(1, "rank 2 of 2 at epoch 1 b")]
    made = len(pods.record.decisions(0))
    main, observe = pods.start(1, "third")  # the same pod, run again: nothing is left to train, and nothing decided
    assert (main.wait(60), observe.wait(60)) == (0, 0)
    assert len(pods.record.decisions(0)) == made
    assert pods.propose(2) == ["2"]


def test_a_pod_that_is_lost_behind_a_rung_begins_anew_behind_its_answers(pods: Pods) -> None:
    waits = f"epoch == 2 and not pathlib.Path('{pods.folder}/go').exists()"
    (pods.folder / "hangs.py").write_text(HANGS.replace("lr > 0.001 and epoch == 2", waits))
    assert pods.propose(0) == ["0"]
    pods.lose_behind_the_first_rung("first")
    (pods.folder / "go").touch()
    before = [digest for _, digest in pods.record.decisions(0)]
    main, observe = pods.start(0, "again")
    assert (main.wait(60), observe.wait(60)) == (0, 0)
    assert [digest for _, digest in pods.record.decisions(0)][: len(before)] == before
    last = pods.record.result(0, 1)
    assert last is not None
    assert (last.attempts, last.epochs) == (("again",), 3)
    assert pods.record.result(0, 0) is not None


def test_a_pod_that_is_gone_for_good_fails_the_run_that_it_was_at(pods: Pods) -> None:
    (pods.folder / "hangs.py").write_text(HANGS.replace("lr > 0.001 and epoch == 2", "epoch == 2"))
    assert pods.propose(0) == ["0"]
    pods.lose_behind_the_first_rung("first")
    deciding.settle()
    lost = pods.record.result(0, 1)
    assert lost is not None
    assert lost.failure is Failure.LOST
    kept = pods.record.result(0, 0)
    assert kept is not None
    assert kept.failure is None
    assert [pods.propose(turn) for turn in (1, 2)] == [["1"], ["2"]]
    assert pods.propose(3) == []
