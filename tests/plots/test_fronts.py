"""The picture of two metrics, the section of the page, and what is no pair."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl import plots
from automl.analysis.trade_off import trade_off
from automl.errors import InvalidInput
from automl.reporting.figures.facts import Facts
from automl.reporting.figures.front import chosen_pair, growth
from automl.reporting.page.front import front
from automl.reporting.page.interactive import data
from automl.study.study_file import parse
from automl.text.formatting import number
from tests.command_line import automl
from tests.execution.test_objectives import PROGRAM, STUDY

THREE = "metrics: [{name: a, goal: maximize}, {name: b, goal: minimize}, {name: c, goal: minimize}]\n"


@pytest.fixture(scope="module")
def facts(tmp_path_factory: pytest.TempPathFactory) -> Facts:
    """A study that was trained here, some of whose experiments break a constraint."""
    folder = tmp_path_factory.mktemp("two")
    (folder / "train.py").write_text(PROGRAM)
    text = STUDY.replace("algorithm: successive_halving\nR: 4\nnu: 2", "algorithm: random\nmax_recommendations: 8")
    (folder / "study.yaml").write_text(text + "constraints: [{metric: latency_ms, below: 16}]\n")
    ran = automl("run", "study.yaml", "-j", "2", cwd=folder)
    assert ran.code == 0, ran.err
    return plots.facts_of(folder / "study.yaml")


def test_the_picture_has_both_metrics_at_its_axes_and_every_experiment(facts: Facts) -> None:
    (axes,) = plots.pareto(facts).axes
    assert axes.get_xlabel() == "latency_ms (lower is better)"
    assert axes.get_ylabel() == "val_acc (higher is better)"
    (turned,) = plots.pareto(facts, ("val_acc", "latency_ms")).axes
    assert turned.get_xlabel() == "val_acc (higher is better)"


def test_the_section_names_the_front_and_by_how_much_others_are_off(facts: Facts) -> None:
    text = str(front(facts))
    assert "on the front, chosen" in text
    assert "latency_ms = 18, over 16 by 2" in text
    assert "Hypervolume" in text


def test_the_interactive_page_has_an_axis_for_the_second_metric(facts: Facts) -> None:
    found = trade_off(facts.definition, facts.study)
    assert found is not None
    shown = data(facts)
    assert shown["axes"][-1]["name"] == "latency_ms"
    assert {one["number"]: one["values"][-1] for one in shown["experiments"] if not one["final"]} == {
        point.experiment: number(point.values["latency_ms"]) for point in found.points
    }
    best = min(found.points, key=lambda point: point.values["latency_ms"]).experiment
    places = {one["number"]: one["at"][-1] for one in shown["experiments"] if not one["final"]}
    assert places[best] == min(places.values())


def test_the_hypervolume_never_falls(facts: Facts) -> None:
    found = trade_off(facts.definition, facts.study)
    assert found is not None
    shares = [share for _, share in growth(found)]
    assert shares == sorted(shares)
    assert shares[-1] == found.hypervolume


def test_of_three_metrics_two_must_be_named() -> None:
    definition = parse(f"name: s\nnetwork: fashion_mnist\n{THREE}", "s", Path())
    with pytest.raises(InvalidInput, match="pareto of 3 metrics: a picture shows two"):
        chosen_pair(definition)
    assert chosen_pair(definition, ("c", "b")) == ("c", "b")
    with pytest.raises(InvalidInput, match="d is no metric of this study"):
        chosen_pair(definition, ("a", "d"))
    with pytest.raises(InvalidInput, match="two different metrics"):
        chosen_pair(definition, ("a", "a"))


def test_of_one_metric_there_is_the_training_time_and_no_pair() -> None:
    definition = parse("name: s\nnetwork: fashion_mnist\n", "s", Path())
    assert chosen_pair(definition) is None
    with pytest.raises(InvalidInput, match="this study has one metric"):
        chosen_pair(definition, ("val_accuracy", "b"))


def test_metrics_go_with_pareto_alone(facts: Facts) -> None:
    with pytest.raises(InvalidInput, match="with history"):
        plots.draw("history", facts, ("val_acc", "latency_ms"))
