"""The experiments by their values after equally long training: what pictures show that compare settings.

The own value of an experiment is that of its last epoch. Where a study trains some experiments longer than others, such
values tell who trained longer rather than which settings are better, so these pictures take the values of one epoch.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from automl.reporting.figures.facts import Drawn, Facts, Searched
from automl.reporting.figures.scales import Numbers, of_metric
from automl.search.history import Experiment
from automl.search.ranking import best_first
from automl.text.formatting import counted


@dataclass(frozen=True)
class Compared(Drawn):
    """The experiments of a search with the values that are compared, the best first.

    `epochs` is the length of training after which a value is that of `valued`; None where all experiments train equally
    long, and each has its own value. `missing` experiments have a value, but none after so many epochs.
    """

    epochs: int | None
    valued: tuple[Searched, ...]
    missing: int
    scale: Numbers
    defaults: Searched | None
    winner: Searched | None

    @property
    def after(self) -> str:
        """After which training the values are: 'after 3 epochs'; empty where all train equally long."""
        return "" if self.epochs is None else f"after {counted(self.epochs, 'epoch')}"

    @property
    def note(self) -> str:
        """What a reader must know of the values; empty where all train equally long."""
        if self.epochs is None:
            return ""
        text = f"Every value is that {self.after}, also of experiments that trained on, so all are compared alike. "
        if self.missing:
            text += f"Not drawn: {counted(self.missing, 'experiment')} without a value at that epoch. "
        return text


def compared(facts: Facts) -> Compared:
    """The experiments of a study at the epoch that most of them have in common, at the longest of several such."""
    if len(facts.epochs) < 2:
        return Compared(None, facts.valued, 0, facts.value_scale, facts.defaults, facts.winner)
    by_epochs = {epochs: _at(facts.valued, epochs) for epochs in facts.epochs}
    epochs = max(by_epochs, key=lambda end: (len(by_epochs[end]), end))
    ordered = best_first(by_epochs[epochs], lambda one: one.value, lambda one: (one.number,), facts.goal)
    by_number = {one.number: one for one in ordered}
    return Compared(
        epochs,
        tuple(ordered),
        len(facts.valued) - len(ordered),
        of_metric([one.value for one in ordered if one.value is not None], minimize=facts.minimize),
        None if facts.defaults is None else by_number.get(facts.defaults.number),
        None if facts.winner is None else by_number.get(facts.winner.number),
    )


def values_by_epoch(experiment: Experiment) -> Mapping[int, float]:
    """The metric of an experiment by epoch, over all its runs; a later run has the last word."""
    return {epoch: value for result in experiment.results for epoch, value in result.history}


def _at(experiments: Sequence[Searched], epochs: int) -> list[Searched]:
    """Those that have a value at an epoch, with that value."""
    values = [(one, values_by_epoch(one.experiment).get(epochs)) for one in experiments]
    return [replace(one, value=value) for one, value in values if value is not None]
