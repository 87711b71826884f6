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


WRONG_RANGE = "{low: 1.0, high: 0.1}"
OWN = f"""name: s
network:
  command: [python, train.py, "{{args}}", --epochs, "{{epochs}}"]
  metric: {{name: loss, goal: minimize}}
  epochs: 9
  parameters:
    lr: {WRONG_RANGE}
    decay: {WRONG_RANGE}
    momentum: {{low: 0.0, high: 1.0}}
"""


@pytest.mark.parametrize(
    "contradiction",
    ["algorithm: bayesian\nR: 9", "algorithm: hyperband\nR: 9\nnu: 3\nmax_epochs: 3\nepoch_multiplier: budget"],
)
def test_a_contradiction_is_reported_beside_a_wrong_range(contradiction: str) -> None:
    head = f"name: s\nnetwork: fashion_mnist\nparameters: {{train.lr: {WRONG_RANGE}}}\n"
    lines = errors(contradiction, head)
    assert len(lines) == 2
    assert any("train.lr: low 1.0 is above high 0.1" in line for line in lines)


def test_each_wrong_range_of_the_networks_own_parameters_is_reported_beside_what_else_is_wrong() -> None:
    lines = errors("algorithm: bayesian\nR: 9\n", OWN)
    assert [line.partition(" is ")[0] for line in lines] == [
        "s.yaml: network: lr: low 1.0",
        "s.yaml: network: decay: low 1.0",
        "s.yaml: R: 9",
    ]
    wrong_key, *ranges = errors("algorithm: bayesian\nsead: 9\n", OWN)
    assert "sead" in wrong_key
    assert len(ranges) == 2


def test_what_may_come_from_the_absence_of_a_wrong_range_is_not_reported() -> None:
    default = OWN.replace(WRONG_RANGE, "{low: 9.0, high: 6.0, default: 7.0}", 1).replace(WRONG_RANGE, "{low: 0.1}")
    lines = errors("algorithm: bayesian\n", default)
    assert "network: lr: low 9.0 is above high 6.0" in lines[0]
    assert not any("7" in line for line in lines)
