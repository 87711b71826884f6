"""The names of a study's objects."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from automl.study import keys
from automl.study.keys import CheckpointObject

PACKAGE = Path(keys.__file__).parents[1]
KNOWS_THEM = Path(keys.__file__)
NAMES = re.compile(
    r"(decisions|results|gc|enqueued|extensions)/.*|experiment_|.*\brung_|(.*/)?checkpoints/.*|automl_metadata\.json|"
    r"manifest\.json|times\.json|brain\.json|controller\.json|views\.json|report\.html|best_model(/.*)?|recommendation_"
)
ELSEWHERE = {  # what looks like a key and is none
    ("export/tensorboard.py", "experiment_"),  # a folder of TensorBoard's
    ("reporting/page/page.py", "report.html"),  # advice: the file that a user may name
    ("operations/verify.py", "best_model"),  # what is being verified, for people
}


def literals(tree: ast.AST) -> Iterator[str]:
    """All strings of a module, apart from its docstrings."""
    documentation = {
        id(node.body[0].value)
        for node in ast.walk(tree)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef)
        if node.body and isinstance(node.body[0], ast.Expr)
    }
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in documentation:
            yield node.value


def test_no_other_module_of_the_package_knows_the_name_of_an_object() -> None:
    known = {
        (str(path.relative_to(PACKAGE)), text)
        for path in sorted(PACKAGE.rglob("*.py"))
        if path != KNOWS_THEM and not {"trainers", "testing"} & {*path.parts}
        for text in literals(ast.parse(path.read_text()))
        if NAMES.fullmatch(text)
    }
    assert known - ELSEWHERE == set()


def test_what_is_named_is_read_back() -> None:
    assert keys.decision_of(keys.decision_key(3, 12)) == (3, 12)
    assert keys.result_of(keys.result_key(0, 2)) == (0, 2)
    assert keys.attempt_of_times(keys.times_key(4, 1, "a-b")) == (4, 1, "a-b")
    folder = keys.checkpoint_prefix(4, 1, "a-b", 9)
    assert keys.checkpoint_object(f"{folder}{keys.MANIFEST}") == CheckpointObject(folder, 4, 1, 9, keys.MANIFEST)
    assert keys.run_of(f"{folder}0") == (4, 1)
    assert keys.is_of_rung(f"{folder}0", 1)
    assert not keys.is_of_rung(f"{folder}0", 4)


@pytest.mark.parametrize("key", ["decisions/0/01.json", "decisions/0/1.json.new", "results/0/1.json", "x"])
def test_another_name_is_no_decision(key: str) -> None:
    assert keys.decision_of(key) is None


def test_what_is_created_once_is_told_from_views_and_from_what_attempts_write() -> None:
    once = [keys.METADATA, keys.STUDY_FILE, keys.decision_key(0, 0), keys.result_key(1, 0)]
    once += [keys.user_change_key(folder, 0) for folder in keys.USER_CHANGES]
    others = [
        keys.BRAIN,
        keys.REPORT,
        keys.VIEWS,
        keys.times_key(0, 0, "a"),
        keys.best_model_key("model.pt"),
        "study.yaml.bak",
    ]
    assert [key for key in [*once, *others] if keys.is_created_once(key)] == once
