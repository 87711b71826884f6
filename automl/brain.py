"""The brain: a decision is a pure function of the study, the stage's earlier decisions, the results and a derived seed.

No clock, no host entropy, no state between calls (house rule 2): asked twice it answers twice the same, byte for byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from automl.errors import StudyFailed
from automl.plan import Plan, Rung, Stage
from automl.samplers.base import Request, Sampler, Trial
from automl.schedules.base import promote
from automl.space import SearchSpace
from automl.study import Decision, Metric, Outcome, Recommendation, best_outcome

DEFAULTS = 0  # the number of the experiment that trains the network's defaults


def with_final(plan: Plan, repeats: int) -> Plan:
    """The plan with the final judgement: the best values and the defaults, `repeats` fresh trainings of each."""
    if repeats == 0:
        return plan
    epochs = max(stage.schedule_epochs for stage in plan.stages)
    rung = Rung(0, 2 * repeats, epochs, epochs, new=True)
    stage = Stage(len(plan.stages), "final", "final", plan.experiments, (rung,))
    return replace(plan, stages=(*plan.stages, stage))


@dataclass(frozen=True)
class Brain:
    """What decides: how many and how long (plan), which values (sampler), what is better (metric)."""

    plan: Plan
    space: SearchSpace
    sampler: Sampler
    metric: Metric
    seed: int
    held_out: bool = False

    def decide(
        self, stage: int, index: int, earlier: Sequence[Decision], outcomes: Sequence[Outcome], previous: Sequence[str]
    ) -> Decision:
        """The decision for rung `index` of `stage`.

        earlier: the stage's decisions before, in order; for the final stage those of all others. outcomes: the results
        that have come since, sorted by experiment and rung. previous: the sha256 of what it builds on.
        """
        where, rung = self.plan.stages[stage], self.plan.stages[stage].rungs[index]
        ordered = tuple(sorted(outcomes, key=lambda each: (each.experiment, each.rung)))
        decision = Decision(stage, index, ordered, (), (), tuple(previous))
        if where.kind == "final":
            return replace(decision, issued=self._finalists(where, earlier, ordered))
        if not rung.new:
            return self._promote(decision, rung, earlier)
        return replace(decision, issued=self._propose(where, rung, earlier, ordered))

    def _promote(self, decision: Decision, rung: Rung, earlier: Sequence[Decision]) -> Decision:
        kept, stopped = promote(decision.consumed, rung.size, self.metric)
        known = _issued(earlier)
        issued = tuple(
            replace(known[outcome.experiment], epochs=rung.epochs, resume_epoch=outcome.epochs, reason=reason)
            for outcome, reason in sorted(kept, key=lambda pair: pair[0].experiment)
        )
        return replace(decision, issued=issued, stopped=stopped)

    def _propose(
        self, stage: Stage, rung: Rung, earlier: Sequence[Decision], outcomes: Sequence[Outcome]
    ) -> tuple[Recommendation, ...]:
        first = stage.first_of(rung.index)
        proposals: list[tuple[dict[str, Any], str]] = []
        if first == DEFAULTS:
            proposals.append((self.space.defaults(), "the network's defaults, which every search is measured against"))
        if rung.size > len(proposals):
            request = Request(
                count=rung.size - len(proposals),
                done=first - stage.first + len(proposals),
                total=stage.experiments,
                seed=(self.seed, stage.index, rung.index),
                defaults_taken=int(stage.first == DEFAULTS),
            )
            trials = self._trials(earlier, outcomes)
            proposals += [(each.values, each.reason) for each in self.sampler.propose(self.space, trials, request)]
        return tuple(
            Recommendation(
                number=first + place,
                values=values,
                epochs=rung.epochs,
                schedule_epochs=stage.schedule_epochs,
                seed=training_seed(self.seed, first + place),
                reason=reason,
            )
            for place, (values, reason) in enumerate(proposals)
        )

    def _trials(self, earlier: Sequence[Decision], outcomes: Sequence[Outcome]) -> tuple[Trial, ...]:
        seen = [each for before in earlier for each in before.consumed] + list(outcomes)
        known = _issued(earlier)
        return tuple(
            Trial(
                known[each.experiment].values, None if each.best_value is None else self.metric.score(each.best_value)
            )
            for each in seen
        )

    def _finalists(
        self, stage: Stage, earlier: Sequence[Decision], outcomes: Sequence[Outcome]
    ) -> tuple[Recommendation, ...]:
        best = best_outcome(outcomes, self.metric)
        if best is None:
            failures = sorted({str(each.failure) for each in outcomes})
            count = len({each.experiment for each in outcomes})
            raise StudyFailed(
                f"none of the {count} experiments succeeded ({', '.join(failures)})",
                advice="read experiment_0/log.txt, mend the training or its settings, and start under another name",
            )
        known = _issued(earlier)
        rung = stage.rungs[0]
        repeats = rung.size // 2
        wanted = [(DEFAULTS, "the defaults, trained again with a fresh seed")]
        if best.experiment != DEFAULTS:
            text = f"experiment {best.experiment}, the best of the search, trained again with a fresh seed"
            wanted.append((best.experiment, text))
        return tuple(
            Recommendation(
                number=stage.first + side * repeats + repeat,
                values=known[source].values,
                epochs=rung.epochs,
                schedule_epochs=rung.epochs,
                seed=training_seed(self.seed, stage.first + repeat),  # both sides share their seeds
                reason=reason,
                held_out=self.held_out,
            )
            for side, (source, reason) in enumerate(wanted)
            for repeat in range(repeats)
        )


def _issued(earlier: Sequence[Decision]) -> dict[int, Recommendation]:
    """What each experiment was last asked for, by number."""
    return {each.number: each for before in earlier for each in before.issued}


def training_seed(study_seed: int, number: int) -> int:
    """The seed that experiment `number` trains with, below 2^31: the head of a sha256."""
    digest = hashlib.sha256(f"training seed {study_seed} {number}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
