"""Campaigns of faults against one study: each compares the ends with the undisturbed one and raises AssertionError."""

from __future__ import annotations

import random
import shutil
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from automl.study.definition import Definition
from automl.study.record import Record
from tests.simulation.crashes import State, check_end, states
from tests.simulation.world import Baton, Fault, Point, Walker, World

LIVE = ("crash", "crash after", "refused", "lost", "interrupt", "pause", "burn")


def no_fault(_walker: Walker, _point: Point) -> str:
    """Nothing goes wrong."""
    return ""


def kill_in_states(definition: Definition, folder: Path, chosen: Callable[[State], bool]) -> int:
    """Goes on from every chosen state that a kill can leave; gives their number."""
    undisturbed, found = states(definition, folder / "undisturbed")
    tried = [state for state in found if chosen(state)]
    for state in tried:
        world = state.revive(definition, folder / "again")
        try:
            world.walk_to_the_end()
            check_end(world, undisturbed)
        except AssertionError as error:
            raise AssertionError(f"killed in state {state.number}, after {state.after}: {error}") from error
        shutil.rmtree(world.folder)
    return len(tried)


def burn_machine(definition: Definition, folder: Path, step: int) -> int:
    """The same on another machine, which has the store alone: only what was not stored is trained again."""
    undisturbed, found = states(definition, folder / "undisturbed")
    for state in found[::step]:
        world = state.revive(definition, folder / "again", machine_lost=True)
        stored: Counter[int] = Counter()  # experiment -> newest epoch with a checkpoint
        for stage in definition.plan.stages:
            for number in range(stage.first, stage.first + stage.experiments):
                for rung in stage.rungs:
                    for checkpoint in Record(world.objects).checkpoints(number, rung.index):
                        stored[number] = max(stored[number], checkpoint.epoch)
        world.walk_to_the_end()
        check_end(world, undisturbed, trained_once=False, died=1)
        again = {(number, epoch) for (number, epoch), times in world.trained.items() if times > 1}
        assert all(epoch > stored[number] for number, epoch in again), f"state {state.number}: {again}, {stored}"
        shutil.rmtree(world.folder)
    return len(found[::step])


def one_fault(definition: Definition, folder: Path, kind: str, step: int) -> int:
    """One live fault at every `step`th point of a run; gives the number of runs."""
    undisturbed = World(definition, folder / "undisturbed")
    undisturbed.walk()
    places = range(LIVE.index(kind) % step, len(undisturbed.points), step)
    for at in places:

        def fault(walker: Walker, _point: Point, at: int = at) -> str:
            return kind if walker.world.walkers == 1 and len(walker.world.points) == at + 1 else ""

        world = World(definition, folder / f"{at}", fault)
        world.walk_to_the_end()
        try:
            check_end(world, undisturbed, trained_once=kind not in {"pause", "burn"})
            if kind == "interrupt":  # trainings are asked to stop and do: not one epoch is lost
                assert world.trained == undisturbed.trained, "an epoch was trained again after Ctrl-C"
        except AssertionError as error:
            raise AssertionError(f"{kind} at point {at}, {world.points[at]}: {error}") from error
        shutil.rmtree(world.folder)
    return len(places)


def random_faults(definition: Definition, undisturbed: World, folder: Path, seed: int) -> Counter[str]:
    """One run with many faults, all drawn from `seed`; gives their numbers by kind."""
    rng = random.Random(seed)  # noqa: S311 - chance, not a secret
    often, most = rng.choice([0.003, 0.01, 0.03]), rng.randrange(1, 25)
    seen: Counter[str] = Counter()

    def fault(walker: Walker, _point: Point) -> str:
        if seen.total() >= most or rng.random() >= often:
            return ""
        kind = rng.choice([each for each in LIVE if each != "pause" or walker.world.walkers < 6])
        seen[kind] += 1
        return kind

    world = World(definition, folder / f"{seed}", fault)
    try:
        world.walk_to_the_end()
        world.fault = no_fault
        world.walk("the last")  # a zombie may have had the last word in a view
        check_end(world, undisturbed, trained_once=False)
    except AssertionError as error:
        raise AssertionError(f"seed {seed}: {error}") from error
    shutil.rmtree(world.folder)
    return seen


def two_walkers(definition: Definition, folder: Path, seeds: int) -> None:
    """Two walkers on two machines that take turns at every point."""
    undisturbed = World(definition, folder / "undisturbed")
    undisturbed.walk()
    for seed in range(seeds):
        baton = Baton(random.Random(seed), 2)  # noqa: S311 - chance, not a secret
        world = World(definition, folder / f"{seed}", _taking_turns(baton))
        walks = [_Walk(world, baton, me) for me in range(2)]
        for walk in walks:
            walk.start()
        for walk in walks:
            walk.join()
        errors = [walk.error for walk in walks if walk.error is not None]
        assert not errors, f"seed {seed}: {errors}"
        check_end(world, undisturbed, trained_once=False)
        shutil.rmtree(world.folder)


def _taking_turns(baton: Baton) -> Fault:
    def fault(walker: Walker, _point: Point) -> str:
        baton.pass_on(int(walker.machine))
        return ""

    return fault


class _Walk(threading.Thread):
    """One of two walkers side by side."""

    def __init__(self, world: World, baton: Baton, me: int) -> None:
        super().__init__(daemon=True)
        self.world, self.baton, self.me = world, baton, me
        self.error: BaseException | None = None

    def run(self) -> None:
        try:
            self.baton.run(self.me, lambda: self.world.walk(str(self.me)))
        except BaseException as error:  # noqa: BLE001 - for the thread that asks
            self.error = error
