"""docs/commands.md and docs/api.md are what the program says of itself now."""

from __future__ import annotations

import runpy
from collections.abc import Callable
from importlib import import_module

import pytest

from tests.docs.pages import ROOT

MADE = runpy.run_path(str(ROOT / "scripts" / "make_reference.py"))
PAGES: dict[str, Callable[[], str]] = MADE["PAGES"]


@pytest.mark.parametrize("name", PAGES)
def test_a_page_is_as_the_program_makes_it(name: str) -> None:
    kept = (ROOT / "docs" / name).read_text(encoding="utf-8")
    assert kept == PAGES[name](), f"docs/{name} is old: make docs"


def test_every_public_name_has_words() -> None:
    for module in MADE["MODULES"]:
        for name in MADE["public"](import_module(module)):
            member = getattr(import_module(module), name)
            assert not callable(member) or member.__doc__, f"{module}.{name}"


def test_a_default_keeps_its_quotation_marks_and_an_annotation_has_none() -> None:
    def run(path: str | int, how: str = "quickly") -> None:
        """Runs."""

    run.__annotations__ = {"path": "str | int", "how": "str", "return": "None"}
    assert "run(path: str | int, how: str = 'quickly') -> None" in MADE["_signature"]("run", run)
