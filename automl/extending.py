"""What a user adds to a search that was begun: more experiments, values to try next. Each is an object created once.

Nothing that was decided changes by it. An extension is a stage of its own behind all that was planned, which goes on
with the chain before; enqueued values are taken by the next decision, which says that it took them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from automl import findings, strict_yaml
from automl.errors import InvalidInput, SpaceError
from automl.own_values import completed
from automl.record import ENQUEUED, EXTENSIONS, Record
from automl.steps.propose import waiting
from automl.study import Study
from automl.study_file import Definition
from automl.wording import counted, setting


def extend(record: Record, definition: Definition, to: int, name: str) -> dict[str, Any]:
    """Stores that the search is to have `to` experiments. name: of the study, for advice. Raises InvalidInput."""
    _check_chain(definition, "extend", f"'automl clone {name} NEW.yaml --best 3' starts anew from its best values")
    now = sum(stage.experiments for stage in definition.plan.search)
    if to == now and definition.extensions:  # asked twice
        return {"study": definition.file.name, "from": now, "to": to, "extended": False}
    if to <= now:
        raise InvalidInput(f"--to {to}: the search has {now} experiments", allowed=f"a number above {now}")
    study = _study(record, definition)
    if not findings.search_is_over(definition, study):
        raise InvalidInput(
            f"{definition.file.name} is still searching",
            allowed="a study whose search is over",
            advice=f"let it come to its end first: see 'automl status {name}'",
        )
    if findings.best_of_search(definition, study) is None:
        raise InvalidInput(
            f"no experiment of {definition.file.name} succeeded",
            advice="mend the training or its settings, and start under another name",
        )
    longer = replace(definition, extensions=(*definition.extensions, to))  # finds what is wrong before it is stored
    if not record.add(EXTENSIONS, len(definition.extensions), {"max_recommendations": to}):
        raise InvalidInput(
            f"{definition.file.name} has just been extended by somebody else", advice="look, then ask again"
        )
    return {
        "study": definition.file.name,
        "from": now,
        "to": sum(stage.experiments for stage in longer.plan.search),
        "extended": True,
    }


def enqueue(record: Record, definition: Definition, words: Sequence[str], name: str) -> dict[str, Any]:
    """Stores values that the next decision is to try: words of the form NAME=VALUE. Raises InvalidInput."""
    _check_chain(
        definition, "enqueue", "give values to try first in the study file, before it is begun: enqueue: [...]"
    )
    try:
        values = completed(definition.space, _values(words))
    except SpaceError as error:
        raise InvalidInput(error.given, allowed=error.allowed, advice=error.advice) from error
    study = _study(record, definition)
    undecided = sum(
        rung.size for stage in definition.plan.search for rung in stage.rungs[len(study.of_stage(stage.index)) :]
    ) - _still_told(definition, study)
    enqueued = record.enqueued()
    before = len(waiting(enqueued, study.decisions))
    if before >= undecided:
        raise InvalidInput(
            f"{counted(max(undecided, 0), 'experiment')} of {definition.file.name} "
            f"{'is' if undecided == 1 else 'are'} still to be proposed, and {before} enqueued",
            allowed="fewer enqueued than experiments to propose",
            advice=f"when the search is over, 'automl extend {name} --to N' makes room",
        )
    number = len(enqueued)
    while not record.add(ENQUEUED, number, {"values": values}):  # somebody else has enqueued something
        number += 1
    text = ", ".join(f"{each}={setting(value)}" for each, value in values.items())
    return {"study": definition.file.name, "number": number, "values": values, "text": text}


def _still_told(definition: Definition, study: Study) -> int:
    """How many of the experiments to propose are the defaults' and those of the study file."""
    made = sum(len(each.issued) for each in study.of_stage(0))
    return max(0, 1 + len(definition.file.enqueue or ()) - made)


def _check_chain(definition: Definition, what: str, advice: str) -> None:
    if not definition.extensible:
        kind = definition.file.algorithm if definition.file.automl_enabled else "a training without search"
        raise InvalidInput(
            f"{what}: {kind} decides from the start what is tried", allowed="bayesian, random", advice=advice
        )


def _values(words: Sequence[str]) -> dict[str, Any]:
    """What NAME=VALUE says, each value as it would stand in a study file. Raises InvalidInput."""
    found: dict[str, Any] = {}
    for word in words:
        name, sign, text = word.partition("=")
        if not sign or not name or not text:
            raise InvalidInput(f"{word!r} is no value", allowed="NAME=VALUE", advice="such as train.lr=0.01")
        if name in found:
            raise InvalidInput(f"{name} is given twice", advice="keep one of the two")
        found[name] = strict_yaml.load(text, word)
    return found


def _study(record: Record, definition: Definition) -> Study:
    return record.study(definition.brain.metric, definition.plan.stages)
