"""The best of a study: the winner of a search, what the judgement makes of it, and what best_model holds.

Studies whose decisions are real and whose trainings are planted: the loss is |lr - 0.1| and what a test adds.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from automl.analysis import findings
from automl.analysis.explain import explain
from automl.errors import StudyFailed
from automl.execution.steps.propose import propose
from automl.operations.extend import extend
from automl.operations.replay import Replay
from automl.reporting import views
from automl.reporting.figures.facts import read_facts
from automl.reporting.page.page import render
from automl.search.extension import Extension
from automl.search.history import Decision, History, Origin, Recommendation
from automl.search.judging import training_seed
from automl.search.ranking import Among
from automl.stores.memory import MemoryStore
from automl.study import summary
from automl.study.definition import Definition
from automl.study.keys import BEST_MODEL
from automl.study.opened_study import OpenedStudy, begin
from automl.study.record import Record
from automl.study.study_file import parse
from automl.study.verdict import Standing, verdict
from automl.text import strict_json
from tests.recorded_studies import Loss, holds, recorded, walk
from tests.reporting.page.made_records import opened
from tests.simulation.studies import HALVING, HYPERBAND_9, study, uniform_instead_of_a_model

RANDOM_12: dict[str, Any] = {"algorithm": "random", "max_recommendations": 12, "max_epochs": 4}
RACE: dict[str, Any] = {"final": {"candidates": 3, "repeats": 4, "share": 10}}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    uniform_instead_of_a_model(monkeypatch)


def noise(asked: Recommendation) -> float:
    """Of a training, by its seed and its values: between -0.001 and 0.001."""
    return float((asked.seed * 7919 + round(asked.values["train.lr"] * 1e6)) % 2001 - 1000) / 1e6


def by_rate(asked: Recommendation, _epoch: int) -> float:
    return float(abs(asked.values["train.lr"] - 0.1)) + noise(asked)


def first_of_the_race(record: Record) -> Decision:
    stage = opened(record).plan.finals[-1]
    decided = record.decision(stage.index, 0)
    assert decided is not None
    return decided[0]


def is_race(definition: Definition, asked: Recommendation) -> bool:
    return asked.number >= definition.plan.searched


def found(record: Record) -> summary.Best:
    best = summary.best(opened(record), holds(record))
    assert best is not None
    return best


def model(record: Record) -> Mapping[str, Any]:
    """What best_model says of itself, once the views are written; everything else that names a best must agree."""
    opened_study = OpenedStudy.read(record)
    study = views.rebuild(opened_study)
    best = found(record)
    about: Mapping[str, Any] = strict_json.load(record.store.get(f"{BEST_MODEL}manifest.json") or b"", "it")
    said = findings.best_so_far(opened_study.definition, study)
    controller = strict_json.load(record.store.get("controller.json") or b"", "it")
    facts = read_facts(opened_study)
    assert said is not None
    assert facts.best == best
    for named in (about, said.to_json(), controller["best"]):
        assert (named["experiment"], named["training"], named["value"], named["standing"], named["why"]) == (
            best.experiment, best.training.experiment, best.value, best.standing.value, best.why,
        )  # fmt: skip
    assert about["values"] == said.values
    assert explain(opened_study.definition, study, best.experiment).story[-1].endswith(best.why)
    text = render(opened_study)
    assert "best_model holds" in text
    assert [each.difference for each in Replay(record, opened_study.definition)] == [None] * len(study.decisions)
    return about


# -- the winner of a search -------------------------------------------------------------------------------------------


def lucky(asked: Recommendation, epoch: int) -> float:
    """Experiment 2 was lucky at epoch 1, and then it was the worst."""
    if asked.number == 2:
        return 1e-6 if epoch == 1 else 5.0
    return by_rate(asked, epoch) + 1 / epoch


@pytest.mark.parametrize("settings", [HALVING, HYPERBAND_9, {**HYPERBAND_9, "R": 3}], ids=["halving", "R=9", "R=3"])
def test_a_lucky_short_training_loses_against_the_longest(settings: dict[str, Any]) -> None:
    for among, wins in (("longest", False), ("all", True)):
        definition = study(settings, final={"repeats": 0}, best_among=among)
        record, history = recorded(MemoryStore(), definition, loss=lucky)
        best = found(record)
        assert (best.experiment == 2) is wins
        longest = max(result.epochs for result in history.results.values())
        assert (best.training.epochs == longest) is not wins
        assert best.standing is Standing.SEARCHED
        views.rebuild(OpenedStudy.read(record))
        about = strict_json.load(record.store.get(f"{BEST_MODEL}manifest.json") or b"", "it")
        assert (about["experiment"], about["training"]) == (best.experiment, best.experiment), "its own, as ever"


def test_before_a_long_training_is_over_the_longest_so_far_counts() -> None:
    definition = study(HALVING, final={"repeats": 0})
    record, _ = recorded(MemoryStore(), definition, loss=lucky, decisions=1)
    assert found(record).experiment == 2
    walk(record, definition, loss=lucky)
    assert found(record).experiment != 2


def test_a_study_of_before_keeps_its_rule_and_its_judgement() -> None:
    """What is stored names neither: it is read as it was meant, to the same bytes."""
    old = study(HALVING, best_among="all", final={"repeats": 2})
    stored = old.to_json()
    assert "best_among" not in stored["study"]
    assert stored["study"]["final"] == {"repeats": 2}
    back = Definition.from_json(stored)
    assert back.to_json() == stored
    assert back.brain.best_among is Among.ALL
    assert [stage.entrants for stage in back.plan.finals] == [()]
    assert [rung.size for rung in back.plan.finals[0].rungs] == [4]


@pytest.mark.parametrize("more", ["", "final: {repeats: 1}\n"])
def test_a_file_that_says_nothing_goes_on_with_a_study_of_before(more: str) -> None:
    """An older version stored what it meant by silence: one repeat, and the best of all lengths."""
    text = f"name: fashion\nnetwork: fashion_mnist\nR: 9\n{more}"
    file = parse(text, "study.yaml", Path())
    data = file.to_json()
    data["study"] = {**{k: v for k, v in data["study"].items() if k != "best_among"}, "final": {"repeats": 1}}
    record = Record(MemoryStore())
    begin(record, Definition.from_json(data), text)
    again = begin(record, file, text)
    assert again.definition.to_json() == data
    fresh = begin(Record(MemoryStore()), file, text).definition
    assert fresh.brain.best_among is Among.LONGEST
    assert bool(fresh.plan.finals[0].entrants) is not bool(more)


# -- the race ---------------------------------------------------------------------------------------------------------

REAL: dict[str, dict[str, Any]] = {
    "random": RANDOM_12,
    "bayesian": {"algorithm": "bayesian", "max_recommendations": 10, "max_epochs": 3},
    "hyperband": HYPERBAND_9,
    "R=3": {**HYPERBAND_9, "R": 3, "enqueue": [{"train.lr": 0.1}]},
}


@pytest.mark.parametrize("name", REAL)
def test_a_real_gain_is_confirmed_and_best_model_holds_the_winner(name: str) -> None:
    definition = study(REAL[name], **RACE)
    record, history = recorded(MemoryStore(), definition, loss=by_rate)
    stage = definition.plan.finals[0]
    first = first_of_the_race(record)
    assert first.issued[0].source == 0
    assert len(first.issued) <= stage.entrants[0] == min(4, definition.plan.searched)
    assert len({str(each.values) for each in first.issued}) == len(first.issued)
    assert {each.seed for each in first.issued} == {training_seed(1, stage.first)}, "they share their seed"
    assert {each.origin for each in first.issued} == {Origin.FINAL}
    assert all(each.resume_epoch == 0 and each.epochs == definition.plan.longest for each in first.issued)
    judged = verdict(definition, history)
    assert judged is not None
    assert judged.interval is not None
    assert judged.interval.low > 0
    assert len(judged.gains) == 4
    assert judged.to_json()["interval"]["level"] == 0.95
    about = model(record)
    assert (about["standing"], about["experiment"], about["defaults"]) == ("confirmed", judged.candidate, False)
    assert "95 % interval" in about["why"]
    second = history.of_stage(stage.index)[1]
    assert [stop.number for stop in second.stopped] == sorted(judged.left)
    assert all("leave the race: rank" in reason for reason in judged.left.values())
    seeds = [each.seed for each in second.issued]
    assert seeds[: len(seeds) // 2] == seeds[len(seeds) // 2 :]
    assert not set(seeds) & {each.seed for each in first.issued}


def luck_of_the_search(definition: Definition) -> Loss:
    """Values are all alike, and in the search all but the defaults were lucky."""

    def loss(asked: Recommendation, _epoch: int) -> float:
        lucky = 0.0 if asked.number == 0 or is_race(definition, asked) else 0.2 + asked.number / 1000
        return 0.5 - lucky + 10 * noise(asked)

    return loss


@pytest.mark.parametrize("name", REAL)
def test_luck_confirms_nothing_and_best_model_holds_the_defaults(name: str) -> None:
    definition = study(REAL[name], **RACE)
    record, history = recorded(MemoryStore(), definition, loss=luck_of_the_search(definition))
    assert summary.best_of_search(definition, history).experiment != 0  # type: ignore[union-attr]
    about = model(record)
    assert (about["standing"], about["experiment"], about["defaults"]) == ("defaults", 0, True)
    assert "nothing beats the defaults beyond noise" in about["why"]
    own = max(r.epochs for r in history.results.values() if r.experiment == 0)
    stage = definition.plan.finals[0]
    if own == definition.plan.longest:
        assert about["training"] == 0, "their own checkpoint"
    else:
        again = [history.results[key] for key in history.results if key[0] >= stage.first]
        ours = {
            each.number for decision in history.of_stage(stage.index) for each in decision.issued if not each.source
        }
        kept = min((r for r in again if r.experiment in ours), key=lambda r: (r.best_value, r.experiment))
        assert about["training"] == kept.experiment, "the best of the judgement's, as long as all others"


def test_a_tie_confirms_nothing() -> None:
    record, _ = recorded(MemoryStore(), study(RANDOM_12, **RACE), loss=lambda _asked, _epoch: 0.5)
    assert found(record).standing is Standing.DEFAULTS
    assert first_of_the_race(record).issued[1].source == 1, "of equal ones the lower number"
    assert model(record)["training"] == 0


def test_one_pair_shows_no_noise_and_the_better_side_is_kept() -> None:
    for settings, standing in ((by_rate, "unproven"), (lambda _asked, _epoch: 0.5, "defaults")):
        definition = study(RANDOM_12, final={"candidates": 3, "repeats": 1, "share": 10})
        record, history = recorded(MemoryStore(), definition, loss=settings)
        judged = verdict(definition, history)
        assert judged is not None
        assert judged.interval is None
        about = model(record)
        assert about["standing"] == standing
        assert about["defaults"] is (standing == "defaults")


FAILURES = {  # who fails in the race, by place in its first rung (0 are the defaults): what is kept
    "the best candidate": ((1,), "confirmed", 2),
    "two candidates": ((1, 2), "confirmed", 3),
    "all candidates": ((1, 2, 3), "defaults", 0),
    "the defaults": ((0,), "unproven", 1),
    "everybody": ((0, 1, 2, 3), "failed", 1),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_candidate_that_crashes_is_none(name: str) -> None:
    failing, standing, kept = FAILURES[name]
    definition = study(RANDOM_12, **RACE)
    first = definition.plan.finals[0].first
    record, history = recorded(MemoryStore(), definition, loss=by_rate, failing=[first + place for place in failing])
    sources = [each.source for each in first_of_the_race(record).issued]
    best = found(record)
    assert (best.standing.value, best.experiment) == (standing, sources[kept])
    assert summary.state(definition, history) == "done"
    model(record)
    second = history.of_stage(definition.plan.finals[0].index)[1]
    if {1, 2, 3} <= set(failing):
        assert second.issued == (), "nobody is left to race"
    left = {stop.number: stop.reason for stop in second.stopped}
    assert all("failed (killed)" in left[first + place] for place in failing)


def test_a_crash_in_the_last_rung_leaves_the_defaults() -> None:
    definition = study(RANDOM_12, **RACE)
    stage = definition.plan.finals[0]
    record, _ = recorded(MemoryStore(), definition, loss=by_rate, failing=[stage.first_of(1) + 4])
    assert model(record)["standing"] == "defaults"


def test_a_search_of_the_defaults_alone_has_nobody_to_race() -> None:
    definition = study({**RANDOM_12, "max_recommendations": 1}, **RACE)
    record, history = recorded(MemoryStore(), definition, loss=by_rate)
    assert first_of_the_race(record).issued == ()
    assert (summary.state(definition, history), verdict(definition, history)) == ("done", None)
    assert model(record)["why"] == "the search found nothing above the defaults"


def test_one_candidate_trains_all_at_once() -> None:
    definition = study({**RANDOM_12, "max_recommendations": 2}, **RACE)
    assert [rung.size for rung in definition.plan.finals[0].rungs] == [8]
    record, _ = recorded(MemoryStore(), definition, loss=by_rate)
    assert len(first_of_the_race(record).issued) == 8
    assert model(record)["standing"] in {"confirmed", "defaults"}


def test_candidates_that_all_failed_in_the_search_do_not_race() -> None:
    definition = study(RANDOM_12, **RACE)
    record, _ = recorded(MemoryStore(), definition, loss=by_rate, failing=range(1, 12))
    assert first_of_the_race(record).issued == ()
    assert model(record)["standing"] == "defaults"


def test_a_search_without_a_success_is_not_judged() -> None:
    definition = study(RANDOM_12, **RACE)
    record, _ = recorded(MemoryStore(), definition, failing=range(12), decisions=1)
    with pytest.raises(StudyFailed):
        propose(record, definition, 1, 0)


def test_the_defaults_that_are_the_best_race_against_the_others() -> None:
    """They are not the best when trained again: the race finds the values that the search had placed second."""
    definition = study(RANDOM_12, **RACE)

    def loss(asked: Recommendation, epoch: int) -> float:
        return by_rate(asked, epoch) - (0.0 if is_race(definition, asked) or asked.number else 1.0)

    record, history = recorded(MemoryStore(), definition, loss=loss)
    assert summary.best_of_search(definition, history).experiment == 0  # type: ignore[union-attr]
    assert model(record)["standing"] == "confirmed"


@pytest.mark.parametrize(("settings", "to"), [(RANDOM_12, Extension(16)), (HYPERBAND_9, Extension(R=27))])
def test_an_extended_search_gets_a_race_of_its_own(settings: dict[str, Any], to: Extension) -> None:
    definition = study(settings, **RACE)
    record, _ = recorded(MemoryStore(), definition, loss=by_rate)
    before = {key: record.store.get(key) for key in record.store.list("decisions/")}
    extend(record, opened(record), to, "line")
    longer = opened(record)
    assert found(record).standing is Standing.SEARCHED
    walk(record, longer, loss=by_rate)
    assert {key: record.store.get(key) for key in before} == before
    last = longer.plan.finals[-1]
    assert len(longer.plan.finals) == 2
    assert {each.epochs for each in first_of_the_race(record).issued} == {last.schedule_epochs}
    assert len(note_of(longer)) == 2
    assert model(record)["standing"] == "confirmed"


def note_of(definition: Definition) -> list[str]:
    return [note for note in definition.plan.notes if note.startswith("final judgement")]


def test_without_a_seed_nothing_claims_fresh_ones() -> None:
    fields = {"epochs": "train.epochs", "schedule_epochs": "train.schedule_epochs", "resume_from": "train.resume_from"}
    definition = study(RANDOM_12, network={"fields": fields}, **RACE)
    record, history = recorded(MemoryStore(), definition, loss=by_rate)
    judged = verdict(definition, history)
    assert judged is not None
    assert judged.interval is not None
    assert (judged.fresh_seeds, judged.interval.method) == (False, "welch")
    model(record)
    words = [each.reason for decision in history.decisions for each in decision.issued]
    words += [found(record).why, render(OpenedStudy.read(record))]
    assert not [text for text in words if "fresh seed" in text or "same seed" in text]


def test_a_race_goes_on_where_it_stopped() -> None:
    whole, _ = recorded(MemoryStore(), study(RANDOM_12, **RACE), loss=by_rate)
    record, _ = recorded(MemoryStore(), study(RANDOM_12, **RACE), loss=by_rate, decisions=2)
    assert summary.state(opened(record), holds(record)) == "judging"
    assert found(record).standing is Standing.SEARCHED
    walk(record, opened(record), loss=by_rate)
    for key in whole.store.list("decisions/"):
        assert record.store.get(key) == whole.store.get(key)


def test_a_history_of_nothing_has_no_best() -> None:
    definition = study(RANDOM_12, **RACE)
    assert summary.best(definition, History(definition.brain.metric)) is None
