"""How often misleading rungs are found, and sound ones blamed: `python -m benchmarks.rung_health` on a few studies."""

from __future__ import annotations

import pytest

from benchmarks import rung_health
from benchmarks.rung_health import CROSSING, HEALTHY, rates

SEEDS = range(1000, 1020)


@pytest.mark.parametrize("study", ["hyperband R=27", "asynchronous_hyperband R=27"])
def test_crossing_curves_are_found(study: str) -> None:
    end, _ = rates(study, CROSSING["crossing at epoch 2"], SEEDS)
    assert end >= 0.9


@pytest.mark.parametrize("study", ["hyperband R=27", "asynchronous_hyperband R=27", "asha R=27 n=27"])
def test_healthy_curves_are_not_blamed(study: str) -> None:
    end, _ = rates(study, HEALTHY["healthy, noise"], SEEDS)
    assert end <= 0.05


def test_the_rates_are_printed(capsys: pytest.CaptureFixture[str]) -> None:
    assert rung_health.main(["--seeds", "2", "--studies", "hyperband R=9"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert lines[1] == "hyperband R=9"
    assert len(lines) == 2 + len(HEALTHY) + len(CROSSING)
