"""What a finished study suggests to do next, in sentences: more repeats, a wider range, longer trainings."""

from __future__ import annotations

import math

from automl.reporting.figures.facts import Axis, Facts, Searched
from automl.reporting.figures.scales import Numbers
from automl.search.extension import GrowsBy
from automl.search.race import DEFAULTS
from automl.study.verdict import Verdict
from automl.text.formatting import setting

_EDGE = 0.02  # of an axis from its end: the best touches it
_LATE = 0.9  # of the epochs of the best training, after which it was still better than ever before
_MOST_REPEATS = 20  # that a study file takes


def what_next(facts: Facts) -> tuple[str, ...]:
    """The suggestions, none before the end of the study and none where nothing stands out."""
    if facts.state != "done" or facts.best is None:
        return ()
    repeats = _repeats(facts.verdict) if facts.verdict is not None else ""
    winner = facts.winner if facts.winner is not None and facts.winner.number != DEFAULTS else None
    edges = [] if winner is None else [text for axis in facts.axes if (text := _edge(axis, winner))]
    longer = "" if winner is None else _longer(facts, winner)
    return tuple(filter(None, [repeats, *edges, longer]))


def _repeats(verdict: Verdict) -> str:
    """More repeats while the sign of the gain is not certain.

    How many is estimated from the interval: its half-width shrinks with the square root of their number.
    """
    if verdict.gain is None:
        return ""
    interval = verdict.interval
    if interval is None:
        return "One training each does not show noise: 'final: {repeats: 4, share: 2}' in a new study does."
    if interval.low > 0 or interval.high < 0 or verdict.gain == 0:
        return ""
    now = max(len(verdict.gains), 2)
    half = (interval.high - interval.low) / 2
    needed = math.ceil(now * (half / abs(verdict.gain)) ** 2)
    if needed > _MOST_REPEATS:
        return f"The gain is small beside the noise: to tell its sign would take more than {_MOST_REPEATS} repeats."
    needed = max(needed, now + 1)
    return (
        f"The sign of the gain is not certain with {now} repeats; with this noise about {needed} would tell it: "
        f"'final: {{candidates: 1, repeats: {needed}, share: 10}}' in a new study."
    )


def _edge(axis: Axis, winner: Searched) -> str:
    """A range whose edge the best touches."""
    place, scale = axis.place(winner.experiment.values), axis.scale
    if place is None or not isinstance(scale, Numbers) or scale.marks or _EDGE < place < 1 - _EDGE:
        return ""
    side, bound = ("lower", "low") if place <= _EDGE else ("upper", "high")
    value = setting(axis.value(winner.experiment.values))
    span = f"{setting(scale.low)} to {setting(scale.high)}"
    return (
        f"{axis.name} = {value} is at the {side} edge of its range, {span}: a wider one may hold better values "
        f"('parameters: {{{axis.parameter}: {{{bound}: ...}}}}')."
    )


def _longer(facts: Facts, winner: Searched) -> str:
    """Longer trainings where the best was still getting better at its end."""
    history = winner.experiment.history
    if len(history) < 3 or history[-1][0] < facts.epochs[-1]:  # a longer training exists already
        return ""
    best_epoch, _ = max(history, key=lambda point: (facts.score(point[1]), -point[0]))
    if best_epoch < _LATE * history[-1][0]:
        return ""
    grows = facts.definition.growth
    by_resource = grows is not None and grows.by is GrowsBy.RESOURCE
    how = "'automl extend' to a larger R" if by_resource else "a larger max_epochs in a new study"
    return f"The best was still getting better at epoch {best_epoch} of {history[-1][0]}: {how} trains longer."
