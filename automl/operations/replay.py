"""Computes every decision again from the record and compares it with the stored one.

The brain is a pure function of the study, the decisions before, the results and the seed, so both should be the
same; where they differ, the record was changed, or other versions of the software computed something else. Where there
is no barrier, which results had come in is chance: a stored decision says it, and what it saw is what it is computed
from. Reasons are for people and another version may word them differently: they are not compared.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from automl.errors import AutoMLError
from automl.search.brain import QueuedValues
from automl.search.early_end import End, first_reached
from automl.search.history import Decision, Result
from automl.study.deciding import Results, next_decision
from automl.study.definition import Definition
from automl.study.keys import ENDS, ENQUEUED, decision_key, user_change_key
from automl.study.opened_study import OpenedStudy
from automl.study.record import Record
from automl.study.software_versions import versions
from automl.text import strict_json
from automl.text.json_diff import Difference, first_difference


@dataclass(frozen=True)
class Compared:
    """A decision and where it differs from what is computed now: `one` is stored, `other` is computed.

    `stage` is the name of its stage, and `key` that of its object.
    """

    stage: str
    key: str
    difference: Difference | None


class Replay:
    """The comparisons of a study's decisions, in the order of stages and rungs; made while they are iterated.

    Each builds on the stored decisions before it, so that one difference does not cause others.
    """

    def __init__(self, record: Record, definition: Definition) -> None:
        self._definition = definition
        self._chains = {stage.index: record.decisions_in(stage) for stage in definition.plan.stages}
        self._record = record
        self._again = record.retries()
        self._results = cache(record.results)
        self._enqueued = record.enqueued() if definition.is_chain else []

    def __len__(self) -> int:
        return sum(map(len, self._chains.values())) + len(self._definition.ends)

    def __iter__(self) -> Iterator[Compared]:
        for stage, chain in self._chains.items():
            for index, (stored, _) in enumerate(chain):
                name = self._definition.plan.stages[stage].name
                yield Compared(name, decision_key(stage, index), self._difference(stage, index, stored))
        for number, end in enumerate(self._definition.ends):
            yield Compared("the end of the search", user_change_key(ENDS, number), self._difference_of_end(end))

    def _difference_of_end(self, end: End) -> Difference | None:
        """Where the end of a search is not what its own facts give, or these are not the results that are stored."""
        if end.facts is None:
            return None
        for ending in end.facts.endings:
            outcome = ending.outcome
            results = [result.outcome().to_json() for result in self._results(outcome.experiment, outcome.rung)]
            if outcome.to_json() not in results:
                where = f"facts.endings: experiment {outcome.experiment}, rung {outcome.rung}"
                return Difference(where, outcome.to_json(), results[-1] if results else "no result")
        brain = self._definition.brain
        reached = first_reached(end.limits or {}, end.facts, brain.metric, brain.best_among)
        if reached is None or reached.limit is not end.limit:
            return Difference("limit", end.limit and end.limit.value, reached and reached.limit.value)
        return None

    def _difference(self, stage: int, index: int, stored: Decision) -> Difference | None:
        if index >= self._definition.plan.stages[stage].most_decisions:
            return Difference("", "a decision", "none: the plan has no such rung")
        try:
            # it could take what it says that it took: what else was enqueued came later
            queue = [QueuedValues(number, self._enqueued[number]) for number in stored.enqueued]
            consumed = {(outcome.experiment, outcome.rung) for outcome in stored.consumed}
            computed = next_decision(
                self._definition,
                stage,
                index,
                self._chains.__getitem__,
                self._results_at(stage, index, stored),
                queue=queue,
                consumed=consumed,
                again=self._again,
            )
        except IndexError:
            return Difference("", "a decision", f"none: not all of the values that it took are in {ENQUEUED}/")
        except AutoMLError as error:  # a result is gone, or what there is allows no decision
            return Difference("", "a decision", f"none: {error}")
        return first_difference(*map(_as_stored, what_is_decided(stored, computed)))

    def _results_at(self, stage: int, index: int, stored: Decision) -> Results:
        """The results as they were when a decision was made: of a run that was trained again, the one that it saw."""
        chain = self._definition.plan.chain(self._definition.plan.stages[stage])
        before = [decision for link in chain[:-1] for decision, _ in self._chains[link.index]]
        before += [decision for decision, _ in self._chains[stage][:index]]
        seen = {(outcome.experiment, outcome.rung): outcome for made in (*before, stored) for outcome in made.consumed}

        def result(experiment: int, rung: int) -> Result | None:
            results = self._results(experiment, rung)
            outcome = seen.get((experiment, rung))
            newest = results[-1] if results else None
            return next((result for result in results if result.outcome() == outcome), newest)

        return result


def what_is_decided(stored: Decision, computed: Decision) -> tuple[Decision, Decision]:
    """Both decisions as far as they can be compared: without reasons, and without origins if either lacks one."""
    stored, computed = _without_reasons(stored), _without_reasons(computed)
    if any(recommendation.origin is None for recommendation in (*stored.issued, *computed.issued)):
        stored, computed = _without_origins(stored), _without_origins(computed)
    return stored, computed


def _without_reasons(decision: Decision) -> Decision:
    issued = tuple(replace(recommendation, reason="") for recommendation in decision.issued)
    stopped = tuple(replace(experiment, reason="") for experiment in decision.stopped)
    return replace(decision, issued=issued, stopped=stopped)


def _without_origins(decision: Decision) -> Decision:
    return replace(decision, issued=tuple(replace(each, origin=None) for each in decision.issued))


def _as_stored(decision: Decision) -> Any:
    """The decision as JSON reads it back, without our own types."""
    return strict_json.load(strict_json.dump(decision.to_json()), "the decision")


@dataclass(frozen=True)
class DifferentDecision:
    """The first decision that differs: in which `field`, what is stored there, and what is computed now."""

    stage: str
    key: str
    difference: Difference

    def to_json(self) -> dict[str, Any]:
        return {
            "stage": self.stage,
            "decision": self.key,
            "field": self.difference.field,
            "stored": self.difference.one,
            "computed": self.difference.other,
        }


@dataclass(frozen=True)
class ReplaySummary:
    """What a replay has found among `decisions` decisions, and with which versions they were computed then and now."""

    study: str
    store: str
    decisions: int
    first: DifferentDecision | None
    software_then: Mapping[str, str]
    software_now: Mapping[str, str]

    def to_json(self) -> dict[str, Any]:
        return {
            "study": self.study,
            "store": self.store,
            "same": self.first is None,
            "decisions": self.decisions,
            "difference": self.first and self.first.to_json(),
            "software": {"then": dict(self.software_then), "now": dict(self.software_now)},
        }


def summary(opened: OpenedStudy, decisions: int, first: Compared | None) -> ReplaySummary:
    """A replay in short. `first` is the first decision that differs."""
    definition, metadata = opened.definition, opened.metadata
    different = None
    if first is not None and first.difference is not None:
        different = DifferentDecision(first.stage, first.key, first.difference)
    then = metadata.get("software") or {"argo-automl": metadata["version"]}
    return ReplaySummary(definition.file.name, opened.record.store.uri, decisions, different, then, versions())
