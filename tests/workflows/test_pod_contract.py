"""The containers of a training pod agree on names because one file lists them."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

import automl.execution
import workflows.pods
from automl.execution import pod_contract

EXECUTION, PODS = Path(automl.execution.__file__).parent, Path(workflows.pods.__file__)
STEPS = EXECUTION / "pod_steps"  # deciding.py knows no file of a training pod, and a study has a verdict too
SOURCES = [STEPS / "training.py", STEPS / "environment.py", EXECUTION / "steps/stage_in.py", PODS]
SOURCES.append(EXECUTION.parent / "pod.py")
CODES = {pod_contract.AGAIN, pod_contract.BUG, pod_contract.KILLED, pod_contract.TERMINATED}
PATHS = {str(pod_contract.WORK), str(pod_contract.OUTPUTS)}


def test_the_list_is_whole_and_says_nothing_twice() -> None:
    values = [value for name, value in vars(pod_contract).items() if name.isupper() and isinstance(value, str)]
    assert sorted(values) == sorted(pod_contract.FILES)
    assert len(set(values)) == len(values)


@pytest.mark.parametrize("source", SOURCES, ids=lambda path: path.name)
def test_no_step_and_no_builder_spells_a_name_or_an_exit_code(source: Path) -> None:
    tree = ast.parse(source.read_text())
    constants = [node.value for node in ast.walk(tree) if isinstance(node, ast.Constant)]
    assert not {value for value in constants if isinstance(value, str)} & {*pod_contract.FILES, *PATHS}
    assert not {value for value in constants if type(value) is int} & CODES


def test_the_script_of_a_training_spells_none_either() -> None:
    """What is left of it without the names that are put in, and without what it says to people."""
    assigned = {
        target.id: node.value
        for node in ast.walk(ast.parse(PODS.read_text()))
        if isinstance(node, ast.Assign)
        for target in node.targets
        if isinstance(target, ast.Name)
    }
    script = assigned["TRAIN"]
    assert isinstance(script, ast.JoinedStr)
    text = " ".join(str(part.value) for part in script.values if isinstance(part, ast.Constant))
    words = set(re.findall(r"[\w.-]+", re.sub(r'echo "(the container|if this) .*"', "", text)))
    assert {"trap", "wait", "mkfifo"} < words
    assert not words & {*pod_contract.FILES, *(str(code) for code in CODES)}
