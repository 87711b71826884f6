"""What the tests of all programs that train by Lightning need: runs in this process, what they wrote, and searches."""

from __future__ import annotations

import json
import os
import signal
import traceback
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from importlib import import_module
from pathlib import Path
from typing import Any

import torch
import yaml

from automl.execution.local_runner import LocalRun
from automl.execution.steps.stage_in import Launch
from automl.execution.training_process import Start
from automl.stores import open_store
from automl.study.opened_study import begin
from automl.study.record import Record
from automl.study.study_file import parse
from automl.text import strict_json
from tests.command_line import automl
from tests.simulation.runs import hear_nothing
from tests.test_training import lines

Main = Callable[[Sequence[str]], int]
Spec = dict[str, dict[str, Any]]


def train(main: Main, folder: Path, small: Spec, **changes: dict[str, Any]) -> int:
    """Runs a program with the spec `small`, changed, its results in `folder`; gives the exit code."""
    spec = {section: small.get(section, {}) | changes.get(section, {}) for section in {*small, *changes}}
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "spec.json"
    path.write_text(json.dumps(spec))
    with _own_signal_handler():
        return main(["--spec", str(path), "--results", str(folder)])


@contextmanager
def _own_signal_handler() -> Iterator[None]:
    handler = signal.getsignal(signal.SIGTERM)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, handler)


def checkpoint(folder: Path, epoch: int) -> dict[str, Any]:
    content = torch.load(folder / f"checkpoint_epoch_{epoch:03d}.pt", weights_only=True)
    assert isinstance(content, dict)
    return content


def kpis(folder: Path) -> dict[int, dict[str, Any]]:
    return {line["epoch"]: line["kpi"] for line in lines(folder) if "epoch" in line}


def failure(folder: Path) -> str:
    assert lines(folder)[-1]["status"] == "FAILURE"
    return str(lines(folder)[-1]["message"])


def assert_going_on_is_exact(main: Main, folder: Path, small: Spec) -> None:
    """Three epochs at once, in three runs of one folder, and from a named checkpoint: all the same to the bit."""
    assert train(main, folder / "whole", small, train={"epochs": 3}) == 0
    for epochs in (1, 2, 3):
        assert train(main, folder / "parts", small, train={"epochs": epochs}) == 0
    named = str(folder / "parts" / "checkpoint_epoch_002.pt")
    assert train(main, folder / "promoted", small, train={"epochs": 3, "resume_from": named}) == 0
    whole = checkpoint(folder / "whole", 3)
    for other in ("parts", "promoted"):
        assert_same(whole, checkpoint(folder / other, 3))
        assert kpis(folder / other)[3] == kpis(folder / "whole")[3]
    first = checkpoint(folder / "whole", 1)["network"]
    assert any(not torch.equal(first[name], whole["network"][name]) for name in first)


def assert_same(first: Any, second: Any) -> None:
    """Equal to the bit, tensors included."""
    if isinstance(first, torch.Tensor):
        assert torch.equal(first, second)
    elif isinstance(first, dict):
        assert first.keys() == second.keys()
        for key in first:
            assert_same(first[key], second[key])
    elif isinstance(first, list | tuple):
        for one, other in zip(first, second, strict=True):
            assert_same(one, other)
    else:
        assert first == second


class Forked:
    """A training in a child of this process, which has the libraries already.

    To import them takes a new process longer than the tiny trainings of tests. All else is as in TrainingProcess.
    """

    def __init__(self, launch: Launch, _jobs: int) -> None:
        program, dash_m, module, *arguments = launch.argv
        assert (Path(program).name, dash_m) == ("python", "-m")
        self._code: int | None = None
        self._pid = os.fork()
        if self._pid == 0:
            code = 1
            try:
                os.setsid()
                os.chdir(launch.working or launch.folder)
                log = os.open(launch.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
                os.dup2(log, 1)
                os.dup2(log, 2)
                code = import_module(module).main(arguments)
            except BaseException:  # noqa: BLE001  a child must not go on with the tests
                os.write(2, traceback.format_exc().encode())
            finally:
                os._exit(code)

    def poll(self) -> int | None:
        if self._code is None:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            self._code = os.waitstatus_to_exitcode(status) if pid else None
        return self._code

    def signal(self, number: int) -> None:
        with suppress(ProcessLookupError):
            os.killpg(self._pid, number)

    def close(self) -> None:
        if self.poll() is None:
            self.signal(signal.SIGKILL)
            self._code = os.waitstatus_to_exitcode(os.waitpid(self._pid, 0)[1])


_KEEPS_THE_PROTOCOL: Start = Forked


def assert_a_search_ends_with_its_best(folder: Path, network: str, spec: Mapping[str, object], metric: str) -> None:
    """Searches the network with two trainings, the defaults of `spec` and one that is drawn, and looks at what it left.

    The best of the two is what the study ends with, and if that is the default, it says so by its number, 0.
    """
    study = {
        "name": "study",
        "network": network,
        "algorithm": "random",
        "max_recommendations": 2,
        "max_epochs": 2,
        "remove_default_automl_parameters": ["train.batch_size"],
        "train_spec": dict(spec),
        "final": {"repeats": 0},
    }
    text = yaml.safe_dump(study)
    definition = parse(text, "study.yaml", folder)
    record = Record(open_store(str(folder / "study")))
    begin(record, definition, text)
    LocalRun(record, definition, 1, folder / "work", hear_nothing, start=Forked).run()
    made = strict_json.load((folder / "study" / "controller.json").read_bytes(), "controller.json")
    values = [each["results"][-1]["best_value"] for each in made["experiments"]]
    best = strict_json.load((folder / "study" / "best_model" / "manifest.json").read_bytes(), "manifest.json")
    assert best["metric"] == metric
    assert best["value"] == max(values) >= values[0]
    assert best["experiment"] == values.index(max(values))
    endings = {".pt", ".png"} if definition.network.pictures else {".pt"}
    assert {Path(each["name"]).suffix for each in best["files"]} == endings
    report = (folder / "study" / "report.html").read_text()
    assert 1 <= report.count('src="data:image/png;base64,') <= 2 or not definition.network.pictures
    assert automl("verify", "study", cwd=folder).code == 0
