"""A clone searches as the study that it is a clone of does."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from automl.operations.clone import clone
from automl.search.rules import RULES
from automl.stores.memory import MemoryStore
from automl.study.opened_study import begin
from automl.study.record import Record
from automl.study.study_file import parse

TEXT = "# mine\nname: chain\nnetwork: fashion_mnist\nalgorithm: bayesian\n"


@pytest.mark.parametrize(
    ("text", "is_of_before", "sampler"),
    [
        (TEXT, False, "portfolio"),
        (TEXT, True, "gaussian_process"),
        (f"{TEXT}sampler: gaussian_process\n", False, "gaussian_process"),
        (f"{TEXT}sampler: tpe\n", True, "tpe"),
    ],
)
def test_a_clone_has_the_sampler_of_its_study(text: str, is_of_before: bool, sampler: str) -> None:
    record = Record(MemoryStore())
    definition = begin(
        record, replace(parse(text, "study", Path()), rules=1 if is_of_before else RULES), text
    ).definition
    assert definition.sampler_name == sampler
    cloned = clone(record, definition, Path("next.yaml"))
    assert cloned.text.startswith("# mine\n")
    assert parse(cloned.text, "next.yaml", Path()).sampler_name == sampler
    assert ("sampler:" in cloned.text) is (is_of_before or "sampler:" in text)
