"""The containers of a training pod as processes of this machine: whoever is killed, the other one notices."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from automl.execution.pod_contract import PREEMPTED
from automl.execution.steps.propose import propose
from automl.search.history import Failure
from automl.stores import open_store
from automl.study import study_file
from automl.study.cluster_options import ClusterSettings
from automl.study.opened_study import begin
from automl.study.record import Record
from tests.process_groups import kill_group
from tests.small_network import NETWORK, PROGRAM, STUDY
from workflows import pod_patches
from workflows.pods import TRAIN

SAYS_GOODBYE = (
    "import signal, sys\nignore = lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN)\n"
    "signal.signal(signal.SIGTERM, lambda *_: (ignore(), print('goodbye', flush=True), sys.exit(143)))\n"
)
STEP = (
    "import pathlib, sys; from automl import pod; from automl.execution import pod_contract; "
    "pod_contract.WORK = pathlib.Path(sys.argv.pop(1)); pod.main()"
)


@dataclass
class Pod:
    """A training of experiment 0 that waits in its second epoch, and what is stored of it."""

    folder: Path
    record: Record
    processes: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def container(self, *words: str) -> subprocess.Popen[bytes]:
        told = {"AUTOML_STAGE": "0", "AUTOML_RUNG": "0", "AUTOML_EXPERIMENT": "0", "AUTOML_ATTEMPT": "pod"}
        environment = {**os.environ, **told, "AUTOML_STORE": str(self.folder / "store")}
        process = subprocess.Popen(words, env=environment, start_new_session=True)
        self.processes.append(process)
        return process

    def step(self, name: str) -> subprocess.Popen[bytes]:
        return self.container(sys.executable, "-c", STEP, str(self.folder / "run"), name)

    def start(self) -> tuple[subprocess.Popen[bytes], subprocess.Popen[bytes]]:
        """main and observe, in the second epoch."""
        assert self.step("stage-in").wait() == 0
        main = self.container("sh", "-c", TRAIN.replace("/automl/run", str(self.folder / "run")))
        observe = self.step("observe")
        until(lambda: bool(self.record.checkpoints(0, 0)))
        return main, observe


def until(question: Callable[[], bool]) -> None:
    end = time.monotonic() + 60
    while not question():
        assert time.monotonic() < end, "waited in vain"
        time.sleep(0.05)


@pytest.fixture
def pod(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Pod]:
    """Its parameter is more of the train spec."""
    more = getattr(request, "param", "train.waits_at: [2]")
    program = tmp_path / "small.py"
    program.write_text(SAYS_GOODBYE + PROGRAM)
    (tmp_path / "small.yaml").write_text(NETWORK.format(program=program).replace("[python,", f"[{sys.executable},"))
    text = f"{STUDY}max_epochs: 9\ntrain_spec: {{{more}}}\n"
    definition = study_file.parse(text, "study", tmp_path)
    record = Record(open_store(str(tmp_path / "store")))
    begin(record, definition, text)
    propose(record, definition, 0, 0)
    found = Pod(tmp_path, record)
    yield found
    for process in found.processes:
        kill_group(process)


def test_a_training_that_nobody_follows_ends_to_be_run_again(pod: Pod) -> None:
    main, observe = pod.start()
    observe.kill()
    assert main.wait(60) == PREEMPTED
    assert pod.record.result(0, 0) is None
    assert (pod.folder / "run" / "progress").read_text() == "1/1\n"  # the other two are the next one's


def test_a_training_whose_container_is_killed_is_a_failure(pod: Pod) -> None:
    main, observe = pod.start()
    os.killpg(main.pid, signal.SIGKILL)
    assert observe.wait(60) == 0
    result = pod.record.result(0, 0)
    assert result is not None
    assert (result.failure, result.epochs) == (Failure.KILLED, 1)


@pytest.mark.parametrize("both", [True, False], ids=["a pod that is deleted", "argo stop"])
def test_a_training_that_is_told_to_stop_is_run_again_and_its_last_words_are_kept(pod: Pod, both: bool) -> None:
    main, observe = pod.start()
    for process in (main, observe) if both else (main,):
        os.killpg(process.pid, signal.SIGTERM)  # to the group of processes, as Argo does it
    assert main.wait(60) == PREEMPTED
    assert observe.wait(60) == 0
    assert pod.record.result(0, 0) is None
    assert pod.record.store.get("experiment_0/rung_0/pod/log.txt") == b"goodbye\n"


def test_a_training_that_ends_is_stored_before_its_container_ends(pod: Pod) -> None:
    main, _ = pod.start()
    (pod.folder / "run" / "go").touch()
    assert main.wait(60) == 0
    result = pod.record.result(0, 0)
    assert result is not None
    assert (result.failure, result.epochs) == (None, 3)


@pytest.mark.parametrize("pod", ["train.fault: crash, train.fault_in: all"], indirect=True)
def test_a_training_that_failed_is_complete_for_argo_and_stays_until_argo_knows(
    pod: Pod, monkeypatch: pytest.MonkeyPatch
) -> None:
    argo = pod.folder / "argo"
    monkeypatch.setenv("ARGO_PROGRESS_FILE", str(argo))
    assert pod.step("stage-in").wait() == 0
    main = pod.container("sh", "-c", TRAIN.replace("/automl/run", str(pod.folder / "run")))
    assert pod.step("observe").wait(60) == 0
    until(argo.exists)
    assert argo.read_text() == "3/3"
    wait = json.loads(pod_patches.of_a_training(ClusterSettings()))["containers"][0]
    intervals = [float(variable["value"].removesuffix("s")) for variable in wait["env"]]
    with pytest.raises(subprocess.TimeoutExpired):
        main.wait(sum(intervals) - (time.time() - argo.stat().st_mtime))
    assert main.wait(60) == 1
