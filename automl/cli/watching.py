"""`automl watch` of a study that runs on this machine: its record is read again and again until it has ended."""

from __future__ import annotations

import time

import typer

from automl.cli.output import Format, complain, print_data
from automl.errors import InvalidInput, StudyFailed
from automl.reporting.plain_console import plain_console

POLL_SECONDS = 0.5


def follow(study: str, *, logs: bool) -> None:
    """Shows a study on this machine until it has ended, or until nobody runs it; then its status.

    Raises InvalidInput for `logs`, StudyFailed when it has not come to its end, or nothing in it has succeeded.
    """
    from automl.analysis import status as statuses
    from automl.opening import open_study
    from automl.reporting.terminal import tables

    if logs:
        raise InvalidInput("--logs of a study on this machine", advice=f"'automl logs {study} EXPERIMENT' prints one")
    try:
        _follow(study)
    except KeyboardInterrupt:
        complain(f"stopped watching; the study continues. To see it again: automl watch {study}")
        raise typer.Exit(130) from None
    opened = open_study(study)
    current = statuses.status(opened.record, opened.definition)
    print_data(current.to_json(), Format.TABLE, lambda out: tables.status(out, current, study))
    if current.state == "failed":
        raise StudyFailed(f"{current.study}: nothing has succeeded", advice=f"see 'automl report {study}'")
    if current.state != "done":
        raise StudyFailed(
            f"{current.study} is not over, and no process of this machine runs it",
            advice=f"'automl run {study if study.endswith(('.yaml', '.yml')) else 'STUDY.yaml'}' continues it",
        )


def _follow(study: str) -> None:
    """Shows what happens, until nobody runs the study."""
    from rich.live import Live

    from automl.analysis.status import begun
    from automl.execution.machine import work_folder
    from automl.execution.only_runner import is_locked
    from automl.opening import open_study
    from automl.reporting.terminal.live_view import WATCHED, LiveView
    from automl.study.new_events import RecordEvents

    opened, console = open_study(study), plain_console()
    events = RecordEvents(opened.record, opened.definition)
    view, is_first = LiveView(opened.definition, console, None, opened.record.store.uri, WATCHED), True
    with Live(console=console, auto_refresh=False, transient=True) as live:
        is_running = True
        while is_running:
            is_running = is_locked(work_folder(opened.record.store.uri))  # before the look, so that it misses nothing
            history = opened.record.history(events.definition)
            new = events.look(begun(opened.record, events.definition, history))
            for event in new:
                view.take(event)
                if not console.is_terminal and not is_first:
                    for line in view.lines(event):
                        console.print(line, highlight=False, soft_wrap=True)
            if new and is_first and not console.is_terminal:
                console.print(f"{opened.definition.file.name}: {view.outlook(new[-1].study)}", soft_wrap=True)
            is_first = is_first and not new
            if console.is_terminal and not is_first:
                live.update(view.screen(), refresh=True)
            if is_running:
                time.sleep(POLL_SECONDS)
