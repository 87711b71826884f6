"""Measures the brain's step as a pod runs it: CPU seconds and memory from the start of Python to the decision.

    python scripts/measure_brain_step.py s3://bucket/prefix [--repeats 5]
    python scripts/measure_brain_step.py ./folder

Studies of the default network are laid below that address, with results that a formula makes up, and
`python -m automl.pod propose` decides on their next rung again and again; between times its decision is taken back. The
peer in the same run: Python that starts and ends, and Python that imports what nobody can do without (boto3 for the
store, NumPy and SciPy for a model). User and system time of all threads; the most memory until the decision is stored.
"""

from __future__ import annotations

import argparse
import os
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

from automl.execution.steps.propose import propose
from automl.search.history import Checkpoint, Decision, Result
from automl.stores import open_store
from automl.study import study_file
from automl.study.keys import decision_key
from automl.study.opened_study import begin
from automl.study.record import Record

# The step as a pod runs it; says on standard error the CPU time that it has used once the decision is stored, and the
# most memory that it has had.
_STEP = """
import resource, sys, time
from automl import pod
from automl.execution.pod_steps import deciding
decide = deciding.propose
def told(*arguments):
    decision = decide(*arguments)
    print(time.process_time(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss, file=sys.stderr)
    return decision
deciding.propose, sys.argv = told, ["pod", "propose"]
pod.main()
"""
HYPERBAND = "algorithm: hyperband\nR: 27\nnu: 3\nmax_epochs: 27\n"
BAYESIAN = "algorithm: bayesian\nmax_recommendations: 40\nmax_epochs: 2\n"
CASES = {  # what is decided -> the study, and the rungs of its first stage that are over
    "Hyperband, first rung: 27 new experiments": (HYPERBAND, 0),
    "Hyperband, second rung: 27 results": (HYPERBAND, 1),
    "Bayesian, third step: no model yet": (BAYESIAN, 2),
    "Bayesian, at 20 results: a model": (BAYESIAN, 20),
}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("store", help="an address below which the studies are laid; nothing else there is touched")
    parser.add_argument("--repeats", type=int, default=5)
    options = parser.parse_args()
    print(f"load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores; median (lowest to highest) of {options.repeats}")
    for code in ("pass", "import boto3", "import numpy", "import scipy.linalg, scipy.optimize", "import skopt"):
        spent = [_cpu([sys.executable, "-c", code], {}) for _ in range(options.repeats)]
        print(f"python -c {code!r}: {_shown(spent)} s CPU")
    for number, (title, (text, over)) in enumerate(CASES.items()):
        uri = f"{options.store.rstrip('/')}/{time.time_ns()}-{number}"
        before = walked(uri, text, over)
        steps = [step(uri, over, before) for _ in range(options.repeats)]
        decided, memory, ended, waited = zip(*steps, strict=True)
        print(
            f"{title}: {_shown(decided)} s CPU and {max(memory):.0f} MB to the decision, {_shown(ended)} to the end; "
            f"{_shown(waited)} s in total"
        )


def walked(uri: str, text: str, over: int) -> Callable[[], None]:
    """Lays a study there whose first `over` rungs are over. Gives what takes the next decision back."""
    definition = study_file.parse(f"name: measured\nnetwork: fashion_mnist\n{text}", "study", Path())
    record = Record(open_store(uri))
    begin(record, definition, text)
    for rung in range(over):
        settle(record, propose(record, definition, 0, rung))
    return lambda: record.store.delete(decision_key(0, over))


def settle(record: Record, decision: Decision) -> None:
    """A made-up result for everything that the decision asks; the value depends on the experiment's number alone."""
    rung = decision.index
    for asked in decision.issued:
        value = 0.5 + (asked.number * 37 % 101) / 250
        points = tuple((epoch, value) for epoch in range(1, asked.epochs + 1))
        last = Checkpoint(f"experiment_{asked.number}/manifest.json", asked.epochs)
        record.store_result(
            Result(asked.number, rung, ("a1",), asked.epochs, 1.0, points, last, last, value, None, None)
        )


def step(uri: str, index: int, before: Callable[[], None]) -> tuple[float, float, float, float]:
    """CPU seconds and MB to the decision, CPU seconds to the end, and seconds that passed, of one step."""
    before()
    printed: list[str] = []
    began = time.monotonic()
    environment = {"AUTOML_STORE": uri, "AUTOML_STAGE": "0", "AUTOML_RUNG": str(index)}
    spent = _cpu([sys.executable, "-c", _STEP], environment, printed)
    seconds, kilobytes = (float(word) for word in printed[-1].split())
    return seconds, kilobytes / 1024, spent, time.monotonic() - began


def _cpu(words: list[str], environment: dict[str, str], printed: list[str] | None = None) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    done = subprocess.run(words, env={**os.environ, **environment}, capture_output=True, text=True, check=False)
    if done.returncode:
        raise SystemExit(f"{words[-1].splitlines()[-1]}: {done.stderr}")
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if printed is not None:
        printed += done.stderr.splitlines()
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def _shown(seconds: list[float] | tuple[float, ...]) -> str:
    return f"{statistics.median(seconds):.2f} ({min(seconds):.2f} to {max(seconds):.2f})"


if __name__ == "__main__":
    main()
