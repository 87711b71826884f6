"""The picture of two metrics, the section of the page, and what is no pair."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from matplotlib.figure import Figure
from matplotlib.text import Text

from automl import plots
from automl.analysis.trade_off import Place, trade_off
from automl.errors import InvalidInput
from automl.notebook import Study
from automl.reporting.figures.facts import Facts
from automl.reporting.figures.front import chosen_pair, growth
from automl.reporting.page.answer import conclusion
from automl.reporting.page.courses import progress
from automl.reporting.page.front import front
from automl.reporting.page.interactive import data
from automl.study.study_file import parse
from automl.text.formatting import number
from tests.command_line import automl
from tests.execution.test_objectives import PROGRAM, STUDY

THREE = "metrics: [{name: a, goal: maximize}, {name: b, goal: minimize}, {name: c, goal: minimize}]\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where a study was trained, some of whose experiments break a constraint."""
    folder = tmp_path_factory.mktemp("two")
    (folder / "train.py").write_text(PROGRAM)
    text = STUDY.replace("algorithm: successive_halving\nR: 4\nnu: 2", "algorithm: random\nmax_recommendations: 8")
    (folder / "study.yaml").write_text(text + "constraints: [{metric: latency_ms, below: 16}]\n")
    ran = automl("run", "study.yaml", "-j", "2", cwd=folder)
    assert ran.code == 0, ran.err
    return folder


@pytest.fixture(scope="module")
def facts(folder: Path) -> Facts:
    """The facts of that study."""
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


def test_every_picture_of_one_metric_shows_any_of_several(facts: Facts) -> None:
    found = trade_off(facts.definition, facts.study)
    assert found is not None
    second = facts.showing("latency_ms")
    assert {one.number: one.value for one in second.searched} == {
        point.experiment: point.values["latency_ms"] for point in found.points
    }
    assert second.valued[0].value == min(point.values["latency_ms"] for point in found.points)
    assert [value for _, value in second.best_so_far] == sorted(
        (value for _, value in second.best_so_far), reverse=True
    )
    assert second.best == facts.best  # the chosen point stays the chosen point
    for kind in (name for name, row in plots.KINDS.items() if row.of_metric and name not in {"importance", "contour"}):
        text = _texts(plots.draw(kind, facts, metric="latency_ms"))
        assert "latency_ms" in text, kind
        assert "val_acc" not in text, kind
        assert "val_acc" in _texts(plots.draw(kind, facts)), kind
    assert plots.history(facts, "latency_ms").axes[0].get_ylabel() == "latency_ms (lower is better)"


def test_a_metric_that_the_study_has_not_is_named_with_the_nearest(facts: Facts) -> None:
    with pytest.raises(InvalidInput, match="latency is no metric of this study") as raised:
        plots.history(facts, "latency")
    assert "latency_ms" in str(raised.value.advice)
    with pytest.raises(InvalidInput, match="metric latency_ms with ledger"):
        plots.draw("ledger", facts, metric="latency_ms")
    with pytest.raises(InvalidInput, match="metric latency_ms with pareto") as raised:
        plots.draw("pareto", facts, metric="latency_ms")
    assert "--metrics" in str(raised.value.advice)


def test_the_report_shows_the_course_of_each_metric(facts: Facts) -> None:
    for one, name in zip(facts.of_each_metric, ("val_acc", "latency_ms"), strict=True):
        text = str(progress(one))
        assert f"Optimization history: {name}" in text
        assert f"Learning curves: {name}" in text
        assert f"{name} (" in text


def test_a_notebook_shows_each_metric(facts: Facts, folder: Path) -> None:
    study = Study.read(folder / "study.yaml")
    found = facts.trade_off
    assert found is not None
    (chosen,) = (point for point in found.points if point.place is Place.CHOSEN)
    assert ("latency_ms", number(study.best().data["measured"]["latency_ms"])) in study.best().rows
    head, *rows = study.experiments().rows
    at = head.index("latency_ms")
    assert head[at - 1] == "val_acc"
    assert rows[chosen.experiment][at] == number(chosen.values["latency_ms"])
    one = study.experiment(chosen.experiment)
    assert [name for name, course in one.data["histories"].items() if course] == ["val_acc", "latency_ms"]
    assert "latency_ms" in one.picture


def test_two_studies_are_compared_in_each_metric(folder: Path) -> None:
    other = folder.parent / "other"
    other.mkdir()
    (other / "train.py").write_text(PROGRAM)
    text = (folder / "study.yaml").read_text().replace("max_recommendations: 8", "max_recommendations: 5")
    text = text.replace("below: 16", "below: 1000") + "choose: {weights: {val_acc: 1}}\n"
    (other / "study.yaml").write_text(text)
    assert automl("run", "study.yaml", cwd=other).code == 0
    mine, theirs = str(folder / "study.yaml"), str(other / "study.yaml")
    data = json.loads(automl("diff", mine, theirs, "-o", "json", cwd=other).out)
    (a, b), gains = (data["a"]["values"], data["b"]["values"]), data["gains"]
    assert a != b
    assert gains == {"val_acc": b["val_acc"] - a["val_acc"], "latency_ms": a["latency_ms"] - b["latency_ms"]}
    assert data["gain"] == gains["val_acc"]
    assert a == {"val_acc": data["a"]["best"]["value"], **data["a"]["best"]["measured"]}
    said, gain = automl("diff", mine, theirs, cwd=other).out, gains["latency_ms"]
    assert f"latency_ms {number(a['latency_ms'])}" in said
    assert f"{number(abs(gain))} {'better' if gain > 0 else 'worse'} in latency_ms" in said
    same = json.loads(automl("diff", mine, mine, "-o", "json", cwd=other).out)
    assert same["gains"] == {"val_acc": 0, "latency_ms": 0}


def test_the_judgement_shows_every_metric(facts: Facts, folder: Path) -> None:
    judged = facts.verdict
    assert judged is not None
    for side in (judged.default, judged.best):
        assert f"latency_ms {number(side.further['latency_ms'])}" in conclusion(facts)
    said = automl("report", "study.yaml", cwd=folder).out
    (line,) = (line for line in said.splitlines() if line.startswith("latency_ms, trained again"))
    means = [number(side.further["latency_ms"]) for side in (judged.default, judged.best)]
    assert line.split()[-2:] == means


def _texts(figure: Figure) -> str:
    """All that a picture says."""
    return "\n".join(text.get_text() for text in figure.findobj(Text))
