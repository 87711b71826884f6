"""Full trainings, one after the other or a few at a time: what a Bayesian search and random search need."""

from __future__ import annotations

from dataclasses import dataclass, replace

from automl.errors import InvalidInput
from automl.search.plan import Plan, Rung, Stage, StageKind


@dataclass(frozen=True)
class Sequential:
    """`experiments` full trainings of `epochs`, `parallel` in a step; every step sees the results of those before.

    `parallel` None puts all of them in one step, for samplers that ignore results.
    """

    experiments: int = 20
    epochs: int = 80
    parallel: int | None = 1

    def plan(self) -> Plan:
        for name, value in (("max_recommendations", self.experiments), ("max_epochs", self.epochs)):
            if value < 1:
                raise InvalidInput(f"{name}: {value}", allowed="whole numbers from 1")
        if self.parallel is not None and self.parallel < 1:
            raise InvalidInput(f"parallel: {self.parallel}", allowed="whole numbers from 1")
        step = self.experiments if self.parallel is None else self.parallel
        sizes = [min(step, self.experiments - done) for done in range(0, self.experiments, step)]
        rungs = tuple(Rung(i, size, self.epochs, self.epochs, new=True) for i, size in enumerate(sizes))
        return Plan((Stage(0, "search", StageKind.SEARCH, 0, rungs),))

    def more(self, experiments: int) -> Sequential:
        """The schedule of `experiments` further experiments."""
        return replace(self, experiments=experiments)
