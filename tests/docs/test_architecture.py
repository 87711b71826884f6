"""docs/architecture.md names every room and the layers that are enforced, and nothing that does not exist."""

from __future__ import annotations

import re
import runpy
import tomllib
from collections.abc import Callable, Mapping

from tests.docs.pages import ROOT, text_of

PAGE = text_of("docs/architecture.md")
(ROOMS,) = re.findall(r"```\nautoml/\n(.*?)```", PAGE, re.DOTALL)
PROSE = PAGE.replace(ROOMS, "")
STATE = PAGE[PAGE.index("## State") :].partition("\n## ")[0]
DRAWN = runpy.run_path(str(ROOT / "scripts" / "draw_rooms.py"))
Imports = Mapping[str, set[str]]
module_imports: Callable[[], Imports] = DRAWN["module_imports"]
room_imports: Callable[[Imports], Imports] = DRAWN["room_imports"]
circle: Callable[[Imports], list[str]] = DRAWN["circle"]
floors: Callable[[Imports], list[list[str]]] = DRAWN["floors"]


def test_the_rooms_of_the_page_are_the_packages_and_the_modules_beside_them() -> None:
    package = ROOT / "automl"
    folders = {f"{path.parent.relative_to(package)}/" for path in package.rglob("__init__.py")} - {"./"}
    modules = {path.name for path in package.glob("*.py")} - {"__init__.py"}
    named = re.findall(r"^(?:  )?([\w/]+/|\w+\.py) ", ROOMS, re.MULTILINE)
    assert sorted(named) == sorted({*folders, *modules, "workflows/", "benchmarks/"})


def test_the_layers_of_the_page_are_the_enforced_ones() -> None:
    settings = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = [each for each in settings["tool"]["importlinter"]["contracts"] if each["type"] == "layers"]
    assert len(contracts) >= 3
    for contract in contracts:
        layers = "\n".join(contract["layers"])
        assert f"\n```\n{layers}\n```\n" in PAGE, f"{contract['name']}: write these layers into the page\n{layers}"


def test_rooms_stand_on_few_floors_without_a_circle() -> None:
    modules = module_imports()
    rooms = room_imports(modules)
    assert {"automl.search", "automl.study", "workflows"} <= rooms["automl.cli"]
    assert rooms["automl.errors"] == set()
    assert circle(modules) == []
    assert circle(rooms) == []
    assert len(floors(rooms)) <= 11


def test_a_circle_of_rooms_is_seen() -> None:
    rooms = room_imports(
        {"automl.a.x": {"automl.b.y"}, "automl.b.y": set(), "automl.b.z": {"automl.a"}, "automl.a": set()}
    )
    assert set(circle(rooms)) == {"automl.a", "automl.b"}
    assert floors({"top": {"left", "ground"}, "left": {"ground"}, "ground": set()}) == [["ground"], ["left"], ["top"]]


def test_every_file_that_the_page_names_exists() -> None:
    named = re.findall(r"`([\w/]+\.(?:py|yaml|json|md|toml))`", PROSE)
    assert len(named) > 20
    for name in named:
        assert any((ROOT / folder / name).exists() for folder in ("", "automl", "workflows")), name


def test_every_state_rule_that_a_comment_cites_is_on_the_page() -> None:
    rules = [int(number) for number in re.findall(r"^(\d+)\. ", STATE, re.MULTILINE)]
    assert rules == list(range(1, len(rules) + 1))
    cited = [
        int(number)
        for folder in ("automl", "workflows")
        for path in (ROOT / folder).rglob("*.py")
        for numbers in re.findall(r"state rules? ([\d, and]+)", path.read_text(encoding="utf-8"))
        for number in re.findall(r"\d+", numbers)
    ]
    assert cited
    assert set(cited) <= set(rules)


def test_every_table_that_one_adds_a_row_to_exists() -> None:
    from automl import export, plots, stores
    from automl.execution import status_readers
    from automl.reporting.page import page
    from automl.search import algorithms
    from automl.stores.base import Store

    assert all(
        (algorithms.SAMPLERS, algorithms.ALGORITHMS, status_readers.PARSERS, plots.KINDS, export.FORMS, stores._OPENERS)
    )
    assert callable(page._sections)
    assert sum(not name.startswith("_") and name != "uri" for name in vars(Store)) == 6
