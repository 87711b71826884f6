"""A study with earlier searches: copied once when it begins, and a function of its own record from then on."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from automl.errors import RecordError, StudyFileError
from automl.importing.earlier_searches import with_earlier
from automl.operations.replay import Replay
from automl.search.earlier_search import EarlierSearch
from automl.search.history import Recommendation
from automl.search.race import DEFAULTS
from automl.stores.folder import FolderStore
from automl.stores.memory import MemoryStore
from automl.study import summary
from automl.study.definition import Definition
from automl.study.keys import METADATA
from automl.study.opened_study import OpenedStudy, begin
from automl.study.record import Record
from automl.text import strict_json
from tests.recorded_studies import recorded, walk
from tests.simulation.studies import ASHA, HYPERBAND_9, RANDOM, study

CHAIN: dict[str, Any] = {"algorithm": "bayesian", "max_recommendations": 6, "max_epochs": 2}
LEARNING = {
    "portfolio": CHAIN,
    "process": {**CHAIN, "sampler": "process"},
    "tpe": {**CHAIN, "sampler": "tpe"},
    "cma_es": {**CHAIN, "sampler": "cma_es"},
    "overlapping": {**CHAIN, "sampler": "tpe", "parallel": 2, "overlap": True},
    "hyperband": {**HYPERBAND_9, "sampler": "joint_process"},
    "asha": {**ASHA, "sampler": "tpe"},
}


TWO = [{"name": "loss", "goal": "minimize"}, {"name": "speed", "goal": "maximize"}]


def speed(asked: Recommendation) -> dict[str, float]:
    """Falls with the learning rate, from which on the loss falls."""
    return {"speed": 1.0 - float(asked.values["train.lr"])}


@pytest.fixture
def before(tmp_path: Path) -> Path:
    """A folder with a study whose best learning rate is near 0.1."""
    recorded(FolderStore(tmp_path / "before"), study({**RANDOM, "max_recommendations": 12}))
    return tmp_path


def warm(folder: Path, settings: dict[str, Any] = CHAIN, **more: Any) -> Definition:
    return with_earlier(study({**settings, "warm_start": ["before"]}, **more), folder)


@pytest.mark.parametrize("settings", LEARNING.values(), ids=LEARNING)
def test_it_replays_byte_for_byte_from_its_own_record(before: Path, settings: dict[str, Any]) -> None:
    record, history = recorded(MemoryStore(), warm(before, settings), failing=(2,))
    shutil.rmtree(before / "before")
    read = OpenedStudy.read(record).definition
    assert [each.difference for each in Replay(record, read)] == [None] * len(history.decisions)
    other, _ = recorded(MemoryStore(), read, failing=(2,))
    keys = list(record.store.list("decisions/"))
    assert keys
    assert [other.store.get(key) for key in keys] == [record.store.get(key) for key in keys]


@pytest.mark.parametrize("name", ["portfolio", "process", "tpe"])
def test_with_two_metrics_it_replays_too_and_both_are_learned_from(tmp_path: Path, name: str) -> None:
    earlier = study({**RANDOM, "max_recommendations": 12, "metrics": TWO})
    recorded(FolderStore(tmp_path / "before"), earlier, further=speed)
    definition = warm(tmp_path, {**CHAIN, "max_recommendations": 8, "sampler": name, "metrics": TWO})
    record, history = recorded(MemoryStore(), definition, further=speed)
    (search,) = definition.earlier
    (further,) = search.further
    assert (further.name, further.count) == ("speed", 12)
    assert further.measured[further.ranks.index(1.0)] == max(
        number for number in further.measured if number is not None
    )
    read = OpenedStudy.read(record).definition
    assert [one.to_json() for one in read.earlier] == [search.to_json()]
    assert [each.difference for each in Replay(record, read)] == [None] * len(history.decisions)
    other, _ = recorded(MemoryStore(), read, further=speed)
    keys = list(record.store.list("decisions/"))
    assert [other.store.get(key) for key in keys] == [record.store.get(key) for key in keys]
    reasons = [issued.reason for decision in history.decisions for issued in decision.issued]
    assert "among the best of an earlier search" in reasons[2]
    assert any("before counts with a weight of" in reason for reason in reasons[3:])


def test_a_history_of_the_first_metric_alone_serves_it_and_one_without_it_is_refused(before: Path) -> None:
    (search,) = warm(before, {**CHAIN, "metrics": TWO}).earlier
    assert search.further[0].count == 0
    assert search.left_out == ("speed is measured in none of 12 trials that fit",)
    with pytest.raises(StudyFileError, match="searches for loss") as error:
        warm(before, {**CHAIN, "metrics": TWO[::-1]})
    assert error.value.allowed == "a study that searches for speed"


def test_the_best_of_the_earlier_search_follows_when_the_first_results_agree(before: Path) -> None:
    definition = warm(before)
    _, history = recorded(MemoryStore(), definition)
    first, second, third = (issued for decision in history.decisions[:3] for issued in decision.issued)
    assert first.values == definition.space.defaults()
    assert "that fills the space evenly" in second.reason
    assert third.values == definition.earlier[0].best_first[0]
    assert (
        "among the best of an earlier search; earlier search: before has no say, but its best are tried" in third.reason
    )
    later = history.decisions[4].issued[0]
    assert "it ranks the 4 results with a correlation of" in later.reason


def test_its_trials_are_no_results(before: Path) -> None:
    definition = warm(before, {**CHAIN, "final": {"repeats": 0}})
    # nothing here comes near the values of the earlier search, and still the best is one of this study
    record, history = recorded(MemoryStore(), definition, loss=lambda asked, _epoch: 100 + asked.values["train.lr"])
    best = summary.best(definition, history)
    assert best is not None
    assert best.value is not None
    assert best.value > 100 > max(definition.earlier[0].measured)
    assert [experiment.number for experiment in OpenedStudy.read(record).experiments()] == list(range(6))
    assert history.decisions[0].issued[0].number == DEFAULTS


def test_a_study_goes_on_with_what_was_copied_whatever_has_become_of_the_source(before: Path) -> None:
    definition = warm(before)
    record, _ = recorded(MemoryStore(), definition, decisions=2)
    written = record.store.get(METADATA)
    unread = replace(definition, earlier=())
    again = begin(record, unread, "").definition
    assert again.earlier[0].to_json() == definition.earlier[0].to_json()
    changed = replace(definition, earlier=(replace(definition.earlier[0], ranks=definition.earlier[0].ranks[::-1]),))
    walk(record, begin(record, changed, "").definition)
    assert record.store.get(METADATA) == written
    alone, _ = recorded(MemoryStore(), definition)
    for key in alone.store.list("decisions/"):
        assert alone.store.get(key) == record.store.get(key)


def test_another_source_is_another_study(before: Path) -> None:
    record, _ = recorded(MemoryStore(), warm(before), decisions=1)
    with pytest.raises(StudyFileError, match="another warm_start"):
        begin(record, study({**CHAIN, "warm_start": ["elsewhere"]}), "")
    with pytest.raises(StudyFileError, match="another"):
        begin(record, study(CHAIN), "")


def test_a_study_does_not_begin_before_its_sources_are_read() -> None:
    store = MemoryStore()
    with pytest.raises(StudyFileError, match="1 sources, and 0 were read"):
        begin(Record(store), study({**CHAIN, "warm_start": ["before"]}), "")
    assert list(store.list("")) == []


def test_older_versions_refuse_the_record_and_one_without_it_is_as_before(before: Path) -> None:
    warm_record, _ = recorded(MemoryStore(), warm(before), decisions=1)
    plain_record, _ = recorded(MemoryStore(), study(CHAIN), decisions=1)
    formats = [strict_json.load(r.store.get(METADATA) or b"", "")["format"] for r in (warm_record, plain_record)]
    assert formats == [3, 2]
    assert b"warm_start" not in (plain_record.store.get(METADATA) or b"")


def test_a_copy_that_was_edited_is_noticed(before: Path) -> None:
    record, _ = recorded(MemoryStore(), warm(before), decisions=1)
    data = strict_json.load(record.store.get(METADATA) or b"", "")
    data["earlier"][0]["ranks"][0] = 0.125
    record.store.put(METADATA, strict_json.dump(data))
    with pytest.raises(RecordError, match="does not match its sha256"):
        OpenedStudy.read(record)


@pytest.mark.parametrize(
    ("settings", "problem", "advice"),
    [
        (
            {"algorithm": "hyperband"},
            "sampler: neighbours, the usual one of algorithm: hyperband",
            "set sampler: process",
        ),
        (
            {**CHAIN, "sampler": "scikit_optimize"},
            "sampler: scikit_optimize, which cannot learn",
            "set sampler: portfolio",
        ),
        (RANDOM, "sampler: uniform", "use algorithm: bayesian"),
        ({"automl_enabled": False}, "trains once", "leave it out"),
        ({**CHAIN, "warm_start": ["x", "x"]}, "x is given twice", "keep one"),
        (
            {**HYPERBAND_9, "metrics": TWO, "sampler": "nsga2"},
            "sampler: nsga2, which cannot learn",
            "set sampler: process",
        ),
    ],
)
def test_what_cannot_learn_from_it_refuses_it(settings: dict[str, Any], problem: str, advice: str) -> None:
    with pytest.raises(StudyFileError) as error:
        study({"warm_start": ["x"], **settings})
    assert problem in error.value.given
    assert advice in error.value.advice


def test_the_copy_says_how_much_of_which_source_is_used(before: Path) -> None:
    (search,) = warm(before).earlier
    assert isinstance(search, EarlierSearch)
    assert search.words == "12 of 12 trials of before (a study), with train.lr"
