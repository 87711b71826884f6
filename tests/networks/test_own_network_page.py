"""docs/own_network.md holds what it says: its files are valid, and its checkpoint rules fit the names beside them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from automl.execution.status_readers import PARSERS, MetricReadings, StatusRule
from automl.networks.checkpoints import Checkpoints
from automl.study.study_file import read

PAGE = (Path(__file__).parents[2] / "docs" / "own_network.md").read_text()
BLOCKS = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)
NAMES = {  # pattern of the page -> names of a checkpoint after seven epochs
    "epoch_{epoch}.pt": ["epoch_007.pt"],
    "train/model_epoch_{epoch}_step_*.pth": ["train/model_epoch_006_step_01400.pth"],
    "ckpt-{epoch}": ["ckpt-7/a", "ckpt-7/b"],
    "m-{epoch}.index": ["m-7.index", "m-7.data"],
    "w_{epoch}.h5": ["w_007.h5"],
}


def test_the_two_files_make_a_study(tmp_path: Path) -> None:
    for block in BLOCKS[:2]:
        name = block.removeprefix("# ").partition("\n")[0]
        (tmp_path / name).write_text(block)
    assert read(tmp_path / "study.yaml").network.name == "my_net"


def test_the_patterns_find_what_the_comment_above_them_shows() -> None:
    block = BLOCKS[2]
    said = MetricReadings(StatusRule.model_validate(yaml.safe_load(block)["status"]))
    log = "".join(line.removeprefix("# ") for line in block.splitlines(keepends=True) if line.startswith("#"))
    PARSERS["regex"](said).feed(log.encode())
    assert said.values == {"val_acc": {3: 0.87}}


@pytest.mark.parametrize("text", re.findall(r"`(\{pattern: .*\})` \|", PAGE))
def test_a_rule_finds_the_checkpoint_beside_it(text: str) -> None:
    rule = Checkpoints.model_validate(yaml.safe_load(text))
    names = NAMES[rule.pattern]
    assert rule.whole([*names, "other.pt"]) == {7: tuple(names)}


def test_every_rule_of_the_page_is_tested() -> None:
    assert PAGE.count("| `{pattern: ") == len(NAMES)
