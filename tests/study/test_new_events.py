"""What happens in a study that others carry out, seen in its record alone: here, copied object by object."""

from __future__ import annotations

from pathlib import Path

from automl.stores import Store, open_store
from automl.stores.memory import MemoryStore
from automl.study.new_events import RecordEvents
from automl.study.opened_study import OpenedStudy
from automl.study.record import Record
from tests.command_line import automl
from tests.small_network import write_small_study


def finished(folder: Path) -> Record:
    write_small_study(folder)
    assert automl("run", "study.yaml", "-j", "1", cwd=folder).code == 0
    return Record(open_store(str(folder / "study")))


def copy(source: Store, to: Store, prefix: str) -> None:
    for key in source.list(prefix):
        to.create(key, source.get(key) or b"")


def kinds(events: RecordEvents, *running: int) -> list[tuple[str, int | None]]:
    found = events.look(set(running))
    return [(each.kind, each.recommendation.number if each.recommendation else None) for each in found]


def test_a_whole_record_is_every_decision_and_every_result_once(tmp_path: Path) -> None:
    record = finished(tmp_path)
    definition = OpenedStudy.read(record).definition
    events = RecordEvents(record, definition)
    found = events.look(set())
    study = record.history(definition)
    assert found[-1].study == study
    assert [each.decision for each in found if each.kind == "decided"] == list(study.decisions)
    assert len([each for each in found if each.kind == "settled"]) == len(study.results)
    assert events.look(set()) == []


def test_a_training_is_seen_to_start_to_go_on_and_to_end(tmp_path: Path) -> None:
    whole = finished(tmp_path)
    definition = OpenedStudy.read(whole).definition
    store = MemoryStore("memory:events")
    events = RecordEvents(Record(store), definition)
    assert kinds(events) == []
    copy(whole.store, store, "decisions/0/0.json")
    assert kinds(events) == [("decided", None)]
    assert kinds(events, 0, 1) == [("started", 0), ("started", 1)]
    assert kinds(events, 0, 1) == []
    copy(whole.store, store, "experiment_0/rung_0/")  # its checkpoint
    seen = events.look({0, 1})
    assert [(each.kind, each.epoch) for each in seen] == [("epoch", 1)]
    assert seen[0].value == 0.5
    assert kinds(events, 0) == [("preempted", 1)]  # its pod is gone, and no result came
    copy(whole.store, store, "results/0/0.json")
    assert kinds(events, 0) == [("settled", 0)]  # before Argo has seen the end of its pod
    assert kinds(events, 0, 1) == [("started", 1)]
