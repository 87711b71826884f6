"""The errors: their tree as the docstring draws it, and their messages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import import_module

from automl import errors
from automl.errors import AutoMLError, nearest

_ROW = re.compile(r"^    (?P<lines>[│├└─ ]*)(?P<name>[A-Z]\w+) +(?P<code>\d+)?")


def drawn() -> dict[str, tuple[str | None, int | None]]:
    """Name -> (its parent, its exit code where one is drawn), as the docstring draws them."""
    tree: dict[str, tuple[str | None, int | None]] = {}
    above: list[str] = []
    for row in filter(None, map(_ROW.match, (errors.__doc__ or "").splitlines())):
        depth = len(row["lines"]) // 4
        above = [*above[:depth], row["name"]]
        tree[row["name"]] = (above[depth - 1] if depth else None, int(row["code"]) if row["code"] else None)
    return tree


def below(parent: type[AutoMLError]) -> Iterator[type[AutoMLError]]:
    for child in parent.__subclasses__():
        if child.__module__.startswith(("automl.", "workflows.")):
            yield child
            yield from below(child)


def test_the_docstring_draws_every_error_below_its_parent_with_its_exit_code() -> None:
    import_module("automl.trainers.failures")
    tree = drawn()
    found = {child.__name__: child for child in below(AutoMLError)}
    assert set(tree) - {"AutoMLError"} == set(found)
    for name, child in found.items():
        parent, code = tree[name]
        assert parent in {base.__name__ for base in child.__bases__}, name
        assert code is None or code == child.exit_code, name
        assert code is not None or child.exit_code == next(
            code for ancestor in child.__mro__[1:] if (code := tree[ancestor.__name__][1]) is not None
        ), name
    assert tree["AutoMLError"] == (None, AutoMLError.exit_code)


def test_a_message_leaves_out_what_is_empty() -> None:
    assert str(AutoMLError("x is 3")) == "x is 3"
    assert str(AutoMLError("x is 3", allowed="1 or 2", advice="correct it")) == "x is 3; allowed: 1 or 2; correct it"


def test_the_nearest_name_is_suggested_or_none() -> None:
    assert nearest("bayesain", ["hyperband", "bayesian"]) == "did you mean 'bayesian'?"
    assert nearest("zzz", ["hyperband", "bayesian"]) == ""
