"""What `algorithm: auto` chooses by the network and a budget, what it refuses, and that a study keeps it."""

from __future__ import annotations

import base64
from pathlib import Path

import pytest

from automl.errors import InvalidInput, StudyFileError
from automl.execution.submission import parameters
from automl.stores.memory import MemoryStore
from automl.study.definition import Definition
from automl.study.estimate import estimate
from automl.study.opened_study import OpenedStudy, begin
from automl.study.record import Record
from automl.study.study_file import parse
from automl.text import strict_json

SHORT = "name: mine\nnetwork: fashion_mnist\nmax_epochs: 27\n"
FULL = """name: mine
network:
  command: [python, t.py, "{args}", "--epochs={epochs}"]
  epochs: 5
  metric: {name: loss, goal: minimize}
  parameters: {x: {type: float, low: 0, high: 1}}
"""
FIXED = FULL.replace(', "--epochs={epochs}"', "").replace("epochs: 5", "epochs: 5\n  fixed_epochs: true")
COSTS = "costs: {minutes_per_epoch: 10, gpus: 2, price_per_gpu_hour: 3}\n"


def of(text: str) -> Definition:
    return parse(text, "study.yaml", Path())


def takes(definition: Definition) -> dict[str, float]:
    plan = definition.plan
    found = estimate(plan, definition.costs, (1,))
    epochs = plan.epochs(resume=True) + plan.final_epochs
    assert found.gpu_hours is not None
    assert found.price is not None
    return {
        "trainings": epochs / definition.max_epochs,
        "gpu_hours": found.gpu_hours,
        "price": found.price,
        "hours": found.wall_minutes[1] / 60,
    }


@pytest.mark.parametrize(
    ("budget", "algorithm", "R"),
    [
        ("{trainings: 10}", "asha", 27),
        ("{trainings: 5.5}", "asha", 27),
        ("{trainings: 4.8}", "asha", 9),  # 27 experiments of which three go on to the next rung, and so on, take more
        ("{trainings: 4.1}", "bayesian", None),
        ("{gpu_hours: 200}", "asha", 27),
        ("{price: 600}", "asha", 27),
        ("{hours: 100}", "asha", 27),
    ],
)
def test_the_largest_search_within_the_budget_is_chosen(budget: str, algorithm: str, R: int | None) -> None:  # noqa: N803
    definition = of(f"{SHORT}{COSTS}budget: {budget}\n")
    assert (definition.file.algorithm, definition.file.R) == (algorithm, R)
    unit, most = definition.file.budget.given if definition.file.budget is not None else pytest.fail("no budget")
    assert takes(definition)[unit] <= most
    file = definition.file
    assert file.max_recommendations is not None
    larger = Definition(
        file.model_copy(update={"max_recommendations": file.max_recommendations + 1}), definition.network
    )
    assert takes(larger)[unit] > most
    assert algorithm in definition.why_chosen
    assert str(file.max_recommendations) in definition.why_chosen


@pytest.mark.parametrize(
    ("text", "chosen", "why"),
    [
        (f"{FULL}algorithm: auto\n", ("bayesian", 8, None), "cannot resume from a checkpoint"),
        (f"{FULL}budget: {{trainings: 10}}\nrun: {{jobs: 4}}\n", ("bayesian", 8, 4), "cannot resume"),
        (f"{FIXED}algorithm: auto\n", ("bayesian", 8, None), "always trains 5"),
        (f"{SHORT.replace('27', '3')}algorithm: auto\n", ("bayesian", 8, None), "too few to stop"),
        (f"{SHORT}budget: {{trainings: 4.2}}\n", ("bayesian", 2, None), "no room"),
    ],
)  # fmt: skip
def test_full_trainings_where_short_ones_do_not_pay(text: str, chosen: tuple[str, int, int | None], why: str) -> None:
    definition = of(text)
    file = definition.file
    assert (file.algorithm, file.max_recommendations, file.parallel) == chosen
    assert why in definition.why_chosen


@pytest.mark.parametrize(
    ("lines", "said"),
    [
        ("budget: {trainings: 3, hours: 2}", "trainings and hours given, and one is needed"),
        ("budget: {}", "nothing given"),
        ("budget: {trainings: -1}", "trainings: -1"),
        ("budget: {trainings: .inf}", "trainings"),
        ("budget: {gpu_hour: 1}", "did you mean 'gpu_hours'"),
        ("budget: {trainings: 0.5}", "is too small: 2 full trainings and the judgement take 4"),
        ("budget: {price: 1}", "the price of a GPU hour is not known"),
        ("budget: {gpu_hours: 9}\ncosts: {gpus: 0}", "takes no GPU"),
        ("budget: {trainings: 9}\nalgorithm: asha", "budget with algorithm: asha"),
        ("budget: {trainings: 9}\nR: 9", "R: 9 with algorithm: auto"),
        ("algorithm: auto\nsampler: tpe", 'sampler: "tpe" with algorithm: auto'),
        ("algorithm: auto\nautoml_enabled: false", "trains once"),
    ],
)
def test_what_is_refused(lines: str, said: str) -> None:
    with pytest.raises(InvalidInput) as error:
        of(f"{SHORT}{lines}\n")
    assert said in str(error.value)


def test_hours_of_what_nobody_has_measured_are_refused_with_what_to_do() -> None:
    with pytest.raises(StudyFileError, match="how long an epoch takes is not known") as error:
        of(f"{FULL}budget: {{hours: 2}}\n")
    assert "minutes_per_epoch" in error.value.allowed
    assert "train one epoch" in error.value.advice


def test_a_study_keeps_what_was_chosen_when_it_began() -> None:
    record = Record(MemoryStore())
    text = f"{SHORT}{COSTS}budget: {{gpu_hours: 100}}\n"
    first = begin(record, of(text), text).definition
    assert record.metadata()["study"]["algorithm"] == "asha"
    assert OpenedStudy.read(record).definition.plan == first.plan
    slower = text.replace("minutes_per_epoch: 10", "minutes_per_epoch: 12")
    assert of(slower).plan != first.plan
    assert begin(record, of(slower), slower).definition.plan == first.plan
    with pytest.raises(StudyFileError, match=r"begun with another .*budget"):
        begin(record, of(text.replace("100", "150")), text)


def test_a_template_of_one_algorithm_refuses_it() -> None:
    values = {"algorithm": "asha", "study": f"{SHORT}budget: {{trainings: 9}}\nrun: {{store: s3://b/p}}\n"}
    sent = strict_json.dump([{"name": name, "value": value} for name, value in values.items()])
    with pytest.raises(StudyFileError, match="algorithm: auto, sent to the template of asha"):
        parameters(base64.b64encode(sent).decode(), 1)
