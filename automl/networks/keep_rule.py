"""The `keep` of a network file: patterns of the files that belong to an experiment when its training has ended."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from typing import TYPE_CHECKING

from automl.errors import NetworkError

if TYPE_CHECKING:
    from automl.networks.definition import Network


def kept(names: Iterable[str], patterns: Sequence[str]) -> tuple[str, ...]:
    """The paths among `names` that a pattern matches, sorted. `*` and `?` stay inside of a folder, `**` does not."""
    return tuple(sorted(name for name in names if any(_form(pattern).fullmatch(name) for pattern in patterns)))


def check_collected(network: Network) -> None:
    """Raises NetworkError where nobody would find what a training leaves.

    Files are collected from the results folder, and from the training's own folder where it has one. A folder that
    the network file gives is none: trainings share it here, and in a pod it is a part of the image.
    """
    if network.working_directory is None or network.takes_results or not network.keeps_a_model:
        return
    what = f"keep: {', '.join(network.keep)}" if network.keep else "checkpoints"
    raise NetworkError(
        f"{what} with working_directory: {network.working_directory}, where nobody collects the files of a training",
        allowed="files that the program writes to {results}",
        advice="name {results} in 'command' or 'environment', or leave working_directory out",
    )


@cache
def _form(pattern: str) -> re.Pattern[str]:
    form = re.escape(pattern.removeprefix("./"))
    for written, meaning in ((r"\*\*/", "(?:.*/)?"), (r"\*\*", ".*"), (r"\*", "[^/]*"), (r"\?", "[^/]")):
        form = form.replace(written, meaning)
    return re.compile(form)
