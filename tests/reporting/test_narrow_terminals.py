"""What a narrow terminal shows: whole columns, a mark where a line is cut, quoted lines of logs that stay marked."""

from __future__ import annotations

import io
from dataclasses import replace

from rich.console import Console

from automl.analysis.status import ExperimentRow, Progress, StudyStatus
from automl.networks.metric_rules import MetricRule
from automl.reporting.terminal import tables
from automl.reporting.terminal.failures import print_failures
from automl.search.history import Status
from automl.study.states import State

COLUMNS = 80


def console() -> Console:
    return Console(width=COLUMNS, file=io.StringIO())


def lines(of: Console) -> list[str]:
    assert isinstance(of.file, io.StringIO)
    return of.file.getvalue().splitlines()


def row(**values: object) -> ExperimentRow:
    return ExperimentRow(3, "search", Status.SUCCESS, State.SUCCEEDED, 9, 0.5, 0.5, 1.0, "", values)


def test_values_that_do_not_fit_end_with_a_mark() -> None:
    shown = console()
    tables.experiments(shown, [row(**{f"parameter_{letter}": 0.25 for letter in "abcdef"})], whole=False)
    _, line = lines(shown)
    assert len(line) == COLUMNS
    assert line.endswith("…")
    wide = console()
    tables.experiments(wide, [row(lr=0.25)], whole=False)
    assert lines(wide)[1].rstrip().endswith("lr=0.25")


def test_the_list_of_networks_breaks_no_word() -> None:
    entry = {
        **dict.fromkeys(("framework", "trains_like", "refused", "aliases"), ""),
        **{"name": "multitask_image_classification", "task": "multitask_classification", "metric": "val_mean_accuracy"},
        **{"goal": "maximize", "searched": 8, "on_request": 4, "title": "A backbone with a last layer for each task"},
    }
    shown = console()
    tables.networks(shown, [entry])
    words = {word for line in lines(shown) for word in line.split()}
    assert {entry["name"], *str(entry["title"]).split()} <= words


def test_a_long_line_of_a_log_is_marked_on_each_line_of_the_terminal() -> None:
    failed = replace(row(), status=Status.FAILURE, reason="out_of_memory: no room for [4 GiB]")
    current = StudyStatus(
        *("mine", "/store", "random", MetricRule(name="loss", goal="minimize"), 1, Progress("done", {}, {}, 0, 0, 0)),
        *(None, {}, None, None, None, (failed,)),
    )
    shown = console()
    print_failures(shown, current, "mine.yaml", lambda _: ["word " * 30])
    head, *quoted, path = lines(shown)
    assert head == "experiment 3 failed: out of memory: no room for [4 GiB]"
    assert len(quoted) > 1
    assert all(line.startswith("  | word") for line in quoted)
    assert path == "  log: /store/experiment_3/log.txt"
