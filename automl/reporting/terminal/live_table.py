"""The table of experiments in the live view: the best pinned, then what trains, then what ended last."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

from rich.table import Table
from rich.text import Text

from automl.reporting.figures.facts import Facts
from automl.reporting.figures.importance import importances
from automl.search.history import Experiment, History, Status
from automl.search.ranking import is_better
from automl.study.definition import Definition
from automl.study.experiments import experiments
from automl.study.states import state_of
from automl.text.formatting import number, setting, shortened

_LINES = 12  # of ended experiments that the table keeps in sight
_LEAST_WIDTH = 6  # of a parameter's column
_GAP = 2  # between two columns
_STYLES = {Status.SUCCESS: "green", Status.FAILURE: "red", Status.STOPPED: "dim", Status.WAITING: "cyan"}
_Row = tuple[tuple[str, ...], str]  # cells and style


@dataclass
class LiveTraining:
    """An experiment that trains: its newest epoch, and the best value that it has had."""

    epoch: int
    best: float | None = None

    def take(self, epoch: int, value: float | None, definition: Definition) -> None:
        self.epoch = epoch
        if value is not None and is_better(value, self.best, definition.brain.metric):
            self.best = value


def parameters_by_importance(definition: Definition, study: History) -> tuple[str, ...]:
    """The searched parameters, the most important first; by name while too few experiments have ended to tell."""
    names = [parameter.name for parameter in definition.space.parameters]
    measured = [importance.axis.parameter for importance in importances(Facts(definition, study, {}, ""))]
    return tuple(dict.fromkeys([*measured, *names]))


@dataclass(frozen=True)
class LiveTable:
    """What the table shows. `best` is the number of the best experiment; `width` and `height` are the terminal's."""

    definition: Definition
    study: History
    training: Mapping[int, LiveTraining]
    best: int | None
    parameters: Sequence[str]
    width: int
    height: int

    def drawn(self) -> Table:
        """The table with a column for each parameter that fits, and a line that names the others."""
        metric = self.definition.metric_rule.name
        head = ("", "experiment", "stage", "state", "epoch", f"best {metric}")
        shown, left_out = self._shown()
        fixed = [self._fixed(experiment) for experiment in shown]
        names = {name: shortened(name, self.parameters) for name in self.parameters}
        used = sum(max(len(head[at]), *(len(cells[at]) for cells, _ in fixed), 0) + _GAP for at in range(len(head)))
        columns = self._columns(shown, names, self.width - used)
        table = Table(box=None, pad_edge=False, padding=(0, _GAP, 0, 0))
        for at, name in enumerate([*head, *(names[parameter] for parameter in columns)]):
            justify: Literal["left", "right"] = "left" if at in {0, 2, 3} else "right"
            table.add_column(Text(name), justify=justify, no_wrap=True)
        for experiment, (cells, style) in zip(shown, fixed, strict=True):
            values = [setting(experiment.values[name]) if name in experiment.values else "-" for name in columns]
            table.add_row(*(Text(cell) for cell in (*cells, *values)), style=style)
        hidden = [names[name] for name in self.parameters if name not in columns]
        notes = [
            f"{left_out} more {'has' if left_out == 1 else 'have'} ended" if left_out else "",
            f"no room for {_few(hidden)}" if hidden else "",
        ]
        if any(notes):
            table.caption = Text("; ".join(filter(None, notes)), style="dim", overflow="ellipsis", no_wrap=True)
            table.caption_justify = "left"
        return table

    def _shown(self) -> tuple[list[Experiment], int]:
        """The best, those that train, those that ended last; and how many others have ended."""
        every = experiments(self.study, self.definition.plan)
        best = [experiment for experiment in every if experiment.number == self.best]
        running = [one for one in every if one.number in self.training and one not in best]
        ended = [one for one in every if one.results and one not in best and one not in running]
        room = max(3, min(_LINES, self.height - len(running) - 10))
        recent = sorted(ended, key=lambda experiment: (experiment.results[-1].rung, experiment.number))[-room:]
        return [*best, *running, *recent], len(ended) - len(recent)

    def _fixed(self, experiment: Experiment) -> _Row:
        """The cells before the parameters."""
        active = self.training.get(experiment.number)
        stored = experiment.results[-1].best_value if experiment.results else None
        if stored is None and experiment.history:
            stored = experiment.history[-1][1]
        value = active.best if active and active.best is not None else stored
        epoch = active.epoch if active else experiment.epochs
        is_best = experiment.number == self.best
        cells = (
            "best" if is_best else "",
            str(experiment.number),
            self.definition.plan.stages[experiment.stage].name,
            state_of(experiment, is_running=active is not None).value,
            f"{epoch}/{experiment.recommendations[-1].epochs}",
            number(value),
        )
        return cells, "bold green" if is_best else "bold" if active else _STYLES.get(experiment.status, "")

    def _columns(self, shown: Iterable[Experiment], names: Mapping[str, str], room: int) -> list[str]:
        """The first of the parameters whose columns fit into so many characters."""
        shown, columns = list(shown), []
        for name in self.parameters:
            texts = [setting(experiment.values[name]) for experiment in shown if name in experiment.values]
            room -= max(_LEAST_WIDTH, len(names[name]), *map(len, texts), 0) + _GAP
            if room < 0:
                break
            columns.append(name)
        return columns


def _few(names: Sequence[str]) -> str:
    return ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:3])} and {len(names) - 3} more parameters"
