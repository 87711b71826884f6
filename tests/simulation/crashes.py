"""Every state that a crash can leave behind, what a new walker makes of it, and what must hold at the end."""

from __future__ import annotations

import os
import shutil
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import patch

from automl.analysis.epoch_ledger import epoch_ledger
from automl.execution import local_runner
from automl.operations.replay import Replay
from automl.operations.verify import verify
from automl.search.history import Result
from automl.search.plan import Resume
from automl.study import summary
from automl.study.definition import Definition
from automl.study.opened_study import OpenedStudy
from automl.study.outages import open_pause
from automl.study.record import Record
from automl.text import strict_json
from tests.simulation.world import MANIFEST, Point, Walker, World, check_checkpoint, contents

JOBS = 2  # trainings of a walker at a time


@contextmanager
def without_pauses() -> Iterator[None]:
    """LocalRun does not wait between two looks at its trainings."""
    with patch.object(local_runner, "time", SimpleNamespace(monotonic=time.monotonic, sleep=lambda _seconds: None)):
        yield


@dataclass(frozen=True)
class State:
    """What a kill leaves: the objects of the store, the files of the machine, and what had been trained.

    Nothing else survives, so two kills that leave the same state are one.
    """

    number: int
    after: Point  # what had just been done
    objects: dict[str, bytes]
    files: dict[str, tuple[bytes, int]]  # path below the machine's folder -> (bytes, time of the last change in ns)
    once: dict[str, bytes]
    machine_of: dict[str, str]
    trained: Counter[tuple[int, int]]
    in_flight: Counter[tuple[int, int]]

    def revive(self, definition: Definition, folder: Path, *, machine_lost: bool = False) -> World:
        """A world in this state, in which nobody walks."""
        world = World(definition, folder, alone=True)
        for key, data in self.objects.items():
            world.objects.put(key, data)
        world.once, world.machine_of = dict(self.once), dict(self.machine_of)
        world.trained, world.in_flight = Counter(self.trained), Counter(self.in_flight)
        for name, (data, changed) in () if machine_lost else self.files.items():
            path = folder / "here" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
            os.utime(path, ns=(changed, changed))
        return world


def states(definition: Definition, folder: Path) -> tuple[World, list[State]]:
    """The undisturbed world, and every state that its walker could have been killed in, in order."""
    found: list[State] = []
    world = World(definition, folder, alone=True)

    def look(walker: Walker) -> None:
        found.append(
            State(
                len(found),
                world.points[-1],
                contents(world),
                _files(folder / "here"),
                dict(world.once),
                dict(world.machine_of),
                Counter(world.trained),
                world.in_flight + Counter(walker.in_flight()),
            )
        )

    world.look = look
    world.walk()
    return world, found


def _files(folder: Path) -> dict[str, tuple[bytes, int]]:
    return {
        path.relative_to(folder).as_posix(): (path.read_bytes(), path.stat().st_mtime_ns)
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def check_end(world: World, undisturbed: World, *, trained_once: bool = True, died: int = 0) -> None:
    """The world ended as the undisturbed one did. Raises AssertionError.

    trained_once: no epoch was trained again unless it was in flight when its walker died.

    The ledger sums, and knows of every epoch but those that died with their walker before anybody read of them. `died`
    walkers did before the first of this world.

    Without a barrier the order of ends is chance and decides who goes on: there the study ended whole, its decisions
    are made again from what they say that they saw, and as much was trained.
    """
    _check_ledger(world, died)
    if any(stage.overlap for stage in world.definition.plan.stages):
        _check_end_without_barrier(world, undisturbed, trained_once=trained_once)
        return
    mine, theirs = contents(world), contents(undisturbed)
    assert _once(mine) == _once(theirs)
    for key in theirs:
        told = key.endswith(("log.txt", "status.json"))  # every attempt has told of itself; see _check_logs
        if not told and (key == "brain.json" or key.startswith(("decisions/", "recommendation_", "best_model/"))):
            assert mine.get(key) == theirs[key], f"{key} differs"
    assert _without_seconds(mine["controller.json"]) == _without_seconds(theirs["controller.json"])
    _check_results(world, mine, theirs)
    for key in mine:
        if MANIFEST.fullmatch(key):
            check_checkpoint(world.objects, key)
    _check_logs(mine)
    if trained_once:
        assert set(world.trained) == set(undisturbed.trained)
        _check_trained_once(world)


def _check_ledger(world: World, died: int) -> None:
    opened = OpenedStudy.read(Record(world.objects))
    ledger = epoch_ledger(opened.record, opened.definition, opened.history(), open_pause(opened.record))
    assert ledger.under_way == ledger.to_come == 0
    assert ledger.planned == ledger.trained + ledger.lost + ledger.away
    assert min(ledger.away, ledger.lost, ledger.reused, *ledger.wasted.values(), 0) == 0
    if not world.trained:
        return  # nobody counted
    unknown = world.trained.total() - ledger.spent
    if world.definition.resume is Resume.STOP:
        died += 1  # no checkpoint tells of an epoch that was reported and not yet read at the kill of this state
    assert 0 <= unknown <= world.in_flight.total() + JOBS * (died + world.walkers - 1), f"{unknown} unknown: {ledger}"


def _check_trained_once(world: World) -> None:
    """Once in an experiment, or where each rung is trained anew once in every rung that has the epoch."""
    rungs: Counter[tuple[int, int]] = Counter()
    for stage in world.definition.plan.stages if world.definition.resume is Resume.NONE else ():
        for decision in Record(world.objects).history(world.definition).of_stage(stage.index):
            rungs.update((issued.number, epoch) for issued in decision.issued for epoch in range(1, issued.epochs + 1))
    if world.definition.resume is Resume.STOP:  # without a checkpoint, each walker and each preemption begins anew
        assert max(world.trained.values()) <= 2 + world.walkers
        return
    again = {
        each: (times, world.in_flight[each])
        for each, times in world.trained.items()
        if times > max(1, rungs[each]) + world.in_flight[each]
    }
    assert not again, f"trained again without need (times, of them in flight at a kill): {again}"


def _check_end_without_barrier(world: World, undisturbed: World, *, trained_once: bool) -> None:
    record = Record(world.objects)
    definition = OpenedStudy.read(record).definition  # with the end of its search
    mine, study = contents(world), record.history(definition)
    assert summary.state(definition, study) == "done"
    different = [compared for compared in Replay(record, definition) if compared.difference is not None]
    assert not different, f"not what is decided: {different}"
    found = verify(OpenedStudy.read(record), lambda _part: None).findings
    assert not found.problems, found.problems
    theirs = Record(undisturbed.objects).history(definition)
    for stage in definition.plan.stages:
        runs, expected = ([run for each in one.of_stage(stage.index) for run in each.runs()] for one in (study, theirs))
        assert len(runs) == len({(issued.number, rung) for issued, rung in runs}), "a training was asked for twice"
        for rung in stage.rungs:
            sizes = [sum(at == rung.index for _, at in each) for each in (runs, expected)]
            assert sizes[0] <= rung.size
            if stage.ended is not None or (stage.stops and not rung.new):
                continue  # chance decides how much was asked for by then, or who was stopped
            assert sizes[0] == sizes[1], f"rung {rung.index} of stage {stage.name} trained {sizes[0]}, not {sizes[1]}"
    _check_results(world, mine, mine)
    for key in mine:
        if MANIFEST.fullmatch(key):
            check_checkpoint(world.objects, key)
    _check_logs(mine)
    if trained_once:
        _check_trained_once(world)


def _once(objects: Mapping[str, bytes]) -> set[str]:
    return {key for key in objects if key.startswith(("decisions/", "results/"))}


def _without_seconds(controller: bytes) -> Any:
    data = strict_json.load(controller, "controller.json")
    for experiment in data["experiments"]:
        for result in experiment["results"]:
            del result["seconds"]
    return data


def _result(objects: Mapping[str, bytes], key: str) -> Result:
    return Result.from_json(strict_json.load(objects[key], key), key)


def _check_results(world: World, mine: Mapping[str, bytes], theirs: Mapping[str, bytes]) -> None:
    """The same outcomes, and checkpoints that a next rung can go on from."""
    record = Record(world.objects)
    for key in (key for key in theirs if key.startswith("results/")):
        found, expected = _result(mine, key), _result(theirs, key)
        assert found.outcome() == expected.outcome(), f"{key} has another outcome"
        assert found.history == expected.history, f"{key} has another history"
        assert (found.last and found.last.epoch) == (expected.last and expected.last.epoch), key
        for checkpoint in filter(None, (found.last, found.best) if found.failure is None else ()):
            manifest = record.manifest(checkpoint.manifest)
            assert manifest is not None, f"{key} names {checkpoint.manifest}, which is not there"
            state = strict_json.load(mine[manifest.file_key(0)], checkpoint.manifest)
            assert state["trail"] == list(range(1, checkpoint.epoch + 1)), f"{checkpoint.manifest} holds {state}"


def _check_logs(mine: Mapping[str, bytes]) -> None:
    """An experiment's joined log and status lines tell of every epoch that its results count."""
    for experiment in strict_json.load(mine["controller.json"], "controller.json")["experiments"]:
        told = {epoch for epoch, _ in experiment["history"]}
        lines = mine.get(f"experiment_{experiment['number']}/status.json", b"").decode().splitlines()
        reported = {strict_json.load(line.encode(), "status.json").get("epoch") for line in lines}
        assert told <= reported, f"experiment {experiment['number']} has lost status lines: {told - reported}"


def scratch(folder: Path) -> Path:
    """An empty folder, in memory where the machine has such a place: thousands of runs write and forget."""
    shared = Path("/dev/shm")
    base = shared / f"automl-tests-{os.getpid()}" if shared.is_dir() else folder
    shutil.rmtree(base, ignore_errors=True)
    base.mkdir(parents=True)
    return base
