"""Two studies compared: the settings that differ, the first decision that differs, what each study has found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from automl.analysis import status
from automl.analysis.status import BestSoFar
from automl.networks.metric_rules import MetricRule
from automl.operations.replay import what_is_decided
from automl.problem.metric import Metric
from automl.search.history import Decision, History
from automl.study import summary
from automl.study.definition import Definition
from automl.study.keys import decision_key
from automl.study.opened_study import OpenedStudy
from automl.study.verdict import Verdict, verdict
from automl.text.json_diff import ABSENT, Difference, differences, first_difference


@dataclass(frozen=True)
class Side:
    """One of the two studies, read."""

    store: str
    metadata: Mapping[str, Any]
    definition: Definition
    study: History

    @classmethod
    def read(cls, opened: OpenedStudy) -> Side:
        return cls(opened.record.store.uri, opened.metadata, opened.definition, opened.history())


@dataclass(frozen=True)
class SideSummary:
    """What one of the two studies has found so far."""

    study: str
    store: str
    state: str
    metric: MetricRule
    best: BestSoFar | None
    verdict: Verdict | None

    @classmethod
    def of(cls, side: Side) -> SideSummary:
        return cls(
            study=side.definition.file.name,
            store=side.store,
            state=summary.state(side.definition, side.study),
            metric=side.definition.metric_rule,
            best=status.best(side.definition, side.study),
            verdict=verdict(side.definition, side.study),
        )

    def to_json(self) -> dict[str, Any]:
        return {
            "study": self.study,
            "store": self.store,
            "state": self.state,
            "metric": self.metric.model_dump(),
            "best": self.best and self.best.to_json(),
            "gain_over_defaults": self.verdict and self.verdict.gain,
            "judged_on": self.verdict and self.verdict.judged_on,
        }


@dataclass(frozen=True)
class DecisionDifference:
    """A decision, by its key, and where it differs; the field is empty where only one side has the decision."""

    decision: str
    difference: Difference

    def to_json(self) -> dict[str, Any]:
        return {
            "decision": self.decision,
            "field": self.difference.field,
            "a": self.difference.one,
            "b": self.difference.other,
        }


@dataclass(frozen=True)
class Comparison:
    """All that `automl diff` shows. `gain` is that of b over a, positive if b is better, or None."""

    a: SideSummary
    b: SideSummary
    settings: tuple[Difference, ...]
    decisions_of_a: int
    decisions_of_b: int
    same_until_the_first_difference: int
    first_difference: DecisionDifference | None
    gain: float | None

    def to_json(self) -> dict[str, Any]:
        return {
            "a": self.a.to_json(),
            "b": self.b.to_json(),
            "settings": [{"setting": setting.field, "a": setting.one, "b": setting.other} for setting in self.settings],
            "decisions": {
                "a": self.decisions_of_a,
                "b": self.decisions_of_b,
                "same_until_the_first_difference": self.same_until_the_first_difference,
                "first_difference": self.first_difference and self.first_difference.to_json(),
            },
            "gain": self.gain,
        }


def compare(a: Side, b: Side) -> Comparison:
    """Compares the settings of two studies, their decisions one by one, and what each has found."""
    ours, theirs = (
        {(decision.stage, decision.index): decision for decision in side.study.decisions} for side in (a, b)
    )
    pairs = [_comparable(ours.get(key), theirs.get(key)) for key in sorted({*ours, *theirs})]
    at = next((index for index, (decision_a, decision_b) in enumerate(pairs) if decision_a != decision_b), None)
    summary_a, summary_b = SideSummary.of(a), SideSummary.of(b)
    return Comparison(
        a=summary_a,
        b=summary_b,
        settings=tuple(_settings(a.metadata, b.metadata)),
        decisions_of_a=len(a.study.decisions),
        decisions_of_b=len(b.study.decisions),
        same_until_the_first_difference=len(pairs) if at is None else at,
        first_difference=None if at is None else _decision_difference(*pairs[at]),
        gain=_gain(a.definition.brain.metric, summary_a, summary_b),
    )


def _gain(metric: Metric, a: SideSummary, b: SideSummary) -> float | None:
    """How much better the best of b is than that of a; None while one has no best, or where the metrics differ."""
    value_a, value_b = (side.best.value if side.best else None for side in (a, b))
    if a.metric != b.metric or value_a is None or value_b is None:
        return None
    return metric.gain(value_b, value_a)


def _settings(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[Difference]:
    """The settings that differ: those of the study file by their names, the network's after 'network'."""
    for group, before in (("study", ""), ("network", "network ")):
        for difference in differences(a[group], b[group]):
            yield replace(difference, field=f"{before}{difference.field}")


def _comparable(decision_a: Decision | None, decision_b: Decision | None) -> tuple[Decision | None, Decision | None]:
    """Both decisions without what two studies cannot share: the digests of earlier decisions depend on wording too."""
    if decision_a is None or decision_b is None:
        return decision_a, decision_b
    return what_is_decided(replace(decision_a, previous=()), replace(decision_b, previous=()))


def _decision_difference(decision_a: Decision | None, decision_b: Decision | None) -> DecisionDifference:
    present = decision_a or decision_b
    assert present is not None, "a pair has at least one side"
    key = decision_key(present.stage, present.index)
    if decision_a is None or decision_b is None:
        sides = ["a decision" if decision else ABSENT for decision in (decision_a, decision_b)]
        return DecisionDifference(key, Difference("", *sides))
    difference = first_difference(decision_a.to_json(), decision_b.to_json())
    assert difference is not None, "decisions that are not equal differ in a field"
    return DecisionDifference(key, difference)
