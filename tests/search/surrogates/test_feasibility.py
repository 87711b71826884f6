"""Failures teach which configurations can be trained, and nothing else: no number, and nothing from lost machines."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest

from automl.errors import StudyFailed
from automl.search.algorithms import SAMPLERS, NamedSampler
from automl.search.history import Decision, Failure, Outcome
from automl.search.samplers.base import Request, Trial
from automl.search.surrogates.feasibility import Feasibility, fails_by_itself
from automl.search.surrogates.features import Features
from automl.study.definition import Definition
from automl.testing.spaces import MIXED, space_of, unit
from benchmarks.failures import search
from tests.search.test_brain import walk
from tests.simulation.studies import study

LEARNING = [name for name, row in SAMPLERS.items() if row.learns]
MODELS = [name for name in LEARNING if name != "differential_evolution"]  # it leaves repeats to untried.py
XY = unit("xy")


def trials(failure: Failure | None, count: int = 24) -> list[Trial]:
    """Better and better with x, and beyond 0.6 failed."""
    rng = np.random.default_rng(3)
    points = [XY.sample(rng) for _ in range(count)]
    return [
        Trial(values, None, failure=failure) if x > 0.6 else Trial(values, x)
        for values in points
        for x in [float(str(values["x"]))]
    ]


def asked(name: str, known: Sequence[Trial], count: int = 3) -> list[float]:
    request = Request(count, first=len(known), total=99, seed=(0, 0, len(known)))
    return [float(each.values["x"]) for each in NamedSampler(name).propose(XY, known, request)]


@pytest.mark.parametrize("name", LEARNING)
@pytest.mark.parametrize("failure", [Failure.OUT_OF_MEMORY, Failure.NOT_FINITE, Failure.ERROR, Failure.KILLED, None])
def test_what_resembles_a_failure_is_avoided(name: str, failure: Failure | None) -> None:
    assert max(asked(name, trials(failure))) < 0.68


@pytest.mark.parametrize("name", LEARNING)
@pytest.mark.parametrize("failure", [Failure.LOST, Failure.PREEMPTED, Failure.NO_CHECKPOINT, Failure.ENDED])
def test_a_machine_that_went_away_teaches_nothing(name: str, failure: Failure) -> None:
    known = trials(failure)
    scored = [each for each in known if each.score is not None]
    request = Request(3, first=len(known), total=99, seed=(0, 0, len(known)), chosen=())
    values = [each.values for each in NamedSampler(name).propose(XY, known, request)]
    assert values == [each.values for each in NamedSampler(name).propose(XY, scored, request)]


def test_every_kind_of_failure_is_one_or_the_other() -> None:
    own = {failure for failure in Failure if fails_by_itself(Trial({}, None, failure=failure))}
    assert set(Failure) - own == {Failure.LOST, Failure.PREEMPTED, Failure.NO_CHECKPOINT, Failure.ENDED}


def test_the_probability_follows_the_axis_that_matters() -> None:
    space = unit("abcd")
    features, rng = Features(space), np.random.default_rng(0)
    rows = rng.random((40, 4))
    failed = rows[:, 2] > 0.6
    learned = Feasibility(features, rows[~failed], rows[failed])
    fresh = rng.random((500, 4))
    predicted = learned.log_probability(fresh) > np.log(0.5)
    assert np.mean(predicted == (fresh[:, 2] <= 0.6)) > 0.9
    assert learned.log_probability(fresh).max() <= 0.0


def test_without_a_failure_or_without_a_success_all_is_feasible() -> None:
    features, rows = Features(XY), np.random.default_rng(0).random((5, 2))
    for succeeded, failed in ((rows, rows[:0]), (rows[:0], rows), (rows[:0], rows[:0])):
        learned = Feasibility(features, succeeded, failed)
        assert learned.log_probability(rows).tolist() == [0.0] * 5
        assert learned.weighed(rows[:, 0], rows).tolist() == rows[:, 0].tolist()
        assert (learned.preferred(rows), learned.words) == (0, "")


@pytest.mark.parametrize("name", LEARNING)
def test_where_everything_fails_it_explores_and_says_so(name: str) -> None:
    rng = np.random.default_rng(0)
    known = [Trial(MIXED.sample(rng), None, failure=Failure.OUT_OF_MEMORY) for _ in range(12)]
    proposals = NamedSampler(name).propose(MIXED, known, Request(5, first=12, total=30, seed=(1, 0, 12)))
    assert len({str(each.values) for each in proposals}) == 5
    assert {each.values["optimizer"] for each in proposals} > {"adam"}
    says = "no model yet: 0 of 12 trials gave a score" if name in MODELS else "0 results to evolve from"
    assert all(says in each.reason for each in proposals)


@pytest.mark.parametrize("name", MODELS)
def test_a_space_of_one_kind_of_option_all_of_which_failed_but_one(name: str) -> None:
    space = space_of(a={"type": "categorical", "options": ["p", "q", "r"]}, b={"type": "bool"})
    known = [
        Trial({"a": "p", "b": True}, 0.3),
        Trial({"a": "p", "b": False}, 0.4),
        Trial({"a": "q", "b": True}, None, failure=Failure.ERROR),
    ]
    proposals = NamedSampler(name).propose(space, known, Request(3, first=9, total=9, seed=(1, 0, 3)))
    assert len({str(each.values) for each in proposals}) == 3, "what is avoided is tried when nothing else is left"


def test_a_study_where_everything_fails_ends_with_a_clear_error() -> None:
    faults = dict.fromkeys(range(40), "crash")
    definition = study({"algorithm": "bayesian", "max_recommendations": 8, "max_epochs": 2, "sampler": "tpe"}, faults)
    outcomes: list[Outcome] = []
    decisions: list[Decision] = []
    for rung in definition.plan.stages[0].rungs:
        decision = definition.brain.decide(0, rung.index, decisions, outcomes[-1:], ())
        decisions.append(decision)
        outcomes += [failed(each.number, rung.index) for each in decision.issued]
    assert len({str(each.values) for decision in decisions for each in decision.issued}) == 8
    with pytest.raises(StudyFailed, match=r"none of the 8 experiments succeeded \(out_of_memory\)"):
        definition.brain.decide(1, 0, decisions, outcomes, ())


def failed(number: int, rung: int) -> Outcome:
    return Outcome(number, rung, 0, None, failure=Failure.OUT_OF_MEMORY)


def test_a_study_that_began_before_decides_as_it_did() -> None:
    settings = {"algorithm": "bayesian", "max_recommendations": 9, "max_epochs": 2, "sampler": "gaussian_process"}
    definition = study({**settings, "final": {"repeats": 0}})
    before = Definition.from_json({**definition.to_json(), "rules": 2})
    assert (definition.brain.sampler, before.brain.sampler) == (
        NamedSampler("gaussian_process"),
        NamedSampler("gaussian_process", rules=2),
    )
    assert len(walk(before)) == 9


@pytest.mark.parametrize("name", ["tpe", "process"])
def test_fewer_trainings_fail(name: str) -> None:
    told, ignoring = (
        sum(search("branin_mixed", name, seed, 20, ignores=ignores).failures for seed in range(2))
        for ignores in (False, True)
    )
    assert told <= 0.6 * ignoring
