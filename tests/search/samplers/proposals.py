"""Prints what every sampler proposes for one case: run in processes of their own, to see that they agree."""

from __future__ import annotations

import math
import sys
from typing import Any

import numpy as np

from automl.search.samplers.base import Request, Sampler, Trial
from automl.search.samplers.gaussian_process import GaussianProcess
from automl.search.samplers.low_discrepancy import LowDiscrepancy
from automl.search.samplers.uniform import Uniform
from automl.text import strict_json
from tests.search.samplers.spaces import MIXED, space_of

SAMPLERS: dict[str, Sampler] = {
    "uniform": Uniform(),
    "sobol": LowDiscrepancy("sobol"),
    "lhs": LowDiscrepancy("lhs"),
    "gaussian_process": GaussianProcess(candidates=1000),
}
SHARP = space_of(  # an interval so narrow that its values keep all their digits
    offset={"type": "float", "low": 1000.0, "high": 1000.5}, x={"type": "float", "low": 0.0, "high": 1.0}
)


def trials(count: int) -> list[Trial]:
    """Trials of a smooth score on MIXED; every seventh failed."""
    rng = np.random.default_rng(5)
    found = []
    for number in range(count):
        values: dict[str, Any] = MIXED.sample(rng)
        score = -((math.log10(values["lr"]) + 3.0) ** 2) - abs(values["depth"] - 3) + (values["optimizer"] == "sgd")
        found.append(Trial(values, None if number % 7 == 3 else score))
    return found


def sharp_trials() -> list[Trial]:
    """As many as it takes for BLAS to share work out to threads, which changes the last bits of its sums."""
    rng = np.random.default_rng(1)
    drawn: list[dict[str, Any]] = [SHARP.sample(rng) for _ in range(128)]
    return [Trial(v, -((v["offset"] - 1000.2) ** 2) - (v["x"] - 0.3) ** 2) for v in drawn]


def text() -> bytes:
    """All proposals and reasons, as the record would store them."""
    request = Request(count=2, done=24, total=40, seed=(7, 1, 24), defaults_taken=1)
    proposals = {name: sampler.propose(MIXED, trials(24), request) for name, sampler in SAMPLERS.items()}
    model = GaussianProcess(candidates=300)
    proposals["sharp"] = model.propose(SHARP, sharp_trials(), Request(1, done=128, total=200, seed=(0, 0, 0)))
    return strict_json.dump({name: [[each.values, each.reason] for each in made] for name, made in proposals.items()})


if __name__ == "__main__":
    sys.stdout.buffer.write(text())
