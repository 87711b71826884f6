"""What a training on this machine lacks, found before the first experiment: otherwise each of them would fail.

Looked at are the program of the command, the script that an interpreter is to run, the module of `python -m`, and the
libraries of our own trainers. A word that is filled in for each training, such as {spec}, is taken as it is.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from importlib.machinery import PathFinder
from pathlib import Path

from automl.errors import NetworkError, nearest
from automl.execution.local_program import given_folder, located
from automl.networks import Network
from automl.networks.braces import OPTIONS, SHELLS, interpreter, script_of
from automl.study.definition import Definition

OWN_TRAINERS = "automl.trainers."
CHECK = "--check-libraries"  # of our own trainers: the exit code is 0 when all that they need is installed
_OWN_FOLDER = "a training begins in a folder of its own"


def check(definition: Definition, work: Path) -> None:
    """Raises NetworkError when the study cannot train on this machine, in the folder `work`."""
    check_folder(definition, work)
    check_program(definition)


def of_an_image(definition: Definition) -> str:
    """What to do with a network of the catalogue whose program is in its image, and not on this machine."""
    network = definition.network
    image = definition.file.cluster.image or network.image
    like = f"; {network.trains_like} does the same task on this machine" if network.trains_like else ""
    return (
        f"{network.name} trains in its own image, {image}: 'automl run' does not run it here, "
        f"'automl submit' or 'compile' does on a cluster{like}"
    )


def is_ours(network: Network) -> bool:
    """Whether one of our own trainers trains it."""
    return any(word.startswith(OWN_TRAINERS) for word in network.command)


def check_program(definition: Definition) -> tuple[str, ...]:
    """The program as a training starts it, with the script that it runs. Starts no training.

    Raises NetworkError when the command of the network cannot be started here.
    """
    command, home = definition.network.command, definition.home
    given_folder(definition.network, home)
    program, *words = located(command, home)
    if _is_filled_in(program):
        return (program,)
    try:
        _check_executable(program, home)
    except NetworkError as error:
        if home is not None or definition.network.image is None:
            raise
        raise NetworkError(error.given, advice=of_an_image(definition)) from error
    kind = interpreter(program)
    options = OPTIONS.get(kind)
    if options is None:
        script = script_of(command)
        if script is None:
            return (program,)
        _check_script(words[script - 1])
        return (program, words[script - 1])
    while words and words[0] in options:
        words = words[1:]
    if kind not in SHELLS and len(words) > 1 and words[0] == "-m":
        _check_module(words[1], home, is_ours=program == sys.executable)
        return (program, *words[:2])
    if words and not words[0].startswith("-") and not _is_filled_in(words[0]):
        _check_script(words[0])
        return (program, words[0])
    return (program,)


def check_folder(definition: Definition, work: Path) -> None:
    """Raises NetworkError where a program of TAO is to train in a folder whose path holds a blank.

    All of its clients join the words of their command with blanks and split that again.
    """
    path = str(work.absolute())
    if definition.network.is_of_tao and path.split() != [path]:
        raise NetworkError(
            f"{definition.network.name} would train in {path!r}, and programs of NVIDIA TAO split a path at its blanks",
            allowed="a path without blanks",
            advice="name a store without them: 'run: {store: ...}', or --store",
        )


def _is_filled_in(word: str) -> bool:
    return "{" in word


def _refused(word: str, what: str, *, allowed: str = "", advice: str = "") -> NetworkError:
    return NetworkError(f"command: {word!r} {what}", allowed=allowed, advice=advice)


def _check_executable(program: str, home: Path | None) -> None:
    if "/" not in program:
        if shutil.which(program) is None:
            near = nearest(program, _programs()) or "install it"
            if home is not None and (home / program).is_file():
                near = f"write ./{program} for the one beside the file that names it"
            raise _refused(program, "is not a program on the PATH of this machine", advice=near)
        return
    path = Path(program)
    _check_script(program)
    if not os.access(path, os.X_OK):
        raise _refused(program, "is not executable", advice=f"chmod +x {program}, or name the interpreter before it")
    with path.open("rb") as file:
        first = file.readline(256)
    if first.startswith(b"#!"):
        interpreter = os.fsdecode(first[2:].strip().partition(b" ")[0])
        if not Path(interpreter).is_file():
            raise _refused(program, f"begins with #!{interpreter}, and there is no such program", advice="correct it")


def _check_script(script: str) -> None:
    path = Path(script)
    if not path.is_absolute():
        raise _refused(script, "is a relative path", allowed=f"the whole path, for {_OWN_FOLDER}")
    if path.is_dir() and not (path / "__main__.py").is_file():
        raise _refused(script, "is a folder", allowed="a program")
    if not path.exists():
        others = [other.name for other in path.parent.iterdir()] if path.parent.is_dir() else []
        raise _refused(script, "does not exist", advice=nearest(path.name, others) or "correct the path")


def _check_module(module: str, home: Path | None, *, is_ours: bool) -> None:
    if not is_ours or _is_filled_in(module):
        return
    if module.startswith(OWN_TRAINERS):
        # the program itself knows what it needs; its last line says what is missing
        ran = subprocess.run(
            (sys.executable, "-m", module, CHECK), capture_output=True, text=True, errors="replace", check=False
        )
        if ran.returncode:
            said = ran.stderr.strip().splitlines() or [f"exit code {ran.returncode}"]
            raise NetworkError(said[-1].removeprefix("error: "))
        return
    package = module.partition(".")[0]
    places = None if home is None else [str(home), *sys.path]  # a training sees what lies beside its file
    if PathFinder.find_spec(package, places) is None and package not in sys.stdlib_module_names:
        raise _refused(f"-m {module}", f"cannot be found: {package} is not installed", advice="install it")


def _programs() -> list[str]:
    """The names of the programs on the PATH."""
    folders = [Path(folder) for folder in os.get_exec_path() if Path(folder).is_dir()]
    return [entry.name for folder in folders for entry in folder.iterdir()]
