"""A search that was begun gets more experiments and a user's own values, and nothing that was decided changes."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from automl.errors import InvalidInput, StudyFileError
from automl.execution.steps.propose import propose
from automl.operations.extend import enqueue, extend
from automl.operations.replay import Replay
from automl.operations.verify import verify
from automl.reporting import views
from automl.search.extension import Extension
from automl.search.history import Origin
from automl.stores.memory import MemoryStore
from automl.study import summary
from automl.study.experiments import experiments
from automl.study.keys import EXTENSIONS
from automl.study.opened_study import OpenedStudy
from automl.study.record import Record
from automl.study.verdict import verdict as verdict_of
from tests.command_line import automl, files_below, refused
from tests.recorded_studies import holds, recorded, walk
from tests.reporting.page.made_records import opened
from tests.simulation.studies import HALVING, HYPERBAND_9, RANDOM, study, uniform_instead_of_a_model
from tests.small_network import write_small_study

CHAIN: dict[str, Any] = {"algorithm": "bayesian", "max_recommendations": 4, "max_epochs": 2, "parallel": 2}


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    uniform_instead_of_a_model(monkeypatch)


def sound(record: Record) -> None:
    definition = opened(record)
    assert [each.difference for each in Replay(record, definition) if each.difference] == []
    views.rebuild(OpenedStudy.read(record))
    findings = verify(OpenedStudy.read(record), lambda _: None).findings
    assert (findings.problems, findings.notes) == ([], [])


def decisions(record: Record) -> dict[str, bytes | None]:
    return {key: record.store.get(key) for key in record.store.list("decisions/")}


# -- extend -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [CHAIN, RANDOM], ids=["bayesian", "random"])
def test_an_extension_changes_nothing_and_goes_on(settings: dict[str, Any]) -> None:
    record, _ = recorded(MemoryStore(), study(settings))
    before, state = decisions(record), summary.state(opened(record), holds(record))
    assert state == "done"
    first_verdict = verdict_of(opened(record), holds(record))
    extend(record, opened(record), Extension(7), "line")
    definition = opened(record)
    assert summary.state(definition, holds(record)) == "running"
    assert verdict_of(definition, holds(record)) is None
    assert [(each.name, each.kind, each.first, each.experiments) for each in definition.plan.stages] == [
        ("search", "search", 0, 4),
        ("final", "final", 4, 2),
        ("search 2", "search", 6, 3),
        ("final 2", "final", 9, 2),
    ]
    walk(record, definition)
    after = decisions(record)
    assert {key: after[key] for key in before} == before
    assert summary.state(definition, holds(record)) == "done"
    sound(record)
    verdict = verdict_of(definition, holds(record))
    assert verdict is not None
    assert verdict.default.experiments == (9,)
    assert first_verdict is not None
    assert [each.number for each in experiments(holds(record), definition.plan)] == list(range(11))


def test_an_extension_tries_what_a_longer_search_would_have_tried() -> None:
    """One chain for the sampler: only the numbers, and so the seeds of the trainings, are others."""
    longer, _ = recorded(MemoryStore(), study({**CHAIN, "max_recommendations": 8}))
    record, _ = recorded(MemoryStore(), study(CHAIN))
    extend(record, opened(record), Extension(8), "line")
    walk(record, opened(record))
    for index in (0, 1):
        (ours, _), (theirs, _) = (record.decision(2, index), longer.decision(0, 2 + index))  # type: ignore[misc]
        assert [each.values for each in ours.issued] == [each.values for each in theirs.issued]
        assert [each.value for each in ours.consumed] == [each.value for each in theirs.consumed]


def test_a_real_model_sees_the_results_of_the_chain_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    record, _ = recorded(MemoryStore(), study({**CHAIN, "max_recommendations": 7}))
    extend(record, opened(record), Extension(8), "line")
    walk(record, opened(record))
    made = record.decision(2, 0)
    assert made is not None
    assert "on 7 trials" in made[0].issued[0].reason
    sound(record)


def test_extended_twice() -> None:
    record, _ = recorded(MemoryStore(), study({**CHAIN, "final": {"repeats": 0}}))
    for to in (5, 9):
        extend(record, opened(record), Extension(to), "line")
        walk(record, opened(record))
    assert [stage.experiments for stage in opened(record).plan.stages] == [4, 1, 4]
    sound(record)


def test_asked_twice_it_is_extended_once() -> None:
    record, _ = recorded(MemoryStore(), study(CHAIN))
    assert extend(record, opened(record), Extension(6), "line").extended
    assert not extend(record, opened(record), Extension(6), "line").extended
    assert len(record.user_changes(EXTENSIONS)) == 1


def test_two_at_once_extend_once() -> None:
    record, _ = recorded(MemoryStore(), study(CHAIN))
    both = opened(record)
    extend(record, both, Extension(6), "line")
    with pytest.raises(InvalidInput, match="somebody else"):
        extend(record, both, Extension(8), "line")


@pytest.mark.parametrize(
    ("settings", "walked", "to", "says"),
    [
        (
            HYPERBAND_9,
            None,
            50,
            "hyperband decides from the start what is tried, by its R; allowed: --R N with a number above 9",
        ),
        (HALVING, None, 50, "automl clone"),
        (CHAIN, 1, 8, "is still searching"),
        (CHAIN, None, 3, "a number above 4"),
        (CHAIN, None, 4, "a number above 4"),
        (CHAIN, None, 200_000, "experiments"),
    ],
)
def test_what_cannot_be_extended_is_refused(settings: dict[str, Any], walked: int | None, to: int, says: str) -> None:
    record, _ = recorded(MemoryStore(), study(settings), decisions=walked)
    with pytest.raises(InvalidInput, match=says):
        extend(record, opened(record), Extension(to), "line")
    assert record.user_changes(EXTENSIONS) == []


def test_a_search_in_which_nothing_succeeded_is_not_extended() -> None:
    record, _ = recorded(MemoryStore(), study(CHAIN), failing=range(4), decisions=2)
    with pytest.raises(InvalidInput, match="no experiment of line succeeded"):
        extend(record, opened(record), Extension(8), "line")


# -- enqueue ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("settings", [CHAIN, RANDOM, HYPERBAND_9, HALVING], ids=["chain", "random", "hyperband", "sh"])
def test_values_of_the_study_file_come_after_the_defaults(settings: dict[str, Any]) -> None:
    definition = study(settings, enqueue=[{"train.lr": 0.125}, {"train.lr": 0.25}])
    record, found = recorded(MemoryStore(), definition)
    tried = {each.number: each for each in experiments(found, definition.plan)}
    assert [tried[number].values["train.lr"] for number in range(3)] == [0.02, 0.125, 0.25]
    assert tried[1].recommendations[0].origin is Origin.REQUESTED
    assert tried[3].recommendations[0].origin is Origin.SAMPLER
    sound(record)


def test_a_sampler_goes_on_as_if_the_values_were_not_there() -> None:
    plain, _ = recorded(MemoryStore(), study({**RANDOM, "sampler": "sobol"}))
    own, _ = recorded(MemoryStore(), study({**RANDOM, "sampler": "sobol"}, enqueue=[{"train.lr": 0.125}]))
    (one, _), (other, _) = plain.decision(0, 0), own.decision(0, 0)  # type: ignore[misc]
    assert [each.values for each in one.issued[1:3]] == [each.values for each in other.issued[2:]]


def test_a_study_without_own_values_is_the_study_that_it_was() -> None:
    assert "enqueue" not in study(CHAIN).to_json()["study"]


def test_enqueued_values_are_taken_by_the_next_decision() -> None:
    record, _ = recorded(MemoryStore(), study({**CHAIN, "max_recommendations": 8}), decisions=1)
    for rate in ("0.125", "0.25", "0.375"):
        enqueue(record, opened(record), [f"train.lr={rate}"], "line")
    walk(record, opened(record))
    chain = record.decisions(0)
    assert [made.enqueued for made, _ in chain] == [(), (0, 1), (2,), ()]
    assert [each.values["train.lr"] for each in chain[1][0].issued] == [0.125, 0.25]
    assert chain[2][0].issued[0].values["train.lr"] == 0.375
    assert chain[2][0].issued[0].reason == "values of the user, enqueued as number 2"
    sound(record)


def test_what_is_enqueued_later_changes_no_decision() -> None:
    record, _ = recorded(MemoryStore(), study({**CHAIN, "max_recommendations": 8}), decisions=2)
    enqueue(record, opened(record), ["train.lr=0.125"], "line")
    sound(record)
    assert propose(record, opened(record), 0, 2).enqueued == (0,)
    assert propose(record, opened(record), 0, 2).enqueued == (0,)


def test_a_decision_that_took_what_is_gone_is_named() -> None:
    record, _ = recorded(MemoryStore(), study(CHAIN), decisions=1)
    enqueue(record, opened(record), ["train.lr=0.125"], "line")
    walk(record, opened(record))
    record.store.delete("enqueued/0.json")
    difference = next(each.difference for each in Replay(record, opened(record)) if each.difference)
    assert "not all of the values that it took" in difference.other


def test_an_extension_takes_enqueued_values() -> None:
    record, _ = recorded(MemoryStore(), study(RANDOM))
    with pytest.raises(InvalidInput, match="0 experiments of line are still to be proposed"):
        enqueue(record, opened(record), ["train.lr=0.125"], "line")
    extend(record, opened(record), Extension(6), "line")
    enqueue(record, opened(record), ["train.lr=0.125"], "line")
    walk(record, opened(record))
    made = record.decision(2, 0)
    assert made is not None
    assert (made[0].enqueued, made[0].issued[0].values["train.lr"]) == ((0,), 0.125)
    sound(record)


def test_no_more_is_enqueued_than_is_left() -> None:
    record, _ = recorded(MemoryStore(), study(CHAIN), decisions=1)
    for _ in range(2):
        enqueue(record, opened(record), ["train.lr=0.125"], "line")
    with pytest.raises(InvalidInput, match="2 experiments of line are still to be proposed, and 2 enqueued"):
        enqueue(record, opened(record), ["train.lr=0.125"], "line")


BAD = {
    "train.lrr=0.1": "did you mean 'train.lr'",
    "train.lr=7": "0.001 ... 0.4",
    "train.lr=fast": "train.lr is 'fast', not a finite number",
    "train.lr": "'train.lr' is not NAME=VALUE",
    "=1": "'=1' is not NAME=VALUE",
    "train.lr=": "NAME=VALUE",
}


@pytest.mark.parametrize(("word", "says"), BAD.items())
def test_values_that_the_space_has_not_are_refused(word: str, says: str) -> None:
    record, _ = recorded(MemoryStore(), study(CHAIN), decisions=1)
    with pytest.raises(InvalidInput, match=re.escape(says)):
        enqueue(record, opened(record), [word], "line")
    assert record.enqueued() == []


def test_values_for_a_search_that_has_decided_all_are_refused() -> None:
    record, _ = recorded(MemoryStore(), study(HYPERBAND_9), decisions=1)
    with pytest.raises(InvalidInput, match="hyperband decides from the start what is tried"):
        enqueue(record, opened(record), ["train.lr=0.1"], "line")


@pytest.mark.parametrize(
    ("values", "says"),
    [
        ([{"train.lr": 0.9}], r"enqueue\[0\]: train.lr is 0.9, outside 0.001 ... 0.4"),
        ([{"train.lr": 0.1}, {"lr": 0.1}], r"enqueue\[1\]: lr is not searched"),
        ([{}], r"enqueue\[0\]: no value is given"),
        ([{"train.lr": 0.1}] * 4, "up to 3"),
    ],
)
def test_bad_values_in_a_study_file_are_refused(values: list[dict[str, Any]], says: str) -> None:
    with pytest.raises(StudyFileError, match=says):
        study(CHAIN, enqueue=values)


# -- as commands, with real trainings ---------------------------------------------------------------------------------

SMALL = "name: study\nnetwork: small.yaml\nalgorithm: random\nmax_recommendations: 2\nmax_epochs: 1\n"


def test_a_study_is_extended_and_run_again(tmp_path: Path) -> None:
    write_small_study(tmp_path, study=SMALL)
    assert automl("run", "study.yaml", cwd=tmp_path).code == 0
    ran = automl("extend", "study.yaml", "--to", "4", cwd=tmp_path)
    assert (ran.code, ran.out) == (
        0,
        "the search has 2 experiments and now extends to 4; next: automl run study.yaml\n",
    )
    ran = automl("enqueue", "study", "train.x=0.5", cwd=tmp_path)
    assert (ran.code, ran.out) == (0, "enqueued as number 0: train.x=0.5; the next decision takes it\n")
    before = files_below(tmp_path / "study/results")
    assert automl("run", "study.yaml", cwd=tmp_path).code == 0
    assert {name: files_below(tmp_path / "study/results")[name] for name in before} == before
    for command in ("verify study", "replay study", "report study", "why study 4", "status study.yaml"):
        ran = automl(*command.split(), "-o", "json", cwd=tmp_path)
        assert (ran.code, ran.err) == (0, ""), ran.out
    story = json.loads(automl("why", "study", "4", "-o", "json", cwd=tmp_path).out)["story"]
    assert story[0] == "proposed: values of the user, enqueued as number 0"
    refused(automl("extend", "study", "--to", "1", cwd=tmp_path), "--to 1", "a number above 4")
    text = (tmp_path / "study.yaml").read_text().replace("max_recommendations: 2", "max_recommendations: 9")
    (tmp_path / "study.yaml").write_text(text)
    refused(automl("run", "study.yaml", cwd=tmp_path), "another max_recommendations", "'automl extend'")
