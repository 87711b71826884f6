"""Prints what the sampler of a suite proposes. The suite runs it in several processes, to see that they agree.

    python -m automl.testing.sampler_process MODULE CLASS

`CLASS` is a subclass of SamplerSuite in `MODULE`. There are two cases: a space of all kinds of parameters, and one that
reveals differences in the last bits of a sum.
"""

from __future__ import annotations

import math
import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Any

import numpy as np

from automl.search.samplers.base import Proposal, Request, Sampler, Trial
from automl.testing.spaces import MIXED, space_of
from automl.text import strict_json

SHARP = space_of(  # an interval so narrow that its values keep all their digits
    offset={"type": "float", "low": 1000.0, "high": 1000.5}, x={"type": "float", "low": 0.0, "high": 1.0}
)


def trials_on_mixed(count: int) -> list[Trial]:
    """Trials of a smooth score on MIXED; every seventh failed."""
    rng = np.random.default_rng(5)
    trials = []
    for number in range(count):
        values: dict[str, Any] = MIXED.sample(rng)
        score = -((math.log10(values["lr"]) + 3.0) ** 2) - abs(values["depth"] - 3) + (values["optimizer"] == "sgd")
        trials.append(Trial(values, None if number % 7 == 3 else score))
    return trials


def trials_on_sharp() -> list[Trial]:
    """Enough trials for BLAS to split its work between threads, which changes the last bits of its sums."""
    rng = np.random.default_rng(1)
    configurations: list[dict[str, Any]] = [SHARP.sample(rng) for _ in range(128)]
    return [Trial(v, -((v["offset"] - 1000.2) ** 2) - (v["x"] - 0.3) ** 2) for v in configurations]


def proposals(sampler: Sampler) -> tuple[Proposal, ...]:
    """What the sampler proposes in both cases."""
    mixed = Request(count=2, first=23, total=39, seed=(7, 1, 24), chosen=(MIXED.defaults(),))
    sharp = Request(count=1, first=128, total=200, seed=(0, 0, 0))
    return (*sampler.propose(MIXED, trials_on_mixed(24), mixed), *sampler.propose(SHARP, trials_on_sharp(), sharp))


def main(arguments: Sequence[str]) -> None:
    """Prints values and reasons as the record would store them."""
    module, suite = arguments
    sampler = getattr(import_module(module), suite)().make_sampler()
    text = strict_json.dump([[proposal.values, proposal.reason] for proposal in proposals(sampler)])
    sys.stdout.buffer.write(text)


if __name__ == "__main__":
    main(sys.argv[1:])
