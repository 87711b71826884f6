"""A training program's outside: command line, --help, the spec's check, status lines at both ends, exit codes.

It keeps the contract of automl/training.py. Exit codes: 0 done; 1 failed (diverged, damaged checkpoint, no memory);
2 the spec is wrong; 75 it was told to stop and can be run again. DIR/status.json says why. Nothing heavy is imported
before the spec is known to be right.
"""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Generic, TypeVar

from automl import training
from automl.errors import AutoMLError, SpecError
from automl.trainers import spec_settings

S = TypeVar("S")

_LIBRARIES = frozenset(
    {"lightning", "PIL", "pycocotools", "segmentation_models_pytorch", "timm", "torch", "torchmetrics", "torchvision"}
)


@dataclass(frozen=True)
class Program(Generic[S]):
    """What one program says of itself.

    module: what is started, `python -m MODULE`. description: one sentence. example: lines of a train spec. settings: a
    dataclass of sections, see spec_settings. parse: the settings of a spec, checked; it raises SpecError. run: trains,
    and imports what it needs for that; it raises AutoMLError, and training.Preempted when it was told to stop.
    extra: the extra of this package that has the libraries.
    """

    module: str
    description: str
    example: str
    settings: type[S]
    parse: Callable[[Mapping[str, object]], S]
    run: Callable[[S, Path], None]
    extra: str = "trainers"


def main(program: Program[S], arguments: Sequence[str] | None = None) -> int:
    """Runs the program; gives its exit code."""
    options = _options(program, arguments)
    training.handle_preemption()
    first = os.environ.get("LOCAL_RANK", "0") == "0"  # of the processes of a training on several devices
    try:
        settings = program.parse(_spec(options.spec))
        if first:
            training.started(options.results)
        _run(program, settings, options.results)
    except training.Preempted as stop:
        print(stop, file=sys.stderr)
        return training.PREEMPTED
    except AutoMLError as error:
        if first:
            training.failed(options.results, str(error))
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except Exception as error:
        if first:
            training.failed(options.results, f"{type(error).__name__}: {error}")
        raise
    if first:
        training.finished(options.results)
    return 0


def _run(program: Program[S], settings: S, results: Path) -> None:
    try:
        program.run(settings, results)
    except ModuleNotFoundError as error:
        name = str(error.name).partition(".")[0]
        if name not in _LIBRARIES:
            raise
        raise AutoMLError(f"{name} is not installed", advice=f"pip install 'argo-automl[{program.extra}]'") from error


def _options(program: Program[S], arguments: Sequence[str] | None) -> argparse.Namespace:
    indented = "\n".join(f"  {line}".rstrip() for line in program.example.strip().splitlines())
    parser = argparse.ArgumentParser(
        prog=f"python -m {program.module}",
        description=program.description,
        epilog=f"example:\n\n{indented}\n\n  python -m {program.module} --spec spec.yaml --results results\n\n"
        f"keys of the spec [default]:\n\n{spec_settings.described(program.settings)}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--spec", type=Path, required=True, help="the train spec, YAML or JSON")
    parser.add_argument("--results", type=Path, required=True, help="folder for status.json and the checkpoints")
    return parser.parse_args(arguments)


def _spec(path: Path) -> Mapping[str, object]:
    try:
        return training.load_spec(path)
    except (OSError, ValueError) as error:
        raise SpecError(f"the train spec cannot be read: {error}") from error
