"""Why trainings failed, at the end of a run: each reason once, the last lines of one log, and where that lies."""

from __future__ import annotations

from collections.abc import Callable

from rich.console import Console
from rich.text import Text

from automl.analysis.status import StudyStatus
from automl.reporting.rows import end_text
from automl.search.history import Status
from automl.stores.base import Store
from automl.study.keys import LOG, experiment_key
from automl.text.formatting import numbered
from automl.text.terminal_codes import without_codes

_MOST_REASONS, _LINES, _TAIL = 3, 5, 16 << 10  # reasons; lines of a log; bytes of it that hold them
_MARK = "  | "


def print_failures(
    console: Console, current: StudyStatus, study: str, last_lines: Callable[[int], list[str]] | None
) -> None:
    """The reasons, the most frequent first. `study` is as the user called it.

    `last_lines` gives the end of an experiment's log; None where only the reasons are wanted.
    """
    by_reason: dict[str, list[int]] = {}
    for row in current.experiments:
        if row.status is Status.FAILURE:
            by_reason.setdefault(end_text(row), []).append(row.experiment)
    ordered = sorted(by_reason.items(), key=lambda pair: (-len(pair[1]), pair[1][0]))
    for reason, failed in ordered[:_MOST_REASONS]:
        console.print(Text(f"{numbered('experiment', failed)} failed", style="bold red") + Text(f": {reason}"))
        lines = [] if last_lines is None else last_lines(failed[0])
        for line in lines:
            _quote(console, line)
        if lines:  # what printed nothing has no log
            path = f"{current.store}/{experiment_key(failed[0], LOG)}"
            is_remote = "://" in current.store  # where no path can be opened
            console.print(Text(f"  log: {f'automl logs {study} {failed[0]}' if is_remote else path}"), soft_wrap=True)
    if len(ordered) > _MOST_REASONS:
        console.print(Text(f"and {len(ordered) - _MOST_REASONS} other reasons: automl report {study}"))
    if ordered and last_lines is None:
        console.print(Text(f"what they printed: automl logs {study} {ordered[0][1][0]}", style="dim"))


def _quote(console: Console, line: str) -> None:
    """A line of a log, behind a mark that a line too long for the terminal has on each of its lines."""
    for part in Text(line, style="dim").wrap(console, max(1, console.width - len(_MARK)), overflow="fold"):
        console.print(Text(_MARK, style="dim") + part)


def last_lines_in(store: Store) -> Callable[[int], list[str]]:
    """The end of an experiment's log in a store; nothing where there is none."""

    def last_lines(experiment: int) -> list[str]:
        log = store.get(experiment_key(experiment, LOG)) or b""
        lines = map(without_codes, log[-_TAIL:].decode(errors="replace").splitlines())
        return [line.rstrip() for line in lines if line.strip()][-_LINES:]

    return last_lines
