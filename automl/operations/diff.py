"""Two studies compared: the settings that differ, the first decision that differs, what each study has found."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from automl.analysis.findings import Findings, findings
from automl.networks.metric_rules import MetricRule
from automl.operations.replay import what_is_decided
from automl.problem.metric import Metric
from automl.search.history import Decision, History
from automl.study import summary
from automl.study.definition import Definition
from automl.study.keys import decision_key
from automl.study.opened_study import OpenedStudy
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
    metrics: tuple[MetricRule, ...]
    found: Findings

    @classmethod
    def of(cls, side: Side) -> SideSummary:
        return cls(
            study=side.definition.file.name,
            store=side.store,
            state=summary.state(side.definition, side.study),
            metrics=side.definition.metric_rules,
            found=findings(side.definition, side.study),
        )

    @property
    def values(self) -> Mapping[str, float]:
        """The values of the best by metric, those of metrics that are only constrained too; empty before there is any.

        Of several metrics they are those of the chosen point.
        """
        best, first = self.found.best, self.metrics[0].name
        if best is None or best.value is None:
            return {}
        return {first: best.value, **best.measured}

    def to_json(self) -> dict[str, Any]:
        best, verdict, trade_off = self.found.best, self.found.verdict, self.found.trade_off
        return {
            "study": self.study,
            "store": self.store,
            "state": self.state,
            "metric": self.metrics[0].model_dump(),
            **({"metrics": [rule.model_dump() for rule in self.metrics]} if self.metrics[1:] else {}),
            "best": best and best.to_json(),
            **({"values": dict(self.values)} if trade_off is not None else {}),
            "gain_over_defaults": verdict and verdict.gain,
            "judged_on": verdict and verdict.gain_judged_on,
            **({"gain_is_of": verdict.of} if verdict is not None and verdict.of else {}),
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
class NetworksDifference:
    """Two networks of different names, and how many of their settings differ, by the section of their files."""

    a: str
    b: str
    sections: Mapping[str, int]

    @classmethod
    def of(cls, a: Mapping[str, Any], b: Mapping[str, Any]) -> NetworksDifference | None:
        """That of two stored networks; None where both have one name."""
        if a["name"] == b["name"]:
            return None
        sections = Counter(re.split(r"[.\[]", difference.field)[0] for difference in differences(a, b))
        return cls(a["name"], b["name"], dict(sorted(sections.items())))

    def to_json(self) -> dict[str, Any]:
        return {"a": self.a, "b": self.b, "settings": sum(self.sections.values()), "sections": dict(self.sections)}


@dataclass(frozen=True)
class Comparison:
    """All that `automl diff` shows. `networks` is None where both train one of the same name.

    `gains` are those of the best of b over that of a by metric, positive where b is better: of each metric that both
    studies improve.
    """

    a: SideSummary
    b: SideSummary
    settings: tuple[Difference, ...]
    decisions_of_a: int
    decisions_of_b: int
    same_until_the_first_difference: int
    first_difference: DecisionDifference | None
    gains: Mapping[str, float]
    networks: NetworksDifference | None

    def to_json(self) -> dict[str, Any]:
        return {
            "a": self.a.to_json(),
            "b": self.b.to_json(),
            "settings": [{"setting": setting.field, "a": setting.one, "b": setting.other} for setting in self.settings],
            "networks": self.networks and self.networks.to_json(),
            "decisions": {
                "a": self.decisions_of_a,
                "b": self.decisions_of_b,
                "same_until_the_first_difference": self.same_until_the_first_difference,
                "first_difference": self.first_difference and self.first_difference.to_json(),
            },
            "gain": self.gains.get(self.a.metrics[0].name),
            **({"gains": dict(self.gains)} if self.a.metrics[1:] or self.b.metrics[1:] else {}),
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
        gains=_gains(summary_a, summary_b),
        networks=NetworksDifference.of(a.metadata["network"], b.metadata["network"]),
    )


def _gains(a: SideSummary, b: SideSummary) -> dict[str, float]:
    """How much better the best of b is than that of a, by metric; of those that both have with one goal."""
    return {
        rule.name: Metric(rule.name, rule.goal).gain(b.values[rule.name], a.values[rule.name])
        for rule in a.metrics
        if rule in b.metrics and rule.name in a.values and rule.name in b.values
    }


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
