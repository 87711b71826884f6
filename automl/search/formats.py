"""The format of every object that a study stores, and how one is refused that is damaged or newer than this code."""

from __future__ import annotations

from typing import Any

from automl.errors import RecordError, UnknownFormat

FORMAT = 1  # of every object that a study stores; grows when an older reader would misread a newer object


class reading:  # noqa: N801 - reads as a verb at the place of use
    """Checks the format and turns the errors of a malformed object into RecordError."""

    def __init__(self, data: Any, where: str) -> None:
        self.data, self.where = data, where

    def __enter__(self) -> None:
        check_format(self.data, self.where)

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, KeyError | TypeError | ValueError | AttributeError | OverflowError):
            raise RecordError(
                f"{self.where} does not hold what it should ({error})",
                advice="the object is damaged or was edited: restore it from a copy",
            ) from error


def check_format(data: Any, where: str, newest: int = FORMAT) -> None:
    """Raises RecordError when `data` has no format number, and UnknownFormat when the number is above `newest`."""
    version = data.get("format") if isinstance(data, dict) else None
    if not isinstance(version, int) or isinstance(version, bool) or version < 1:
        raise RecordError(f"{where} names no format", advice="the object is damaged: restore it from a copy")
    if version > newest:
        raise UnknownFormat(
            f"{where} has format {version}",
            allowed=f"formats up to {newest}",
            advice="a newer argo-automl wrote it: install that version or a later one",
        )
