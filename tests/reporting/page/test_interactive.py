"""report-interactive.html: its data is the record's, and nothing of a study can become markup or script."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from html.parser import HTMLParser
from importlib import resources
from pathlib import Path

from automl.reporting.figures.compared import values_by_epoch
from automl.reporting.figures.facts import read_facts
from automl.reporting.page.interactive import data, data_text, interactive_page
from automl.study.opened_study import OpenedStudy
from automl.text.formatting import number
from tests.reporting.page.made_records import made
from tests.reporting.page.test_page import HOSTILE, HYPERBAND, of_failures
from tests.small_network import write_small_network

SCRIPT = (resources.files("automl.reporting.page") / "interactive.js").read_text(encoding="utf-8")


class Scripts(HTMLParser):
    """The scripts of a page, each with its type, and every other tag."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: list[tuple[str | None, str]] = []
        self.tags: set[str] = set()
        self._inside = False

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self._inside = tag == "script"
        if self._inside:
            self.scripts.append((dict(attrs).get("type"), ""))

    def handle_endtag(self, _tag: str) -> None:
        self._inside = False

    def handle_data(self, data: str) -> None:
        if self._inside:
            kind, text = self.scripts[-1]
            self.scripts[-1] = kind, text + data


def scripts(text: str) -> Scripts:
    parser = Scripts()
    parser.feed(text)
    return parser


def test_the_page_runs_its_own_script_only_and_loads_nothing() -> None:
    text = interactive_page(read_facts(OpenedStudy.read(made(HYPERBAND))))
    found = scripts(text)
    assert [kind for kind, _ in found.scripts] == ["application/json", None]
    assert found.scripts[1][1] == SCRIPT
    digest = base64.b64encode(hashlib.sha256(SCRIPT.encode()).digest()).decode()
    assert (
        f"default-src &#x27;none&#x27;; style-src &#x27;unsafe-inline&#x27;; script-src &#x27;sha256-{digest}" in text
    )
    assert not found.tags & {"link", "img", "iframe", "object", "embed", "base", "form"}
    assert not re.search(
        r"innerHTML|outerHTML|insertAdjacent|document\.write|eval\(|Function\(|fetch\(|import\(", SCRIPT
    )
    assert len(SCRIPT) < 60_000


def test_hostile_messages_are_data() -> None:
    facts = read_facts(OpenedStudy.read(of_failures()))
    found = scripts(interactive_page(facts))
    assert len(found.scripts) == 2
    assert "img" not in found.tags
    assert not set("<>&") & set(data_text(facts))
    assert HOSTILE[:40] in json.dumps(json.loads(found.scripts[0][1]))


def test_a_hostile_metric_is_data(tmp_path: Path) -> None:
    write_small_network(tmp_path)
    path = tmp_path / "small.yaml"
    path.write_text(path.read_text().replace("name: score", "name: '</script><b>'"))
    settings = "name: study\nnetwork: small.yaml\nR: 3\n"
    record = made(settings, lambda asked: (((asked.epochs, asked.values["train.x"]),), None, ""), tmp_path)
    found = scripts(interactive_page(read_facts(OpenedStudy.read(record))))
    assert [kind for kind, _ in found.scripts] == ["application/json", None]
    assert json.loads(found.scripts[0][1])["metric"] == "</script><b>"
    assert "b" not in found.tags


def test_the_data_is_the_records() -> None:
    facts = read_facts(OpenedStudy.read(made(HYPERBAND)))
    shown = {each["number"]: each for each in data(facts)["experiments"]}
    assert list(shown) == [experiment.number for experiment in facts.experiments]
    for candidate in facts.searched:
        mine = shown[candidate.number]
        assert (mine["value"], mine["epochs"]) == (number(candidate.value), candidate.experiment.epochs)
        reached = [epochs for epochs in facts.epochs if epochs in values_by_epoch(candidate.experiment)]
        assert [after[0] for after in mine["after"]] == reached
        if candidate.value is not None:
            assert mine["after"][0][1] == number(values_by_epoch(candidate.experiment)[facts.epochs[0]])
    assert sum(each["is"] == "best" for each in shown.values()) == 1
    assert data(facts)["common"] == facts.epochs[0], "the page compares equally long trainings at first"
