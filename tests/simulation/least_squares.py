"""A tiny training program that really trains: gradient descent on a line through 24 points, some 1 ms an epoch.

    python least_squares.py --spec SPEC --results DIR

It keeps the contract of automl/training.py: exact resume, whole checkpoints, exit code 75. `train` is a generator that
stops after every step, so that a simulation can walk it in this process and crash it anywhere. `faults` of the spec,
by the training's seed, makes it go wrong: "error@3" at epoch 3. Every finished epoch is noted in the file that
LEAST_SQUARES_JOURNAL names.
"""

from __future__ import annotations

import json
import math
import os
import random
import signal
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from automl import training

ERROR = 3  # the exit code of a training that fails


class Exit(Exception):
    """The program ends with `code`; negative: by that signal."""

    def __init__(self, code: int) -> None:
        self.code = code


def train(
    spec: Mapping[str, Any], results: Path, log: Callable[[str], None], stopping: Callable[[], bool]
) -> Iterator[str]:
    """Trains to the spec's last epoch; says what was done: begun, trained, saved, reported, diverged. Raises Exit."""
    settings = spec["train"]
    last, seed = settings["epochs"], settings["seed"]
    kind, _, at = str(spec["faults"].get(str(seed), "")).partition("@")
    training.started(results)
    state = _state(settings)
    if state["epoch"]:
        _report(results, state, last)  # again: a run that was killed right after saving has not reported it
    yield "begun"
    points = _points(seed)
    while state["epoch"] < last:
        epoch = state["epoch"] + 1
        here = kind if str(epoch) == at else ""
        if here in {"hang", "stubborn"}:
            yield here
            if here == "hang" and stopping():
                raise Exit(training.PREEMPTED)
            continue
        _go_wrong_before(here, results, log)
        state = _epoch(state, points, settings)
        yield f"trained {epoch}"
        if here != "no_checkpoint":
            text = json.dumps(state).encode()
            training.save_atomically(results / f"line_{epoch}.json", lambda file, text=text: file.write(text))  # type: ignore[misc]
            yield "saved"
        _report(results, {**state, "loss": math.nan} if here == "nan" else state, last, silent=kind == "no_metric")
        log(f"epoch {epoch} of {last}: loss {state['loss']:.9f}")
        yield "diverged" if here == "nan" else "reported"
        if here == "kill":
            raise Exit(-signal.SIGKILL)
        if (here == "preempt" or stopping()) and epoch < last:
            raise Exit(training.PREEMPTED)
    training.finished(results)


def _go_wrong_before(kind: str, results: Path, log: Callable[[str], None]) -> None:
    if kind == "error":
        log("the disk is on fire")
        raise Exit(ERROR)
    if kind == "said":
        training.failed(results, "the gradient is on fire")
        raise Exit(ERROR)
    if kind == "short":
        raise Exit(0)
    if kind == "preempt_always":
        raise Exit(training.PREEMPTED)


def _state(settings: Mapping[str, Any]) -> dict[str, Any]:
    """Where to begin: at the checkpoint that the spec names, or anew. trail: the epochs that are in the weights."""
    if settings["resume_from"] is None:
        rng = random.Random(settings["seed"])  # noqa: S311 - chance, not a secret
        return {"epoch": 0, "slope": rng.gauss(0, 1), "offset": 0.0, "loss": None, "trail": []}
    state: dict[str, Any] = json.loads(Path(settings["resume_from"]).read_text())
    if state["trail"] != list(range(1, state["epoch"] + 1)):
        raise ValueError(f"the checkpoint of epoch {state['epoch']} holds the epochs {state['trail']}")
    return state


def _points(seed: int) -> list[tuple[float, float]]:
    rng = random.Random(f"points {seed % 5}")  # noqa: S311 - chance, not a secret
    return [(x, 2 * x - 1 + rng.gauss(0, 0.3)) for x in (rng.uniform(-1, 1) for _ in range(24))]


def _epoch(state: Mapping[str, Any], points: list[tuple[float, float]], settings: Mapping[str, Any]) -> dict[str, Any]:
    slope, offset, rate = state["slope"], state["offset"], settings["lr"]
    for x, y in points[:16]:
        error = slope * x + offset - y
        slope -= rate * error * x
        offset -= rate * error
    loss = sum((slope * x + offset - y) ** 2 for x, y in points[16:]) / 8
    epoch = state["epoch"] + 1
    return {"epoch": epoch, "slope": slope, "offset": offset, "loss": loss, "trail": [*state["trail"], epoch]}


def _report(results: Path, state: Mapping[str, Any], last: int, *, silent: bool = False) -> None:
    metrics = {"slope": state["slope"]} if silent else {"slope": state["slope"], "loss": state["loss"]}
    training.report(results, state["epoch"], max_epoch=last, metrics=metrics)


def main() -> int:
    spec_path, results = Path(sys.argv[sys.argv.index("--spec") + 1]), Path(sys.argv[sys.argv.index("--results") + 1])
    training.handle_preemption()
    spec = training.load_spec(spec_path)
    journal = os.environ.get("LEAST_SQUARES_JOURNAL")
    try:
        for step in train(spec, results, lambda text: print(text, flush=True), training.preempted):
            what, _, epoch = step.partition(" ")
            if what == "trained":
                time.sleep(spec["train"]["pause"])
                if journal:
                    with Path(journal).open("a") as file:  # one short write: whole, whoever else appends
                        file.write(f"{spec['train']['seed']} {epoch}\n")
            elif what == "stubborn":
                signal.signal(signal.SIGTERM, signal.SIG_IGN)
                time.sleep(0.02)
            elif what == "hang":
                time.sleep(0.02)
    except Exit as end:
        if end.code < 0:
            os.kill(os.getpid(), -end.code)
        return end.code
    return 0


if __name__ == "__main__":
    sys.exit(main())
