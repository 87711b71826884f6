"""The live view of a run in a terminal."""

from __future__ import annotations

import io
import os
import re
import signal
from pathlib import Path

import pytest

from automl.errors import Interrupted
from automl.execution.local_runner import LocalRun
from automl.reporting.plain_console import plain_console
from automl.reporting.terminal.live_view import LiveView
from automl.stores import open_store
from automl.study import study_file
from automl.study.events import Event, EventKind
from automl.study.opened_study import begin
from automl.study.record import Record
from tests.small_network import write_small_study


def test_the_live_view_pins_the_best_and_says_how_to_stop(tmp_path: Path) -> None:
    """And once it was asked to stop, that it does, and what it waits for."""
    definition = study_file.read(write_small_study(tmp_path, "train_spec: {train.waits_at: [3]}\n"))
    record = Record(open_store(str(tmp_path / "store")))
    definition = begin(record, definition, "a study\n").definition
    screen = io.StringIO()
    view = LiveView(definition, plain_console(file=screen, force_terminal=True, width=90, height=40), 1, "the/store")
    seen = []

    def listener(event: Event) -> None:
        view(event)
        seen.append(event.kind)
        if event.kind is EventKind.STARTED and event.epoch:  # the promoted one, which waits
            os.kill(os.getpid(), signal.SIGINT)

    with view.shown(), pytest.raises(Interrupted):
        LocalRun(record, definition, 1, tmp_path / "work", listener).run()
    text = re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", screen.getvalue())
    before, _, after = text.partition("stopping (1 running)")
    assert "Ctrl-C stops safely" in before
    assert "Ctrl-C stops safely" not in after
    assert re.search(r"^best +\d+ +s=1 +(queued|running|promoted) +\d/3 +0\.\d{4} +0\.\d+ *$", text, flags=re.MULTILINE)
    assert "in the/store" in before
    assert " elapsed" in before
    assert EventKind.STOPPING in seen
