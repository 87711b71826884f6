"""Whether a file or folder that a user named can be created, checked before any work is done for it."""

from __future__ import annotations

import os
from pathlib import Path

from automl.errors import InvalidInput


def check_new(path: Path, *, option: str = "", advice: str = "give another name, or remove it first") -> None:
    """Raises InvalidInput when `path` already exists, and when its folder does not.

    `option` is the option that named it, for the message. `advice` is what to do when it already exists.
    """
    if os.path.lexists(path):  # a symbolic link that leads nowhere exists too
        raise already_exists(path, option=option, advice=advice)
    check_folder_of(path, option=option)


def check_folder_of(path: Path, *, option: str = "") -> None:
    """Raises InvalidInput when the folder in which `path` is to be created does not exist."""
    if not path.parent.is_dir():
        raise InvalidInput(f"{_named(option)}folder {path.parent} does not exist", advice="create it first")


def already_exists(path: Path, *, option: str = "", advice: str, what: str = "") -> InvalidInput:
    """The error for a path that is not free; `what` follows "already exists" in the message."""
    return InvalidInput(f"{_named(option)}{path} already exists{what}", advice=advice)


def write_new(path: Path, text: str) -> None:
    """Writes a file that must not exist before. Raises InvalidInput."""
    try:
        check_new(path)
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:  # somebody else was faster
        raise already_exists(path, advice="give another name, or remove it first") from error
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}", advice="choose another path") from error


def _named(option: str) -> str:
    return f"{option}: " if option else ""
