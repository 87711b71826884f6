"""What the report suggests to do next, and the history by time."""

from __future__ import annotations

from dataclasses import replace

import pytest

from automl.reporting.figures.facts import read_facts
from automl.reporting.figures.what_next import _repeats, what_next
from automl.reporting.page.page import render
from automl.search.history import Recommendation
from automl.study.interval import paired
from automl.study.opened_study import OpenedStudy
from automl.study.verdict import JudgedSide, Verdict
from tests.reporting.page.made_records import Outcome, made, with_times

RANDOM = "name: study\nnetwork: fashion_mnist\nalgorithm: random\nmax_recommendations: 12\nfinal: {repeats: 1}\n"
BETTER_AT_THE_EDGE = "parameters: {train.lr: {low: 0.001, high: 0.1}}\n"


def rising(asked: Recommendation) -> Outcome:
    """The larger the learning rate the better, and better in each epoch."""
    rate = asked.values["train.lr"]
    return tuple((epoch, round(rate + epoch / 1000, 6)) for epoch in range(1, asked.epochs + 1)), None, ""


def falling(asked: Recommendation) -> Outcome:
    """The best value comes in the first epoch, and for a learning rate in the middle."""
    rate = asked.values["train.lr"]
    return (
        tuple((epoch, round(1 - abs(rate - 0.01) - epoch / 1000, 6)) for epoch in range(1, asked.epochs + 1)),
        None,
        "",
    )


def verdict(gains: tuple[float, ...]) -> Verdict:
    side = JudgedSide((), ())
    mean = sum(gains) / len(gains)
    return Verdict("held-out data", mean, side, side, 1, gains, paired(gains), fresh_seeds=True, left={})


def test_an_edge_that_the_best_touches_and_a_best_that_still_rises_are_named() -> None:
    enqueue = BETTER_AT_THE_EDGE + "train_spec: {train.lr: 0.01}\n"
    facts = read_facts(OpenedStudy.read(made(RANDOM + enqueue, rising)))
    assert facts.winner is not None
    values = {**facts.winner.experiment.values, "train.lr": 0.0999}
    edge = replace(facts.winner, experiment=replace(facts.winner.experiment, values=values))
    facts.__dict__["winner"] = edge
    suggestions = what_next(facts)
    assert any("train.lr = 0.0999 is at the upper edge of its range, 0.001 to 0.1" in text for text in suggestions)
    assert any("still getting better at epoch 9 of 9: a larger max_epochs" in text for text in suggestions)
    assert suggestions[0].startswith("One training each does not show noise")


def test_nothing_is_suggested_where_nothing_stands_out() -> None:
    facts = read_facts(OpenedStudy.read(made(RANDOM, falling)))
    assert facts.state == "done"
    assert not [text for text in what_next(facts) if ("edge" in text and "train.lr" in text) or "still" in text]
    assert what_next(read_facts(OpenedStudy.read(made(RANDOM, falling, rungs=1)))) == ()


@pytest.mark.parametrize(
    ("gains", "says"),
    [
        ((0.01, 0.02, 0.03), "with this noise about 5 would tell it"),
        ((0.001, -0.03, 0.03), "more than 20 repeats"),
        ((0.020, 0.021, 0.019), ""),
    ],
)
def test_more_repeats_are_suggested_until_the_sign_is_certain(gains: tuple[float, ...], says: str) -> None:
    text = _repeats(verdict(gains))
    assert says in text
    assert bool(says) == bool(text)


def test_the_page_shows_what_is_next_and_the_history_by_time() -> None:
    record = made(RANDOM, rising)
    assert "Optimization history by time" not in render(OpenedStudy.read(record))
    page = render(OpenedStudy.read(with_times(record, 2)))
    assert "<h3>What next</h3>" in page
    assert "Optimization history by time" in page
    assert "since the first training" in page
