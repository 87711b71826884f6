"""Shows a run while it goes on: a table that updates itself in a terminal, plain lines when the output is piped."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from types import FrameType

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from automl.analysis import status
from automl.analysis.time_left import time_left
from automl.reporting.rows import time_left_text
from automl.reporting.terminal.live_table import LiveTable, LiveTraining, parameters_by_importance
from automl.search.agenda import begins
from automl.search.history import Decision, Failure, History
from automl.search.ranking import further_words
from automl.study import summary
from automl.study.attempt_times import AttemptTimes
from automl.study.definition import Definition
from automl.study.events import Event, EventKind
from automl.study.outages import Pause
from automl.study.states import counts_in_words
from automl.text import formatting
from automl.text.formatting import counted

_FRESH = 2.0  # seconds for which a time left holds
RUN = "Ctrl-C stops safely; the same command continues"
WATCHED = "Ctrl-C ends this view; the study continues"
_SUMMARY = 30.0  # seconds between two summaries in the lines of a run


@dataclass
class LiveView:
    """A listener of `LocalRun`. Use it as `with view.shown(): run`.

    `jobs` is the number of trainings at a time; None takes as many as were seen.
    """

    definition: Definition
    console: Console
    jobs: int | None
    store: str = ""  # where the study lies
    ctrl_c: str = RUN  # what Ctrl-C does to it
    _times: dict[tuple[int, int, str], AttemptTimes] = field(default_factory=dict)
    _left: tuple[float, str] = (-math.inf, "")  # by the monotonic clock, and what was said then
    _study: History | None = None
    _paused: Pause | None = None
    _training: dict[int, LiveTraining] = field(default_factory=dict)
    _order: tuple[int, Sequence[str]] | None = None  # of the parameters, and of how many results
    _stopping: str = ""
    _began: float = field(default_factory=time.monotonic)
    _summary_at: float = -math.inf  # when the last summary was printed
    _live: Live | None = None
    _quiet_until: float = 0.0

    @contextmanager
    def shown(self) -> Iterator[None]:
        """Shows the table inside the `with` block, and adapts it when the terminal changes its size."""
        if not self.console.is_terminal:
            yield
            return
        # no thread of rich's own: the runner forks, and it is not safe to fork while threads run
        with Live(console=self.console, auto_refresh=False, transient=True) as live:
            self._live = live
            old = signal.signal(signal.SIGWINCH, self._resized)
            try:
                yield
            finally:
                signal.signal(signal.SIGWINCH, old)
                self._live = None

    def __call__(self, event: Event) -> None:
        self.take(event)
        if self._live is None or event.kind in {EventKind.NOTE, EventKind.ENDED}:  # above the table, where it stays
            now = "" if self._live is not None else time.strftime("%H:%M:%S ")
            for line in self.lines(event):
                self.console.print(f"{now}{line}", highlight=False, soft_wrap=True)
        elif event.kind is not EventKind.EPOCH or time.monotonic() >= self._quiet_until:
            self._refresh()

    def take(self, event: Event) -> None:
        """Remembers the event, and shows nothing."""
        self._study, self.definition = event.study, event.definition or self.definition
        self._paused = event.paused
        if event.kind is EventKind.STOPPING:
            self._stopping = event.text
        if event.times is not None:
            self._times[event.times.experiment, event.times.rung, event.times.attempt] = event.times
        recommendation = event.recommendation
        if recommendation is not None:
            if event.kind is EventKind.STARTED:
                self._training[recommendation.number] = LiveTraining(event.epoch)
            elif event.kind is EventKind.EPOCH:
                self._training[recommendation.number].take(event.epoch, event.value, self.definition)
            elif event.kind in {EventKind.SETTLED, EventKind.PREEMPTED}:
                self._training.pop(recommendation.number, None)

    def _refresh(self) -> None:
        if self._live is not None:
            self._quiet_until = time.monotonic() + 0.25
            self._live.update(self.screen(), refresh=True)

    def _resized(self, _number: int, _frame: FrameType | None) -> None:
        self._refresh()

    def lines(self, event: Event) -> Iterator[str]:
        """The lines that an event prints where there is no terminal."""
        at = event.recommendation
        metric = self.definition.metric_rule.name
        if event.kind in {EventKind.NOTE, EventKind.ENDED, EventKind.STOPPING}:
            yield event.text
        elif event.kind is EventKind.DECIDED and event.decision is not None:
            yield from self._decided(event.decision)
        elif at is not None and event.kind is EventKind.STARTED:
            fresh = f"resumes from epoch {event.epoch}" if event.epoch else "starts"
            yield f"experiment {at.number}: {fresh}, to epoch {at.epochs}"
        elif at is not None and event.kind is EventKind.EPOCH:
            yield f"experiment {at.number}: epoch {event.epoch}/{at.epochs} {metric} {formatting.number(event.value)}"
        elif at is not None and event.kind is EventKind.PREEMPTED:
            yield f"experiment {at.number}: preempted, starts again"
        elif at is not None and event.result is not None:
            result = event.result
            further = further_words(self.definition.aim, result.value, result.last_measured)
            end = f"{metric} {formatting.number(result.value)}{further}"
            word = "was done before" if event.kind is EventKind.SKIPPED else "done"
            text = f"{word}, epoch {result.epochs}, {end}" + (f": {result.message}" if result.message else "")
            if result.failure is Failure.ENDED:
                text = f"stopped at epoch {result.epochs}: {result.message}"
            elif result.failure is not None:
                word = "had failed" if event.kind is EventKind.SKIPPED else "FAILED"
                text = f"{word} at epoch {result.epochs}: {result.failure.described(result.message)}"
            yield f"experiment {at.number}: {text}"
            if time.monotonic() - self._summary_at >= _SUMMARY:
                self._summary_at = time.monotonic()
                yield f"so far: {self.outlook(event.study)}"

    def _decided(self, decision: Decision) -> Iterator[str]:
        stage = self.definition.plan.stages[decision.stage]
        if stage.stops and not begins(stage, decision):
            for issued in decision.issued:
                yield f"experiment {issued.number}: trains on to epoch {issued.epochs}: {issued.reason}"
            for stopped in decision.stopped:
                yield f"experiment {stopped.number}: is stopped: {stopped.reason}"
        elif stage.overlap is None or not decision.issued:  # else what it asks for starts at once, and that is told
            rungs = [rung for _, rung in decision.runs()]  # all the same; none where nothing is asked for
            asked = stage.rungs[rungs[0] if rungs else min(decision.index, len(stage.rungs) - 1)]
            count = len(decision.issued)
            what = "experiment" if count == 1 else "experiments"
            yield f"stage {stage.name} rung {asked.index}: {count} {what} to epoch {asked.epochs}"

    def outlook(self, study: History) -> str:
        """Counts, epochs pending, time left, the best so far."""
        progress = self._progress(study)
        best = summary.best(self.definition, study)
        left = self._time_left(study)
        parts = [
            *counts_in_words(progress.states),
            f"{counted(progress.epochs_pending, 'epoch')} pending",
            "time left unknown" if left == "unknown" else f"left {left}",
        ]
        if best is not None:
            parts.append(f"best {formatting.number(best.value)} (experiment {best.experiment})")
        return ", ".join(parts)

    def _progress(self, study: History) -> status.Progress:
        running = {number: training.epoch for number, training in self._training.items()}
        return status.progress(self.definition, study, running, self._paused)

    def _time_left(self, study: History) -> str:
        """The time left with its interval, computed again only every few seconds, as a large study takes a while."""
        if time.monotonic() - self._left[0] > _FRESH:
            outlook = time_left(self.definition, study, tuple(self._times.values()), time.time(), self.jobs)
            self._left = (time.monotonic(), time_left_text(outlook))
        return self._left[1]

    def screen(self) -> RenderableType:
        """The screen of a terminal: progress, counts, the best so far, the experiments."""
        assert self._study is not None
        study, progress = self._study, self._progress(self._study)
        best = summary.best(self.definition, study)
        file = self.definition.file
        head = Text(f"{file.name}  {file.algorithm} on {self.definition.network.name}", style="bold")
        total = progress.epochs_done + progress.epochs_pending
        bar = Table.grid(padding=(0, 2))
        drawn = ProgressBar(total=max(1, total), completed=progress.epochs_done, width=min(40, self.console.width // 2))
        bar.add_row(drawn, f"{progress.epochs_done} of {counted(total, 'epoch')}")
        counts = ", ".join(counts_in_words(progress.states)) or "no experiment yet"
        elapsed = formatting.duration((time.monotonic() - self._began) / 60)
        times = f"{elapsed} elapsed, time left: {self._time_left(study)}"
        rest = Text(
            f"{counts}; {times}" if len(counts) + len(times) + 2 <= self.console.width else f"{counts}\n{times}"
        )
        lines: list[RenderableType] = [head, bar, rest, Text(f"best so far: {self._best_text(best)}", style="green")]
        if self.store:
            lines.append(Text(f"in {self.store}", style="dim", overflow="ellipsis", no_wrap=True))
        if self._stopping:
            lines.append(Text(f"{self._stopping}", style="bold yellow"))
        elif self.store:
            lines.append(Text(self.ctrl_c, style="dim"))
        number = None if best is None else best.experiment
        width, height = self.console.width, self.console.height
        table = LiveTable(self.definition, study, self._training, number, self._parameters(study), width, height)
        return Group(*lines, Text(), table.drawn())

    def _best_text(self, best: summary.Best | None) -> str:
        if best is None:
            return "none yet"
        return f"{self.definition.metric_rule.name} {formatting.number(best.value)}, experiment {best.experiment}"

    def _parameters(self, study: History) -> Sequence[str]:
        """The parameters in the order of their columns, looked at again only when there are other results."""
        if self._order is None or self._order[0] != len(study.results):
            self._order = (len(study.results), parameters_by_importance(self.definition, study))
        return self._order[1]
