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
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Generic, TypeVar

from automl import training
from automl.errors import AutoMLError, SpecError
from automl.text.extras import not_installed
from automl.trainers.settings import spec, train

S = TypeVar("S", bound=train.Settings)

_HERE = "automl.trainers"

_LIBRARIES = frozenset(
    {"lightning", "PIL", "pycocotools", "segmentation_models_pytorch", "timm", "torch", "torchmetrics", "torchvision"}
)


def nothing_more(_settings: object) -> None:
    """For a program whose keys say all there is to check."""


@dataclass(frozen=True)
class Program(Generic[S]):
    """What one program says of itself. Called, it is the program: it takes the arguments and gives the exit code.

    `name` is that of its module in automl.trainers. The module of that name in `tasks/` has `prepare`, which gives what
    `loop/lightning_loop.py` trains; or `loop` names the module in `loop/` whose `run(settings, results)` trains.
    `description` is one sentence, `example` lines of a train spec, `settings` a dataclass of sections (see
    `settings/spec.py`). `check` raises SpecError for what no key alone can say. `extra` is the extra of this package
    that has the libraries.
    """

    name: str
    description: str
    example: str
    settings: type[S]
    check: Callable[[S], None] = nothing_more
    loop: str | None = None
    extra: str = "trainers"

    def __call__(self, arguments: Sequence[str] | None = None) -> int:
        options = self._options(arguments)
        if options.check_libraries:
            return self._check_libraries()
        training.handle_preemption()
        first = os.environ.get("LOCAL_RANK", "0") == "0"  # of the processes of a training on several devices
        try:
            settings = train.from_spec(self.settings, _spec(options.spec))
            self.check(settings)
            if first:
                training.started(options.results)
            self._train(settings, options.results)
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

    def _train(self, settings: S, results: Path) -> None:
        """Imports what trains, which takes seconds: only now is the spec known to be right, and SIGTERM taken care of.

        So the names of modules are texts here.
        """
        try:
            if self.loop is not None:
                import_module(f"{_HERE}.loop.{self.loop}").run(settings, results)
                return
            prepare = import_module(f"{_HERE}.tasks.{self.name}").prepare
            import_module(f"{_HERE}.loop.lightning_loop").run(settings, partial(prepare, settings), results)
        except ModuleNotFoundError as error:
            name = str(error.name).partition(".")[0]
            if name not in _LIBRARIES:
                raise
            raise self._missing(name) from error

    @property
    def _libraries(self) -> tuple[str, ...]:
        """Those without which no training of it begins."""
        return ("torch",) if self.loop is not None else ("torch", "lightning")

    def _check_libraries(self) -> int:
        """0 when what it needs is installed; else 1, and a line on standard error that says what is not."""
        for name in self._libraries:
            if find_spec(name) is None:
                print(f"error: {self._missing(name)}", file=sys.stderr)
                return 1
        return 0

    def _missing(self, name: str) -> AutoMLError:
        return not_installed(name, self.extra)

    def _options(self, arguments: Sequence[str] | None) -> argparse.Namespace:
        started_as = f"python -m {_HERE}.{self.name}"
        indented = "\n".join(f"  {line}".rstrip() for line in self.example.strip().splitlines())
        parser = argparse.ArgumentParser(
            prog=started_as,
            description=self.description,
            epilog=f"example:\n\n{indented}\n\n  {started_as} --spec spec.yaml --results results\n\n"
            f"keys of the spec [default]:\n\n{spec.described(self.settings)}",
            formatter_class=argparse.RawDescriptionHelpFormatter,
        )
        checks = "--check-libraries" in (sys.argv[1:] if arguments is None else arguments)
        parser.add_argument("--spec", type=Path, required=not checks, help="the train spec, YAML or JSON")
        parser.add_argument(
            "--results", type=Path, required=not checks, help="folder for status.json and the checkpoints"
        )
        parser.add_argument(
            "--check-libraries", action="store_true", help="train nothing: exit with 0 if what it needs is installed"
        )
        return parser.parse_args(arguments)


def _spec(path: Path) -> Mapping[str, object]:
    try:
        return training.load_spec(path)
    except (OSError, ValueError) as error:
        raise SpecError(f"the train spec cannot be read: {error}") from error
