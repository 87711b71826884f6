"""Trainings that outlive their runner: found again and ended before another one starts, and nothing else is ended."""

from __future__ import annotations

import json
import os
import pty
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from automl.execution import leftovers
from automl.execution.leftovers import ATTEMPT_VARIABLE, PROCESS, Origin
from tests.simulation.runs import is_running, soon, wait

PROGRAM = """
import json, os, pathlib, signal, sys, time
spec, results = json.loads(pathlib.Path(sys.argv[1]).read_text()), pathlib.Path(sys.argv[2])
here = pathlib.Path(__file__).parent
if (here / "stubborn").exists():
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
journal = here / "journal"
with journal.open("a") as file:
    print("begins", spec["train"]["seed"], os.getpid(), file=file)
while not (here / "go").exists():
    time.sleep(0.05)
with (results / "status.json").open("a") as status:
    for epoch in range(1, spec["train"]["epochs"] + 1):
        (results / f"model_{epoch}.json").write_text("{}")
        print(json.dumps({"epoch": epoch, "kpi": {"score": spec["train"]["x"]}}), file=status, flush=True)
"""
NETWORK = """\
name: small
title: One that is started by a script
task: test
image: localhost/small:1
command: [sh, {script}, "{{spec}}", "{{results}}"]
spec_format: json
fields: {{epochs: train.epochs, seed: train.seed, resume_from: train.resume_from}}
metric: {{name: score, goal: maximize}}
checkpoints: {{pattern: "model_{{epoch}}.json"}}
epochs: 1
spec: {{train: {{epochs: 1, seed: 1, x: 0.5, resume_from: null}}}}
parameters: {{train.x: {{type: float, low: 0.0, high: 1.0, automl_enabled: true}}}}
"""
SLEEPS = (sys.executable, "-c", "import time; time.sleep(600)")
STUDY = "name: study\nnetwork: small.yaml\nalgorithm: random\nmax_recommendations: 1\nfinal: {repeats: 0}\n"
SCRIPTS = {  # ways in which a script starts a program that its own death does not end
    "without exec": "{python} {program} $1 $2",
    "in the background": "{python} {program} $1 $2 &\nwait",
    "two deep": "sh -c '{python} {program} '$1' '$2'; true'; true",
    "a session of its own": "setsid {python} {program} $1 $2 & wait",
    "a double fork": "(setsid {python} {program} $1 $2 &) ; until [ -s $2/status.json ]; do sleep 0.1; done",
    "without the environment": "env -i {python} {program} $1 $2; true",
}


def write_study(folder: Path, script: str) -> None:
    (folder / "small.py").write_text(PROGRAM)
    path = folder / "train.sh"
    path.write_text(script.format(python=sys.executable, program=folder / "small.py") + "\n")
    (folder / "small.yaml").write_text(NETWORK.format(script=path))
    (folder / "study.yaml").write_text(STUDY)


def started(folder: Path) -> list[int]:
    """The processes of all trainings that have begun."""
    journal = folder / "journal"
    return [int(line.split()[2]) for line in journal.read_text().splitlines()] if journal.exists() else []


def runner(folder: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        (sys.executable, "-m", "automl.cli", "run", "study.yaml", "-j", "1"),
        cwd=folder,
        text=True,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder for a study, of whose trainings nothing is left running."""
    yield tmp_path
    for pid in started(tmp_path):
        if is_running(pid):
            os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("kind", SCRIPTS)
def test_what_a_killed_runner_left_is_ended_before_the_same_command_trains_again(folder: Path, kind: str) -> None:
    write_study(folder, SCRIPTS[kind])
    first = runner(folder)
    assert soon(lambda: len(started(folder)) == 1)
    first.kill()
    first.communicate()
    (left,) = started(folder)
    second = runner(folder)
    assert soon(lambda: len(started(folder)) == 2), kind
    assert not is_running(left), "two trainings of one experiment at the same time"
    (folder / "go").touch()
    out, _ = second.communicate(timeout=60)
    assert second.returncode == 0, out
    assert out.count("an earlier run was killed and left a training behind: it was ended") == 1


@pytest.mark.parametrize(
    ("kind", "number"),
    [*((kind, signal.SIGHUP) for kind in SCRIPTS), ("without exec", signal.SIGTERM), ("without exec", signal.SIGINT)],
)
def test_a_runner_that_is_asked_to_stop_leaves_nothing_running(folder: Path, kind: str, number: int) -> None:
    write_study(folder, SCRIPTS[kind])
    first = runner(folder)
    assert soon(lambda: len(started(folder)) == 1)
    first.send_signal(number)
    out, _ = first.communicate(timeout=60)
    assert first.returncode == 130, out
    assert "stopped; 1 runs of the current rungs are left" in out
    assert not is_running(started(folder)[0])


def test_a_terminal_that_is_closed_stops_a_run_as_ctrl_c_does(folder: Path) -> None:
    write_study(folder, SCRIPTS["without exec"])
    pid, terminal = pty.fork()
    if not pid:
        os.chdir(folder)
        os.execv(sys.executable, (sys.executable, "-m", "automl.cli", "run", "study.yaml", "-j", "1"))  # noqa: S606
    assert soon(lambda: len(started(folder)) == 1)
    os.close(terminal)
    assert wait(pid, 40) == 130
    assert not is_running(started(folder)[0])


def test_a_program_that_hears_no_sigterm_is_killed_and_a_runner_may_be_killed_twice(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_study(folder, SCRIPTS["a session of its own"])
    (folder / "stubborn").touch()
    first = runner(folder)
    assert soon(lambda: len(started(folder)) == 1)
    first.kill()
    first.communicate()
    second = runner(folder)  # waits for the old one, which hears nothing
    time.sleep(2)
    second.kill()
    second.communicate()
    (left,) = started(folder)
    assert is_running(left)
    monkeypatch.setattr(leftovers, "GRACE_SECONDS", 0.3)
    cleared = leftovers.clear(folder / "study/.work/attempts")
    assert [str(left) in line for line in cleared.lines] == [True]
    assert soon(lambda: not is_running(left))


def test_two_runs_at_the_same_time_are_one_run_and_a_refusal(folder: Path) -> None:
    write_study(folder, SCRIPTS["without exec"])
    first = runner(folder)
    assert soon(lambda: len(started(folder)) == 1)
    second = runner(folder)
    out, _ = second.communicate(timeout=60)
    assert second.returncode == 2
    assert "is being run by another process" in out
    assert is_running(started(folder)[0])
    (folder / "go").touch()
    first.communicate(timeout=60)
    assert (first.returncode, len(started(folder))) == (0, 1)


# -- what is not ended ------------------------------------------------------------------------------------------------


def attempt_of(folder: Path, pid: int, change: Callable[[dict[str, object]], object]) -> Path:
    """The folder of an attempt whose file says that its training is this process, with something changed."""
    attempt = folder / "attempts" / "0123456789ab"
    attempt.mkdir(parents=True)
    leftovers.note(attempt, pid)
    content = json.loads((attempt / PROCESS).read_text())
    change(content)
    (attempt / PROCESS).write_text(json.dumps(content))
    return attempt


def quiet(attempt: Path) -> None:
    for path in (attempt / PROCESS, attempt):
        os.utime(path, (0, 0))


ELSEWHERE: dict[
    str, tuple[dict[str, object], bool, str]
] = {  # what the file says, whether the attempt is left alone, what is said
    "a number that is used again": ({"started": 1}, False, ""),
    "another start of this machine": ({"boot": "another"}, False, ""),
    "another container here": ({"namespace": "pid:[1]"}, False, "another container of this machine"),
    "another machine": ({"boot": "another", "host": "elsewhere"}, True, "another machine, elsewhere: it is left alone"),
    "a format of later": ({"format": 99}, False, ""),
    "no number": ({"pid": "text"}, False, ""),
}


@pytest.mark.parametrize("kind", ELSEWHERE)
def test_a_process_that_is_not_surely_ours_is_never_ended(tmp_path: Path, kind: str) -> None:
    change, alone, says = ELSEWHERE[kind]
    other = subprocess.Popen(SLEEPS, start_new_session=True)
    try:
        attempt = attempt_of(tmp_path, other.pid, lambda content: content.update(change))
        cleared = leftovers.clear(tmp_path / "attempts")
        assert other.poll() is None
        assert cleared.alone == ({attempt} if alone else frozenset())
        assert [says in line for line in cleared.lines] == ([True] if says else [])
        quiet(attempt)
        assert not leftovers.clear(tmp_path / "attempts").alone  # an hour later it may be removed
        assert other.poll() is None
    finally:
        other.kill()
        other.wait()


def test_the_same_process_is_ended_when_everything_is_right(tmp_path: Path) -> None:
    other = subprocess.Popen(SLEEPS, start_new_session=True)
    attempt_of(tmp_path, other.pid, lambda _content: None)
    cleared = leftovers.clear(tmp_path / "attempts")
    assert (other.wait(), cleared.alone) == (-signal.SIGTERM, frozenset())
    assert str(other.pid) in cleared.lines[0]


@pytest.mark.parametrize(("place", "ends"), [("attempts/abc", True), ("", False)])
def test_a_child_without_environment_of_a_dead_script_is_ours_where_it_works_in_the_attempt(
    tmp_path: Path, place: str, ends: bool
) -> None:
    attempt = tmp_path / "attempts" / "abc"
    attempt.mkdir(parents=True)
    command = "env -i sleep 600 </dev/null >/dev/null & echo $!; read line"
    with subprocess.Popen(
        ("/bin/sh", "-c", command),
        cwd=tmp_path / place,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as script:
        assert script.stdout is not None
        child = int(script.stdout.readline())
        leftovers.note(attempt, script.pid)
        script.communicate()  # it is dead
    try:
        assert leftovers.end("abc", leftovers.origin(attempt)) == ([child] if ends else [])
        assert is_running(child) is not ends
    finally:
        if is_running(child):
            os.kill(child, signal.SIGKILL)


def test_the_runner_itself_and_what_started_it_are_never_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    """A training may run a study of its own: then the inner runner has the outer attempt in its environment."""
    first = leftovers.Origin(os.getppid(), 0, "", "", "")
    assert leftovers.running("no such attempt", first) == []
    code = "from automl.execution import leftovers; print(len(leftovers.running('outer', None)))"
    inner = subprocess.run(
        (sys.executable, "-c", code),
        env={**os.environ, ATTEMPT_VARIABLE: "outer"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert inner.stdout == "0\n"


def test_where_nothing_is_known_of_processes_nothing_is_ended(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(leftovers, "_PROC", tmp_path / "none")
    assert leftovers.note(tmp_path, os.getpid()) is None
    assert not Origin(1, 1, "", "", "").is_here
    assert leftovers.running("attempt", Origin(1, 1, "", "", "")) == []
