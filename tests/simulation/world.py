"""A world in which everything can go wrong: one store, and walkers that die, wait, or lose an answer at any operation.

What runs in it is the real thing (LocalRun, Record, propose, stage_in, Observer, salvage, views) over a MemoryStore,
with the tiny training program walked in this process. Every operation of a walker on its store, and every step of its
trainings, is a point: it is counted, and a fault can be put there. While it runs the world checks what must hold at
every moment.
"""

from __future__ import annotations

import hashlib
import random
import re
import shutil
import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from automl.errors import Interrupted, StoreError
from automl.execution import local_runner
from automl.execution.steps.stage_in import Launch
from automl.search.history import History
from automl.stores.base import Keys, Store
from automl.stores.memory import MemoryStore
from automl.study.definition import Definition
from automl.study.opened_study import begin
from automl.study.record import Record
from automl.text import strict_json
from automl.training import load_spec
from tests.simulation.least_squares import Exit, train

T = TypeVar("T")

ONCE = re.compile(r"decisions/.*|results/.*|ends/.*|automl_metadata\.json|study\.yaml")
ATTEMPT = re.compile(r"experiment_\d+/rung_\d+/([^/]+)/.+")
MANIFEST = re.compile(r"experiment_\d+/rung_\d+/[^/]+/checkpoints/\d+/manifest\.json")
WRITES = ("create", "put", "delete")


class Killed(BaseException):
    """The walker is dead: nothing that it does reaches the world any more."""


@dataclass(frozen=True)
class Point:
    """An operation on the store, or a step of a training."""

    operation: str
    key: str


Fault = Callable[["Walker", Point], str]  # what happens at a point: "" or the name of a fault
Look = Callable[["Walker"], None]  # called after everything that changes the world


def _nothing(_walker: Walker) -> None:
    """Looks away."""


class Baton:
    """Lets one of several threads go on at a time, drawn anew at every point: the same seed, the same interleaving."""

    def __init__(self, rng: random.Random, count: int) -> None:
        self._rng, self._alive, self._turn = rng, list(range(count)), 0
        self._changed = threading.Condition()

    def pass_on(self, me: int) -> None:
        """Returns when it is `me` that goes on."""
        with self._changed:
            self._turn = self._rng.choice(self._alive)
            self._changed.notify_all()
            self._changed.wait_for(lambda: self._turn == me)

    def run(self, me: int, walk: Callable[[], object]) -> None:
        """Does `walk`, from its first turn on."""
        with self._changed:
            self._changed.wait_for(lambda: self._turn == me)
        try:
            walk()
        finally:
            with self._changed:
                self._alive.remove(me)
                if self._alive:
                    self._turn = self._rng.choice(self._alive)
                self._changed.notify_all()


@dataclass
class World:
    """What outlives a walker. folder: for the machines' work; a walker of another machine sees another one."""

    definition: Definition
    folder: Path
    fault: Fault = lambda _walker, _point: ""
    alone: bool = False  # one walker after the other: no view may say less than the record
    look: Look = _nothing
    objects: MemoryStore = field(default_factory=MemoryStore)
    points: list[Point] = field(default_factory=list)
    once: dict[str, bytes] = field(default_factory=dict)
    machine_of: dict[str, str] = field(default_factory=dict)  # attempt -> where it trains
    trained: Counter[tuple[int, int]] = field(default_factory=Counter)  # (experiment, epoch)
    in_flight: Counter[tuple[int, int]] = field(default_factory=Counter)  # the same, when a walker died or was stopped
    walkers: int = 0

    def walk(self, machine: str = "here") -> History:
        """One walker, from its start to whatever end. Raises what LocalRun raises, and Killed."""
        self.walkers += 1
        return Walker(self, machine).walk()

    def walk_to_the_end(self, machine: str = "here") -> History:
        """Starts walkers until one reaches the end, as a user or Argo would."""
        for _ in range(60):
            try:
                return self.walk(machine)
            except (Killed, StoreError, Interrupted):
                continue
        raise AssertionError("the study does not end")


class Walker:
    """One process that runs the study."""

    def __init__(self, world: World, machine: str) -> None:
        self.world, self.machine, self.dead = world, machine, False
        self.trainings: list[SteppedTraining] = []
        self.run = local_runner.LocalRun(
            Record(WalkerStore(self)), world.definition, 2, self.folder, lambda _event: None, self._start
        )

    def walk(self) -> History:
        begin(self.run.record, self.world.definition, "a study\n")
        return self.run.run()

    def _start(self, launch: Launch, _jobs: int) -> SteppedTraining:
        training = SteppedTraining(self, launch)
        self.world.machine_of[launch.attempt] = self.machine
        self.trainings.append(training)
        return training

    def meet(self, point: Point) -> str:
        """Counts the point. Raises Killed or StoreError; returns a fault that is due after the operation."""
        if self.dead:
            raise Killed
        self.world.points.append(point)
        fault = self.world.fault(self, point)
        if fault == "burn":
            shutil.rmtree(self.folder, ignore_errors=True)
        if fault in {"crash", "burn"}:
            self.kill()
        if fault == "refused":
            raise StoreError(f"{point.operation} {point.key}: 503, said by the simulation")
        if fault == "interrupt":
            self.run._stopped = True  # what its signal handler does
        if fault == "pause":  # it sleeps while another machine does all the work, and goes on as if nothing had been
            self.world.walk_to_the_end(f"machine-{self.world.walkers}")
        return fault

    def kill(self) -> None:
        """The runner dies, and its trainings with it."""
        for training in self.trainings:
            training.close()
        self.dead = True
        raise Killed

    @property
    def folder(self) -> Path:
        """What its machine keeps."""
        return self.world.folder / self.machine

    def in_flight(self) -> list[tuple[int, int]]:
        """The (experiment, epoch) that its trainings have in hand: trained, and not yet saved and reported."""
        active = [each for each in self.trainings if each.code is None and each.unfinished]
        return [(each.experiment, each.unfinished) for each in active]


class SteppedTraining:
    """The training program in this process: one step of it a poll."""

    def __init__(self, walker: Walker, launch: Launch) -> None:
        self.walker, self.launch = walker, launch
        argv = launch.argv
        self.spec = load_spec(argv[argv.index("--spec") + 1])
        self.experiment = int(load_spec(launch.folder / "attempt.json")["recommendation"]["number"])
        self.code: int | None = None
        self.stopping = False
        self.unfinished = 0  # the epoch that is trained and not yet saved and reported; a diverged one is never saved
        results = Path(argv[argv.index("--results") + 1])
        self.steps: Iterator[str] = train(self.spec, results, self._log, lambda: self.stopping)

    def poll(self) -> int | None:
        if self.code is None:
            self.walker.meet(Point("train", self.launch.attempt))
            self._step()
        return self.code

    def signal(self, number: int) -> None:
        if number == signal.SIGKILL:
            self.end(-number)
        self.stopping = True

    def close(self) -> None:
        self.end(-signal.SIGKILL)

    def end(self, code: int) -> None:
        if self.code is None:
            self.code = code
            if self.unfinished:
                self.walker.world.in_flight[self.experiment, self.unfinished] += 1

    def _step(self) -> None:
        try:
            what, _, epoch = next(self.steps).partition(" ")
        except StopIteration:
            self.end(0)
        except Exit as end:
            self.end(end.code)
        except (ValueError, OSError) as error:  # as Python does: a traceback and exit code 1
            self._log(f"{type(error).__name__}: {error}")
            self.end(1)
        else:
            if what == "trained":
                self.unfinished = int(epoch)
                self.walker.world.trained[self.experiment, int(epoch)] += 1
            elif what == "reported":
                self.unfinished = 0
        self.walker.world.look(self.walker)

    def _log(self, text: str) -> None:
        with self.launch.log.open("a") as file:
            file.write(f"{text}\n")


class WalkerStore:
    """The store as one walker sees it."""

    def __init__(self, walker: Walker) -> None:
        self.walker, self.world, self.objects = walker, walker.world, walker.world.objects

    @property
    def uri(self) -> str:
        return self.objects.uri

    def get(self, key: str) -> bytes | None:
        return self._do("get", key, lambda: self.objects.get(key))

    def fetch(self, key: str, to: Path) -> bool:
        return self._do("fetch", key, lambda: self.objects.fetch(key, to))

    def list(self, prefix: str) -> Keys:
        return self._do("list", prefix, lambda: self.objects.list(prefix))

    def create(self, key: str, data: bytes) -> bytes:
        return self._do("create", key, lambda: self.objects.create(key, data))

    def put(self, key: str, data: bytes | Path) -> None:
        return self._do("put", key, lambda: self.objects.put(key, data))

    def delete(self, key: str) -> None:
        return self._do("delete", key, lambda: self.objects.delete(key))

    def _do(self, operation: str, key: str, call: Callable[[], T]) -> T:
        fault = self.walker.meet(Point(operation, key))
        answer = call()
        if operation in WRITES:
            check_write(self.world, self.walker, operation, key)
            self.world.look(self.walker)
        if fault == "crash after":
            self.walker.kill()
        if fault == "lost":
            raise StoreError(f"{operation} {key}: no answer, said by the simulation")
        return answer


def check_write(world: World, walker: Walker, operation: str, key: str) -> None:
    """What must hold after every write. Raises AssertionError."""
    now = world.objects.get(key)
    if ONCE.fullmatch(key):
        assert operation == "create", f"{key} is created once, and was {operation}"
        assert world.once.setdefault(key, now or b"") == now, f"{key} was overwritten"
    else:
        assert operation != "create", f"{key} is not one of the objects that are created once"
    attempt = ATTEMPT.fullmatch(key)
    if attempt:
        assert world.machine_of.setdefault(attempt[1], walker.machine) == walker.machine, (
            f"{key} was written by another attempt"
        )
    elif operation == "delete" and not key.startswith("best_model/"):  # which may become that of another training
        raise AssertionError(f"{key} was deleted")
    if MANIFEST.fullmatch(key) and now is not None:
        check_checkpoint(world.objects, key)
    elif "/checkpoints/" in key and (manifest := f"{key.rpartition('/')[0]}/manifest.json") in (
        keys := world.objects.list(manifest)
    ):
        check_checkpoint(world.objects, keys[0])
    if key == "best_model/manifest.json" and now is not None:
        for file in strict_json.load(now, key)["files"]:
            check_file(world.objects, f"best_model/{file['name']}", file)
    if key in {"brain.json", "controller.json"}:
        check_view(world, key, strict_json.load(now or b"", key))


def check_view(world: World, key: str, said: Any) -> None:
    """It can be read, and says all that the record holds just then."""
    if key == "brain.json":
        places = [(each["stage"], each["index"]) for each in said["decisions"]]
        assert places == sorted(places), "brain.json is not in order"
        folder = "decisions"
    else:
        places = [(row["number"], each["rung"]) for row in said["experiments"] for each in row["results"]]
        folder = "results"
    shown = {f"{folder}/{one}/{other}.json" for one, other in places}
    assert not world.alone or shown == set(world.objects.list(f"{folder}/")), f"{key} says less than the record"


def check_checkpoint(objects: Store, manifest: str) -> None:
    """A manifest stands: so do its files, whole."""
    said = strict_json.load(objects.get(manifest) or b"", manifest)
    for place, file in enumerate(said["files"]):
        check_file(objects, f"{manifest.rpartition('/')[0]}/{place}", file)


def check_file(objects: Store, key: str, said: dict[str, object]) -> None:
    data = objects.get(key)
    assert data is not None, f"{key} is missing and its manifest stands"
    assert hashlib.sha256(data).hexdigest() == said["sha256"], f"{key} does not match its manifest"


def contents(world: World) -> dict[str, bytes]:
    """All objects of the world's store."""
    return {key: world.objects.get(key) or b"" for key in world.objects.list("")}
