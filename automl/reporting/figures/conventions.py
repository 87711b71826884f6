"""What all figures have in common: how many points, axes and lines a reader can take in, and the names of axes."""

from __future__ import annotations

from automl.reporting.figures.facts import LEVELS, Axis, Facts
from automl.reporting.figures.importance import Importance
from automl.search.race import DEFAULTS
from automl.text.formatting import counted

MOST_WITH_TEXT = 200  # experiments; beyond, a text for every dot would fill the page


MOST_CURVES, MOST_POINTS = 300, 9000  # of all curves together


FIFTHS = (("level0", "worst fifth"), ("level2", "middle fifth"), ("level4", "best fifth"))


def fifth(rank: int, count: int) -> int:
    """The shade of a rank, which is 0 for the best. The best fifth has the strongest shade."""
    return LEVELS - 1 - rank * LEVELS // count


def landmark_keys(facts: Facts, *, with_length: bool = True) -> list[tuple[str, str]]:
    """The entries of the legend for the defaults and the best, where they exist.

    `with_length` adds how long the defaults trained, where lengths differ.
    """
    keys = []
    if facts.defaults is not None and facts.defaults.value is not None:
        length = (
            f", {counted(facts.defaults.experiment.epochs, 'epoch')}" if with_length and len(facts.epochs) > 1 else ""
        )
        keys.append(("default", f"the defaults{length}"))
    if facts.winner is not None and facts.winner.number != DEFAULTS:
        keys.append(("best", f"the best, experiment {facts.winner.number}"))
    return keys


def axis_name(facts: Facts) -> str:
    """The label of an axis of the metric."""
    return f"{facts.metric} ({'lower' if facts.minimize else 'higher'} is better)"


def is_hollow(facts: Facts, level: int) -> bool:
    """Whether the dots of this shade are hollow: where lengths differ, all but those of the last epoch."""
    return len(facts.epochs) > 1 and level < LEVELS - 1


def length_keys(facts: Facts) -> list[tuple[str, str]]:
    """The entries of the legend for the lengths of trainings, as classes of the report's legends."""
    levels = [(int(name.removeprefix("level")), name, text) for name, text in facts.levels]
    return [(f"{name} hollow" if is_hollow(facts, level) else name, text) for level, name, text in levels]


def lengths_note(facts: Facts) -> str:
    """The note about dots of trainings of different length; empty where all are equally long."""
    if len(facts.epochs) < 2:
        return ""
    return "Filled dots were trained to the last epoch, hollow ones to fewer: compare only dots of one kind. "


def beyond(facts: Facts) -> str:
    """The note about values that the axis leaves out."""
    count = sum(candidate.value is not None and facts.value_scale.beyond(candidate.value) for candidate in facts.drawn)
    return f"{counted(count, 'far worse value')} beyond the axis drawn at its edge. " if count else ""


Position = tuple[float, float]


MOST_AXES = 9


MOST_LINES = 300


MOST_SLICES = 16


MOST_CROSSES = 500


SPREAD = 0.618034  # its multiples, less their whole part, fill 0 to 1 evenly


def ordered_axes(facts: Facts, measured: tuple[Importance, ...]) -> list[Axis]:
    """The parameters, the most important first where importance is known."""
    return [importance.axis for importance in measured] or list(facts.axes)


MOST_BARS = 16


SHADES = 7  # style.css has as many
