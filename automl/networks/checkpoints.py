"""The `checkpoints` rule of a network file: which files in the results folder make a checkpoint, and how to resume.

Programs write a file, several files or a folder for an epoch, with the epoch padded or not, counted from 0 or 1. A
number of steps instead of the epoch says nothing, because batch sizes differ; beside the epoch, `*` stands for it.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from functools import cache
from itertools import chain
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from automl.networks.command_words import as_words, with_placeholders
from automl.networks.spec_formats import get_path
from automl.networks.status_rule import below

RESUME_PLACEHOLDERS = ("{checkpoint}", "{epoch}", "{next_epoch}")


class Checkpoints(BaseModel):
    """How checkpoints are named below the results folder, and how a training goes on from one."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    pattern: str = Field(
        description="path below the results folder; {epoch} stands for the epochs done, * for any characters of a name"
    )
    first: Literal[0, 1] = Field(1, description="the number that stands in the name after one epoch")
    folder: bool = Field(False, description="a checkpoint is a folder of that name, with all that lies in it")
    also: tuple[str, ...] = Field((), description="patterns of further files without which a checkpoint is not whole")
    if_there: tuple[str, ...] = Field(
        (), description="patterns of further files that belong to a checkpoint where the program writes them"
    )
    also_where: dict[str, tuple[str, ...]] = Field(
        default_factory=dict,
        description="by the path of a setting, patterns of further files that a checkpoint needs where that is true",
    )
    resume: Literal["path", "in_place", "arguments"] = Field(
        "path",
        description="path: the field resume_from names the file; in_place: it lies in the results folder; "
        "arguments: words that are added to the command",
    )
    arguments: tuple[str, ...] = Field(
        (),
        description="with resume: path or arguments; {checkpoint}, {epoch} (done so far), {next_epoch} are filled in",
    )

    @field_validator("also", "if_there", "arguments", mode="before")
    @classmethod
    def _words(cls, words: Any) -> Any:
        return as_words(words)

    @field_validator("also_where", mode="before")
    @classmethod
    def _words_by_setting(cls, given: Any) -> Any:
        return {path: as_words(words) for path, words in given.items()} if isinstance(given, dict) else given

    @field_validator("pattern")
    @classmethod
    def _one_epoch(cls, pattern: str) -> str:
        return _with_epoch(pattern)

    @field_validator("also", "if_there")
    @classmethod
    def _one_epoch_each(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        return tuple(map(_with_epoch, patterns))

    @field_validator("also_where")
    @classmethod
    def _one_epoch_by_setting(cls, given: dict[str, tuple[str, ...]]) -> dict[str, tuple[str, ...]]:
        return {path: tuple(map(_with_epoch, patterns)) for path, patterns in given.items()}

    @field_validator("arguments")
    @classmethod
    def _known_placeholders(cls, words: tuple[str, ...]) -> tuple[str, ...]:
        return with_placeholders(words, RESUME_PLACEHOLDERS)

    @property
    def patterns(self) -> tuple[str, ...]:
        """The patterns of all that may belong to a checkpoint."""
        return (self.pattern, *self.also, *self.if_there, *chain.from_iterable(self.also_where.values()))

    def of_spec(self, spec: Mapping[str, Any]) -> Checkpoints:
        """The rule of a training with this spec: what its settings ask for is needed as much as `also`."""
        needed = chain.from_iterable(self.also_where[path] for path in self.also_where if get_path(spec, path) is True)
        return self.model_copy(update={"also": (*self.also, *needed), "also_where": {}})

    def whole(
        self, paths: Iterable[str], refused: Collection[str] = (), linked: Collection[str] = ()
    ) -> dict[int, tuple[str, ...]]:
        """epoch -> the paths of its checkpoint, those of `pattern` first; only for complete checkpoints.

        `refused` are paths of what cannot be stored, which count too. Where several names fit (`*`), the last of an
        epoch counts; one that is refused, or lies below a link to a folder (`linked`), only when there is no other.
        """
        names, second = [*paths, *refused], {*refused, *linked}
        parts = [self._part(self.pattern, names, {self.folder}, refused, second)]
        parts += [self._part(pattern, names, {False, True}, refused, second) for pattern in self.also]
        epochs = sorted(set(parts[0]).intersection(*parts[1:]))
        parts += [self._part(pattern, names, {False, True}, refused, second) for pattern in self.if_there]
        return {epoch: tuple(path for part in parts for path in part.get(epoch, ())) for epoch in epochs}

    def handed_over(self, path: str) -> str:
        """The path of a checkpoint that a program gets: its first file, or the folder with that file."""
        match = _form(self.pattern).fullmatch(path)
        return match["place"] if match is not None else path

    def place(self, path: str) -> str | None:
        """The file or folder that a pattern names and that this path is or lies in; None for one of no checkpoint."""
        matches = (_form(pattern).fullmatch(path) for pattern in self.patterns)
        return next((match["place"] for match in matches if match is not None), None)

    def may_hold(self, folder: str) -> bool:
        """Whether a part of a checkpoint can lie in the folder of this path, however deep."""
        names = folder.split("/")
        return any(
            all(form.fullmatch(name) for form, name in zip(_forms_of_names(pattern), names, strict=False))
            for pattern in self.patterns
        )

    def _part(
        self,
        pattern: str,
        paths: Iterable[str],
        inside: set[bool],
        refused: Collection[str],
        second: set[str],
    ) -> dict[int, list[str]]:
        places_by_epoch: dict[int, dict[str, list[str]]] = {}
        for path in paths:
            match = _form(pattern).fullmatch(path)
            if match is None:
                continue
            if bool(match["inside"]) in inside or (path in refused and not match["inside"]):
                places = places_by_epoch.setdefault(int(match["epoch"]) + 1 - self.first, {})
                places.setdefault(match["place"], []).append(path)

        def preferred(place: str) -> tuple[bool, list[tuple[int, str]]]:
            return second.isdisjoint(_with_parents(place)), _in_order(place)

        return {epoch: sorted(places[max(places, key=preferred)]) for epoch, places in places_by_epoch.items()}


def _with_epoch(pattern: str) -> str:
    if pattern.count("{epoch}") != 1:
        raise ValueError("a path with {epoch} in it once")
    return below(pattern)


@cache
def _form(pattern: str) -> re.Pattern[str]:
    before, after = map(_escaped, pattern.split("{epoch}"))
    return re.compile(rf"(?P<place>{before}(?P<epoch>\d{{1,9}}){after})(?P<inside>/.+)?", re.DOTALL)


@cache
def _forms_of_names(pattern: str) -> tuple[re.Pattern[str], ...]:
    """What each name on the way to a checkpoint looks like."""
    names = (_escaped(name).replace(re.escape("{epoch}"), r"\d{1,9}") for name in pattern.split("/"))
    return tuple(re.compile(name, re.DOTALL) for name in names)


def _escaped(part: str) -> str:
    return re.escape(part).replace(r"\*", "[^/]*")


def _with_parents(path: str) -> set[str]:
    """The path and those of the folders that it lies in."""
    names = path.split("/")
    return {"/".join(names[:end]) for end in range(1, len(names) + 1)}


def _in_order(name: str) -> list[tuple[int, str]]:
    """A sort key that orders the numbers in names as numbers: step_9 before step_10."""
    return [(int(part) if part.isdigit() else -1, part) for part in re.split(r"(\d+)", name)]
