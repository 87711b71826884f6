"""A configuration is trained once: the plan has no more experiments than there are, and no sampler repeats one."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from automl.analysis.planned import planned
from automl.errors import InvalidInput, StudyFileError
from automl.operations.extend import extend
from automl.operations.replay import Replay
from automl.problem.configurations import count, identity
from automl.problem.search_space import SearchSpace
from automl.search.algorithms import ALGORITHMS, SAMPLERS
from automl.search.extension import Extension
from automl.search.history import Decision
from automl.search.plan import Plan, capped
from automl.search.rules import RULES
from automl.search.samplers.base import Proposal
from automl.search.schedules.hyperband import Hyperband
from automl.search.schedules.sequential import Sequential
from automl.search.untried import Repeats, Tried
from automl.stores import open_store
from automl.study.definition import Definition
from automl.study.record import Record
from automl.testing.spaces import space_of
from tests.search.test_brain import walk
from tests.simulation.runs import run
from tests.simulation.studies import BAYESIAN, HALVING, HYPERBAND_9, RANDOM, study

TWO: dict[str, Any] = {"train.lr": {"type": "categorical", "options": [0.02, 0.05], "automl_enabled": True}}
TEN: dict[str, Any] = {"train.lr": {"type": "float", "low": 0.01, "high": 0.1, "step": 0.01, "automl_enabled": True}}
NO_FINAL: dict[str, Any] = {"final": {"repeats": 0}}


def small(settings: dict[str, Any], parameters: dict[str, Any], **more: Any) -> Definition:
    return study({**settings, **NO_FINAL, **more}, network={"parameters": parameters})


def started(decisions: list[Decision]) -> list[object]:
    """The identity of every configuration that begins, in the order of the numbers."""
    return [identity(each.values) for decision in decisions for each in decision.issued if each.resume_epoch == 0]


def sizes(plan: Plan) -> list[list[int]]:
    return [[rung.size for rung in stage.rungs] for stage in plan.stages]


# -- the plan ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("schedule", "most", "expected"),
    [
        (Sequential(12, 3, None), 2, [[2]]),
        (Sequential(12, 3, 1), 2, [[1, 1]]),
        (Sequential(12, 3, 5), 7, [[5, 2]]),
        (Sequential(12, 3, 5), math.inf, [[5, 5, 2]]),
        (Hyperband(9, 3, 1, 9), 10, [[9, 3, 1], [1, 1]]),
        (Hyperband(9, 3, 1, 9), 9, [[9, 3, 1]]),
        (Hyperband(9, 3, 1, 9), 2, [[2, 2, 1]]),
    ],
)
def test_a_plan_has_no_more_experiments_than_there_are_configurations(
    schedule: Sequential | Hyperband, most: float, expected: list[list[int]]
) -> None:
    plan = capped(schedule.plan(), most)
    assert sizes(plan) == expected
    assert [stage.index for stage in plan.stages] == list(range(len(expected)))
    assert [stage.first for stage in plan.stages] == [
        sum(stage.experiments for stage in plan.stages[:index]) for index in range(len(expected))
    ]


@pytest.mark.parametrize("settings", [RANDOM, BAYESIAN, HALVING, HYPERBAND_9], ids=lambda each: str(each["algorithm"]))
def test_the_plan_says_how_many_configurations_there_are_and_warns(settings: dict[str, Any]) -> None:
    definition = small(settings, TWO)
    said = planned(definition, (1,))
    assert said.configurations == 2
    assert sum(stage.experiments for stage in said.stages) == 2
    wanted = definition.schedule.plan().experiments
    note = said.notes[-1]
    assert note.startswith(f"the search space has 2 configurations and {wanted} experiments were asked for: each is")
    again = planned(small(settings, TWO, repeat_configurations=True), (1,))
    assert sum(stage.experiments for stage in again.stages) == wanted
    assert "some train the same, with another seed" in again.notes[-1]
    whole = planned(study({**settings, **NO_FINAL}), (1,))
    assert whole.configurations is None
    assert not any("configurations" in text for text in whole.notes)


# -- decisions --------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("sampler", SAMPLERS)
@pytest.mark.parametrize("parameters", [TWO, TEN], ids=["2 configurations", "10 configurations"])
def test_no_sampler_repeats_a_configuration(sampler: str, parameters: dict[str, Any]) -> None:
    algorithm = "bayesian" if SAMPLERS[sampler].learns else "random"
    for seed in (1, 2):
        settings = {"algorithm": algorithm, "max_recommendations": 12, "max_epochs": 3, "sampler": sampler}
        decisions = walk(small(settings, parameters, seed=seed))
        found = started(decisions)
        assert len(found) == len(set(found)) == (2 if parameters is TWO else 10)
        numbers = [each.number for decision in decisions for each in decision.issued]
        assert numbers == list(range(len(found)))


@pytest.mark.parametrize("seed", range(5))
def test_brackets_that_run_side_by_side_try_different_configurations(seed: int) -> None:
    parameters = {"train.lr": {**TEN["train.lr"], "high": 0.12}}  # 12, of which 9 + 3 are wanted
    definition = small(HYPERBAND_9, parameters, seed=seed)
    assert sizes(definition.plan) == [[9, 3, 1], [3, 1]]
    found = started(walk(definition))
    assert len(found) == len(set(found)) == 12


@pytest.mark.parametrize("seed", range(5))
def test_repeats_that_were_asked_for_are_even_and_have_other_seeds(seed: int) -> None:
    decisions = walk(small({**RANDOM, "max_recommendations": 12}, TWO, repeat_configurations=True, seed=seed))
    found = started(decisions)
    assert sorted(found.count(each) for each in set(found)) == [6, 6]
    assert len({each.seed for decision in decisions for each in decision.issued}) == 12


def test_a_study_that_began_before_repeats_as_it_did() -> None:
    stored = small({**RANDOM, "max_recommendations": 12}, TWO).to_json()
    assert stored.pop("rules") == RULES
    before = Definition.from_json(stored)
    assert (before.repeats, before.plan.searched) == (Repeats.AS_PROPOSED, 12)
    assert len(started(walk(before))) == 12
    assert "rules" not in before.to_json()
    (note,) = planned(before, (1,)).notes
    assert "some train the same" in note


def test_a_parameter_that_does_not_exist_makes_no_other_configuration() -> None:
    space = space_of(
        o={"type": "categorical", "options": ["adam", "sgd"], "weights": [0.999, 0.001]},
        m={"type": "float", "low": 0.0, "high": 1.0, "active_when": "o == sgd"},
    )
    tried = Tried(space, Repeats.NEVER)
    found = tried.replaced([Proposal({"o": "adam"}, "it")] * 5, (1, 0, 0), 0)
    assert [each.values["o"] for each in found] == ["adam", "sgd", "sgd", "sgd", "sgd"]
    assert found[0].reason == "it"
    assert "was tried before" in found[1].reason
    assert len({identity(each.values) for each in found}) == 5
    assert found == Tried(space, Repeats.NEVER).replaced([Proposal({"o": "adam"}, "it")] * 5, (1, 0, 0), 0)


def test_the_last_configurations_are_found_among_unlikely_ones() -> None:
    space = space_of(o={"type": "categorical", "options": [*range(50)], "weights": [1.0, *[1e-12] * 49]})
    tried = Tried(space, Repeats.NEVER)
    found = tried.replaced([Proposal({"o": 0}, "it")] * 60, (1, 0, 0), 0)
    assert sorted(each.values["o"] for each in found) == list(range(50))


# -- runs -------------------------------------------------------------------------------------------------------------


def test_a_search_of_a_small_space_runs_and_ends(tmp_path: Path) -> None:
    definition = study({**RANDOM, "max_recommendations": 12, "final": {"repeats": 1}}, network={"parameters": TWO})
    history = run(definition, tmp_path / "study")
    search, final = history.decisions
    assert [each.number for each in search.issued] == [0, 1]
    assert next(each.number for each in final.issued) == 2
    record = Record(open_store(str(tmp_path / "study")))
    assert [each.difference for each in Replay(record, Definition.from_json(record.metadata()))] == [None, None]
    with pytest.raises(InvalidInput, match="has 2 configurations, and the search tries all of them"):
        extend(record, Definition.from_json(record.metadata()), Extension(20), "line")


def test_an_extension_tries_what_is_left(tmp_path: Path) -> None:
    definition = small({**RANDOM, "max_recommendations": 7}, TEN)
    run(definition, tmp_path / "study")
    record = Record(open_store(str(tmp_path / "study")))
    assert extend(record, definition, Extension(30), "line").after.experiments == 10
    history = run(Definition.from_json(record.metadata()), tmp_path / "study")
    found = started(list(history.decisions))
    assert len(found) == len(set(found)) == 10


def test_brackets_of_a_larger_resource_try_what_is_left_and_the_best_again() -> None:
    definition = small(HYPERBAND_9, {"train.lr": {**TEN["train.lr"], "high": 0.14}})
    assert sizes(definition.plan) == [[9, 3, 1], [3, 1]]
    longer = Definition(definition.file, definition.network, (Extension(R=27),))
    assert sizes(longer.plan)[:2] == sizes(definition.plan)
    assert sizes(longer.plan)[2:] == [[2, 2, 2, 1], [1, 1]]
    assert [stage.retrains for stage in longer.plan.stages] == [None, None, None, 2]
    further = longer.brain.decide(2, 0, (), (), ())
    found = [*started(walk(definition)), *(identity(each.values) for each in further.issued)]
    assert len(found) == len(set(found)) == 14


# -- what does not go together ----------------------------------------------------------------------------------------


def test_more_values_enqueued_than_there_are_configurations() -> None:
    with pytest.raises(StudyFileError, match="enqueue: 2 values") as error:
        small(RANDOM, TWO, enqueue=[{"train.lr": 0.05}, {"train.lr": 0.05}])
    assert error.value.allowed.startswith("up to 1: the search has 2 experiments")
    assert "repeat_configurations: true" in error.value.advice


def test_a_default_that_is_never_drawn_is_one_configuration_more() -> None:
    weighted = {"type": "categorical", "options": [0.02, 0.05], "weights": [0.0, 1.0], "default": 0.02}
    definition = small(RANDOM, {"train.lr": {**weighted, "automl_enabled": True}})
    assert (definition.configurations, definition.plan.searched) == (1, 2)
    assert len(set(started(walk(definition)))) == 2


def test_every_algorithm_works_with_one_configuration() -> None:
    for algorithm in ALGORITHMS:
        definition = small({"algorithm": algorithm}, {"train.lr": {**TEN["train.lr"], "high": 0.01, "default": 0.01}})
        assert count(definition.space) == 1
        assert len(started(walk(definition))) == 1
        assert isinstance(definition.space, SearchSpace)
