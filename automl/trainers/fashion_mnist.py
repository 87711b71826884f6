"""Trains a small network on 4,500 pictures of Fashion-MNIST: the default example, half a minute on one CPU core.

    python -m automl.trainers.fashion_mnist --spec SPEC.yaml --results DIR
    python -m automl.trainers.fashion_mnist --help      # every key of the spec

It keeps the contract of automl/training.py. Exit codes: 0 done; 1 failed (diverged, damaged checkpoint);
2 the spec is wrong; 75 it was told to stop and can be run again. DIR/status.json says why.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from automl import training
from automl.errors import AutoMLError, SpecError
from automl.trainers import fashion_mnist_settings
from automl.trainers.fashion_mnist_settings import Settings

_HELP = """\
example:

  spec.yaml         train: {optimizer: sgd, lr: 0.1, schedule: one-cycle}
                    model: {dropout: 0.2}

  python -m automl.trainers.fashion_mnist --spec spec.yaml --results results

keys of the spec [default]:
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; gives its exit code."""
    options = _options(arguments)
    training.handle_preemption()
    try:
        settings = fashion_mnist_settings.from_spec(_spec(options.spec))
        training.started(options.results)
        _run(settings, options.results)
    except training.Preempted as stop:
        print(stop, file=sys.stderr)
        return training.PREEMPTED
    except AutoMLError as error:
        training.failed(options.results, str(error))
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    except Exception as error:
        training.failed(options.results, f"{type(error).__name__}: {error}")
        raise
    training.finished(options.results)
    return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m automl.trainers.fashion_mnist",
        description="Trains a small network on pictures of Fashion-MNIST.",
        epilog=_HELP + fashion_mnist_settings.described(),
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


def _run(settings: Settings, results: Path) -> None:
    try:
        # Torch takes 3 seconds to import: only after the spec is known to be right and SIGTERM is taken care of.
        from automl.trainers.fashion_mnist_loop import run  # noqa: PLC0415
    except ModuleNotFoundError as error:
        if error.name != "torch":
            raise
        raise AutoMLError("torch is not installed", advice="pip install 'argo-automl[torch]'") from error
    run(settings, results)


if __name__ == "__main__":
    sys.exit(main())
