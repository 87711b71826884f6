"""The folder that a training runs in on this machine: its own, and it shows what lies beside the file that names it.

A program finds its data and modules there as it does when it is started by hand, and what it writes anew is its own,
also when others train at the same time. Of files that a training writes (checkpoints, status, what is kept) an earlier
one is not shown: the program would write over it.
"""

from __future__ import annotations

import itertools
import os
from collections.abc import Iterable, Sequence
from fnmatch import fnmatchcase
from pathlib import Path

from automl.networks import Network

WORK = "work"  # in a training's folder, where it runs unless that is the results folder
_MOST_FOLDERS = 100  # that are searched for earlier outputs

Pattern = tuple[str, ...]  # the parts of a path, each with *, ? or ** in it


def outputs(network: Network) -> tuple[Pattern, ...]:
    """The patterns of what a training of the network writes below its folder, as far as its file says."""
    rule, status = network.checkpoints, network.status_rule
    patterns = [*network.keep, *([status.path] if status.path else [])]
    if rule is not None:
        patterns += [pattern.replace("{epoch}", "*") for pattern in rule.patterns]
    return tuple(tuple(Path(pattern).parts) for pattern in patterns)


def show(source: Path, folder: Path, written: Sequence[Pattern], but: Path) -> None:
    """Links all that lies in `source` into `folder`, but for what matches `written`, and what holds `but`."""
    folder.mkdir(parents=True, exist_ok=True)
    for entry in sorted(source.iterdir()):
        to = folder / entry.name
        if to.is_symlink() or to.exists() or but.resolve().is_relative_to(entry.resolve()):
            continue
        below = [pattern[1:] for pattern in written if len(pattern) > 1 and fnmatchcase(entry.name, pattern[0])]
        if any(len(pattern) == 1 and fnmatchcase(entry.name, pattern[0]) for pattern in written):
            continue
        if entry.is_dir() and (below or _holds(entry, written)):
            show(entry, to, [*below, *(pattern for pattern in written if pattern[0] == "**")], but)
        elif entry.is_dir() or not any(_anywhere(entry.name, pattern) for pattern in written):
            to.symlink_to(entry.resolve())


def _holds(folder: Path, written: Iterable[Pattern]) -> bool:
    """Whether a pattern that begins with ** matches something in the folder, as far as a short look tells."""
    anywhere = [pattern for pattern in written if pattern[0] == "**"]
    looked = itertools.islice(os.walk(folder), _MOST_FOLDERS) if anywhere else ()
    return any(_anywhere(name, pattern) for _, _, names in looked for name in names for pattern in anywhere)


def _anywhere(name: str, pattern: Pattern) -> bool:
    return pattern[0] == "**" and fnmatchcase(name, pattern[-1])
