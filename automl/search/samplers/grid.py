"""A grid: every configuration of a space, in one order, each once.

The order is that of the values of each parameter, those of the last parameter first. What has no end of values has no
grid; a number becomes a few values by a `step` or by `options`. Neither seed nor trials make a difference.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice

from automl.errors import InvalidInput
from automl.problem.conditions import Value
from automl.problem.configurations import count, every, identity
from automl.problem.domains import Continuous, Domain
from automl.problem.parameter import Parameter
from automl.problem.search_space import SearchSpace
from automl.search.samplers.base import Proposal, Request, Sampler, Trial


@dataclass(frozen=True)
class Grid:
    """`points` is how many values are taken of an interval of floats, evenly; None refuses intervals."""

    points: int | None = None

    def propose(
        self,
        space: SearchSpace,
        trials: Sequence[Trial],  # noqa: ARG002 - the protocol has it
        request: Request,
    ) -> tuple[Proposal, ...]:
        """The next points of the grid but those that others chose; from its beginning again when it is over.

        Raises InvalidInput for an interval of floats, unless `points` is set.
        """
        if self.points is None:
            _check_values(space)
        chosen = {identity(values) for values in request.chosen}
        grid = (values for values in every(space, self._values) if identity(values) not in chosen)
        end = request.first + request.count
        begin = list(islice(grid, end)) or [space.defaults()]
        return tuple(
            Proposal(dict(begin[index % len(begin)]), f"point {index % len(begin) + 1} of the grid")
            for index in range(request.first, end)
        )

    def _values(self, _parameter: Parameter, domain: Domain) -> Iterable[Value]:
        if not isinstance(domain, Continuous):
            return domain.values
        points = self.points or 0
        if domain.low >= domain.high or points < 1:
            return domain.few_values(1) or ()
        return sorted(
            {domain.pick(index / (points - 1)) if points > 1 else domain.pick(0.5) for index in range(points)}
        )


def check(space: SearchSpace, experiments: int) -> None:
    """Raises InvalidInput for a space without a grid, and for a grid with more points than there are experiments."""
    _check_values(space)
    points = count(space)
    if points > experiments:
        raise InvalidInput(
            f"sampler: grid: the grid has {points:,} points, and the search {experiments:,} experiments",
            allowed=f"a grid of up to {experiments:,} points",
            advice="raise max_recommendations or R, or give parameters fewer values: a wider step, or options",
        )


def _check_values(space: SearchSpace) -> None:
    for parameter in space.parameters:
        domain = parameter.domain
        if isinstance(domain, Continuous) and domain.low < domain.high:
            raise InvalidInput(
                f"sampler: grid: {parameter.name} can be any number from {domain.low!r} to {domain.high!r}",
                allowed="parameters with a list of values: options, whole numbers, or numbers with a step",
                advice=f"parameters: {{{parameter.name}: {{step: ...}}}}, or {{options: [...]}}",
            )


_KEEPS_THE_PROTOCOL: type[Sampler] = Grid
