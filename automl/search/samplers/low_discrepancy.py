"""Space filling: points that cover the space more evenly than chance does, as one sequence per stage.

Scrambled Sobol points (Owen 1998; the scrambling of Matousek 1998) are good at every length. A Latin hypercube (McKay,
Beckman & Conover 1979) has exactly one point in each of n slices of every parameter, where n is how many the stage
issues. Both come from scipy.stats.qmc.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np
from scipy.stats import qmc

from automl.errors import InvalidInput, nearest
from automl.problem.search_space import Cube, SearchSpace
from automl.search.samplers.base import Proposal, Request, Sampler, Trial

Method = Literal["sobol", "lhs"]

# The streams of chance that are drawn from one (study seed, stage); a number is never reused for another purpose.
_SOBOL, _LHS = 1, 2


@dataclass(frozen=True)
class LowDiscrepancy:
    """A point of the sequence for every experiment of the stage, in order; the trials are ignored.

    The scrambling depends on the study's seed and the stage alone, so that later steps go on where earlier ones ended.
    """

    method: Method = "sobol"

    def __post_init__(self) -> None:
        methods = get_args(Method)
        if self.method not in methods:
            advice = nearest(str(self.method), methods)
            raise InvalidInput(f"method: {self.method!r}", allowed=", ".join(methods), advice=advice)

    def propose(
        self,
        space: SearchSpace,
        trials: Sequence[Trial],  # noqa: ARG002 - the protocol has it
        request: Request,
    ) -> tuple[Proposal, ...]:
        first = request.first
        if self.method == "sobol":
            name = "a scrambled Sobol sequence"
            points = sobol_points(space.size, first, request.count, request.seed)
        else:
            total = max(1, request.total)
            name = f"a Latin hypercube of {total}"
            points = latin_hypercube_points(space.size, first, request.count, total, request.seed)
        return tuple(
            Proposal(space.decode(cube), f"point {index + 1} of {name}, which fills the space evenly")
            for index, cube in enumerate(points, first)
        )


def sobol_points(size: int, first: int, count: int, seed: tuple[int, int, int]) -> list[Cube]:
    """Points `first` to `first + count - 1`, of `size` coordinates, of the Sobol sequence of (study seed, stage)."""
    if size == 0:
        return [()] * count
    # A Sobol sequence is balanced at powers of two only, and scipy warns at any other number: draw a power and slice.
    engine = qmc.Sobol(size, scramble=True, rng=np.random.default_rng(_stream(seed, _SOBOL)))
    points = engine.random_base2((max(1, first + count) - 1).bit_length())
    return _cubes(points[first : first + count])


def latin_hypercube_points(size: int, first: int, count: int, total: int, seed: tuple[int, int, int]) -> list[Cube]:
    """Points `first` to `first + count - 1` of the Latin hypercube of `total` points of (study seed, stage).

    After its last point a second hypercube of the same kind follows.
    """
    if size == 0:
        return [()] * count
    cubes: list[Cube] = []
    for design in range(first // total, (first + count - 1) // total + 1):
        engine = qmc.LatinHypercube(size, rng=np.random.default_rng(_stream(seed, _LHS, design)))
        rows = engine.random(total)
        start = design * total
        cubes += _cubes(rows[max(0, first - start) : first + count - start])
    return cubes


def _cubes(rows: np.ndarray) -> list[Cube]:
    return [tuple(float(x) for x in row) for row in rows]


def _stream(seed: tuple[int, int, int], *key: int) -> np.random.SeedSequence:
    """A stream of chance of (study seed, stage); the index of the decision stays out of it."""
    return np.random.SeedSequence(seed[:2], spawn_key=key)


_KEEPS_THE_PROTOCOL: type[Sampler] = LowDiscrepancy
