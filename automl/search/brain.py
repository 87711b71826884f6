"""The brain: a decision is a pure function of the study, the stage's earlier decisions, the results and a derived seed.

No clock, no host entropy, no state between calls (state rule 2): asked twice it answers twice the same, byte for byte.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, TypeAlias

from automl.errors import StudyFailed
from automl.problem.metric import Metric
from automl.problem.search_space import SearchSpace
from automl.search.history import Decision, Origin, Outcome, Recommendation, origin_of
from automl.search.plan import Plan, Rung, Stage, StageKind
from automl.search.promotion import promote
from automl.search.ranking import best_outcome
from automl.search.samplers.base import Request, Sampler, Trial

Queue: TypeAlias = Sequence[tuple[int, Mapping[str, Any]]]
DEFAULTS = 0  # the number of the experiment that trains the network's defaults


@dataclass(frozen=True)
class Chosen:
    """The values of an experiment, where they come from, and in plain words why these."""

    values: dict[str, Any]
    origin: Origin
    reason: str


@dataclass(frozen=True)
class Brain:
    """What decides: how many and how long (plan), which values (sampler), what is better (metric).

    enqueue: values of the study file that are tried first, as experiment 1, 2, ... after the defaults.
    """

    plan: Plan
    space: SearchSpace
    sampler: Sampler
    metric: Metric
    seed: int
    held_out: bool = False
    enqueue: tuple[Mapping[str, Any], ...] = ()

    def decide(
        self,
        stage: int,
        index: int,
        earlier: Sequence[Decision],
        outcomes: Sequence[Outcome],
        previous: Sequence[str],
        *,
        queue: Queue = (),
    ) -> Decision:
        """The decision for rung `index` of `stage`.

        earlier: the stage's decisions before, in order; where it looks at the whole search those of all its stages.
        outcomes: the results that have come since, sorted by experiment and rung. previous: the sha256 of what it
        builds on. queue: values that were enqueued since, each with its number.
        """
        where, rung = self.plan.stages[stage], self.plan.stages[stage].rungs[index]
        ordered = tuple(sorted(outcomes, key=lambda each: (each.experiment, each.rung)))
        decision = Decision(stage, index, ordered, (), (), tuple(previous))
        if where.kind is StageKind.FINAL:
            return replace(decision, issued=self._finalists(where, earlier, ordered))
        if not rung.new:
            return self._promote(decision, rung, earlier)
        chosen = self._chosen(where, rung, earlier, ordered)
        taken = tuple(queue[: rung.size - len(chosen)])
        chosen += [
            Chosen(dict(values), Origin.REQUESTED, f"values of the user, enqueued as number {number}")
            for number, values in taken
        ]
        if self.plan.sees_all(stage, index):  # the search before is over: its sampler begins anew
            earlier = ordered = ()
        issued = self._propose(where, rung, earlier, ordered, chosen)
        return replace(decision, issued=issued, enqueued=tuple(number for number, _ in taken))

    def _promote(self, decision: Decision, rung: Rung, earlier: Sequence[Decision]) -> Decision:
        promotion = promote(decision.consumed, rung.size, self.metric)
        known, origins = _issued(earlier), _origins(earlier)
        issued = tuple(
            replace(
                known[promoted.outcome.experiment],
                epochs=rung.epochs,
                resume_epoch=promoted.outcome.epochs,
                reason=promoted.reason,
                origin=origins[promoted.outcome.experiment],
            )
            for promoted in sorted(promotion.promoted, key=lambda promoted: promoted.outcome.experiment)
        )
        return replace(decision, issued=issued, stopped=promotion.stopped)

    def _chosen(
        self, stage: Stage, rung: Rung, earlier: Sequence[Decision], outcomes: Sequence[Outcome]
    ) -> list[Chosen]:
        """The values of a rung's first experiments that no sampler proposes: the defaults, `enqueue`, the best of the
        search before.
        """
        first = stage.first_of(rung.index)
        chosen: list[Chosen] = []
        if first == DEFAULTS:
            reason = "the network's defaults, which every search is measured against"
            chosen.append(Chosen(self.space.defaults(), Origin.DEFAULT, reason))
        if stage.continues is None:
            numbers = range(max(first, 1), min(first + rung.size, len(self.enqueue) + 1))
            chosen += [
                Chosen(dict(self.enqueue[number - 1]), Origin.REQUESTED, "values of the user, from the study file")
                for number in numbers
            ]
        if stage.retrains is not None and rung.index == 0:
            best = self._best(outcomes).experiment
            reason = f"the best values of the search before, of experiment {best}, where trainings become longer"
            chosen.append(Chosen(dict(_issued(earlier)[best].values), Origin.CARRIED_OVER, reason))
        return chosen

    def _propose(
        self,
        stage: Stage,
        rung: Rung,
        earlier: Sequence[Decision],
        outcomes: Sequence[Outcome],
        chosen: Sequence[Chosen],
    ) -> tuple[Recommendation, ...]:
        first = stage.first_of(rung.index)
        proposals = list(chosen)
        if rung.size > len(proposals):
            root, *others = self.plan.chain(stage)  # a chain that was extended is one chain for the sampler
            before = (root, *others)[:-1]
            own = [each.values for made in earlier for each in made.issued if origin_of(each) is Origin.REQUESTED]
            own += [each.values for each in proposals if each.origin is not Origin.DEFAULT]
            request = Request(
                count=rung.size - len(proposals),
                done=sum(each.experiments for each in before) + first - stage.first + len(proposals),
                total=root.experiments - self._enqueued_in(root) - int(root.retrains is not None),
                seed=(self.seed, root.index, sum(len(each.rungs) for each in before) + rung.index),
                defaults_taken=int(root.first == DEFAULTS),
                own=tuple(own),
            )
            trials = self._trials(earlier, outcomes)
            proposals += [
                Chosen(each.values, Origin.SAMPLER, each.reason)
                for each in self.sampler.propose(self.space, trials, request)
            ]
        return tuple(
            Recommendation(
                number=first + place,
                values=proposal.values,
                epochs=rung.epochs,
                schedule_epochs=stage.schedule_epochs,
                seed=training_seed(self.seed, first + place),
                reason=proposal.reason,
                origin=proposal.origin,
            )
            for place, proposal in enumerate(proposals)
        )

    def _enqueued_in(self, stage: Stage) -> int:
        """How many experiments of a stage try values of the study file."""
        return len(range(max(stage.first, 1), min(stage.first + stage.experiments, len(self.enqueue) + 1)))

    def _trials(self, earlier: Sequence[Decision], outcomes: Sequence[Outcome]) -> tuple[Trial, ...]:
        seen = [outcome for decision in earlier for outcome in decision.consumed] + list(outcomes)
        known = _issued(earlier)
        return tuple(
            Trial(
                values=known[outcome.experiment].values,
                score=None if outcome.best_value is None else self.metric.score(outcome.best_value),
                epochs=outcome.epochs,
                rung=outcome.rung,
                value=outcome.value,
                failure=outcome.failure,
            )
            for outcome in seen
        )

    def _finalists(
        self, stage: Stage, earlier: Sequence[Decision], outcomes: Sequence[Outcome]
    ) -> tuple[Recommendation, ...]:
        best = self._best(outcomes)
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
                origin=Origin.FINAL,
            )
            for side, (source, reason) in enumerate(wanted)
            for repeat in range(repeats)
        )

    def _best(self, outcomes: Sequence[Outcome]) -> Outcome:
        """The best outcome of a search. Raises StudyFailed when nothing in it succeeded."""
        best = best_outcome(outcomes, self.metric)
        if best is None:
            failures = sorted({str(outcome.failure) for outcome in outcomes})
            raise none_succeeded(len({outcome.experiment for outcome in outcomes}), failures)
        return best


def none_succeeded(count: int, failures: Sequence[str] = ()) -> StudyFailed:
    """The error of a study none of whose `count` experiments succeeded, with the kinds of failure where known."""
    kinds = f" ({', '.join(failures)})" if failures else ""
    return StudyFailed(
        f"none of the {count} experiments succeeded{kinds}",
        advice="read experiment_0/log.txt, fix the training or its settings, and start under another name",
    )


def _issued(earlier: Sequence[Decision]) -> dict[int, Recommendation]:
    """What each experiment was last asked for, by number."""
    return {each.number: each for before in earlier for each in before.issued}


def _origins(earlier: Sequence[Decision]) -> dict[int, Origin | None]:
    """Where each experiment's values come from, by number: as said when it was first asked for."""
    return {each.number: origin_of(each) for before in reversed(earlier) for each in before.issued}


def training_seed(study_seed: int, number: int) -> int:
    """The seed that experiment `number` trains with, below 2^31: the head of a sha256."""
    digest = hashlib.sha256(f"training seed {study_seed} {number}".encode()).digest()
    return int.from_bytes(digest[:4], "big") >> 1
