"""Successive halving and Hyperband that ask for one training at a time, most of them without a barrier.

Li, Jamieson, Rostamizadeh, Gonina, Ben-tzur, Hardt, Recht & Talwalkar: A System for Massively Parallel Hyperparameter
Tuning (MLSys 2020), algorithm 2 (ASHA) and asynchronous Hyperband. search/asynchronous.py decides who goes on. The plan
is that of the schedule with barriers: as many experiments, as many epochs, if none fails.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from automl.search.plan import Overlap, Plan, Stage
from automl.search.schedules.hyperband import Hyperband
from automl.search.schedules.successive_halving import SuccessiveHalving


@dataclass(frozen=True)
class ASHA:
    """Asynchronous successive halving: the rungs of `halving`, without a barrier between them."""

    halving: SuccessiveHalving

    def plan(self) -> Plan:
        plan, nu = self.halving.plan(), self.halving.hyperband.nu
        return _without_barrier(plan, Overlap(nu), f"ASHA of {plan.experiments}")

    def larger(self, R: int) -> ASHA:  # noqa: N803
        """The same with the rungs of a larger R, as `Hyperband.larger`. Raises InvalidInput."""
        return replace(self, halving=self.halving.larger(R))


@dataclass(frozen=True)
class AsynchronousHyperband:
    """The brackets of `hyperband` in one stage: new experiments begin in the first bracket that has room for them."""

    hyperband: Hyperband

    def plan(self) -> Plan:
        plan, nu = self.hyperband.plan(), self.hyperband.nu
        return _without_barrier(plan, Overlap(nu), f"{plan.experiments} in brackets")

    def larger(self, R: int) -> AsynchronousHyperband:  # noqa: N803
        """The same with the brackets of a larger R, as `Hyperband.larger`. Raises InvalidInput."""
        return replace(self, hyperband=self.hyperband.larger(R))


@dataclass(frozen=True)
class OneByOne:
    """The rungs of `schedule` and their barriers; experiments begin one by one, so that each learns from those before.

    While a bracket waits for the end of a rung, the next one begins, as in parallel BOHB (Falkner et al. 2018).
    """

    schedule: Hyperband | SuccessiveHalving

    def plan(self) -> Plan:
        hyperband = self.schedule if isinstance(self.schedule, Hyperband) else self.schedule.hyperband
        plan = self.schedule.plan()
        name = plan.stages[0].name if len(plan.stages) == 1 else f"{plan.experiments} in brackets"
        return _without_barrier(plan, Overlap(hyperband.nu, whole=True), name)

    def larger(self, R: int) -> OneByOne:  # noqa: N803
        """The same with the brackets of a larger R, as `Hyperband.larger`. Raises InvalidInput."""
        return replace(self, schedule=self.schedule.larger(R))


def _without_barrier(plan: Plan, overlap: Overlap, name: str) -> Plan:
    """The plan with all its rungs in one stage, whose experiments have the same numbers."""
    first = plan.stages[0]
    rungs = tuple(rung for stage in plan.stages for rung in stage.rungs)
    numbered = tuple(replace(rung, index=index) for index, rung in enumerate(rungs))
    stage = Stage(0, name, first.kind, first.first, numbered, overlap=overlap)
    return replace(plan, stages=(stage,))
