"""Every network of the catalogue compiles into a workflow that the lint lets pass."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.networks import catalogue
from automl.networks.definition import shipped
from automl.study import study_file
from automl.study.template import template
from workflows import compile_study, lint

SEARCHED = [name for name in catalogue() if shipped(name).refused is None]


@pytest.mark.parametrize("name", SEARCHED)
def test_a_network_compiles_and_passes_the_lint(name: str) -> None:
    for algorithm in ("bayesian", "hyperband"):
        text = template(name, algorithm, Path("mine.yaml")).replace("store: ./mine", "store: s3://b/p")
        definition = study_file.parse(text, "mine.yaml", Path())
        found = compile_study(definition, text).to_dict()
        assert lint.problems(found, definition.plan) == []
        trainers = [each for each in found["spec"]["templates"] if each["name"] == "train"]
        assert [each["container"]["image"] for each in trainers] == [shipped(name).image]
