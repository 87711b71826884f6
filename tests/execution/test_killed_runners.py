"""Runners that are stopped by Ctrl-C or killed outright: the same command goes on, and nothing of them stays alive."""

from __future__ import annotations

import os
import random
import signal
import time
from functools import partial
from pathlib import Path

import pytest

from automl.execution import local_runner
from tests.simulation.crashes import check_end
from tests.simulation.runs import (
    BY_KEYBOARD,
    JOBS,
    NO_FINAL,
    as_world,
    forked,
    run,
    running_below,
    simulated,
    soon,
    trained,
    wait,
)
from tests.simulation.studies import HALVING, RANDOM, study

pytestmark = [
    pytest.mark.usefixtures("quick_runner"),
    pytest.mark.filterwarnings("ignore:This process.*is multi-threaded:DeprecationWarning"),  # of os.fork
]
KILLS = int(os.environ.get("AUTOML_TEST_KILLS", "20"))


def test_after_ctrl_c_the_same_command_goes_on_and_no_epoch_is_trained_twice(tmp_path: Path, journal: Path) -> None:
    definition = study(HALVING | NO_FINAL, train_spec={"train.pause": 0.02})
    rng, stops = random.Random(4), 0  # noqa: S311 - chance, not a secret
    while (pid := forked(lambda: run(definition, tmp_path / "study"))) and wait(pid, rng.uniform(0.1, 0.7)) is None:
        os.kill(pid, signal.SIGINT)
        code = wait(pid, 60)
        assert code in {0, BY_KEYBOARD, 130}  # it had ended; it had not begun to listen; it stopped as it should
        stops += code == 130
        assert running_below(tmp_path) == []
        if code == 0:
            break
    assert stops >= 2
    check_end(as_world(tmp_path / "study", definition), simulated(definition, tmp_path), trained_once=False)
    epochs = trained(journal)
    assert set(epochs.values()) == {1}
    assert epochs.total() == definition.plan.trained(definition.plan.stages, resume=True)


def test_a_second_ctrl_c_kills_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(local_runner, "GRACE_SECONDS", 600.0)
    definition = study(RANDOM | NO_FINAL, {0: "stubborn@1"})
    status = tmp_path / "study/experiment_0"
    pid = forked(lambda: run(definition, tmp_path / "study"))
    assert soon(lambda: len(running_below(tmp_path)) > 0)
    time.sleep(0.5)
    os.kill(pid, signal.SIGINT)
    assert wait(pid, 0.3) is None, status
    os.kill(pid, signal.SIGINT)
    assert wait(pid, 20) == BY_KEYBOARD
    assert running_below(tmp_path) == []


def test_who_stops_does_not_wait_for_the_end_of_a_long_log(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("automl.execution.steps.observe.AT_A_LOOK", 1)  # a megabyte, the least that is read at once
    written = tmp_path / "written"
    program = (
        "import pathlib, sys, time\n"
        f"written = pathlib.Path({str(written)!r})\n"
        "if not written.exists():\n"
        "    print('epoch 1 loss 0.25', flush=True)\n"
        "    for _ in range(300): sys.stdout.write(('x' * 99 + '\\n') * 10_000)\n"
        "    sys.stdout.flush()\n"
        "    written.touch()\n"
        "    time.sleep(600)\n"
        "print('epoch 1 loss 0.5', flush=True)\n"
    )
    network = {"command": ["python3", "-c", program, "{spec}"], "checkpoints": None}
    rule = {"reader": "regex", "patterns": ["epoch (?P<epoch>\\d+) loss (?P<loss>{number})"]}
    definition = study(RANDOM | NO_FINAL | {"max_epochs": 1}, network=network | {"status": rule})
    pid = forked(lambda: run(definition, tmp_path / "study"))
    assert soon(written.exists)
    os.kill(pid, signal.SIGINT)
    assert wait(pid, 60) == 130
    left = [folder for folder in (tmp_path / "study").rglob("attempts/*") if folder.is_dir()]
    assert left, "its log was read to the end"
    history = run(definition, tmp_path / "study")
    assert {result.history for result in history.results.values()} == {((1, 0.5),)}
    assert not any(folder.exists() for folder in left)


def test_killed_with_9_at_random_moments_a_study_ends_as_one_left_alone(tmp_path: Path, journal: Path) -> None:
    """Trainings die with their runner; at most the epochs in flight, one a training, are trained again."""
    definition = study(HALVING | NO_FINAL, {2: "error@1", 4: "preempt@2"}, train_spec={"train.pause": 0.005})
    expected = simulated(definition, tmp_path)
    planned = sum(expected.trained.values())
    rng, kills, again, studies = random.Random(9), 0, 0, 0  # noqa: S311 - chance, not a secret
    while kills < KILLS:
        place, mine = tmp_path / f"study-{studies}", 0
        journal.write_text("")
        go_on = partial(run, definition, place)
        while (pid := forked(go_on)) and wait(pid, rng.uniform(0.03, 0.5)) is None:
            os.kill(pid, signal.SIGKILL)
            if wait(pid, 10) == 0:
                break  # it had ended just before
            assert soon(lambda: running_below(tmp_path) == []), "a training outlived its runner"
            mine += 1
        check_end(as_world(place, definition), expected, trained_once=False)
        twice = trained(journal).total() - planned
        assert 0 <= twice <= mine * JOBS
        kills, again, studies = kills + mine, again + twice, studies + 1
    print(f"{kills} kills in {studies} studies of {planned} epochs: {again} epochs were trained again")
