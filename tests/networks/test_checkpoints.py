"""Which files are a checkpoint: whole or not, padded or not, several that fit, folders."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from automl.networks.checkpoints import Checkpoints
from automl.networks.definition import shipped


def whole(paths: list[str], **rule: Any) -> dict[int, tuple[str, ...]]:
    return Checkpoints.model_validate(rule).whole(paths)


def test_of_several_names_of_an_epoch_the_last_by_number_counts() -> None:
    names = ["m_1_step_9.pt", "m_1_step_10.pt", "m_2_step_5.pt"]
    assert whole(names, pattern="m_{epoch}_step_*.pt") == {1: ("m_1_step_10.pt",), 2: ("m_2_step_5.pt",)}


def test_padded_and_not_padded_are_the_same_epoch() -> None:
    assert whole(["m_007.pt"], pattern="m_{epoch}.pt") == whole(["m_007.pt"], pattern="m_{epoch}.*")
    assert list(whole(["m_007.pt", "m_10.pt"], pattern="m_{epoch}.pt")) == [7, 10]


def test_counted_from_0_the_first_is_of_epoch_1() -> None:
    assert list(whole(["m_0.pt"], pattern="m_{epoch}.pt", first=0)) == [1]


def test_a_file_where_a_folder_is_expected_is_none_and_the_other_way_round() -> None:
    assert whole(["m_1"], pattern="m_{epoch}", folder=True) == {}
    assert whole(["m_1/a"], pattern="m_{epoch}") == {}


def test_a_star_does_not_reach_into_folders() -> None:
    assert whole(["a/b/m_1.pt"], pattern="*/m_{epoch}.pt") == {}
    assert list(whole(["a/m_1.pt"], pattern="*/m_{epoch}.pt")) == [1]


def test_a_part_that_is_missing_makes_it_not_whole() -> None:
    names = ["m-1.index", "m-1.data", "m-2.index", "m-3.data"]
    assert whole(names, pattern="m-{epoch}.index", also=["m-{epoch}.data"]) == {1: ("m-1.index", "m-1.data")}


def test_a_part_that_may_be_there_is_in_it_when_it_is() -> None:
    rule = {"pattern": "m_{epoch}.pth", "if_there": ["m_{epoch}-EMA.pth"]}
    assert whole(["m_1.pth", "m_2-EMA.pth", "m_2.pth", "m_3-EMA.pth"], **rule) == {
        1: ("m_1.pth",),
        2: ("m_2.pth", "m_2-EMA.pth"),
    }


def test_a_part_that_a_setting_asks_for_is_needed_where_that_is_true() -> None:
    rule = Checkpoints(pattern="m_{epoch}.pth", also_where={"train.ema": ("m_{epoch}-EMA.pth",)})
    names = ["m_1-EMA.pth", "m_1.pth", "m_2.pth"]
    assert rule.of_spec({"train": {"ema": True}}).whole(names) == {1: ("m_1.pth", "m_1-EMA.pth")}
    for spec in ({"train": {"ema": False}}, {}):
        assert rule.of_spec(spec).whole(names) == {1: ("m_1.pth",), 2: ("m_2.pth",)}
    assert rule.patterns == ("m_{epoch}.pth", "m_{epoch}-EMA.pth")


@pytest.mark.parametrize("name", ["classification_pyt", "rtdetr"])
def test_a_training_with_averaged_weights_needs_both_files(name: str) -> None:
    rule = shipped(name).checkpoints
    assert rule is not None
    names = ["train/model_epoch_000.pth"]
    assert rule.of_spec({"train": {"enable_ema": True}}).whole(names) == {}
    assert list(rule.of_spec({"train": {"enable_ema": False}}).whole(names)) == [1]


def test_what_is_handed_over_is_the_file_or_the_folder() -> None:
    assert Checkpoints(pattern="*/m_{epoch}", folder=True).handed_over("a/m_1/deep/file") == "a/m_1"
    assert Checkpoints(pattern="m_{epoch}.pt").handed_over("m_1.pt") == "m_1.pt"


@pytest.mark.parametrize("pattern", ["model.pt", "{epoch}/{epoch}", "../m_{epoch}", "/m_{epoch}"])
def test_a_pattern_without_one_epoch_below_the_results_folder_is_refused(pattern: str) -> None:
    for rule in ({"pattern": pattern}, {"pattern": "m_{epoch}", "also": [pattern]}):
        with pytest.raises(ValidationError):
            Checkpoints.model_validate(rule)


def test_where_several_names_fit_one_that_can_be_stored_and_is_no_link_counts() -> None:
    rule = Checkpoints(pattern="*/m_{epoch}.pt")
    assert rule.whole(["a/m_1.pt", "latest/m_1.pt"], linked={"latest"}) == {1: ("a/m_1.pt",)}
    assert rule.whole(["a/m_1.pt"], {"b/m_1.pt"}) == {1: ("a/m_1.pt",)}
    assert rule.whole(["latest/m_2.pt"], linked={"latest"}) == {2: ("latest/m_2.pt",)}
    assert rule.whole([], {"b/m_3.pt"}) == {3: ("b/m_3.pt",)}


def test_a_folder_may_hold_a_checkpoint_or_not() -> None:
    rule = Checkpoints(pattern="run_*/m_{epoch}", folder=True, also=("opt/o_{epoch}",))
    may = {name: rule.may_hold(name) for name in ("run_1", "opt", "run_1/m_3", "run_1/m_3/deep/er", "run_1/x", "other")}
    assert may == {
        "run_1": True,
        "opt": True,
        "run_1/m_3": True,
        "run_1/m_3/deep/er": True,
        "run_1/x": False,
        "other": False,
    }


def test_the_place_of_a_file_is_the_folder_or_file_that_a_pattern_names() -> None:
    rule = Checkpoints(pattern="m_{epoch}", folder=True, also=("o_{epoch}.pt",))
    assert [rule.place(name) for name in ("m_1/a/b", "m_1", "o_1.pt", "x")] == ["m_1", "m_1", "o_1.pt", None]
