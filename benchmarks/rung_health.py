"""`python -m benchmarks.rung_health` prints how often misleading rungs are found, and how often sound ones are blamed.

Studies of ours search learning curves that are drawn, one for each experiment. A healthy curve goes from a start to an
end that are correlated; a crossing one starts the worse, the better it ends, and the order turns at a given epoch. All
have noise after every epoch. Ends have the standard deviation 1.
"""

from __future__ import annotations

import argparse
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from automl.analysis.rung_health import rung_orders
from automl.problem.search_space import Parameter, SearchSpace
from benchmarks.epoch_searches import OurStudy
from benchmarks.problem import Array


@dataclass(frozen=True)
class Curves:
    """A kind of curves: how start and end are correlated, the noise of an epoch, and where the order turns, if it does.

    The correlation of crossing curves is that of the start with the reverse of the end.
    """

    correlation: float
    noise: float
    turns: float | None = None

    def draw(self, epochs: int, rng: np.random.Generator) -> Array:
        """The losses after every epoch of one experiment."""
        passed = np.log(np.arange(1, epochs + 1)) / math.log(epochs)
        end, other = rng.normal(size=2)
        own = math.sqrt(1 - self.correlation**2) * other
        if self.turns is None:
            course = (1 - passed) * (self.correlation * end + own) + passed * end
        else:
            turn = math.log(self.turns) / math.log(epochs)
            start = turn / (1 - turn)
            course = end * (passed - turn) / (1 - turn) + (1 - passed) * start * own / self.correlation
        losses: Array = course + self.noise * rng.normal(size=epochs) + 3 * np.exp(-passed * 3)
        return losses


HEALTHY = {
    "healthy, little noise": Curves(0.9, 0.1),
    "healthy, noise": Curves(0.7, 0.3),
    "healthy, much noise": Curves(0.5, 0.5),
}
CROSSING = {
    "crossing at epoch 2": Curves(0.95, 0.05, 2),
    "crossing at epoch 2, noise": Curves(0.8, 0.3, 2),
    "crossing at epoch 5": Curves(0.95, 0.05, 5),
    "crossing at epoch 5, noise": Curves(0.8, 0.3, 5),
}
STUDIES = {  # algorithm, R, and a ninth of the experiments of asha
    "hyperband R=27": ("hyperband", 27, 3),
    "asynchronous_hyperband R=27": ("asynchronous_hyperband", 27, 3),
    "asha R=27 n=27": ("asha", 27, 3),
    "asha R=27 n=81": ("asha", 27, 9),
    "asha R=27 n=162": ("asha", 27, 18),
    "hyperband R=9": ("hyperband", 9, 1),
}


def warned(name: str, curves: Curves, seed: int) -> tuple[bool, bool]:
    """Whether a study of `STUDIES` ends with a warning, and whether there was one at any decision."""
    algorithm, epochs, trainings = STUDIES[name]
    space = SearchSpace((Parameter("x", "float", default=0.5, low=0.0, high=1.0),))
    study = OurStudy(f"{algorithm}+uniform", space, epochs, seed, trainings)
    rng = np.random.default_rng([seed, 1])
    drawn: dict[str, Array] = {}
    decisions, ever = 0, False
    while (asked := study.ask()) is not None:
        if len(study.history.decisions) > decisions:
            decisions, ever = len(study.history.decisions), ever or _misleads(study)
        values = str(asked.values)
        if values not in drawn:
            drawn[values] = curves.draw(epochs, rng)
        study.tell(asked, drawn[values])
    at_the_end = _misleads(study)
    return at_the_end, ever or at_the_end


def _misleads(study: OurStudy) -> bool:
    return any(order.misleads for order in rung_orders(study.plan, study.history))


def rates(name: str, curves: Curves, seeds: Sequence[int]) -> tuple[float, float]:
    """The shares of studies that end with a warning, and that had one at any decision."""
    found = [warned(name, curves, seed) for seed in seeds]
    return sum(end for end, _ in found) / len(found), sum(ever for _, ever in found) / len(found)


def main(arguments: Sequence[str] | None = None) -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.rung_health", description=__doc__)
    parser.add_argument("--seeds", type=int, default=200, help="studies of each kind")
    parser.add_argument("--studies", default=",".join(STUDIES), help="some of them, by the beginnings of their names")
    options = parser.parse_args(arguments)
    print(f"{options.seeds} studies each: % that end with a warning (% with one at any decision)")
    for name in STUDIES:
        if not name.startswith(tuple(options.studies.split(","))):
            continue
        print(name)
        for kind, curves in {**HEALTHY, **CROSSING}.items():
            end, ever = rates(name, curves, range(options.seeds))
            print(f"  {kind:<28}{100 * end:6.1f} ({100 * ever:.1f})", flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
