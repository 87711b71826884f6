"""The brain: a decision is a pure function of the study, the stage's earlier decisions, the results and a derived seed.

No clock, no host entropy, no state between calls (state rule 2): asked twice, it gives the same answer, byte for byte.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, NamedTuple

import numpy as np

from automl.problem.metric import Metric
from automl.problem.search_space import SearchSpace
from automl.search.asynchronous import standing_of
from automl.search.earlier_search import EarlierSearch
from automl.search.history import Decision, Origin, Outcome, Recommendation
from automl.search.judging import Judge, issued_by, training_seed
from automl.search.origins import origin_of
from automl.search.perturbation import perturbed
from automl.search.plan import Plan, Rung, Stage, StageKind
from automl.search.population import Move, changes_in_words, moves
from automl.search.promotion import Promoted, promote
from automl.search.race import DEFAULTS
from automl.search.ranking import Among
from automl.search.samplers.base import Request, Sampler
from automl.search.trial import trials_of
from automl.search.untried import Repeats, Tried

_FIRST_ENQUEUED = DEFAULTS + 1  # the number of the experiment that tries the first values of `enqueue`
_EXPLORATION = 31  # the stream of chance of a population; samplers and replacements have those below


class QueuedValues(NamedTuple):
    """Values that the user enqueued for a study that was begun, and their number among all that were enqueued."""

    number: int
    values: Mapping[str, Any]


@dataclass(frozen=True)
class Chosen:
    """The values of an experiment, where they come from, and in plain words why these."""

    values: dict[str, Any]
    origin: Origin
    reason: str


@dataclass(frozen=True)
class _New:
    """New experiments that a decision asks for: `count` of them from the number `first` on, in a rung of a stage.

    `step` is what the sampler's seed takes for the index of the decision. Without a barrier it is the number of
    experiments begun, so that a sampler that ignores results proposes the same whatever the order of ends.
    """

    stage: Stage
    rung: Rung
    first: int
    count: int
    step: int


@dataclass(frozen=True)
class Brain:
    """Decides how many experiments run and how long (plan), on which values (sampler), and which is better (metric).

    `enqueue` holds the values of the study file that are tried first, as experiments 1, 2, ... after the defaults.
    `repeats` says whether a sampler's proposal may have been tried before. `best_among` says among which results the
    best is chosen. `seeded` is false where the training takes no seed. `learns`: the sampler looks at results, and at
    `warm_start`. `changeable` are the parameters that a population may change while a training goes on.
    """

    plan: Plan
    space: SearchSpace
    sampler: Sampler
    metric: Metric
    seed: int
    held_out: bool = False
    enqueue: tuple[Mapping[str, Any], ...] = ()
    repeats: Repeats = Repeats.NEVER
    best_among: Among = Among.LONGEST
    seeded: bool = True
    learns: bool = False
    changeable: Collection[str] = ()
    warm_start: tuple[EarlierSearch, ...] = ()

    def decide(
        self,
        stage: int,
        index: int,
        earlier: Sequence[Decision],
        outcomes: Sequence[Outcome],
        previous: Sequence[str],
        *,
        queue: Sequence[QueuedValues] = (),
    ) -> Decision:
        """The decision for rung `index` of `stage`.

        `earlier` holds the decisions of the stage so far, in order; where the decision looks at the whole search, those
        of all its stages. `outcomes` are the results that have come in since. `previous` holds the sha256 of each
        decision that it builds on. `queue` holds the values that were enqueued since.
        """
        planned = self.plan.stages[stage]
        ordered = tuple(sorted(outcomes, key=lambda outcome: (outcome.experiment, outcome.rung)))
        decision = Decision(stage, index, ordered, (), (), tuple(previous))
        if planned.kind is StageKind.FINAL:
            return self._judge.decide(decision, earlier)
        if planned.overlap is not None:
            return self._next(decision, planned, earlier, queue)
        rung = planned.rungs[index]
        if planned.population and not rung.new:
            return self._next_interval(decision, rung, earlier)
        if not rung.new:
            return self._promote(decision, planned, rung, earlier)
        new = _New(planned, rung, planned.first_of(index), rung.size, index)
        return self._begin(decision, new, earlier, queue)

    @property
    def _judge(self) -> Judge:
        return Judge(self.plan, self.metric, self.seed, self.best_among, self.held_out, self.seeded)

    def _next_interval(self, decision: Decision, rung: Rung, earlier: Sequence[Decision]) -> Decision:
        """The members of a population go on: from their own checkpoints, or the worst from those of the best."""

        def chance(member: int, draw: int = 0) -> np.random.Generator:
            seed = (self.seed, decision.stage, decision.index)
            return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(_EXPLORATION, member, draw)))

        moved, stopped = moves(decision.consumed, self.metric, chance)
        before = issued_by(earlier)
        issued = (self._moved(move, rung, before, chance(move.member, 1)) for move in moved)
        return replace(decision, issued=tuple(issued), stopped=stopped)

    def _moved(
        self, move: Move, rung: Rung, before: Mapping[int, Recommendation], chance: np.random.Generator
    ) -> Recommendation:
        """What a member of a population trains next. Who takes over goes on with the seed of that training too."""
        own, taken = before[move.member], before[move.from_.experiment]
        one = replace(taken, number=own.number, epochs=rung.epochs, resume_epoch=move.from_.epochs)
        if not move.takes_over:
            return replace(one, parent=None, reason=move.reason)
        values = perturbed(self.space, taken.values, self.changeable, chance)
        reason = f"{move.reason}: {changes_in_words(taken.values, values)}"
        return replace(one, values=values, parent=taken.number, reason=reason, origin=Origin.EXPLORED)

    def _next(
        self, decision: Decision, stage: Stage, earlier: Sequence[Decision], queue: Sequence[QueuedValues]
    ) -> Decision:
        """What a stage without a barrier asks for next: a training, or nothing where it stops one. Raises NotReady."""
        own = [before for before in earlier if before.stage == stage.index]
        following = (standing := standing_of(stage, own, decision.consumed, self.metric)).needed()
        if following.stopped is not None:
            return replace(decision, stopped=(following.stopped,))
        if following.promoted is not None:
            one = self._promoted(following.promoted, stage, stage.rungs[following.rung], earlier)
            return replace(decision, issued=(replace(one, rung=following.rung),))
        rung, started = stage.rungs[following.rung], len(standing.rungs[following.rung])
        new = _New(stage, rung, stage.first_of(rung.index) + started, 1, standing.started)
        begun = self._begin(decision, new, earlier, queue)
        return replace(begun, issued=tuple(replace(one, rung=rung.index) for one in begun.issued))

    def _begin(
        self, decision: Decision, new: _New, earlier: Sequence[Decision], queue: Sequence[QueuedValues]
    ) -> Decision:
        """The decision, asking for new experiments."""
        outcomes = decision.consumed
        chosen = self._chosen(new, earlier, outcomes)
        taken = tuple(queue[: new.count - len(chosen)])
        chosen += [
            Chosen(dict(queued.values), Origin.REQUESTED, f"values of the user, enqueued as number {queued.number}")
            for queued in taken
        ]
        if self.plan.sees_all(decision.stage, decision.index) and not self.learns:  # its sampler starts anew
            earlier = outcomes = ()
        tried = Tried(self.space, self.repeats)
        if self.repeats is not Repeats.AS_PROPOSED and not self.learns:  # one that learns has all that was tried
            self._add_side_by_side(new.stage, tried)
        tried.add(issued.values for issued in issued_by(earlier).values())
        issued = self._propose(new, earlier, outcomes, chosen, tried=tried)
        return replace(decision, issued=issued, enqueued=tuple(queued.number for queued in taken))

    def _promote(self, decision: Decision, stage: Stage, rung: Rung, earlier: Sequence[Decision]) -> Decision:
        promotion = promote(decision.consumed, rung.size, self.metric)
        issued = tuple(
            self._promoted(promoted, stage, rung, earlier)
            for promoted in sorted(promotion.promoted, key=lambda promoted: promoted.outcome.experiment)
        )
        return replace(decision, issued=issued, stopped=promotion.stopped)

    def _promoted(self, promoted: Promoted, stage: Stage, rung: Rung, earlier: Sequence[Decision]) -> Recommendation:
        """An experiment that goes on to `rung`."""
        number, anew = promoted.outcome.experiment, stage.anew
        return replace(
            issued_by(earlier)[number],
            epochs=rung.epochs,
            resume_epoch=0 if anew else promoted.outcome.epochs,
            reason=promoted.reason + ("; trained anew from epoch 0" if anew else ""),
            origin=_origins(earlier)[number],
        )

    def _chosen(self, new: _New, earlier: Sequence[Decision], outcomes: Sequence[Outcome]) -> list[Chosen]:
        """The values of the first of these experiments, which no sampler proposes.

        They are the defaults, those of `enqueue`, and the best of the search before.
        """
        stage, first = new.stage, new.first
        chosen: list[Chosen] = []
        if first == DEFAULTS:
            reason = "the network's defaults, which every search is measured against"
            chosen.append(Chosen(self.space.defaults(), Origin.DEFAULT, reason))
        if stage.continues is None:
            numbers = range(max(first, _FIRST_ENQUEUED), min(first + new.count, _FIRST_ENQUEUED + len(self.enqueue)))
            values = (dict(self.enqueue[number - _FIRST_ENQUEUED]) for number in numbers)
            chosen += [Chosen(each, Origin.REQUESTED, "values of the user, from the study file") for each in values]
        if stage.retrains is not None and first == stage.first:
            best = self._judge.best(outcomes).experiment
            reason = f"the best values of the search before, of experiment {best}, where trainings become longer"
            chosen.append(Chosen(dict(issued_by(earlier)[best].values), Origin.CARRIED_OVER, reason))
        return chosen

    def _propose(
        self,
        new: _New,
        earlier: Sequence[Decision],
        outcomes: Sequence[Outcome],
        chosen: Sequence[Chosen],
        *,
        tried: Tried,
    ) -> tuple[Recommendation, ...]:
        stage, first = new.stage, new.first
        proposals = list(chosen)
        tried.add(choice.values for choice in chosen)
        if new.count > len(proposals):
            root, *others = self.plan.chain(stage)  # a chain that was extended is one chain for the sampler
            before = (root, *others)[:-1]
            own = [decision for decision in earlier if decision.stage in {part.index for part in (root, *others)}]
            defaults = [self.space.defaults()] if root.first == DEFAULTS else []
            by_others: list[Mapping[str, Any]] = [
                *defaults,
                *(issued.values for decision in own for issued in decision.issued if _is_requested(issued)),
                *(choice.values for choice in chosen if choice.origin is not Origin.DEFAULT),
            ]
            experiments_before = sum(part.experiments for part in before) + first - stage.first + len(chosen)
            request = Request(
                count=new.count - len(chosen),
                first=experiments_before - len(by_others),
                total=root.experiments - self._enqueued_in(root) - int(root.retrains is not None) - len(defaults),
                seed=(self.seed, root.index, sum(_steps(part) for part in before) + new.step),
                chosen=tuple(by_others),
                pending=_pending(earlier, outcomes) if stage.overlap else (),
                epochs=stage.longest_from(new.rung.index),
                begins=new.rung.epochs,
                earlier=self.warm_start,
            )
            consumed = [*(outcome for decision in earlier for outcome in decision.consumed), *outcomes]
            trials = trials_of(issued_by(earlier), consumed, self.metric)
            proposed = self.sampler.propose(self.space, trials, request)
            proposals += [
                Chosen(proposal.values, Origin.SAMPLER, proposal.reason)
                for proposal in tried.replaced(proposed, request.seed, request.first)
            ]
        return tuple(
            Recommendation(
                number=first + position,
                values=proposal.values,
                epochs=new.rung.epochs,
                schedule_epochs=stage.longest_from(new.rung.index),
                seed=training_seed(self.seed, first + position),
                reason=proposal.reason,
                origin=proposal.origin,
            )
            for position, proposal in enumerate(proposals)
        )

    def _add_side_by_side(self, stage: Stage, tried: Tried) -> None:
        """Take note of what the stages before this one start with that may run at the same time.

        Their decisions are not looked at, for they may not be made yet. But the first decision of a stage sees no
        result, so it can be computed anew. What one carries over from the search before was tried before.
        """
        chain = {link.index for link in self.plan.chain(stage)}
        for other in self.plan.search:
            if other.index < stage.index and other.index not in chain:
                earlier: list[Decision] = []
                for new in _beginnings(other):
                    chosen = self._chosen(replace(new, stage=replace(other, retrains=None)), (), ())
                    if other.retrains is not None and new.first == other.first:
                        chosen.append(Chosen(self.space.defaults(), Origin.CARRIED_OVER, ""))
                    issued = self._propose(new, earlier, (), chosen, tried=tried)
                    earlier.append(Decision(other.index, len(earlier), (), issued))

    def _enqueued_in(self, stage: Stage) -> int:
        """How many experiments of a stage try values of the study file."""
        end = min(stage.first + stage.experiments, _FIRST_ENQUEUED + len(self.enqueue))
        return len(range(max(stage.first, _FIRST_ENQUEUED), end))


def _beginnings(stage: Stage) -> Iterator[_New]:
    """What a stage begins with, whatever its results will be: its first rung, or without a barrier all that is new."""
    if stage.overlap is None:
        yield _New(stage, stage.rungs[0], stage.first, stage.rungs[0].size, 0)
        return
    rungs = [rung for rung in stage.rungs if rung.new for _ in range(rung.size)]
    for step, rung in enumerate(rungs):
        yield _New(stage, rung, stage.first + step, 1, step)


def _steps(stage: Stage) -> int:
    """How many different `_New.step` a stage has."""
    return len(stage.rungs) if stage.overlap is None else stage.experiments


def _pending(earlier: Sequence[Decision], outcomes: Sequence[Outcome]) -> tuple[Mapping[str, Any], ...]:
    """The values of the experiments that have no outcome yet, by number."""
    seen = {outcome.experiment for decision in earlier for outcome in decision.consumed}
    seen |= {outcome.experiment for outcome in outcomes}
    return tuple(issued.values for number, issued in sorted(issued_by(earlier).items()) if number not in seen)


def _is_requested(recommendation: Recommendation) -> bool:
    return origin_of(recommendation) is Origin.REQUESTED


def _origins(earlier: Sequence[Decision]) -> dict[int, Origin | None]:
    """Where each experiment's values come from, by number: the origin of its first recommendation."""
    return {issued.number: origin_of(issued) for decision in reversed(earlier) for issued in decision.issued}
