"""A schedule of its own file: full trainings in steps of 1, 2, 4, ..., so that each learns from all before it."""

from __future__ import annotations

from dataclasses import dataclass, replace

from automl.search.plan import Plan, Rung, Stage, StageKind


@dataclass(frozen=True)
class Doubling:
    """`experiments` full trainings of `epochs`; every step has twice as many as the one before."""

    experiments: int
    epochs: int

    def plan(self) -> Plan:
        sizes: list[int] = []
        while (left := self.experiments - sum(sizes)) > 0:
            sizes.append(min(2 ** len(sizes), left))
        rungs = tuple(Rung(i, size, self.epochs, self.epochs, new=True) for i, size in enumerate(sizes))
        return Plan((Stage(0, "doubling", StageKind.SEARCH, 0, rungs),))

    def more(self, experiments: int) -> Doubling:
        return replace(self, experiments=experiments)
