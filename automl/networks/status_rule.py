"""The `status` rule of a network file: what its program writes, where, and how epochs stand in it."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

if TYPE_CHECKING:
    import regex

EVENT_FILES = "**/*tfevents*"
# What {number} stands for in a pattern: every number that a program may print, nan and inf too
NUMBER = r"(?:[-+]?(?:(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?|[nN][aA][nN]|[iI][nN][fF](?:[iI][nN][iI][tT][yY])?))"
# ((a+)+) and the like: one line that does not match could take longer than the training
_REPEATED_REPEAT = re.compile(r"[^\\][+*}][+?]?\)+(?:[+*]|\{\d*,)")


def compiled(pattern: str) -> regex.Pattern[str]:
    """A pattern as it is searched: by an engine that can be stopped, with {number} written out. Raises regex.error."""
    import regex  # noqa: PLC0415 - only where a log is read

    return regex.compile(expanded(pattern))


def expanded(pattern: str) -> str:
    """The pattern with {number} written out."""
    return pattern.replace("{number}", NUMBER)


def below(path: str) -> str:
    """The path, when it leads to a file below the folder that it is relative to."""
    if path.startswith("/") or not path.strip("./") or ".." in Path(path).parts:
        raise ValueError("the path of a file below the results folder")
    return path


class StatusRule(BaseModel):
    """One rule, checked. Without one a network writes `status.json` in TAO's dialect."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)

    reader: Literal["tao", "json_lines", "csv", "regex", "tensorboard"] = Field("tao", description="the format")
    path: str | None = Field(
        None,
        min_length=1,
        description="the file below the results folder; *, ? and ** match names. regex: the log, unless said",
    )
    epoch: str | None = Field(
        None, min_length=1, max_length=100, description="the member, column, group or tag that is the epoch"
    )
    first_epoch: Literal[0, 1] = Field(1, description="the number that the first epoch has there")
    without_epoch: Literal["last", "next", "counted", "one"] = Field(
        "last",
        description="a metric without an epoch is of the epoch that was named last, or of the one that is named next; "
        "counted: the n-th value is of the n-th epoch; one: the whole training is one epoch",
    )
    of_epoch: Literal["first", "last", "min", "max"] = Field(
        "first", description="which number counts where an epoch has several; all but first are known when it is over"
    )
    round_epochs: bool = Field(False, description="the program writes epochs such as 0.99, which are rounded to 1")
    nan_is_missing: bool = Field(False, description="the program writes nan where it has not validated")
    patterns: tuple[str, ...] = Field(
        (),
        description="of regex: searched in every line; a group (?P<epoch>...), and groups with the metrics' names; "
        "{number} stands for every number: loss=(?P<loss>{number})",
    )

    @field_validator("path")
    @classmethod
    def _in_results(cls, path: str | None) -> str | None:
        return path if path is None else below(path)

    @field_validator("patterns", mode="before")
    @classmethod
    def _some(cls, patterns: Any) -> Any:
        return tuple(patterns) if isinstance(patterns, list) else patterns

    @field_validator("patterns")
    @classmethod
    def _compiled(cls, patterns: tuple[str, ...]) -> tuple[str, ...]:
        for pattern in patterns:
            try:
                groups = re.compile(expanded(pattern)).groupindex
                compiled(pattern)
            except (re.error, OverflowError, RecursionError) as error:
                raise ValueError(f"a regular expression, and {pattern!r} is none: {error}") from error
            if not groups:
                raise ValueError(
                    f"a regular expression with named groups such as (?P<loss>{{number}}), not {pattern!r}"
                )
            if _REPEATED_REPEAT.search(expanded(pattern)):
                raise ValueError(
                    f"a regular expression without a repeat inside of a repeat, which can take for ever: {pattern!r}"
                )
        return patterns

    @model_validator(mode="after")
    def _consistent(self) -> StatusRule:
        if (self.reader == "regex") != bool(self.patterns):
            raise ValueError("status.reader: regex goes with status.patterns, and no other reader does")
        if self.reader in {"json_lines", "csv"} and self.path is None:
            raise ValueError(f"status.reader: {self.reader} needs status.path, the file that the program writes")
        if self.without_epoch in {"counted", "one"} and (self.epoch is not None or self.first_epoch != 1):
            raise ValueError(
                f"status.without_epoch: {self.without_epoch} has no use for status.epoch and status.first_epoch"
            )
        return self

    @property
    def names(self) -> frozenset[str]:
        """The names that the patterns capture; those of the other readers are not known beforehand."""
        names = [name for pattern in self.patterns for name in re.compile(expanded(pattern)).groupindex]
        return frozenset(names) - {self.epoch or "epoch"}
