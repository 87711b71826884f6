"""Every link of the documentation leads somewhere, and every file that it names is there."""

from __future__ import annotations

import re

import pytest

from tests.docs.pages import NAMES, ROOT, anchors, links, prose

_FOLDERS = "automl|workflows|docs|scripts|tests|manifests|containers|notebooks"


@pytest.mark.parametrize("name", NAMES)
def test_a_link_leads_to_a_file_and_its_heading(name: str) -> None:
    page = ROOT / name
    for link in links(name):
        if "://" in link:
            continue
        place, _, anchor = link.partition("#")
        target = page if not place else (page.parent / place).resolve()
        assert target.exists(), link
        if anchor:
            assert anchor in anchors(str(target.relative_to(ROOT))), link


@pytest.mark.parametrize("name", [name for name in NAMES if name != "CHANGELOG.md"])  # it tells of what was, too
def test_a_file_that_a_page_names_is_there(name: str) -> None:
    named = re.findall(rf"`(?:\w+=\S+ )*((?:{_FOLDERS})/[\w./-]*)", prose(name))
    assert [each for each in named if not (ROOT / each).exists()] == []


def test_the_readme_leads_to_every_page() -> None:
    pages = {f"docs/{page.name}" for page in (ROOT / "docs").glob("*.md")}
    assert pages - {link.partition("#")[0] for link in links("README.md")} == set()
