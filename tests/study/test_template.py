"""The study file of `automl init` asks for a judgement that shows noise where that is cheap, and names the price."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.networks import catalogue
from automl.networks.definition import shipped
from automl.search.algorithms import ALGORITHMS
from automl.study import study_file
from automl.study.template import template


def final_lines(network: str, algorithm: str) -> list[str]:
    text = template(network, algorithm, Path("mine.yaml"))
    return text.partition("final:\n")[2].partition("\n\n")[0].splitlines()[2:]


@pytest.mark.parametrize("algorithm", sorted(ALGORITHMS))
def test_the_default_example_is_judged_with_four_trainings_of_each_side(algorithm: str) -> None:
    text = template("fashion_mnist", algorithm, Path("mine.yaml"))
    plan = study_file.parse(text, "mine.yaml", Path()).plan
    final = plan.finals[0]
    begun = [rung for rung in final.rungs if rung.new]  # those of a population are cut, and go on
    assert [(rung.size, final.longest_from(rung.index)) for rung in begun] == [(4, 9), (6, 9)]
    assert "final judgement: 3 candidates and the defaults, up to 4 trainings each: 90 epochs" in plan.notes[-1]


@pytest.mark.parametrize(
    ("network", "algorithm", "lines"),
    [
        (
            "fashion_mnist",
            "hyperband",
            [
                "  share: 2.5              # the whole race takes 90 epochs, 2.5 times those of the search;",
                f"{'':26}# without this line it takes a third at most: 1 training of each side, which shows no noise",
            ],
        ),
        (  # nobody knows how long an epoch takes there
            "classification_pyt",
            "bayesian",
            [
                "  # share: 0.5            # the whole race takes 100 epochs, 0.5 times those of the search;",
                f"{'':26}# without this line it takes a third at most: 3 trainings of each side",
            ],
        ),
        (  # 7.6 hours
            "detectnet_v2",
            "hyperband",
            [
                "  # share: 1.15           # the whole race takes 800 epochs, 1.15 times those of the search;",
                f"{'':26}# without this line it takes a third at most: 1 training of each side, which shows no noise",
            ],
        ),
    ],
)
def test_what_the_whole_race_costs_is_said(network: str, algorithm: str, lines: list[str]) -> None:
    assert final_lines(network, algorithm) == lines


def test_what_depends_on_the_data_is_named_with_what_the_network_has() -> None:
    text = template("segformer", "random", Path("mine.yaml"))
    assert (
        "# What depends on your data, with the values of the network; 'automl networks show segformer' prints all:\n"
        "# train_spec:\n"
        "#   dataset.segment.num_classes: 2\n"
        "#   dataset.segment.palette: []\n\n"
    ) in text


def test_every_example_of_a_setting_is_one_that_is_taken() -> None:
    for name in catalogue():
        if shipped(name).refused:
            continue
        text = template(name, "random", Path("mine.yaml"))
        start = text.index("# train_spec:")
        settings = text[start:].partition("\n\n")[0]
        taken = text.replace(settings, settings.replace("# ", ""))
        assert study_file.parse(taken, "mine.yaml", Path()).file.train_spec, name
