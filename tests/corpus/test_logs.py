"""What programs print and report: each file of logs/ is a kind, with what is read of each text, or why nothing is.

`log` is what was printed, as text or as parts with how often each is repeated; `files` lie in the results folder.
`values` must be read by the rule `status` (regular expressions, where it has patterns), wherever the text is cut;
`why` is why the metric was not read, `reason` why a program failed that left this log, and `left_out` how many of its
bytes are not stored.
"""

from __future__ import annotations

import math
import random
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import yaml

from automl.execution.status_readers import Follower, StatusRule, why_no_epoch, why_no_metric
from automl.execution.steps.last_words import last_words
from automl.execution.steps.printed import FIRST, LAST, printed

CASES: dict[str, dict[str, Any]] = {
    f"{path.stem}: {name}": case
    for path in sorted(Path(__file__).with_name("logs").glob("*.yaml"))
    for name, case in yaml.safe_load(path.read_text()).items()
}
EXPECTED = ("values", "why", "reason", "left_out")


def with_key(*keys: str) -> list[str]:
    return [name for name, case in CASES.items() if any(key in case for key in keys)]


def content(log: str | list[tuple[str | bytes, int]]) -> bytes:
    parts = [(log, 1)] if isinstance(log, str) else log
    return b"".join((part.encode() if isinstance(part, str) else part) * times for part, times in parts)


def files(case: dict[str, Any]) -> dict[str, bytes]:
    return {name: content(text) for name, text in (case.get("files") or {"log.txt": case.get("log", "")}).items()}


def follower(case: dict[str, Any], folder: Path) -> Follower:
    rule = {"reader": "regex"} | case["status"] if "patterns" in case["status"] else case["status"]
    return Follower(StatusRule.model_validate(rule), folder, folder / "log.txt", case.get("metric", "val_loss"), 0)


def left(case: dict[str, Any], folder: Path) -> Path:
    """The folder with the files of a case; in one without any the log is missing too."""
    for name, text in {} if case.get("files") == {} else files(case).items():
        (folder / name).parent.mkdir(exist_ok=True, parents=True)
        (folder / name).write_bytes(text)
    return folder


def written(values: dict[str, dict[int, float]]) -> str:
    """The values, to compare: nan is nan then, and the order of metrics does not count."""
    return repr(sorted((name, sorted(of_epochs.items())) for name, of_epochs in values.items()))


def test_every_case_says_what_it_must_give() -> None:
    assert {name for name, case in CASES.items() if not any(key in case for key in EXPECTED)} == set()
    assert len(CASES) > 130


@pytest.mark.parametrize("name", with_key("values", "why"))
def test_what_is_read(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    following = follower(case, left(case, tmp_path))
    following.close()
    if "why" in case:
        assert (why_no_epoch(following) or why_no_metric(following)) == case["why"]
    if "values" in case:
        assert written(following.readings.values) == written(case["values"])
        assert following.readings.furthest == max((max(of) for of in case["values"].values()), default=1)


@pytest.mark.parametrize("name", with_key("values"))
def test_where_the_text_is_cut_makes_no_difference(name: str, tmp_path: Path) -> None:
    case, rng = CASES[name], random.Random(0)  # noqa: S311 - chance, not a secret
    for turn in range(5):
        folder = tmp_path / str(turn)
        folder.mkdir()
        following = follower(case, folder)
        for file, text in files(case).items():
            with (folder / file).open("ab", buffering=0) as growing:
                cuts = sorted(rng.randrange(len(text) + 1) for _ in range(9))
                for start, end in pairwise([0, *cuts, len(text)]):
                    growing.write(text[start:end])
                    following.read()
        following.close()
        assert written(following.readings.values) == written(case["values"])


@pytest.mark.parametrize("name", with_key("reason"))
def test_why_a_program_failed(name: str, tmp_path: Path) -> None:
    assert last_words(left(CASES[name], tmp_path) / "log.txt") == CASES[name]["reason"]


@pytest.mark.parametrize("name", with_key("left_out"))
def test_what_is_stored_of_a_huge_log(name: str, tmp_path: Path) -> None:
    case = CASES[name]
    text = content(case["log"])
    stored = printed(left(case, tmp_path) / "log.txt") or b""
    note = f"[automl: {case['left_out']:,} of {len(text):,} bytes are left out here; "
    note += "of a longer log the first 1 MiB and the last 15 MiB are stored]\n"
    before, _, after = stored.rpartition(note.encode())
    assert before, stored[FIRST - 4096 :][:5000]
    assert text.startswith(before.removesuffix(b"\n"))
    assert text.endswith(after)
    assert len(before) <= FIRST + 1
    assert len(after) <= LAST
    assert math.isclose(len(text) - case["left_out"], len(before) + len(after), abs_tol=1)
