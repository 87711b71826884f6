"""docs/architecture.md names every module of the package, and nothing that is not there."""

from __future__ import annotations

import re

from tests.docs.pages import ROOT, text_of

PAGE = text_of("docs/architecture.md")
(TREE,) = re.findall(r"```\nautoml/\n(.*?)```", PAGE, re.DOTALL)
PACKAGE = TREE.partition("workflows/")[0]
PROSE = PAGE.replace(TREE, "")


def test_every_module_stands_in_the_tree() -> None:
    named = set(re.findall(r"\w+\.py", PACKAGE)) | set(re.findall(r"(\w+)/", PACKAGE))
    patterns = ("_commands.py",)
    for path in (ROOT / "automl").iterdir():
        if path.name.startswith("__") or path.name.endswith(patterns):
            continue
        assert path.name in named, path.name
    for path in (ROOT / "workflows").glob("[a-z]*.py"):
        assert path.name in TREE, path.name


def test_every_module_of_the_tree_is_there() -> None:
    there = {path.name for folder in ("automl", "workflows") for path in (ROOT / folder).rglob("*.py")}
    assert {name for name in re.findall(r"\b[a-z]\w*\.py", TREE) if name not in there} == set()


def test_every_file_that_the_page_names_is_there() -> None:
    for name in re.findall(r"`([\w/]+\.(?:py|yaml|json|md|toml))`", PROSE):
        found = [ROOT / folder / name for folder in ("", "automl", "workflows") if (ROOT / folder / name).exists()]
        stored = re.search(rf"^{re.escape(name)} |\b{re.escape(name)}\b", PAGE[PAGE.index("## State") :], re.MULTILINE)
        assert found or ("/" not in name and stored), name


def test_every_table_that_one_adds_a_row_to_is_there() -> None:
    from automl import export, plots, stores
    from automl.execution import status_readers, submission
    from automl.reporting.page import page
    from automl.search import algorithms, promotion
    from automl.stores.base import Store
    from automl.study.options import StudyFile

    assert all(
        (algorithms.SAMPLERS, algorithms.ALGORITHMS, status_readers.PARSERS, plots.KINDS, export.FORMS, stores._OPENERS)
    )
    assert all((submission.TEMPLATE_OPTIONS, page._sections, promotion.promote, StudyFile))
    assert sum(not name.startswith("_") and name != "uri" for name in vars(Store)) == 6
