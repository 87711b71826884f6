"""Two studies beside each other: settings that differ, the first decision that does, what each has found."""

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
    """All that `automl diff` shows. gain is of b over a, positive where b is better; None where they do not compare."""
    settings = list(_settings(a.metadata, b.metadata))
    ours, theirs = ({(each.stage, each.index): each for each in side.study.decisions} for side in (a, b))
    pairs = [_comparable(ours.get(key), theirs.get(key)) for key in sorted({*ours, *theirs})]
    at = next((place for place, (one, other) in enumerate(pairs) if one != other), None)
    same_metric = a.definition.metric_rule == b.definition.metric_rule
    found = {side: _found(each) for side, each in (("a", a), ("b", b))}
    gain = None
    if same_metric and found["a"]["best"] and found["b"]["best"]:
        metric = a.definition.brain.metric
        gain = metric.gain(found["b"]["best"]["value"], found["a"]["best"]["value"])
    return {
        "a": found["a"],
        "b": found["b"],
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
        for each in differences(a[group], b[group]):
            yield {"setting": f"{before}{each.field}", "a": each.one, "b": each.other}


def _comparable(one: Decision | None, other: Decision | None) -> tuple[Decision | None, Decision | None]:
    """Both decisions as far as two studies can be compared: digests of those before differ with their wording alone."""
    if one is None or other is None:
        return one, other
    return what_is_decided(replace(one, previous=()), replace(other, previous=()))


def _decision_difference(one: Decision | None, other: Decision | None) -> dict[str, Any]:
    present = one or other
    assert present is not None, "a pair has at least one side"
    data: dict[str, Any] = {"decision": decision_key(present.stage, present.index)}
    if one is None or other is None:
        sides = ["a decision" if each else ABSENT for each in (one, other)]
        return {**data, "field": "", "a": sides[0], "b": sides[1]}
    found = first_difference(one.to_json(), other.to_json())
    assert found is not None, "decisions that are not equal differ in a field"
    return {**data, "field": found.field, "a": found.one, "b": found.other}


def _found(side: Side) -> dict[str, Any]:
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
