"""What a training has left running: its processes, found again, and ended when it was this machine that started them.

A runner that is killed outright ends nothing. Linux kills the program that it started (see launcher.py), but not what
that program started: a shell script without `exec`, loaders of data, a program that goes into the background. The
attempt's folder says which process it was, and every process that descends from it has the attempt in its environment.
A process is taken for one of them only when that is certain: by its environment; or in the group or session of the
first process, while that one lives and began when the file says, or when it is dead and the process works in the
attempt's folder or has a file of it open, as its log; or as a child of one of them. One that has emptied its
environment, left the session and closed the log is not found: only a control group of its own would tell, and who is
not root has none on most machines. All of it is of Linux: without /proc nothing is found, and nothing is ended.
"""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from automl.errors import RecordError
from automl.execution.plain_files import is_plain
from automl.search.formats import FORMAT, check_format
from automl.text import strict_json

ATTEMPT_VARIABLE = "AUTOML_RUNNING_ATTEMPT"  # of every process of a training: the name of its attempt
PROCESS = "process.json"  # in the attempt's folder
GRACE_SECONDS = 20.0  # from SIGTERM to SIGKILL
QUIET_SECONDS = 3600.0  # after which an attempt of another machine, in which no file changes, is over
_POLL_SECONDS = 0.1
_DEATH_SECONDS = 5.0  # that a process may take to die
_PROC = Path("/proc")


@dataclass(frozen=True)
class Process:
    """A process at one look. `started` is in ticks since the machine started, and tells a number that is used again."""

    pid: int
    parent: int
    group: int
    session: int
    started: int


@dataclass(frozen=True)
class Origin:
    """The first process of a training, and where it ran: `boot` and `namespace` together name a container in time."""

    pid: int
    started: int
    host: str
    boot: str
    namespace: str

    @property
    def is_here(self) -> bool:
        """Whether its number means a process here: same machine, same start of it, same container."""
        return (self.boot, self.namespace) == (_boot(), _namespace("self")) and "" not in {self.boot, self.namespace}

    @property
    def is_on_this_machine(self) -> bool:
        return self.boot == _boot() or self.host == socket.gethostname()


def note(folder: Path, pid: int) -> Origin | None:
    """Leaves in the attempt's folder which process its training is; None where the system does not say it."""
    process = _process(pid)
    if process is None:
        return None
    first = Origin(pid, process.started, socket.gethostname(), _boot(), _namespace("self"))
    with suppress(OSError):  # the program may have removed its folder by now; what is running is found without the file
        (folder / PROCESS).write_bytes(strict_json.dump({"format": FORMAT, **vars(first)}))
    return first


def origin(folder: Path) -> Origin | None:
    """What `note` left in the folder; None when there is nothing that can be read."""
    path = folder / PROCESS
    if not is_plain(path):  # to read a pipe could block
        return None
    try:
        content = strict_json.load(path.read_bytes(), str(path))
        check_format(content, str(path))
        texts = (str(content[name]) for name in ("host", "boot", "namespace"))
        return Origin(int(content["pid"]), int(content["started"]), *texts)
    except (OSError, RecordError, KeyError, TypeError, ValueError):
        return None


def running(attempt: str, first: Origin | None) -> list[Process]:
    """The processes of an attempt that run here, lowest number first."""
    processes = _processes()
    ours = _lineage(processes)
    found = {pid for pid in processes if pid not in ours and _is_marked(pid, attempt)}
    if first is not None and first.is_here:
        members = {pid for pid, process in processes.items() if first.pid in {process.group, process.session}}
        if (leader := processes.get(first.pid)) is None:  # its number may have been used again, by one that is dead too
            members = {pid for pid in members if processes[pid].started >= first.started and _is_in(pid, attempt)}
        elif leader.started != first.started:
            members = set()
        found |= members
    while more := {pid for pid, process in processes.items() if process.parent in found} - found:
        found |= more
    return [processes[pid] for pid in sorted(found - ours)]


def send(processes: Iterable[Process], number: int) -> list[int]:
    """Sends a signal to these processes; returns the numbers of those that it was sent to."""
    sent = []
    for process in processes:
        with suppress(OSError):  # it has just ended
            descriptor = os.pidfd_open(process.pid)
            try:
                now = _process(process.pid)
                if now is not None and now.started == process.started:  # the descriptor means this one and no later one
                    signal.pidfd_send_signal(descriptor, number)
                    sent.append(process.pid)
            finally:
                os.close(descriptor)
    return sent


def end(attempt: str, first: Origin | None) -> list[int]:
    """Ends the processes of an attempt that run here, first by SIGTERM; returns those that there were."""
    ended = send(running(attempt, first), signal.SIGTERM)
    until = time.monotonic() + GRACE_SECONDS
    while ended and time.monotonic() < until + _DEATH_SECONDS and (left := running(attempt, first)):
        if time.monotonic() >= until:
            send(left, signal.SIGKILL)
        time.sleep(_POLL_SECONDS)
    return ended


@dataclass(frozen=True)
class Cleared:
    """What became of the attempts that an earlier run left: one line for each that needs one, and those to leave alone.

    `alone` are the folders in which another machine may be training.
    """

    lines: tuple[str, ...] = ()
    alone: frozenset[Path] = frozenset()


def clear(attempts: Path) -> Cleared:
    """Ends what runs here of the attempts in this folder, whose runner is gone. What runs elsewhere is not touched."""
    lines: list[str] = []
    alone: set[Path] = set()
    for folder in sorted(attempts.iterdir()) if attempts.is_dir() else []:
        first = origin(folder)
        if ended := end(folder.name, first):
            numbers = ", ".join(map(str, ended))
            lines.append(f"an earlier run was killed and left a training behind: it was ended (process {numbers})")
        if first is None or first.is_here:
            continue
        if not first.is_on_this_machine:
            if time.time() - _changed(folder) < QUIET_SECONDS:
                alone.add(folder)
                lines.append(
                    f"{folder} was written to less than an hour ago on another machine, {first.host}: "
                    "it is left alone; remove it if nothing trains there any more"
                )
        elif first.boot == _boot():
            lines.append(
                f"a training was left behind in another container of this machine, {first.host}: "
                f"if that still runs, end process {first.pid} there"
            )
    return Cleared(tuple(lines), frozenset(alone))


def _changed(folder: Path) -> float:
    """When a file or folder in it was last changed, in seconds of UTC since 1970."""
    newest = 0.0
    for place, folders, files in os.walk(folder):
        for name in (".", *folders, *files):
            with suppress(OSError):
                newest = max(newest, (Path(place) / name).lstat().st_mtime)
    return newest


# -- /proc ------------------------------------------------------------------------------------------------------------


def _processes() -> dict[int, Process]:
    """Every process that runs here, by number; not those that have ended and wait for their parent."""
    numbers = [int(entry.name) for entry in _PROC.iterdir() if entry.name.isdigit()] if _PROC.is_dir() else []
    return {number: process for number in numbers if (process := _process(number)) is not None}


def _process(pid: int) -> Process | None:
    try:
        text = (_PROC / str(pid) / "stat").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return None
    fields = text.rpartition(")")[2].split()  # its name, in brackets before it, may hold anything
    if fields[0] in {"Z", "X"}:
        return None
    return Process(pid, int(fields[1]), int(fields[2]), int(fields[3]), int(fields[19]))


def _lineage(processes: Mapping[int, Process]) -> set[int]:
    """This process and those above it, which are never ended."""
    lineage: set[int] = set()
    pid = os.getpid()
    while pid in processes and pid not in lineage:
        lineage.add(pid)
        pid = processes[pid].parent
    return lineage | {os.getpid()}


def _is_marked(pid: int, attempt: str) -> bool:
    """Whether a process of ours, in our own container, has the attempt in its environment."""
    try:
        variables = (_PROC / str(pid) / "environ").read_bytes().split(b"\0")
    except OSError:  # of another user, or gone
        return False
    return f"{ATTEMPT_VARIABLE}={attempt}".encode() in variables and _namespace(str(pid)) == _namespace("self")


def _is_in(pid: int, attempt: str) -> bool:
    """Whether a process works in the attempt's folder, or has a file of it open."""
    process = _PROC / str(pid)
    try:
        links = [process / "cwd", *(process / "fd").iterdir()]
    except OSError:  # of another user, or gone
        return False
    paths = []
    for link in links:
        with suppress(OSError):  # closed meanwhile
            paths.append(link.readlink())
    return any(attempt in path.parts for path in paths)


def _namespace(pid: str) -> str:
    """The name of the process numbers that a process sees, which differs in every container; empty if unknown."""
    try:
        return str((_PROC / pid / "ns/pid").readlink())
    except OSError:
        return ""


def _boot() -> str:
    """What names this start of the machine; empty if unknown."""
    try:
        return (_PROC / "sys/kernel/random/boot_id").read_text(encoding="ascii").strip()
    except OSError:
        return ""
