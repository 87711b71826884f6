"""What the tests of all programs that train by Lightning need: runs in this process, and what they wrote."""

from __future__ import annotations

import json
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

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
