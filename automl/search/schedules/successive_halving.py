"""Successive halving: one stage of Hyperband on its own, with as many experiments as the user says.

Jamieson & Talwalkar: Non-stochastic best arm identification (AISTATS 2016), algorithm 1.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from automl.errors import InvalidInput
from automl.search.plan import Plan, Rung, Stage, StageKind
from automl.search.schedules.hyperband import Hyperband, largest_stage


@dataclass(frozen=True)
class SuccessiveHalving:
    """`experiments` start in the rungs of the widest stage of `hyperband`; None starts as many as that stage does.

    Of nu experiments one goes on to nu times the epochs. The last rung is the stage's own, so that an experiment that
    reaches it gets a full training; fewer experiments start later, as Hyperband's narrower stages do.
    """

    hyperband: Hyperband
    experiments: int | None = None

    def plan(self) -> Plan:
        whole = self.hyperband.plan()
        widest = whole.stages[0]
        nu = self.hyperband.nu
        size = widest.rungs[0].size if self.experiments is None else self.experiments
        if size < 1:
            raise InvalidInput(f"max_recommendations: {size}", allowed="whole numbers from 1")
        rungs = widest.rungs[-largest_stage(size, nu) - 1 :]
        shrunk = tuple(Rung(i, size // nu**i, rung.epochs, rung.units, new=i == 0) for i, rung in enumerate(rungs))
        stage = Stage(0, f"{size} halved by {nu}", StageKind.SEARCH, 0, shrunk)
        return Plan((stage,), whole.multiplier, whole.notes, whole.resource)

    def larger(self, R: int) -> SuccessiveHalving:  # noqa: N803
        """The same with the rungs of a larger R, as `Hyperband.larger`. Raises InvalidInput."""
        return replace(self, hyperband=self.hyperband.larger(R))
