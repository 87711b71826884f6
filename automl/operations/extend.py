"""What a user adds to a search that was begun: more experiments, values to try next. Each is an object created once.

Nothing that was decided changes by it. An extension is made of stages behind all that was planned: one that goes on
with the chain before, or the brackets of a larger R, where a unit of resource stays as many epochs as it was. Enqueued
values are taken by the next decision, which says that it took them.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any

from automl.errors import InvalidInput, SpaceError
from automl.problem.completion import completed
from automl.search.algorithms import ALGORITHMS, grown_by
from automl.search.extension import Extension, GrowsBy
from automl.search.history import History
from automl.study import summary
from automl.study.definition import Definition
from automl.study.experiments import waiting
from automl.study.keys import ENQUEUED, EXTENSIONS
from automl.study.record import Record
from automl.text import strict_yaml
from automl.text.formatting import counted, setting


def extend(record: Record, definition: Definition, to: Extension, name: str) -> dict[str, Any]:
    """Stores what the search is to go on to. name: of the study, for advice. Raises InvalidInput.

    Gives what it has before and after, from and to: experiments of the search, R (null where it has none), epochs of
    the longest training; and the epochs that the search has more.
    """
    if to in definition.extensions[-1:]:  # asked twice
        return _extended(definition, definition, extended=False)
    _check_goes_on(definition, to, name)
    longer = replace(definition, extensions=(*definition.extensions, to))  # finds what is wrong before it is stored
    study = _study(record, definition)
    if not summary.search_is_over(definition, study):
        raise InvalidInput(
            f"{definition.file.name} is still searching",
            allowed="a study whose search is over",
            advice=f"let it come to its end first: see 'automl status {name}'",
        )
    if summary.best_of_search(definition, study) is None:
        raise InvalidInput(
            f"no experiment of {definition.file.name} succeeded",
            advice="mend the training or its settings, and start under another name",
        )
    found = _extended(definition, longer, extended=True)
    if not record.add(EXTENSIONS, len(definition.extensions), to.to_json()):
        raise InvalidInput(
            f"{definition.file.name} has just been extended by somebody else", advice="look, then ask again"
        )
    return found


def _extended(before: Definition, after: Definition, *, extended: bool) -> dict[str, Any]:
    def both(of: Callable[[Definition], int | None]) -> dict[str, int | None]:
        return {"from": of(before), "to": of(after)}

    def epochs(each: Definition) -> int:
        return each.plan.trained(each.plan.search, resume=True)

    return {
        "study": before.file.name,
        **both(lambda each: each.plan.searched),
        "R": both(lambda each: each.plan.resource),
        "longest": both(lambda each: each.plan.longest),
        "epochs": epochs(after) - epochs(before),
        "extended": extended,
    }


def _check_goes_on(definition: Definition, to: Extension, name: str) -> None:
    """Raises InvalidInput for an extension that is none for this algorithm, or not beyond what there is."""
    if not definition.file.automl_enabled:
        _check_chain(definition, "extend", f"'automl clone {name} NEW.yaml' starts a search of its own")
    growth, algorithm = definition.growth, definition.file.algorithm
    if growth is None:
        raise InvalidInput(
            f"extend: a search by {algorithm} cannot be extended",
            allowed=", ".join(name for name, row in ALGORITHMS.items() if row.growth is not None),
            advice=f"'automl clone {name} NEW.yaml --best 3' starts anew from its best values",
        )
    if to.R is not None and growth.by is GrowsBy.EXPERIMENTS:
        raise InvalidInput(
            f"--R {to.R}: {algorithm} has no R, for its trainings all have max_epochs",
            allowed=f"--to N with a number above {definition.plan.searched}",
            advice="it goes on to more experiments",
        )
    if to.max_recommendations is not None and growth.by is GrowsBy.RESOURCE:
        raise InvalidInput(
            f"--to {to.max_recommendations}: {algorithm} decides from the start what is tried, by its R",
            allowed=f"--R N with a number above {definition.plan.resource}",
            advice=f"'automl clone {name} NEW.yaml --best 3' starts anew from its best values",
        )
    if to.max_recommendations is not None and to.max_recommendations <= (has := definition.plan.searched):
        raise InvalidInput(
            f"--to {to.max_recommendations}: the search has {has} experiments", allowed=f"a number above {has}"
        )


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


def _still_told(definition: Definition, study: History) -> int:
    """How many of the experiments to propose are the defaults' and those of the study file."""
    made = sum(len(each.issued) for each in study.of_stage(0))
    return max(0, 1 + len(definition.file.enqueue or ()) - made)


def _check_chain(definition: Definition, what: str, advice: str) -> None:
    if not definition.is_chain:
        kind = definition.file.algorithm if definition.file.automl_enabled else "a training without search"
        raise InvalidInput(
            f"{what}: {kind} decides from the start what is tried",
            allowed=", ".join(grown_by(GrowsBy.EXPERIMENTS)),
            advice=advice,
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


def _study(record: Record, definition: Definition) -> History:
    return record.history(definition)
