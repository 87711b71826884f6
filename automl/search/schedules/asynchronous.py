"""Successive halving and Hyperband without a barrier: nobody waits for a rung to end.

Li, Jamieson, Rostamizadeh, Gonina, Ben-tzur, Hardt, Recht & Talwalkar: A System for Massively Parallel Hyperparameter
Tuning (MLSys 2020), algorithm 2 (ASHA) and asynchronous Hyperband. search/asynchronous.py decides who goes on. The plan
is that of the schedule with barriers: as many experiments, as many epochs, if none fails.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from automl.search.plan import Overlap, Plan, Stage
from automl.search.schedules.hyperband import Hyperband
from automl.search.schedules.successive_halving import SuccessiveHalving

_NOTE = (
    "no barrier: who is among the best 1/{nu} of a rung's results so far goes on at once; "
    "the numbers are the most that can be trained"
)


@dataclass(frozen=True)
class ASHA:
    """Asynchronous successive halving: the rungs of `halving`, without a barrier between them."""

    halving: SuccessiveHalving

    def plan(self) -> Plan:
        return _without_barrier(self.halving.plan(), self.halving.hyperband.nu, "ASHA of {}")

    def larger(self, R: int) -> ASHA:  # noqa: N803
        """The same with the rungs of a larger R, as `Hyperband.larger`. Raises InvalidInput."""
        return replace(self, halving=self.halving.larger(R))


@dataclass(frozen=True)
class AsynchronousHyperband:
    """The brackets of `hyperband` in one stage: new experiments begin in the first bracket that has room for them."""

    hyperband: Hyperband

    def plan(self) -> Plan:
        return _without_barrier(self.hyperband.plan(), self.hyperband.nu, "{} in brackets")

    def larger(self, R: int) -> AsynchronousHyperband:  # noqa: N803
        """The same with the brackets of a larger R, as `Hyperband.larger`. Raises InvalidInput."""
        return replace(self, hyperband=self.hyperband.larger(R))


def _without_barrier(plan: Plan, nu: int, name: str) -> Plan:
    """The plan with all its rungs in one stage, whose experiments have the same numbers."""
    first = plan.stages[0]
    rungs = tuple(rung for stage in plan.stages for rung in stage.rungs)
    numbered = tuple(replace(rung, index=index) for index, rung in enumerate(rungs))
    stage = Stage(0, name.format(plan.experiments), first.kind, first.first, numbered, overlap=Overlap(nu))
    return replace(plan, stages=(stage,), notes=(*plan.notes, _NOTE.format(nu=nu)))
