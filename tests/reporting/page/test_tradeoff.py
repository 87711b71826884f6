"""What a value costs: the page's picture, its sentence and its table, against the record."""

from __future__ import annotations

from itertools import pairwise
from xml.etree import ElementTree

import pytest

from automl.reporting.figures.facts import Facts
from automl.reporting.figures.scales import of_times
from automl.reporting.figures.tradeoff import percent, readable, sentence
from automl.reporting.page import page
from automl.reporting.page.tradeoff import tradeoff
from automl.search.history import Failure, Recommendation
from automl.study.opened_study import OpenedStudy
from automl.text.formatting import number, spent
from tests.reporting.page.made_records import Outcome, by_batch, made, opened

HEAD = "name: fashion\nnetwork: fashion_mnist\n"
RANDOM = f"{HEAD}algorithm: random\nmax_epochs: 3\nmax_recommendations: "


def facts(settings: str, **how: object) -> Facts:
    record = made(settings, **how)  # type: ignore[arg-type]
    definition = opened(record)
    return Facts(definition, record.history(definition), record.metadata(), "")


def told(found: Facts) -> ElementTree.Element:
    return ElementTree.fromstring(f"<section>{tradeoff(found)}</section>")  # noqa: S314 - our own page


def words(element: ElementTree.Element) -> str:
    return " ".join("".join(element.itertext()).split())


def table(found: Facts) -> list[list[str]]:
    return [[words(cell) for cell in row] for row in told(found).iter("tr")]


def by_dropout(asked: Recommendation) -> Outcome:
    return ((asked.epochs, asked.values["model.dropout"]),), None, ""


def test_the_table_is_the_front_of_the_search_alone() -> None:
    found = facts(f"{HEAD}R: 9\nfinal: {{repeats: 3}}\n", pace=by_batch)
    searched = {each.number for each in found.searched}
    assert len(found.experiments) > len(searched)
    assert {each.experiment for each in found.points} <= searched
    _, *rows = table(found)
    assert [row[0].split()[0] for row in rows] == [str(each.experiment) for each in found.front]
    assert [(row[2], row[4]) for row in rows] == [(number(each.value), spent(each.seconds)) for each in found.front]
    *_, last = rows
    assert found.best is not None
    assert last[:1] + last[3:4] == [f"{found.best.experiment} (best)", "\N{EN DASH}"]


def test_the_time_of_a_promoted_experiment_is_of_all_its_rungs() -> None:
    found = facts(f"{HEAD}R: 9\nfinal: {{repeats: 0}}\n")
    for each in found.points:
        assert each.seconds == pytest.approx(2.5 * each.epochs)


def test_it_says_what_the_quickest_of_the_nearly_best_saves() -> None:
    """The defaults are experiment 0; the last is the best and trains ten times as long as all others."""
    found = facts(
        f"{RANDOM}40\nfinal: {{repeats: 0}}\n",
        train=lambda asked: (((asked.epochs, 0.5 + asked.number / 100),), None, ""),
        pace=lambda asked: 10.0 if asked.number == 39 else 1.0,
    )
    said = "Experiment 38 has, at epoch 3, 97.4 % of the best's gain over the defaults in 10 % of its time."
    assert sentence(found) == said
    assert words(told(found)).startswith(said)
    assert [(row[0], row[-2], row[-1]) for row in table(found)[1:]] == [
        ("38", "10 %", "97.4 %"), ("39 (best)", "100 %", "100 %"),
    ]  # fmt: skip


def test_no_gain_is_told_over_defaults_that_were_trained_less() -> None:
    def train(asked: Recommendation) -> Outcome:
        return ((asked.epochs, asked.number / 1000 + asked.epochs / 100),), None, ""

    found = facts(f"{HEAD}R: 9\nfinal: {{repeats: 0}}\n", train=train)
    assert found.defaults is not None
    assert found.best is not None
    assert found.defaults.experiment.epochs < found.best.training.epochs
    assert sentence(found) == ""
    assert "gain over" not in words(told(found))


def test_times_that_are_alike_are_one_sentence() -> None:
    text = words(told(facts(f"{RANDOM}20\n", train=by_dropout)))
    assert text == "All 20 results took about as long (7.50 s): accepting a worse value saves no time."


@pytest.mark.parametrize("settings", [f"{RANDOM}1\n", f"{HEAD}automl_enabled: false\n"])
def test_one_result_is_no_picture(settings: str) -> None:
    assert tradeoff(facts(settings, train=by_dropout)) is None


def test_failures_and_a_study_that_has_not_begun_are_no_picture() -> None:
    def failing(_asked: Recommendation) -> Outcome:
        return (), Failure.ERROR, "no"

    assert tradeoff(facts(f"{RANDOM}20\n", train=failing, rungs=1)) is None
    record = made(f"{RANDOM}20\n", rungs=0)
    assert 'href="#cost"' not in page.render(OpenedStudy.read(record))


def test_a_metric_to_minimize_has_its_front_below() -> None:
    settings = f"{RANDOM}60\nmetric: {{name: val_loss, goal: minimize}}\n"
    found = facts(settings, pace=by_batch)
    assert found.minimize
    values = [each.value for each in found.front]
    assert values == sorted(values, reverse=True)
    assert len(values) > 1
    assert found.best is not None
    assert values[-1] == found.best.value


def test_the_front_is_drawn_as_stairs_to_the_right_edge() -> None:
    found = facts(f"{RANDOM}60\n", pace=by_batch)
    path = next(each for each in told(found).iter("path") if each.get("class") == "line sofar").get("d", "")
    places = [tuple(map(float, each.split())) for each in path.removeprefix("M").split("L")]
    assert len(places) == 2 * len(found.front)
    assert all(one[0] == other[0] or one[1] == other[1] for one, other in pairwise(places))
    assert places[-1][0] == 980 - 14
    rings = [each for each in told(found).iter("circle") if each.get("class") == "mark front"]
    assert len(rings) == len(found.front)


def test_many_results_of_the_front_are_cut_and_counted() -> None:
    """Each is better than the one before and takes longer, so all are on the front."""
    found = facts(
        f"{RANDOM}40\n",
        train=lambda asked: (((asked.epochs, asked.number / 100),), None, ""),
        pace=lambda asked: 1.0 + asked.number,
    )
    assert len(found.front) == 40
    assert len(table(found)) == 1 + 12
    assert "28 quicker and worse results of the front are left out." in words(told(found))


def test_labels_that_would_overlap_give_way_to_the_later() -> None:
    apart = [(100.0, 10.0), (150.0, 20.0), (200.0, 60.0)]
    assert sorted(readable(["1", "2", "3"], apart, 7, 12)) == [0, 1, 2]
    beside = [(100.0, 10.0), (111.0, 15.0), (200.0, 60.0)]
    assert sorted(readable(["1", "22", "3"], beside, 7, 12)) == [1, 2]
    under_a_mark = [(100.0, 10.0), (101.0, 20.0)]
    assert readable(["1", "2"], under_a_mark, 7, 12) == [1]


def test_the_axis_of_times() -> None:
    wide, near, alike = of_times([1.0, 21.0]), of_times([60.0, 100.0]), of_times([100.0, 100.0])
    assert wide.log
    assert 0 < wide.low < 1
    assert not of_times([1.0, 20.0]).log
    assert of_times([1.0, 20.0]).low == 0
    assert 50 < near.low < 60
    assert (alike.low, alike.high) == (0, 104)
    assert (of_times([0.0]).low, of_times([0.0]).high) == (0, 1)
    assert not of_times([0.0, 100.0]).log


def test_how_times_and_shares_are_written() -> None:
    assert [spent(each) for each in (0, 0.843, 42.13, 738, 11700, 432_000)] == [
        "0.00 s", "0.84 s", "42.1 s", "12.3 min", "3.25 h", "120 h",
    ]  # fmt: skip
    assert [percent(each) for each in (0, 0.0123, 0.12, 0.987, 0.9996, 1)] == [
        "0 %", "1.2 %", "12 %", "98.7 %", "100.0 %", "100 %",
    ]  # fmt: skip
