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
from dataclasses import replace
from pathlib import Path

from automl.execution.status_readers import MetricReadings
from automl.execution.status_readers.json_lines import TaoStatus
from automl.search.history import Decision, Failure, Outcome, Recommendation
from automl.search.ranking import best_outcome
from automl.study import study_file
from automl.study.definition import Definition
from automl.study.interval import paired
from automl.study.train_spec import train_spec
from automl.trainers.failures import Diverged
from automl.trainers.loop import fashion_mnist
from automl.trainers.settings.fashion_mnist import Settings
from automl.trainers.settings.train import from_spec

STUDY = """\
name: measured
network: fashion_mnist
algorithm: hyperband
R: 9
nu: 3
max_epochs: {epochs}
seed: {seed}
"""


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3, 4, 5, 6])
    parser.add_argument("--epochs", type=int, default=9, help="of the longest training")
    parser.add_argument("--repeats", type=int, default=4, help="fresh trainings of the winner and of the defaults")
    options = parser.parse_args()
    gains, certain = [], 0
    for seed in options.seeds:
        with tempfile.TemporaryDirectory() as folder:
            defaults, bests = search(seed, options.epochs, options.repeats, Path(folder))
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


def search(seed: int, epochs: int, repeats: int, folder: Path) -> tuple[list[float], list[float]]:
    """Held-out accuracies of the defaults and of the winner of one search, one for each fresh training seed."""
    definition = study_file.parse(STUDY.format(epochs=epochs, seed=seed), "study", Path())
    outcomes: list[Outcome] = []
    issued: dict[int, Recommendation] = {}
    for stage in definition.plan.search:
        earlier: list[Decision] = []
        last: list[Outcome] = []
        for rung in stage.rungs:
            decision = definition.brain.decide(stage.index, rung.index, earlier, last, [])
            earlier.append(decision)
            last = [
                train(definition, recommendation, rung.index, folder / str(recommendation.number))
                for recommendation in decision.issued
            ]
            issued |= {recommendation.number: recommendation for recommendation in decision.issued}
            outcomes += last
    best = best_outcome(outcomes, definition.brain.metric, definition.brain.best_among)
    if best is None:
        raise SystemExit(f"seed {seed}: no experiment succeeded")
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


def train(definition: Definition, recommendation: Recommendation, rung: int, folder: Path) -> Outcome:
    """What came of one recommendation; its folder holds the checkpoints to go on from."""
    values = metric_values(definition, recommendation, folder).get(definition.brain.metric.name, {})
    number, epochs = recommendation.number, recommendation.epochs
    finite = {epoch: value for epoch, value in values.items() if math.isfinite(value)}
    if epochs not in finite:
        return Outcome(number, rung, 0, None, failure=Failure.NOT_FINITE)
    return Outcome(number, rung, epochs, finite[epochs], best_value=max(finite.values()))


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
