"""Shows a run while it goes on: a table that updates itself in a terminal, plain lines when the output is piped."""

from __future__ import annotations

import math
import signal
import time
from collections.abc import Iterator
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
from automl.problem.aim import Aim
from automl.reporting.rows import state_word, time_left_text
from automl.search.agenda import begins
from automl.search.history import Failure, History, Status
from automl.search.ranking import further_words
from automl.study import summary
from automl.study.attempt_times import AttemptTimes
from automl.study.definition import Definition
from automl.study.events import Event, EventKind
from automl.study.experiments import experiments
from automl.text import formatting

_FRESH = 2.0  # seconds for which a time left holds
_LINES = 12  # of ended experiments that the table keeps in sight
_STYLES = {Status.SUCCESS: "green", Status.FAILURE: "red", Status.STOPPED: "dim", Status.WAITING: "cyan"}


@dataclass
class _Training:
    epoch: int
    value: float | None = None


@dataclass
class LiveView:
    """A listener of `LocalRun`. Use it as `with view.shown(): run`.

    `jobs` is the number of trainings at a time; None takes as many as were seen.
    """

    definition: Definition
    console: Console
    jobs: int | None
    _times: dict[tuple[int, int, str], AttemptTimes] = field(default_factory=dict)
    _left: tuple[float, str] = (-math.inf, "")  # by the monotonic clock, and what was said then
    _study: History | None = None
    _training: dict[int, _Training] = field(default_factory=dict)
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
            for line in self.lines(event):
                self.console.print(line, highlight=False, soft_wrap=True)
        elif event.kind is not EventKind.EPOCH or time.monotonic() >= self._quiet_until:
            self._refresh()

    def take(self, event: Event) -> None:
        """Remembers the event, and shows nothing."""
        self._study, self.definition = event.study, event.definition or self.definition
        if event.times is not None:
            self._times[event.times.experiment, event.times.rung, event.times.attempt] = event.times
        recommendation = event.recommendation
        if recommendation is not None:
            if event.kind is EventKind.STARTED:
                self._training[recommendation.number] = _Training(event.epoch)
            elif event.kind is EventKind.EPOCH:
                training = self._training[recommendation.number]
                training.epoch, training.value = event.epoch, event.value
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
        stages = self.definition.plan.stages
        at = event.recommendation
        metric = self.definition.metric_rule.name
        if event.kind in {EventKind.NOTE, EventKind.ENDED}:
            yield event.text
        elif event.kind is EventKind.DECIDED and event.decision is not None:
            stage = stages[event.decision.stage]
            if stage.stops and not begins(stage, event.decision):
                for issued in event.decision.issued:
                    yield f"experiment {issued.number}: trains on to epoch {issued.epochs}: {issued.reason}"
                for stopped in event.decision.stopped:
                    yield f"experiment {stopped.number}: is stopped: {stopped.reason}"
                return
            rungs = [rung for _, rung in event.decision.runs()]  # all the same; none where nothing is asked for
            asked = stage.rungs[rungs[0] if rungs else min(event.decision.index, len(stage.rungs) - 1)]
            count = len(event.decision.issued)
            what = "experiment" if count == 1 else "experiments"
            yield f"stage {stage.name} rung {asked.index}: {count} {what} to epoch {asked.epochs}"
        elif at is not None and event.kind is EventKind.STARTED:
            fresh = f"goes on from epoch {event.epoch}" if event.epoch else "starts"
            yield f"experiment {at.number}: {fresh}, to epoch {at.epochs}"
        elif at is not None and event.kind is EventKind.EPOCH:
            yield f"experiment {at.number}: epoch {event.epoch}/{at.epochs} {metric} {formatting.number(event.value)}"
        elif at is not None and event.kind is EventKind.PREEMPTED:
            yield f"experiment {at.number}: preempted, starts again"
        elif at is not None and event.result is not None:
            result = event.result
            aim = self.definition.aim
            further = further_words(aim, result.value, result.last_measured) if isinstance(aim, Aim) else ""
            end = f"{metric} {formatting.number(result.value)}{further}"
            if result.failure is not None:
                end = "stopped" if result.failure is Failure.ENDED else f"FAILED {result.failure}"
            text = f": {result.message}" if result.message else ""
            word = "was done before" if event.kind is EventKind.SKIPPED else "done"
            yield f"experiment {at.number}: {word}, epoch {result.epochs}, {end}{text}; {self.outlook(event.study)}"

    def outlook(self, study: History) -> str:
        """Epochs pending, time left, the best so far."""
        progress = self._progress(study)
        best = summary.best(self.definition, study)
        left = self._time_left(study)
        parts = [
            f"{progress.epochs_pending} epochs pending",
            "time left unknown" if left == "unknown" else f"left {left}",
        ]
        if best is not None:
            parts.append(f"best {formatting.number(best.value)} (experiment {best.experiment})")
        return ", ".join(parts)

    def _progress(self, study: History) -> status.Progress:
        running = {number: training.epoch for number, training in self._training.items()}
        return status.progress(self.definition, study, running)

    def _time_left(self, study: History) -> str:
        """The time left with its interval, computed again only every few seconds, as a large study takes a while."""
        if time.monotonic() - self._left[0] > _FRESH:
            outlook = time_left(self.definition, study, tuple(self._times.values()), time.time(), self.jobs)
            self._left = (time.monotonic(), time_left_text(outlook))
        return self._left[1]

    def screen(self) -> RenderableType:
        """The screen of a terminal: progress, the best so far, the experiments."""
        assert self._study is not None
        progress = self._progress(self._study)
        best = summary.best(self.definition, self._study)
        file = self.definition.file
        head = Text(f"{file.name}  {file.algorithm} on {self.definition.network.name}", style="bold")
        total = progress.epochs_done + progress.epochs_pending
        bar = ProgressBar(total=max(1, total), completed=progress.epochs_done, width=40)
        line = Table.grid(padding=(0, 2))
        line.add_row(bar, f"{progress.epochs_done} of {total} epochs, {progress.epochs_pending} pending")
        rest = Text(f"time left: {self._time_left(self._study)}")
        best_text = "none yet"
        if best is not None:
            best_text = (
                f"{self.definition.metric_rule.name} {formatting.number(best.value)}  experiment {best.experiment}"
            )
        return Group(head, line, rest, Text(f"best so far: {best_text}", style="green"), self._table())

    def _table(self) -> Table:
        assert self._study is not None
        table = Table(box=None, pad_edge=False, expand=True)
        for name, justify in (("experiment", "right"), ("stage", "left"), ("status", "left"), ("epoch", "right")):
            table.add_column(name, justify=justify, no_wrap=True)  # type: ignore[arg-type]  # a literal in rich's signature
        table.add_column(self.definition.metric_rule.name, justify="right", no_wrap=True)
        table.add_column("values", overflow="ellipsis", no_wrap=True, ratio=1)
        all_experiments = experiments(self._study, self.definition.plan)
        ended = [
            experiment
            for experiment in all_experiments
            if experiment.results and experiment.number not in self._training
        ]
        running = [experiment for experiment in all_experiments if experiment.number in self._training]
        room = max(3, min(_LINES, self.console.height - len(running) - 7))
        recent = sorted(ended, key=lambda experiment: (experiment.results[-1].rung, experiment.number))[-room:]
        for experiment in running + recent:
            active = self._training.get(experiment.number)
            status = "running" if active else state_word(experiment)
            value = active.value if active and active.value is not None else _last(experiment.history)
            epoch = active.epoch if active else experiment.epochs
            target = experiment.recommendations[-1].epochs
            values = ", ".join(
                f"{name.rsplit('.', 1)[-1]}={formatting.setting(v)}" for name, v in experiment.values.items()
            )
            style = "bold" if active else _STYLES.get(experiment.status, "")
            stage = self.definition.plan.stages[experiment.stage].name
            row = (str(experiment.number), stage, status, f"{epoch}/{target}", formatting.number(value), values)
            table.add_row(*row, style=style)
        if len(ended) > room:
            table.add_row("", "", f"and {len(ended) - room} more", "", "", "", style="dim")
        return table


def _last(history: tuple[tuple[int, float], ...]) -> float | None:
    return history[-1][1] if history else None
