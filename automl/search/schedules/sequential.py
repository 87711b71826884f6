"""Full trainings, one after the other or a few at a time: what a Bayesian search and random search need."""

from __future__ import annotations

from dataclasses import dataclass, replace

from automl.errors import InvalidInput
from automl.search.plan import Overlap, Plan, Rung, Stage, StageKind


@dataclass(frozen=True)
class Sequential:
    """`experiments` full trainings of `epochs`, `parallel` in a step; every step sees the results of those before.

    `parallel` None puts all of them in one step, for samplers that ignore results. With `overlap` there are no steps:
    the next experiment is proposed as soon as one of `parallel` has ended.
    """

    experiments: int = 20
    epochs: int = 80
    parallel: int | None = 1
    overlap: bool = False

    def plan(self) -> Plan:
        for name, value in (("max_recommendations", self.experiments), ("max_epochs", self.epochs)):
            if value < 1:
                raise InvalidInput(f"{name}: {value}", allowed="whole numbers from 1")
        if self.parallel is not None and self.parallel < 1:
            raise InvalidInput(f"parallel: {self.parallel}", allowed="whole numbers from 1")
        if self.overlap:
            return self._overlapping()
        step = self.experiments if self.parallel is None else self.parallel
        sizes = [min(step, self.experiments - done) for done in range(0, self.experiments, step)]
        rungs = tuple(Rung(i, size, self.epochs, self.epochs, new=True) for i, size in enumerate(sizes))
        return Plan((Stage(0, "search", StageKind.SEARCH, 0, rungs),))

    def _overlapping(self) -> Plan:
        if self.parallel is None or self.parallel < 2:
            raise InvalidInput(
                f"overlap: true with parallel: {self.parallel}",
                allowed="parallel: 2 or more, for one training at a time overlaps with none",
                advice="parallel: 4 keeps four trainings under way",
            )
        rung = Rung(0, self.experiments, self.epochs, self.epochs, new=True)
        stage = Stage(0, "search", StageKind.SEARCH, 0, (rung,), overlap=Overlap(most=self.parallel))
        note = f"{self.parallel} trainings at a time: the next one is proposed as soon as one has ended"
        return Plan((stage,), notes=(note,))

    def more(self, experiments: int) -> Sequential:
        """The schedule of `experiments` further experiments."""
        return replace(self, experiments=experiments)
