"""Measures what the default example gains: Hyperband searches with several seeds, winner and defaults on held-out data.

    python scripts/measure_default_example.py --seeds 1 2 3 4 5 6

Every search makes the decisions that `automl run` makes with that seed; its trainings run in this process, one after
the other, because a start of Python with torch costs more than the training. About half a minute a seed on one core.
"""

from __future__ import annotations

import argparse
import contextlib
import io
import math
import statistics
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from automl.execution.status_readers import MetricReadings
from automl.execution.status_readers.json_lines import TaoStatus
from automl.execution.steps.propose import propose
from automl.search.agenda import due
from automl.search.history import Failure, Recommendation, Result
from automl.stores.memory import MemoryStore
from automl.study import study_file, summary
from automl.study.definition import Definition
from automl.study.interval import paired
from automl.study.opened_study import begin
from automl.study.record import Record
from automl.study.train_spec import train_spec
from automl.trainers.failures import Diverged
from automl.trainers.loop import fashion_mnist
from automl.trainers.settings.fashion_mnist import Settings
from automl.trainers.settings.train import from_spec

STUDY = """\
name: measured
network: fashion_mnist
algorithm: hyperband
{sampler}R: 9
nu: 3
final: {{repeats: 0}}
max_epochs: {epochs}
seed: {seed}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5, 6])
    parser.add_argument("--epochs", type=int, default=9, help="of the longest training")
    parser.add_argument("--repeats", type=int, default=4, help="fresh trainings of the winner and of the defaults")
    parser.add_argument("--sampler", default="", help="default: that of a study which names none")
    options = parser.parse_args()
    sampler = f"sampler: {options.sampler}\n" if options.sampler else ""
    gains, certain = [], 0
    for seed in options.seeds:
        with tempfile.TemporaryDirectory() as folder:
            text = STUDY.format(epochs=options.epochs, seed=seed, sampler=sampler)
            defaults, bests = search(text, options.epochs, options.repeats, Path(folder))
        default, best = statistics.mean(defaults), statistics.mean(bests)
        gains.append(best - default)
        interval = paired([mine - theirs for mine, theirs in zip(bests, defaults, strict=True)])
        text = f", 95 %: {interval.low:+.4f} to {interval.high:+.4f}" if interval else ""
        certain += interval is not None and interval.low * interval.high > 0
        print(f"seed {seed}: default {default:.4f}, best {best:.4f}, gain {best - default:+.4f}{text}", flush=True)
    spread = statistics.stdev(gains) if len(gains) > 1 else float("nan")
    better = sum(gain > 0 for gain in gains)
    print(
        f"{len(gains)} searches: mean gain {statistics.mean(gains):+.4f}, "
        f"standard error {spread / len(gains) ** 0.5:.4f}, better than the defaults in {better}, "
        f"the sign certain in {certain}"
    )


def search(text: str, epochs: int, repeats: int, folder: Path) -> tuple[list[float], list[float]]:
    """Held-out accuracies of the defaults and of the winner of one search, one for each fresh training seed."""
    definition, record = study_file.parse(text, "study", Path()), Record(MemoryStore())
    begin(record, definition, text)
    issued: dict[int, Recommendation] = {}
    while steps := due(definition.plan, record.history(definition)):
        decision = propose(record, definition, steps[0].stage, steps[0].index)
        for recommendation, rung in decision.runs():
            issued[recommendation.number] = recommendation
            record.store_result(train(definition, recommendation, rung, folder / str(recommendation.number)))
    best = summary.best(definition, record.history(definition))
    if best is None:
        raise SystemExit("no experiment succeeded")
    default, winner = (replace(issued[number], epochs=epochs) for number in (0, best.experiment))
    return judge(definition, default, repeats, folder / "default"), judge(definition, winner, repeats, folder / "best")


def judge(definition: Definition, source: Recommendation, repeats: int, folder: Path) -> list[float]:
    """Held-out accuracies of fresh trainings of these values."""
    values: list[float] = []
    for repeat in range(repeats):
        seed = 1000 * definition.file.seed + repeat
        fresh = replace(source, schedule_epochs=source.epochs, resume_epoch=0, seed=seed, held_out=True)
        values += metric_values(definition, fresh, folder / str(repeat)).get("held_out_accuracy", {0: 0.0}).values()
    return values


def train(definition: Definition, recommendation: Recommendation, rung: int, folder: Path) -> Result:
    """What came of one recommendation; its folder holds the checkpoints to go on from."""
    began = time.perf_counter()
    values = metric_values(definition, recommendation, folder).get(definition.brain.metric.name, {})
    number, epochs = recommendation.number, recommendation.epochs
    finite = {epoch: value for epoch, value in sorted(values.items()) if math.isfinite(value)}
    result = Result(number, rung, ("a1",), epochs, time.perf_counter() - began, tuple(finite.items()))
    if epochs not in finite:
        return replace(result, epochs=0, history=(), failure=Failure.NOT_FINITE)
    return replace(result, best_value=max(finite.values()))


def metric_values(definition: Definition, recommendation: Recommendation, folder: Path) -> dict[str, dict[int, float]]:
    """The metrics that a training reported, by epoch."""
    folder.mkdir(parents=True, exist_ok=True)
    settings = from_spec(Settings, train_spec(definition, recommendation))
    with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(Diverged):
        fashion_mnist.run(settings, folder)
    readings = MetricReadings()
    TaoStatus(readings).feed((folder / "status.json").read_bytes())
    return readings.values


if __name__ == "__main__":
    main()
