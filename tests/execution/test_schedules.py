"""A real program whose learning rate follows the epochs that it is told: promoted, it trains as one undisturbed.

Its steps are so cheap that it would often be done before it is stopped at a rung: what it did behind the rung does not
count, and is not gone on from.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import automl
from tests.execution.test_without_resume import controller

PROGRAM = Path(__file__).parents[1] / "programs" / "with_schedule.py"
STUDY = r"""
name: mine
network:
  command: [python, with_schedule.py, "{args}", --epochs, "{epochs}", --seed, "{seed}", --resume, "{checkpoint}"]
  metric: {name: val_loss, goal: minimize}
  status: {reader: regex, patterns: ['epoch (?P<epoch>\d+) .*val_loss=(?P<val_loss>{number})']}
  checkpoints: {pattern: "epoch_{epoch}.pt"}
  stop_at_rung: true
  epochs: 6
  parameters:
    lr: {low: 0.001, high: 0.1, log: true, default: 0.01}
algorithm: successive_halving
R: 3
max_recommendations: 3
final: {repeats: 0}
"""
LINE = re.compile(r"epoch (\d+) lr=(\S+) val_loss=(\S+)")


def printed(text: str) -> dict[int, tuple[float, float]]:
    """The learning rate and the loss of each epoch; of one that was trained twice those of the second time."""
    return {int(epoch): (float(rate), float(loss)) for epoch, rate, loss in LINE.findall(text)}


@pytest.mark.usefixtures("quick_runner")
def test_a_promoted_training_has_the_rates_and_losses_of_an_undisturbed_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:{Path('/usr/bin')}:{Path('/bin')}")
    shutil.copy(PROGRAM, tmp_path)
    (tmp_path / "study.yaml").write_text(STUDY)
    ran = automl("run", "study.yaml", "-j", "1", cwd=tmp_path)
    assert ran.code == 0, ran
    promoted = [row for row in controller(tmp_path) if len(row["results"]) > 1]
    assert promoted
    for row in promoted:
        folder = tmp_path / f"undisturbed-{row['number']}"
        folder.mkdir()
        words = ["--lr", str(row["values"]["lr"]), "--epochs", "6", "--seed", str(row["seed"])]
        whole = subprocess.run(
            [sys.executable, str(PROGRAM), *words], cwd=folder, capture_output=True, text=True, check=True
        )
        log = (tmp_path / f"mine/experiment_{row['number']}/log.txt").read_text()
        expected = printed(whole.stdout)
        assert len({rate for rate, _ in expected.values()}) == 6
        seen = printed(log)
        assert seen == {epoch: pytest.approx(pair, rel=1e-4) for epoch, pair in expected.items()}
        assert log.count("epoch 2 ") == 1  # it has gone on from there
        assert row["history"] == [[e, pytest.approx(loss, rel=1e-4)] for e, (_, loss) in expected.items()]
