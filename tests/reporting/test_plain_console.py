"""No command takes the text of a user or a program for markup: brackets and colons arrive as they were written."""

from __future__ import annotations

import ast
import io
from pathlib import Path

import pytest

import automl as package
import workflows
from automl.execution.local_runner import LocalRun
from automl.reporting.plain_console import plain_console
from automl.reporting.terminal.live_view import LiveView
from automl.stores import open_store
from automl.study import study_file
from automl.study.opened_study import begin
from automl.study.record import Record
from tests.command_line import automl
from tests.small_network import write_small_network

TEXTS = (
    "cannot read image [/data/img.png]",
    "torch is not installed; pip install 'argo-automl[torch]'",
    "[red]it is lost[/red] [/]",
    ":bug: [link=https://example.org]here",
    "a[0] = [1, 2] [bold",
)
SAYS = "import sys; sys.exit(sys.argv[3])"
ROOMS = (package, workflows)
SOURCES = [path for room in ROOMS for folder in room.__path__ for path in sorted(Path(folder).rglob("*.py"))]


def write_failing_study(folder: Path, text: str) -> Path:
    """A study of two experiments, both of which fail with this text."""
    write_small_network(folder)
    (folder / "small.py").write_text(SAYS)
    network = (folder / "small.yaml").read_text()
    quoted = text.replace("'", "''")
    (folder / "small.yaml").write_text(network.replace('"{results}"]', f"\"{{results}}\", '{quoted}']"))
    path = folder / "study.yaml"
    study = "name: study\nnetwork: small.yaml\nalgorithm: random\nmax_recommendations: 2\nfinal: {repeats: 0}\n"
    path.write_text(study)
    return path


@pytest.mark.parametrize("text", TEXTS)
def test_a_program_may_say_what_it_likes(tmp_path: Path, text: str) -> None:
    write_failing_study(tmp_path, text)
    ran = automl("run", "study.yaml", "-j", "1", cwd=tmp_path)
    assert ran.code == 5, ran.err
    assert text in ran.out
    for command in ("status", "report"):
        shown = automl(command, "study.yaml", cwd=tmp_path)
        assert (shown.code, text in " ".join(shown.out.split())) == (0, True), command
    shown = automl("why", "study.yaml", "0", cwd=tmp_path)
    assert text in " ".join(shown.out.split())


@pytest.mark.parametrize("text", TEXTS)
def test_the_table_of_a_terminal_shows_it_too(tmp_path: Path, text: str) -> None:
    path = write_failing_study(tmp_path, text)
    definition = study_file.read(path)
    record, definition = begin(Record(open_store(str(tmp_path / "store"))), definition, "a study\n")
    screen = io.StringIO()
    view = LiveView(definition, plain_console(file=screen, force_terminal=True, width=200, height=50), 1)
    with view.shown(), pytest.raises(Exception, match="succeeded"):
        LocalRun(record, definition, 1, tmp_path / "work", view).run()
    assert "failed" in screen.getvalue()


def test_an_error_names_what_was_given_as_it_was_given(tmp_path: Path) -> None:
    ran = automl("plan", "[/data]:bug:.yaml", cwd=tmp_path)
    assert (ran.code, "[/data]:bug:.yaml" in ran.err) == (2, True)


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: path.stem)
def test_every_console_is_made_by_the_one_door(path: Path) -> None:
    """And nothing parses markup by itself: a status line, for one, does with a plain `str`."""
    tree = ast.parse(path.read_text())
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call)]
    names = {call.func.id if isinstance(call.func, ast.Name) else getattr(call.func, "attr", "") for call in calls}
    door = {"Console"} if path.stem != "plain_console" else set()
    assert not names & ({"from_markup", "Spinner"} | door)
