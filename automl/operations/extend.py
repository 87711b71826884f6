"""What a user adds to a search that has begun: more experiments, or values to try next. Each is created once.

No earlier decision changes. An extension adds stages after all that were planned: one that continues the chain
before it, or the brackets of a larger R, where a unit of resource stays as many epochs as it was. Enqueued
values are taken by the next decision, which says that it took them.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from automl.errors import InvalidInput, SpaceError
from automl.problem.completion import completed
from automl.search.algorithms import ALGORITHMS, grown_by
from automl.search.early_end import Limit
from automl.search.extension import Extension, GrowsBy
from automl.search.history import History
from automl.study import ending, summary
from automl.study.definition import Definition
from automl.study.experiments import to_ask_for, waiting
from automl.study.keys import ENQUEUED, EXTENSIONS
from automl.study.record import Record
from automl.text import strict_yaml
from automl.text.formatting import counted, setting


@dataclass(frozen=True)
class Size:
    """How large a search is: its experiments, its R (None where it has none), the epochs of its longest training."""

    experiments: int
    R: int | None
    longest: int

    @classmethod
    def of(cls, definition: Definition) -> Size:
        return cls(definition.plan.searched, definition.plan.resource, definition.plan.longest)


@dataclass(frozen=True)
class Extended:
    """A search before and after its extension. `extended` is False when it already went on to the same size."""

    study: str
    before: Size
    after: Size
    epochs: int  # that the search has more
    extended: bool
    lifted: tuple[Limit, ...] = ()  # the limits that were reached, and limit the search no more

    def to_json(self) -> dict[str, Any]:
        return {
            "study": self.study,
            "from": self.before.experiments,
            "to": self.after.experiments,
            "R": {"from": self.before.R, "to": self.after.R},
            "longest": {"from": self.before.longest, "to": self.after.longest},
            "epochs": self.epochs,
            "extended": self.extended,
            **({"lifted": [limit.value for limit in self.lifted]} if self.lifted else {}),
        }


@dataclass(frozen=True)
class Enqueued:
    """Values that the next decision is to try, and the number under which they are stored."""

    study: str
    number: int
    values: Mapping[str, Any]

    @property
    def text(self) -> str:
        return ", ".join(f"{name}={setting(value)}" for name, value in self.values.items())

    def to_json(self) -> dict[str, Any]:
        return {"study": self.study, "number": self.number, "values": dict(self.values), "text": self.text}


def extend(record: Record, definition: Definition, to: Extension, name: str) -> Extended:
    """Stores how far the search is to go on. `name` names the study in advice. Raises InvalidInput."""
    if to in definition.extensions[-1:]:  # asked twice
        return _extended(definition, definition, extended=False)
    _check_goes_on(definition, to, name)
    study = _study(record, definition)
    definition = ending.look(record, definition, study)
    reached = (limit.limit for limit in ending.progress(record, definition, study) if limit.is_reached)
    to = replace(to, lifted=tuple(reached))
    longer = replace(definition, extensions=(*definition.extensions, to))  # finds what is wrong before it is stored
    if not summary.search_is_over(definition, study):
        raise InvalidInput(
            f"{definition.file.name} is still searching",
            allowed="a study whose search is over",
            advice=f"let it end first: see 'automl status {name}'",
        )
    if summary.best_of_search(definition, study) is None:
        raise InvalidInput(
            f"no experiment of {definition.file.name} succeeded",
            advice="fix the training or its settings, and start under another name",
        )
    if not record.add(EXTENSIONS, len(definition.extensions), to.to_json()):
        raise InvalidInput(
            f"{definition.file.name} has just been extended by somebody else",
            advice=f"see 'automl status {name}', then try again",
        )
    return replace(_extended(definition, longer, extended=True), lifted=to.lifted)


def _extended(before: Definition, after: Definition, *, extended: bool) -> Extended:
    epochs = _epochs(after) - _epochs(before)
    return Extended(before.file.name, Size.of(before), Size.of(after), epochs, extended)


def _epochs(definition: Definition) -> int:
    return definition.plan.trained(definition.plan.search, resume=True)


def _check_goes_on(definition: Definition, to: Extension, name: str) -> None:
    """Raises InvalidInput for an extension that this algorithm does not have, or that is no larger than the search."""
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
            f"--R {to.R}: {algorithm} has no R, because all its trainings have max_epochs",
            allowed=f"--to N with a number above {definition.plan.searched}",
            advice="it extends the search to more experiments",
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
    if definition.plan.searched >= definition.most_experiments and to.R is None:
        raise InvalidInput(
            f"--to {to.max_recommendations}: the search space has "
            f"{counted(int(definition.configurations), 'configuration')}, and the search tries all of them",
            advice=f"'automl clone {name} NEW.yaml' with wider ranges, or with 'repeat_configurations: true'",
        )


def enqueue(record: Record, definition: Definition, words: Sequence[str], name: str) -> Enqueued:
    """Stores values that the next decision is to try, given as words NAME=VALUE. Raises InvalidInput."""
    _check_chain(
        definition, "enqueue", "give values to try first in the study file, before it is begun: enqueue: [...]"
    )
    try:
        values = completed(definition.space, _values(words))
    except SpaceError as error:
        raise InvalidInput(error.given, allowed=error.allowed, advice=error.advice) from error
    study = _study(record, definition)
    undecided = sum(
        count for stage in definition.plan.search for rung, count in to_ask_for(study, stage) if rung.new
    ) - _still_requested(definition, study)
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
    return Enqueued(definition.file.name, number, values)


def _still_requested(definition: Definition, study: History) -> int:
    """How many of the experiments to propose try the defaults and the values of the study file."""
    issued = sum(len(decision.issued) for decision in study.of_stage(0))
    return max(0, 1 + len(definition.file.enqueue or ()) - issued)


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
    values: dict[str, Any] = {}
    for word in words:
        name, sign, text = word.partition("=")
        if not sign or not name or not text:
            raise InvalidInput(
                f"{word!r} is not NAME=VALUE", allowed="a parameter, '=' and its value", advice="such as train.lr=0.01"
            )
        if name in values:
            raise InvalidInput(f"{name} is given twice", advice="keep one of the two")
        values[name] = strict_yaml.load(text, word)
    return values


def _study(record: Record, definition: Definition) -> History:
    return record.history(definition)
