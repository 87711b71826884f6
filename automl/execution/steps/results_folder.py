"""What lies in a results folder and can be part of a checkpoint: whatever a program leaves there, a look at it ends.

A link is followed where it leads to something in the results folder, or in the checkpoint that the training went on
from. What cannot be stored is named with the reason: it counts when it is part of a checkpoint, and else is left lying.
"""

from __future__ import annotations

import os
import stat
from dataclasses import dataclass, field
from pathlib import Path

from automl.execution.plain_files import readable
from automl.execution.steps.stage_in import RESUME
from automl.networks.checkpoints import Checkpoints

_MOST_LINKED_FOLDERS = 1_000  # that one look enters through links: links to each other's folders multiply


@dataclass(frozen=True, order=True)
class FoundFile:
    """A file as it was at one look: its path below the results folder, its bytes, and its last change in ns."""

    name: str
    size: int
    changed: int


@dataclass
class Contents:
    """What one look found, by paths below the results folder.

    `folders` are those that are empty, and `linked` those that are links. `refused` says why something cannot be
    stored, as a sentence that begins with its path.
    """

    files: dict[str, FoundFile] = field(default_factory=dict)
    folders: set[str] = field(default_factory=set)
    linked: set[str] = field(default_factory=set)
    refused: dict[str, str] = field(default_factory=dict)


def look(results: Path, rule: Checkpoints) -> Contents:
    """What can be part of a checkpoint by this rule. Programs may write and remove while we look."""
    looking = _Look(results, rule)
    looking.enter("", str(results), (os.path.realpath(results),))
    return looking.contents


class _Look:
    def __init__(self, results: Path, rule: Checkpoints) -> None:
        self._rule, self.contents = rule, Contents()
        self._inside = tuple(os.path.realpath(folder) for folder in (results, results.parent / RESUME))
        self._entered_by_links = 0

    def enter(self, name: str, path: str, above: tuple[str, ...], *, by_link: bool = False) -> None:
        """Looks at a folder. `name` is its path below the results folder, `above` what it and those above it are."""
        self._entered_by_links += by_link
        if self._entered_by_links > _MOST_LINKED_FOLDERS:
            self._refuse(name, f"is one of more than {_MOST_LINKED_FOLDERS:,} folders that are reached by links")
            return
        try:
            with os.scandir(path) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            return  # gone while we looked
        except OSError as error:
            self._refuse(name, f"cannot be read: {error.strerror}")
            return
        if not found and name:
            self.contents.folders.add(name)
        for entry in found:
            below = f"{name}/{entry.name}" if name else entry.name
            try:
                self._take(entry, below, above, by_link=by_link)
            except FileNotFoundError:
                continue
            except OSError as error:
                self._refuse(below, f"cannot be read: {error.strerror}")

    def _take(self, entry: os.DirEntry[str], name: str, above: tuple[str, ...], *, by_link: bool) -> None:
        if self._rule.place(name) is None and not self._rule.may_hold(name):
            return
        if not _is_text(name):
            self._refuse(name, "has a name that is not UTF-8: give it another one")
        elif entry.is_symlink():
            self._take_link(entry.path, name, above)
        elif entry.is_dir(follow_symlinks=False):
            self.enter(name, entry.path, (*above, f"{above[-1]}/{entry.name}"), by_link=by_link)
        else:
            self._take_file(name, entry.stat(follow_symlinks=False))

    def _take_link(self, path: str, name: str, above: tuple[str, ...]) -> None:
        try:
            target = os.path.realpath(path, strict=True)
        except OSError:
            self._refuse(name, "is a link that leads nowhere")
            return
        if not any(target == folder or target.startswith(f"{folder}/") for folder in self._inside):
            self._refuse(name, "is a link that leads out of the results folder: put what it points to in its place")
            return
        about = os.stat(target)  # noqa: PTH116 - it is a str, of which a look has many
        if not stat.S_ISDIR(about.st_mode):
            self._take_file(name, about)
        elif target in above:
            self._refuse(name, "is a link to a folder that it lies in")
        else:
            self.contents.linked.add(name)
            self.enter(name, target, (*above, target), by_link=True)

    def _take_file(self, name: str, about: os.stat_result) -> None:
        if stat.S_ISREG(about.st_mode):
            self.contents.files[name] = FoundFile(name, about.st_size, about.st_mtime_ns)
        elif self._rule.place(name) == name:  # a socket in the folder of a checkpoint holds nothing to go on from
            self._refuse(name, "is no plain file")

    def _refuse(self, name: str, why: str) -> None:
        if name:
            self.contents.refused[name] = f"{readable(name)} {why}"


def _is_text(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
