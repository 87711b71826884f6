"""Checkpoints are removed that nothing needs any more, and never one that a study needs, whenever that is asked."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from automl.execution import local_runner
from automl.opening import open_study
from automl.operations import garbage_collection
from automl.operations.verify import verify
from automl.stores.folder import FolderStore
from automl.study import study_file
from automl.study.events import Event
from automl.study.keys import decision_key
from automl.study.opened_study import OpenedStudy, begin
from automl.study.record import Record
from tests.command_line import BETTER, automl, files_below, refused
from tests.small_network import write_small_study

WIDE = "name: study\nnetwork: small.yaml\nsampler: uniform\nR: 9\nmax_epochs: 9\nfinal: {repeats: 1}\n"


def as_json(*command: str, cwd: Path) -> Any:
    ran = automl(*command, "-o", "json", cwd=cwd)
    assert (ran.code, ran.err) == (0, "")
    return json.loads(ran.out)


def manifests(study: Path) -> set[str]:
    return {
        path.relative_to(study).as_posix() for path in study.glob("experiment_*/rung_*/*/checkpoints/*/manifest.json")
    }


def test_nothing_is_removed_before_it_is_said_so(copy: Path) -> None:
    before = files_below(copy)
    found = as_json("gc", "study.yaml", cwd=copy)
    assert (found["removed"], found["remove"]["checkpoints"] > 0) == (False, True)
    assert "nothing was removed. To do it: automl gc study.yaml --yes" in automl("gc", "study.yaml", cwd=copy).out
    assert files_below(copy) == before


def test_only_what_is_listed_goes_and_every_command_still_works(copy: Path) -> None:
    study = copy / "study"
    before = files_below(study)
    found = as_json("gc", "study", cwd=copy)
    done = as_json("gc", "study", "--yes", cwd=copy)
    assert {**done, "removed": False} == found
    after = files_below(study)
    gone = {name for name, data in before.items() if data and name not in after}
    assert gone == set(found["objects"])
    assert all("/checkpoints/" in name for name in gone)
    assert {name for name in after if name not in before} == {"gc", "gc/0.json"}
    assert as_json("gc", "study", "--yes", cwd=copy)["remove"]["checkpoints"] == 0
    for command in ("replay study", "report study.yaml", "rebuild study", "best study", "run study.yaml"):
        assert automl(*command.split(), cwd=copy).code == 0, command
    checked = as_json("verify", "study", cwd=copy)
    assert (checked["problems"], checked["notes"]) == ([], [])
    assert checked["checked"]["removed by gc"] == found["remove"]["checkpoints"]
    assert json.loads(after["gc/0.json"])["keep"] == "best"


def test_what_the_best_and_the_judgement_have_stays(copy: Path) -> None:
    assert automl("gc", "study", "--yes", cwd=copy).code == 0
    best = as_json("best", "study", cwd=copy)["experiment"]
    kept = {int(name.partition("/")[0].removeprefix("experiment_")) for name in manifests(copy / "study")}
    assert kept == {best, 3, 4}


def test_the_newest_of_every_experiment_can_be_kept(copy: Path) -> None:
    found = as_json("gc", "study", "--keep", "last", "--yes", cwd=copy)
    named = {reason["reason"] for reason in found["stay"]["by_reason"]}
    assert named == {garbage_collection.BEST, garbage_collection.JUDGED, garbage_collection.WANTED}
    for number in range(5):
        newest = sorted((copy / "study" / f"results/{number}").iterdir())[-1]
        assert json.loads(newest.read_text())["last"]["manifest"] in manifests(copy / "study")


def test_the_best_of_a_number_of_experiments_can_be_kept(copy: Path) -> None:
    few, all_of_them = (as_json("gc", "study", "--keep", number, cwd=copy) for number in ("2", "3"))
    assert few["remove"]["checkpoints"] == 1
    assert all_of_them["remove"]["checkpoints"] == 0


def test_what_was_lost_is_still_missed(copy: Path) -> None:
    assert automl("gc", "study", "--yes", cwd=copy).code == 0
    lost = sorted(manifests(copy / "study"))[0]
    (copy / "study" / lost).unlink()
    ran = automl("verify", "study", "-o", "json", cwd=copy)
    assert ran.code == 1
    assert lost in {each["object"] for each in json.loads(ran.out)["problems"]}


def test_a_removal_that_was_cut_off_goes_on(copy: Path) -> None:
    record, definition = opened(copy)
    doomed = garbage_collection.survey(record, definition, garbage_collection.Keep())
    first = next(garbage_collection.remove(record, doomed, "best"))
    record.store.put(first.objects[-1], b"what is left when it is cut off between the objects of a checkpoint")
    assert as_json("verify", "study", cwd=copy)["whole"]
    found = as_json("gc", "study", "--yes", cwd=copy)
    assert first.objects[-1] in found["objects"]
    assert {each["reason"] for each in found["remove"]["by_reason"]} == {
        garbage_collection.TORN,
        garbage_collection.STOPPED,
    }
    assert as_json("verify", "study", cwd=copy)["whole"]


def test_a_damaged_checkpoint_is_left_for_verify(copy: Path) -> None:
    record, definition = opened(copy)
    doomed = next(
        each for each in garbage_collection.survey(record, definition, garbage_collection.Keep()) if not each.kept
    )
    record.store.put(doomed.manifest, b"{")
    found = as_json("gc", "study", "--yes", cwd=copy)
    assert doomed.manifest not in found["objects"]
    assert garbage_collection.DAMAGED in {each["reason"] for each in found["stay"]["by_reason"]}


def test_a_damaged_list_of_what_was_removed_is_named(copy: Path) -> None:
    (copy / "study/gc").mkdir()
    (copy / "study/gc/0.json").write_text('{"format": 1}')
    ran = automl("verify", "study", "-o", "json", cwd=copy)
    assert ran.code == 1
    assert "gc/0.json does not hold what it should" in ran.out


@pytest.mark.parametrize("keep", ["worst", "0", "-1", "1.5", "9999999999"])
def test_a_policy_that_is_none_is_refused(keep: str, copy: Path) -> None:
    before = files_below(copy)
    refused(
        automl("gc", "study", f"--keep={keep}", "--yes", cwd=copy), "--keep", "best, last, or a number of experiments"
    )
    assert files_below(copy) == before


def test_a_study_under_way_never_misses_what_was_removed(tmp_path: Path, quick_runner: None) -> None:
    """At every event of a run all that can be removed is; decisions and outcomes are those of a run left alone."""
    for name in ("alone", "swept"):
        (tmp_path / name).mkdir()
        write_small_study(tmp_path / name, BETTER, study=WIDE)
    assert automl("run", "study.yaml", "-j", "2", cwd=tmp_path / "alone").code == 0
    text = (tmp_path / "swept/study.yaml").read_text()
    definition = study_file.parse(text, "study.yaml", tmp_path / "swept")
    record = Record(FolderStore(tmp_path / "swept/study"))
    begin(record, definition, text)
    removed: list[garbage_collection.Found] = []

    def sweep(event: Event) -> None:
        if event.kind in {"settled", "started", "decided"}:
            found = garbage_collection.survey(record, definition, garbage_collection.Keep())
            removed.extend(garbage_collection.remove(record, found, "best"))

    local_runner.LocalRun(record, definition, 2, tmp_path / "work", sweep).run()
    assert removed
    assert verify(OpenedStudy.read(record), lambda _: None).is_whole
    alone = Record(FolderStore(tmp_path / "alone/study"))
    for stage in definition.plan.stages:
        for rung in stage.rungs:
            key = decision_key(stage.index, rung.index)
            assert record.store.get(key) == alone.store.get(key), key


def opened(folder: Path) -> OpenedStudy:
    return open_study(str(folder / "study"))
