"""Trains a small network on 4,500 pictures of Fashion-MNIST: the default example, half a minute on one CPU core.

    python -m automl.trainers.fashion_mnist --spec SPEC.yaml --results DIR
    python -m automl.trainers.fashion_mnist --help      # every key of the spec

program.py says how it ends. It needs torch alone.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from automl.trainers import program
from automl.trainers.fashion_mnist_settings import Settings, from_spec

_EXAMPLE = """
spec.yaml         train: {optimizer: sgd, lr: 0.1, schedule: one-cycle}
                  model: {dropout: 0.2}
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """The program; gives its exit code."""
    return program.main(_PROGRAM, arguments)


def _run(settings: Settings, results: Path) -> None:
    # Torch takes 3 seconds to import: only after the spec is known to be right and SIGTERM is taken care of.
    from automl.trainers.fashion_mnist_loop import run  # noqa: PLC0415

    run(settings, results)


_PROGRAM = program.Program(
    module="automl.trainers.fashion_mnist",
    description="Trains a small network on pictures of Fashion-MNIST.",
    example=_EXAMPLE,
    settings=Settings,
    parse=from_spec,
    run=_run,
    extra="torch",
)


if __name__ == "__main__":
    sys.exit(main())
