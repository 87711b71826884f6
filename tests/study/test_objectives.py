"""What a study file says about several metrics and constraints, and what it must not say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from automl.errors import InvalidInput
from automl.problem.aim import Aim, Constraint, Side
from automl.problem.metric import Metric
from automl.study.definition import Definition
from automl.study.study_file import parse
from automl.text import strict_json

HEAD = "name: study\nnetwork: fashion_mnist\n"
TWO = "metrics: [{name: val_acc, goal: maximize}, {name: latency_ms, goal: minimize}]\n"


def read(more: str, head: str = HEAD) -> Definition:
    return parse(head + more, "study.yaml", Path())


def test_several_metrics_constraints_and_weights_make_an_aim() -> None:
    text = "constraints: [{metric: size, below: 9, above: 1}]\nchoose: {weights: {val_acc: 1, latency_ms: 0.2}}\n"
    bounds = (Constraint("size", Side.ABOVE, 1.0), Constraint("size", Side.BELOW, 9.0))
    latency = Metric("latency_ms", "minimize")
    assert read(TWO + text).brain.metric == Aim("val_acc", "maximize", (latency,), bounds, (1.0, 0.2))


def test_one_metric_is_plain_and_stored_as_it_always_was() -> None:
    plain, listed = read(""), read("metrics: [{name: val_acc, goal: maximize}]\n")
    assert plain.brain.metric == Metric("val_accuracy", "maximize")
    assert listed.brain.metric == Metric("val_acc", "maximize")
    assert {"metrics", "constraints", "choose"}.isdisjoint(plain.to_json()["study"])
    assert "metrics" not in plain.to_json()["network"]


@pytest.mark.parametrize("more", [TWO, "constraints: [{metric: size, below: 9}]\n", TWO + "choose: knee\n"])
def test_what_is_stored_is_read_as_the_same_study(more: str) -> None:
    definition = read(more)
    stored = strict_json.load(strict_json.dump(definition.to_json()), "metadata")
    again = Definition.from_json(stored)
    assert again.brain.metric == definition.brain.metric
    assert again.to_json() == definition.to_json()


def test_a_network_in_the_study_file_has_the_metrics_of_the_study() -> None:
    network: dict[str, Any] = {
        "command": ["python", "{lr}", "{epochs}"],
        "parameters": {"lr": {"low": 0.1, "high": 1.0}},
    }
    head = f"name: study\nmax_epochs: 3\nnetwork: {network}\n".replace("'", '"')
    assert read(TWO, head).network.metric.name == "val_acc"
    own = {**network, "metrics": [{"name": "a", "goal": "minimize"}, {"name": "b", "goal": "minimize"}]}
    inside = read("", f"name: study\nmax_epochs: 3\nnetwork: {own}\n".replace("'", '"'))
    assert inside.aim == Aim("a", "minimize", (Metric("b", "minimize"),))


BAD = {
    "a metric twice": (
        "metrics: [{name: a, goal: minimize}, {name: a, goal: maximize}]",
        ("metrics: a is named twice",),
    ),
    "both": ("metric: {name: b, goal: minimize}\n" + TWO, ("metric and metrics say the same",)),
    "no metric": ("metrics: []", ("metrics: []", "at least one")),
    "a constraint without a limit": ("constraints: [{metric: a}]", ("a has no limit", "below or above")),
    "a constraint that nothing meets": (
        "constraints: [{metric: a, below: 1, above: 2}]",
        ("a above 2 and below 1 leaves no value",),
    ),
    "an unknown key of a constraint": (
        "constraints: [{metric: a, bellow: 1}]",
        ("constraints[0].bellow is not known", "did you mean 'below'?"),
    ),
    "a limit that is no number": (
        "constraints: [{metric: a, below: .nan}]",
        ("constraints[0].below is nan", "finite numbers"),
    ),
    "weights of what is no metric": (
        TWO + "choose: {weights: {latency: 1}}",
        ("weights: latency is no metric", "val_acc, latency_ms", "did you mean 'latency_ms'?"),
    ),
    "weights of 0": (TWO + "choose: {weights: {val_acc: 0}}", ("weights are all 0",)),
    "a negative weight": (TWO + "choose: {weights: {val_acc: -1}}", ("choose",)),
    "an unknown choice": (TWO + "choose: best", ("choose",)),
    "a choice of one metric": (
        "choose: knee",
        ("choose: it chooses among several metrics, and there is one, val_acc",),
    ),
    "a target of several": (TWO + "until: {target: 0.9}", ("until: target is of one metric", "epochs, hours")),
    "a sampler that learns from one number": (
        TWO + "algorithm: bayesian\nsampler: cma_es",
        ("sampler: cma_es learns from one metric, and this study has 2",),
    ),
}


@pytest.mark.parametrize(("more", "says"), BAD.values(), ids=BAD.keys())
def test_what_does_not_fit_is_refused_in_words(more: str, says: tuple[str, ...]) -> None:
    with pytest.raises(InvalidInput) as caught:
        read(more)
    for part in says:
        assert part in str(caught.value)


def test_a_metric_that_no_pattern_finds_is_refused() -> None:
    head = """
name: study
max_epochs: 3
network:
  command: [python, "{lr}", "{epochs}"]
  status: {reader: regex, patterns: ['epoch (?P<epoch>\\d+) acc=(?P<acc>{number})']}
  metric: {name: acc, goal: maximize}
  parameters: {lr: {low: 0.1, high: 1.0}}
"""
    with pytest.raises(InvalidInput, match="latency is a metric of this study and found by no pattern"):
        read("constraints: [{metric: latency, below: 1}]\n", head)


def test_the_median_rule_is_refused() -> None:
    head = """
name: study
max_epochs: 3
network:
  command: [python, "{lr}", "{epochs}"]
  parameters: {lr: {low: 0.1, high: 1.0}}
"""
    with pytest.raises(InvalidInput, match="stop_rule: median compares one metric"):
        read(TWO + "algorithm: asha\nresume: stop\nstop_rule: median\n", head)
