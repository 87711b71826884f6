"""Two studies compared: the settings that differ, the first decision that differs, what each study has found."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from automl.analysis import status
from automl.search.history import Decision, History, what_is_decided
from automl.study import summary
from automl.study.definition import Definition
from automl.study.keys import decision_key
from automl.study.opened_study import OpenedStudy
from automl.text.json_diff import ABSENT, differences, first_difference


@dataclass(frozen=True)
class Side:
    """One of the two studies, read."""

    place: str
    metadata: Mapping[str, Any]
    definition: Definition
    study: History

    @classmethod
    def read(cls, opened: OpenedStudy) -> Side:
        return cls(opened.record.store.uri, opened.metadata, opened.definition, opened.history())


def compare(a: Side, b: Side) -> dict[str, Any]:
    """All that `automl diff` shows. `gain` is that of b over a, positive if b is better, or None."""
    settings = list(_settings(a.metadata, b.metadata))
    ours, theirs = (
        {(decision.stage, decision.index): decision for decision in side.study.decisions} for side in (a, b)
    )
    pairs = [_comparable(ours.get(key), theirs.get(key)) for key in sorted({*ours, *theirs})]
    at = next((index for index, (decision_a, decision_b) in enumerate(pairs) if decision_a != decision_b), None)
    same_metric = a.definition.metric_rule == b.definition.metric_rule
    summaries = {name: _summary(side) for name, side in (("a", a), ("b", b))}
    gain = None
    if same_metric and summaries["a"]["best"] and summaries["b"]["best"]:
        metric = a.definition.brain.metric
        gain = metric.gain(summaries["b"]["best"]["value"], summaries["a"]["best"]["value"])
    return {
        "a": summaries["a"],
        "b": summaries["b"],
        "settings": settings,
        "decisions": {
            "a": len(a.study.decisions),
            "b": len(b.study.decisions),
            "same_until_the_first_difference": len(pairs) if at is None else at,
            "first_difference": None if at is None else _decision_difference(*pairs[at]),
        },
        "gain": gain,
    }


def _settings(a: Mapping[str, Any], b: Mapping[str, Any]) -> Iterator[dict[str, Any]]:
    """The settings that differ: those of the study file by their names, the network's after 'network'."""
    for group, before in (("study", ""), ("network", "network ")):
        for difference in differences(a[group], b[group]):
            yield {"setting": f"{before}{difference.field}", "a": difference.one, "b": difference.other}


def _comparable(decision_a: Decision | None, decision_b: Decision | None) -> tuple[Decision | None, Decision | None]:
    """Both decisions without what two studies cannot share: the digests of earlier decisions depend on wording too."""
    if decision_a is None or decision_b is None:
        return decision_a, decision_b
    return what_is_decided(replace(decision_a, previous=()), replace(decision_b, previous=()))


def _decision_difference(decision_a: Decision | None, decision_b: Decision | None) -> dict[str, Any]:
    present = decision_a or decision_b
    assert present is not None, "a pair has at least one side"
    data: dict[str, Any] = {"decision": decision_key(present.stage, present.index)}
    if decision_a is None or decision_b is None:
        sides = ["a decision" if decision else ABSENT for decision in (decision_a, decision_b)]
        return {**data, "field": "", "a": sides[0], "b": sides[1]}
    difference = first_difference(decision_a.to_json(), decision_b.to_json())
    assert difference is not None, "decisions that are not equal differ in a field"
    return {**data, "field": difference.field, "a": difference.one, "b": difference.other}


def _summary(side: Side) -> dict[str, Any]:
    verdict = summary.verdict(side.definition, side.study)
    best = status.best(side.definition, side.study)
    return {
        "study": side.definition.file.name,
        "store": side.place,
        "state": summary.state(side.definition, side.study),
        "metric": side.definition.metric_rule.model_dump(),
        "best": best and best.to_json(),
        "gain_over_defaults": verdict and verdict.gain,
        "judged_on": verdict and verdict.judged_on,
    }
