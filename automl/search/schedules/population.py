"""A population that trains in intervals, between which the worst take over from the best (search/population.py).

Jaderberg et al.: Population Based Training of Neural Networks (2017), with a barrier at the end of each interval.
"""

from __future__ import annotations

from dataclasses import dataclass

from automl.errors import InvalidInput
from automl.search.plan import Plan, Rung, Stage, StageKind

MOST_INTERVALS = 10  # that a training has unless the study file says how long one is
MEMBERS = 8  # of a population, unless the study file says how many


def usual_interval(epochs: int) -> int:
    """The epochs of an interval, unless the study file says how many."""
    return -(-epochs // MOST_INTERVALS)


@dataclass(frozen=True)
class PopulationBased:
    """`population` members train `max_epochs` epochs in intervals of `interval`; None: a tenth of them, rounded up."""

    population: int = MEMBERS
    interval: int | None = None
    max_epochs: int = 80

    def plan(self) -> Plan:
        if self.population < 2:
            raise InvalidInput(
                f"population: {self.population}",
                allowed="2 or more members",
                advice="the defaults are one of them, and somebody has to take over from a better one",
            )
        if self.max_epochs < 2:
            raise InvalidInput(
                f"max_epochs: {self.max_epochs} with a population",
                allowed="2 or more: members take over from others on the way",
                advice="raise max_epochs, or use algorithm: random",
            )
        length = usual_interval(self.max_epochs) if self.interval is None else self.interval
        if not 1 <= length < self.max_epochs:
            raise InvalidInput(
                f"interval: {length} of max_epochs: {self.max_epochs}",
                allowed=f"1 to {self.max_epochs - 1}: members take over from others at the end of an interval",
                advice="without it there are up to ten intervals",
            )
        ends = (*range(length, self.max_epochs, length), self.max_epochs)
        rungs = tuple(Rung(index, self.population, end, end, new=index == 0) for index, end in enumerate(ends))
        stage = Stage(0, f"population of {self.population}", StageKind.SEARCH, 0, rungs, population=True)
        note = (
            f"{len(ends)} intervals of {length} epoch{'' if length == 1 else 's'}, each with a barrier; at the end of "
            "each the lower quarter continues from the checkpoints of the upper quarter, with changed values"
        )
        return Plan((stage,), notes=(note,))
