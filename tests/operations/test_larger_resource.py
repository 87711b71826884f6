"""A Hyperband search that is over goes on to a larger R: new brackets behind all that was planned, nothing changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given, reject
from hypothesis import strategies as st

from automl.analysis.explain import explain
from automl.analysis.status import status
from automl.errors import InvalidInput, RecordError
from automl.execution import pod_contract
from automl.execution.pod_steps import deciding
from automl.execution.steps.propose import propose
from automl.operations import clone
from automl.operations.extend import enqueue, extend
from automl.operations.replay import Replay
from automl.operations.verify import verify
from automl.reporting import views
from automl.search.extension import Extension
from automl.search.history import Origin
from automl.search.schedules.hyperband import Hyperband
from automl.search.schedules.successive_halving import SuccessiveHalving
from automl.stores import open_store
from automl.stores.memory import MemoryStore
from automl.study import summary
from automl.study.definition import Definition
from automl.study.experiments import experiments
from automl.study.keys import EXTENSIONS
from automl.study.opened_study import OpenedStudy
from automl.study.prefetching_record import PrefetchingRecord
from automl.study.record import Record
from automl.study.verdict import verdict as verdict_of
from automl.text import strict_json
from tests.recorded_studies import holds, recorded, walk
from tests.reporting.page.made_records import opened
from tests.simulation.studies import BAYESIAN, HALVING, HYPERBAND_9, RANDOM, study

NINE: dict[str, Any] = {**HYPERBAND_9, "final": {"repeats": 1}}


def extended(settings: Mapping[str, Any] = NINE, *, R: int = 27, **more: Any) -> Record:  # noqa: N803
    """A study that ran to its end, was extended, and ran to its end again."""
    record, _ = recorded(MemoryStore(), study(settings, **more))
    extend(record, opened(record), Extension(R=R), "line")
    walk(record, opened(record))
    return record


def rungs(definition: Definition, *stages: int) -> list[list[tuple[int, int]]]:
    return [[(rung.size, rung.epochs) for rung in definition.plan.stages[index].rungs] for index in stages]


# -- the schedule -----------------------------------------------------------------------------------------------------


@given(
    st.tuples(st.integers(2, 100), st.integers(2, 4)),
    st.integers(1, 300),
    st.sampled_from([(1, True), (7, True), ("budget", True), ("auto", True), ("auto", False)]),
    st.integers(0, 400),
)
def test_a_unit_of_resource_stays_as_many_epochs(
    pair: tuple[int, int], more: int, multiplier: tuple[Any, bool], beyond: int
) -> None:
    R, nu = max(pair), pair[1]  # noqa: N806
    kind, floor = multiplier
    first = Hyperband(R, nu, kind, max_epochs=2 * R + beyond, floor_multiplier=floor)
    try:
        larger = first.larger(R + more)
    except InvalidInput:  # the brackets of this one are no longer
        reject()
    assert larger.unit == first.unit
    assert larger.plan().longest > first.plan().longest
    unit = Fraction(first.unit)
    for stage in (*first.plan().stages, *larger.plan().stages):
        for rung in stage.rungs:
            assert abs(rung.epochs - unit * rung.units) <= Fraction(1, 2) + Fraction(1, 10**9)
    shape = [[(rung.size, rung.units) for rung in stage.rungs] for stage in larger.plan().stages]
    fresh = Hyperband(R + more, nu, 1).plan().stages
    assert shape == [[(rung.size, rung.units) for rung in stage.rungs] for stage in fresh]


def test_with_budget_the_longest_training_grows_as_r_does() -> None:
    larger = Hyperband(9, 3, "budget", 20).larger(27)
    assert larger.unit == Fraction(20, 9)
    assert larger.plan().longest == 60
    assert larger.larger(81).plan().longest == 180


def test_successive_halving_gets_the_rungs_of_the_larger_r() -> None:
    larger = SuccessiveHalving(Hyperband(9, 3, "budget", 18), 9).larger(27)
    assert [(rung.size, rung.epochs) for rung in larger.plan().stages[0].rungs] == [(9, 6), (3, 18), (1, 54)]


# -- the plan ---------------------------------------------------------------------------------------------------------


def test_new_brackets_stand_behind_all_that_was_planned() -> None:
    before = study(NINE).plan
    record = extended()
    plan = opened(record).plan
    assert plan.stages[: len(before.stages)] == before.stages
    assert [(each.name, each.first, each.experiments) for each in plan.stages[2:]] == [
        ("final", 12, 2),
        ("s=3 R=27", 14, 27),
        ("s=2 R=27", 41, 9),
        ("s=1 R=27", 50, 6),
        ("final 2", 56, 2),
    ]
    assert rungs(opened(record), 3, 5, 6) == [[(27, 1), (9, 3), (3, 9), (1, 27)], [(6, 9), (2, 27)], [(2, 27)]]
    assert [stage.schedule_epochs for stage in plan.stages] == [9, 9, 9, 27, 27, 27, 27]


def test_nothing_that_was_decided_changes_and_all_is_sound() -> None:
    record, _ = recorded(MemoryStore(), study(NINE))
    store = record.store
    before = {key: store.get(key) for folder in ("decisions/", "results/") for key in store.list(folder)}
    assert summary.state(opened(record), holds(record)) == "done"
    said = extend(record, opened(record), Extension(R=27), "line")
    assert said.to_json() == {
        "study": "line",
        "from": 12,
        "to": 54,
        "R": {"from": 9, "to": 27},
        "longest": {"from": 9, "to": 27},
        "epochs": 234,
        "extended": True,
    }
    assert summary.state(opened(record), holds(record)) == "running"
    progress = status(record, opened(record)).progress
    assert (progress.epochs_done, progress.epochs_pending) == (36 + 18, 234 + 54)
    walk(record, opened(record))
    definition = opened(record)
    assert {key: store.get(key) for key in before} == before
    assert summary.state(definition, holds(record)) == "done"
    assert [each.number for each in experiments(holds(record), definition.plan)] == list(range(58))
    verdict = verdict_of(definition, holds(record))
    assert verdict is not None
    assert verdict.default.experiments == (56,)
    assert [each.difference for each in Replay(record, definition) if each.difference] == []
    views.rebuild(OpenedStudy.read(record))
    findings = verify(OpenedStudy.read(record), lambda _: None).findings
    assert (findings.problems, findings.notes) == ([], [])


def test_extended_twice() -> None:
    record, _ = recorded(MemoryStore(), study({**NINE, "R": 3, "max_epochs": 6, "final": {"repeats": 0}}))
    for R in (9, 27):  # noqa: N806
        extend(record, opened(record), Extension(R=R), "line")
        walk(record, opened(record))
    definition = opened(record)
    assert [stage.name for stage in definition.plan.stages] == [
        "s=1",
        *("s=2 R=9", "s=1 R=9"),
        *("s=3 R=27", "s=2 R=27", "s=1 R=27"),
    ]
    assert rungs(definition, 0, 2, 5) == [[(3, 2), (1, 6)], [(3, 6), (1, 18)], [(6, 18), (2, 54)]]
    assert definition.plan.before(5, 0) == [(stage, len(stage.rungs) - 1) for stage in definition.plan.stages[:3]]
    assert [each.difference for each in Replay(record, definition) if each.difference] == []


def test_successive_halving_is_extended_too() -> None:
    record = extended({**HALVING, "final": {"repeats": 1}})
    definition = opened(record)
    assert [stage.name for stage in definition.plan.search] == ["9 halved by 3", "9 halved by 3 R=27"]
    assert rungs(definition, 2) == [[(9, 3), (3, 9), (1, 27)]]
    made = record.decision(2, 0)
    assert made is not None
    assert made[0].issued[0].origin is Origin.CARRIED_OVER


# -- values -----------------------------------------------------------------------------------------------------------


def test_the_last_bracket_begins_with_the_best_values_of_the_search_before() -> None:
    record, found = recorded(MemoryStore(), study(NINE))
    best = summary.best_of_search(opened(record), found)
    assert best is not None
    values = next(each for each in experiments(found, opened(record).plan) if each.number == best.experiment).values
    extend(record, opened(record), Extension(R=27), "line")
    walk(record, opened(record))
    definition = opened(record)
    made = record.decision(5, 0)
    assert made is not None
    first, *others = made[0].issued
    assert (first.number, first.values, first.resume_epoch) == (50, values, 0)
    assert first.origin is Origin.CARRIED_OVER
    assert f"experiment {best.experiment}," in first.reason
    assert len(others) == 5
    assert {each.origin for each in others} == {Origin.SAMPLER}
    assert [each.experiment for each in made[0].consumed] == sorted(each.experiment for each in made[0].consumed)
    assert {each.experiment for each in made[0].consumed} == set(range(12))
    assert len(made[0].previous) == 2
    told = explain(definition, holds(record), 50)
    assert (told.proposed.sampler, told.story[0]) == (None, f"proposed: {first.reason}")
    assert explain(definition, holds(record), 51).proposed.sampler == "uniform"


@pytest.mark.parametrize("sampler", ["uniform", "sobol", "lhs"])
def test_no_point_is_proposed_twice(sampler: str) -> None:
    record = extended(NINE, sampler=sampler)
    asked = [each.recommendations[0] for each in experiments(holds(record), opened(record).plan)]
    defaults = study(NINE).space.defaults()
    drawn = [each for each in asked if each.origin not in {Origin.FINAL, Origin.CARRIED_OVER}]
    assert [each.number for each in drawn if each.values == defaults] == [0]
    assert len({json.dumps(each.values) for each in drawn}) == len(drawn) == 53
    if sampler != "uniform":  # the told one takes no place in the sequence of its bracket
        name = "a scrambled Sobol sequence" if sampler == "sobol" else "a Latin hypercube of 5"
        last = [each.reason for each in drawn if each.number > 50]
        assert last == [f"point {place} of {name}, which fills the space evenly" for place in range(1, 6)]


def test_values_of_the_study_file_are_not_tried_again() -> None:
    record = extended(NINE, enqueue=[{"train.lr": 0.125}, {"train.lr": 0.25}])
    tried = [each.values["train.lr"] for each in experiments(holds(record), opened(record).plan) if each.number]
    assert (tried.count(0.25), tried[0]) == (1, 0.125)


def test_a_pod_decides_the_same_and_waits_for_the_search_before() -> None:
    record = extended()
    again, _ = recorded(MemoryStore(), study(NINE))
    extend(again, opened(again), Extension(R=27), "line")
    walk(PrefetchingRecord(again.store), opened(again))
    names = record.store.list("decisions/")
    assert [again.store.get(name) for name in names] == [record.store.get(name) for name in names]
    waits = [(stage.index, rung) for stage, rung in opened(record).plan.before(5, 0)]
    assert waits == [(0, 2), (1, 1)]
    again.store.delete("decisions/5/0.json")
    again.store.delete("results/11/0.json")
    with pytest.raises(RecordError, match="experiment 11 of stage s=1 has no result at rung 0 yet"):
        propose(Record(again.store), opened(again), 5, 0)


def test_the_first_step_of_a_workflow_puts_out_the_new_brackets(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    place = str(tmp_path / "line")
    definition = study(NINE, run={"store": place})
    record, _ = recorded(open_store(place), definition)
    extend(record, opened(record), Extension(R=27), "line")
    monkeypatch.setattr(pod_contract, "OUTPUTS", tmp_path / "outputs")
    monkeypatch.setenv("AUTOML_STORE", place)
    sent = {**definition.to_json(), "text": "name: line\nnetwork: least_squares\n"}
    monkeypatch.setenv("AUTOML_STUDY", strict_json.dump(sent).decode())
    deciding.start()
    search = json.loads((tmp_path / "outputs/search").read_text())
    assert sorted((each["stage"], each["rungs"]) for each in search) == [
        *(("0", "3"), ("1", "2")),
        *(("3", "4"), ("4", "3"), ("5", "2")),
    ]
    assert [each["stage"] for each in json.loads((tmp_path / "outputs/judge").read_text())] == ["2", "6"]


def test_best_model_holds_nothing_of_an_earlier_best() -> None:
    record, _ = recorded(MemoryStore(), study(NINE))
    views.rebuild(OpenedStudy.read(record))
    first = record.store.list("best_model/")
    record.store.put("best_model/mine.onnx", b"what a user made of it")
    extend(record, opened(record), Extension(R=27), "line")
    walk(record, opened(record))
    found = views.rebuild(OpenedStudy.read(record))
    best = summary.best_of_search(opened(record), found)
    assert best is not None
    assert f"best_model/recommendation_{best.experiment}.json" not in first
    names = ("log.txt", "manifest.json", "mine.onnx", f"recommendation_{best.experiment}.json", "status.json")
    assert record.store.list("best_model/") == [f"best_model/{name}" for name in names]
    record.store.put("best_model/manifest.json", b"{damaged")
    views.rebuild(OpenedStudy.read(record))
    assert strict_json.load(record.store.get("best_model/manifest.json") or b"", "it")["experiment"] == best.experiment


# -- what is refused, what is stored ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("settings", "walked", "to", "says"),
    [
        (NINE, None, Extension(R=9), "R: 9, where the search has R: 9; allowed: a number above 9; R: 27 makes"),
        (NINE, None, Extension(R=10), "R: 10: its longest training would have 9 epochs, and that of R: 9 has 9"),
        (NINE, None, Extension(R=3**12), "experiments; allowed: up to 100,000; lower R"),
        (NINE, 1, Extension(R=27), "is still searching"),
        (NINE, None, Extension(40), "--R N with a number above 9"),
        (BAYESIAN, None, Extension(R=27), "--R 27: bayesian has no R.*--to N with a number above 4"),
        (RANDOM, None, Extension(R=27), "--R 27: random has no R"),
        ({**NINE, "nu": 9}, None, Extension(R=9**6), "longest training would have 531,441 epochs|experiments"),
        ({"automl_enabled": False}, None, Extension(R=27), "a training without search decides from the start"),
    ],
)
def test_what_cannot_be_extended_is_refused(
    settings: dict[str, Any], walked: int | None, to: Extension, says: str
) -> None:
    record, _ = recorded(MemoryStore(), study(settings), decisions=0 if walked is None else walked)
    if walked is None and settings not in (BAYESIAN, RANDOM):
        walk(record, opened(record))
    with pytest.raises(InvalidInput, match=says):
        extend(record, opened(record), to, "line")
    assert record.user_changes(EXTENSIONS) == []


def test_trainings_beyond_reason_are_refused() -> None:
    with pytest.raises(InvalidInput, match="R: 27: its longest training would have 1,500,000 epochs"):
        Hyperband(9, 3, "budget", 500_000).larger(27)


def test_a_search_in_which_nothing_succeeded_is_not_extended() -> None:
    record, _ = recorded(MemoryStore(), study(NINE), failing=range(12), decisions=5)
    with pytest.raises(InvalidInput, match="no experiment of line succeeded"):
        extend(record, opened(record), Extension(R=27), "line")


def test_asked_twice_it_is_extended_once_and_two_at_once_extend_once() -> None:
    record, _ = recorded(MemoryStore(), study(NINE))
    both = opened(record)
    assert extend(record, both, Extension(R=27), "line").extended
    assert not extend(record, opened(record), Extension(R=27), "line").extended
    with pytest.raises(InvalidInput, match="somebody else"):
        extend(record, both, Extension(R=81), "line")
    assert [each["R"] for each in record.user_changes(EXTENSIONS)] == [27]


@pytest.mark.parametrize(
    ("body", "says"),
    [
        ({}, "either max_recommendations or R"),
        ({"R": 27, "max_recommendations": 9}, "either max_recommendations or R"),
        ({"R": "27"}, 'it was extended to R: "27"'),
        ({"max_recommendations": 40}, "which its algorithm does not support"),
    ],
)
def test_a_damaged_extension_is_named(body: dict[str, Any], says: str) -> None:
    record, _ = recorded(MemoryStore(), study(NINE))
    record.add(EXTENSIONS, 0, body)
    with pytest.raises(RecordError, match=says):
        opened(record)


def test_values_are_not_enqueued_into_brackets() -> None:
    record, _ = recorded(MemoryStore(), study(NINE))
    extend(record, opened(record), Extension(R=27), "line")
    with pytest.raises(InvalidInput, match="hyperband decides from the start"):
        enqueue(record, opened(record), ["train.lr=0.1"], "line")


# -- a clone ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "says"),
    [
        ({"max_epochs": 18}, {"R": 27, "max_epochs": 54}),
        ({"epoch_multiplier": 2}, {"R": 27, "epoch_multiplier": 2}),
        ({"epoch_multiplier": "auto", "max_epochs": 80, "lower_R": False}, {"R": 27, "epoch_multiplier": 8}),
        (
            {"epoch_multiplier": "auto", "max_epochs": 80, "floor_multiplier": False},
            {"R": 27, "epoch_multiplier": "budget", "max_epochs": 241},
        ),
        ({"train_spec": {"train": {"epochs": 18}}}, {"R": 27, "max_epochs": 54}),
    ],
    ids=["budget", "number", "auto", "auto, real", "train_spec"],
)
def test_a_clone_begins_with_the_brackets_of_the_larger_r(more: dict[str, Any], says: dict[str, Any]) -> None:
    record = extended(NINE, **more)
    text = clone.clone(record, opened(record), Path("again.yaml")).text
    found = yaml.safe_load(text)
    assert {name: found[name] for name in says} == says
    assert not {"lower_R", "floor_multiplier"} & found.keys()
    again = Definition(opened(record).file.model_validate(found), opened(record).network)
    assert rungs(again, 0, 1, 2) == rungs(opened(record), 3, 4, 5)


def test_the_best_values_are_cloned_once() -> None:
    record = extended()
    text = clone.clone(record, opened(record), Path("again.yaml"), clone.Changes(best=4)).text
    tried = [each["train.lr"] for each in yaml.safe_load(text)["enqueue"]]
    assert len(set(tried)) == len(tried) == 4
