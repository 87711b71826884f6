"""Trains a small network on 4,500 pictures of Fashion-MNIST: the default example, half a minute on one CPU core.

    python -m automl.trainers.fashion_mnist --spec SPEC.yaml --results DIR
    python -m automl.trainers.fashion_mnist --help      # every key of the spec

program.py says how it ends. It needs torch alone.
"""

from __future__ import annotations

import sys

from automl.trainers import program
from automl.trainers.settings.fashion_mnist import Settings

_EXAMPLE = """
spec.yaml         train: {optimizer: sgd, lr: 0.1, schedule: one-cycle}
                  model: {dropout: 0.2}
"""


main = program.Program(
    name="fashion_mnist",
    description="Trains a small network on pictures of Fashion-MNIST.",
    example=_EXAMPLE,
    settings=Settings,
    loop="fashion_mnist",
    extra="torch",
)

if __name__ == "__main__":
    sys.exit(main())
