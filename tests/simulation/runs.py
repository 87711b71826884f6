"""Runs of studies in processes of their own, and what is left of them."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable
from pathlib import Path

from automl.errors import AutoMLError
from automl.execution.local_runner import LocalRun
from automl.search.history import History
from automl.stores import open_store
from automl.study.definition import Definition
from automl.study.events import Event, Listener
from automl.study.opened_study import begin
from automl.study.record import Record
from tests.simulation.crashes import without_pauses
from tests.simulation.world import World

JOBS = 2
NO_FINAL = {"final": {"repeats": 0}}
BY_KEYBOARD = 77  # Ctrl-C before the runner listened for it, or for the second time


def trained(journal: Path) -> Counter[tuple[int, int]]:
    """(seed, epoch) -> how often that epoch of that experiment was trained."""
    lines = (line.split() for line in journal.read_text().splitlines())
    return Counter((int(seed), int(epoch)) for seed, epoch in lines)


def hear_nothing(_event: Event) -> None:
    """Listens to no event."""


def run(definition: Definition, place: str | Path, listener: Listener = hear_nothing) -> History:
    """`automl run` without its screen: the study lies at `place`, beside it the machine's folder."""
    record = Record(open_store(str(place)))
    begin(record, definition, "a study\n")
    work = Path(place) / ".work" if "://" not in str(place) else Path.cwd() / "work"
    return LocalRun(record, definition, JOBS, work, listener).run()


def objects(place: str | Path) -> dict[str, bytes]:
    store = open_store(str(place))
    return {key: store.get(key) or b"" for key in store.list("")}


def decisions(place: str | Path) -> dict[str, bytes]:
    return {key: data for key, data in objects(place).items() if key.startswith("decisions/")}


def simulated(definition: Definition, folder: Path) -> World:
    """The same study, walked in this process by the crash simulator."""
    world = World(definition, folder / "simulated")
    with without_pauses():
        world.walk()
    return world


def as_world(place: Path, definition: Definition) -> World:
    """What lies at `place`, for the simulator's checks."""
    world = World(definition, place)
    for key, data in objects(place).items():
        world.objects.put(key, data)
    return world


def forked(work: Callable[[], object]) -> int:
    """Does the work in a process of its own, a copy of this one; gives its id. Its exit code is what it raised."""
    pid = os.fork()
    if pid:
        return pid
    code = 99
    try:
        work()
        code = 0
    except AutoMLError as error:
        code = error.exit_code
    except KeyboardInterrupt:
        code = BY_KEYBOARD
    finally:
        os._exit(code)


def wait(pid: int, seconds: float) -> int | None:
    """The exit code (negative for a signal); None when it still runs after so long."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found, status = os.waitpid(pid, os.WNOHANG)
        if found:
            return os.waitstatus_to_exitcode(status)
        time.sleep(0.002)
    return None


def running_below(folder: Path) -> list[str]:
    """The command lines of all processes that were started with a path below the folder."""
    found = []
    for entry in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = entry.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except (FileNotFoundError, ProcessLookupError):
            continue  # it has ended meanwhile
        if f"{folder}/" in line:
            found.append(line)
    return found


def is_running(pid: int) -> bool:
    """Whether the process lives; one that has ended and was not waited for does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


def soon(holds: Callable[[], bool]) -> bool:
    end = time.monotonic() + 20
    while not holds():
        if time.monotonic() > end:
            return False
        time.sleep(0.005)
    return True
