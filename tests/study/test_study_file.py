"""All that is wrong with a study file is reported at once: wrong keys, and what contradicts itself beside them."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.errors import StudyFileError
from automl.study.study_file import parse

HEAD = "name: s\nnetwork: fashion_mnist\nalgorithm: hyperband\n"


def errors(options: str, head: str = HEAD) -> tuple[str, ...]:
    with pytest.raises(StudyFileError) as caught:
        parse(head + options, "s.yaml", Path())
    return caught.value.lines


def test_a_contradiction_is_reported_beside_a_wrong_key() -> None:
    wrong_key, contradiction = errors("R: 3\nnu: 9\nsead: 1\n")
    assert wrong_key.startswith("s.yaml: sead is not known")
    assert contradiction.startswith("s.yaml: nu: 9 with R: 3")


@pytest.mark.parametrize("options", ['R: "27"\nnu: 30\n', "R: 9\nnu: x\n"])
def test_what_may_come_from_the_default_of_a_wrong_key_is_not_reported(options: str) -> None:
    assert len(errors(options)) == 1


@pytest.mark.parametrize("head", ["name: s\nalgorithm: hyperband\n", "name: s\nnetwork: nothing\n"])
def test_without_its_network_only_keys_are_judged(head: str) -> None:
    lines = errors("R: 3\nnu: 9\nsead: 1\n", head)
    assert not any("nu: 9" in line for line in lines)
