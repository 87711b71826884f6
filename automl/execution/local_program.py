"""The program of a network on this machine: where it lies, and how each training of it is started."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from automl.errors import NetworkError
from automl.execution.steps.stage_in import Launch
from automl.execution.working_folder import WORK, outputs, show
from automl.networks import Network
from automl.networks.braces import script_of
from automl.study.definition import Definition

PYTHONS = ("python", "python3")


def prepared(launch: Launch, definition: Definition, environment: Mapping[str, str]) -> Launch:
    """The launch on this machine, with these variables too, and the folder that it runs in. Raises NetworkError."""
    network, home = definition.network, definition.home
    working = given_folder(network, home)
    if working is None:
        working = launch.folder if home is None else launch.folder / WORK
        working = working if network.takes_results else launch.results
        if home is not None:
            show(home, working, outputs(network), launch.folder)
    argv = located(launch.argv, home)
    return replace(launch, argv=argv, environment={**launch.environment, **environment}, working=working)


def located(words: Sequence[str], home: Path | None) -> tuple[str, ...]:
    """The words with the program's own path in place of its name, and that of the script that it runs.

    `python` is the one of PATH, but for our own programs. A relative path is one from `home`. What is not there stays
    as it is: preflight.py says so.
    """
    script = script_of(words)
    argv = [_program(words, home), *words[1:]]
    if script is not None and home is not None:
        argv[script] = str((home / words[script]).absolute())
    return tuple(argv)


def _program(words: Sequence[str], home: Path | None) -> str:
    name = words[0]
    if "/" in name:
        return name if home is None or "{" in name else str((home / name).absolute())
    if name in PYTHONS and words[1:2] == ("-m",) and words[2:] and words[2].startswith("automl."):
        return sys.executable  # of this package, which PATH's may not have
    names = (name, *(other for other in PYTHONS if other != name)) if name in PYTHONS else (name,)
    found = next(filter(None, map(shutil.which, names)), None)
    return name if found is None else str(Path(found).absolute())  # not resolved: a virtual environment's is a link


def given_folder(network: Network, home: Path | None) -> Path | None:
    """The folder that the network file says to run in. Raises NetworkError when it is not there."""
    if network.working_directory is None:
        return None
    folder = (home or Path()) / network.working_directory
    if not folder.is_dir():
        raise NetworkError(f"working_directory: there is no folder {folder}", advice="make it, or correct the path")
    return folder.resolve()
