"""Population based training: at the end of each interval the worst go on from the checkpoints of the best.

Jaderberg et al.: Population Based Training of Neural Networks (2017), with truncation selection (section 4.1): whoever
is in the lower quarter of the population takes the weights and the values of one in the upper quarter (exploit), and
changes the values (explore, perturbation.py). It is the synchronous form: an interval is a rung, and whoever has come
to its end waits for the others, so that a decision does not depend on who was quicker. A member whose training failed
is replaced in the same way. Experiment 0 is a member too, which others may take over, but it keeps the network's
defaults to the end: every search is measured against it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from automl.problem.metric import Metric
from automl.search.history import Decision, Outcome, Recommendation, Segment, Stopped
from automl.search.promotion import standing
from automl.search.race import DEFAULTS
from automl.search.ranking import ranked
from automl.text.formatting import setting

if TYPE_CHECKING:
    import numpy

SHARE = 4  # one of so many members is in the lower quarter, and one in the upper


@dataclass(frozen=True)
class Move:
    """With what a member goes on: the checkpoint that `from_` left, its own or another's, and why."""

    member: int
    from_: Outcome
    reason: str

    @property
    def takes_over(self) -> bool:
        """Whether it goes on from the checkpoint of another."""
        return self.from_.experiment != self.member


def moves(
    outcomes: Sequence[Outcome], metric: Metric, chance: Callable[[int], numpy.random.Generator]
) -> tuple[tuple[Move, ...], tuple[Stopped, ...]]:
    """What each member does next, by number, and who stops. `outcomes` are those of the whole interval.

    `chance` gives the generator of a member. Everybody stops where all have failed, and the defaults where they have.
    """
    order = ranked(outcomes, metric)
    if not order:
        return (), tuple(Stopped(outcome.experiment, f"failed: {outcome.failure}") for outcome in outcomes)
    quarter = max(1, len(outcomes) // SHARE)
    upper = order[:quarter]
    failed = [outcome for outcome in outcomes if outcome.value is None]
    others = [outcome for outcome in order[quarter:] if outcome.experiment != DEFAULTS]
    worst = others[max(0, len(others) - max(0, quarter - len(failed))) :]
    lower = {outcome.experiment for outcome in worst}
    moved, stopped = list[Move](), list[Stopped]()
    for outcome in sorted(outcomes, key=lambda each: each.experiment):
        number = outcome.experiment
        rank = "" if outcome.value is None else standing(order.index(outcome) + 1, outcome, len(outcomes), metric)
        if outcome.value is None and number == DEFAULTS:
            stopped.append(Stopped(number, f"failed: {outcome.failure}"))
        elif outcome.value is None or number in lower:
            better = upper[int(chance(number).integers(len(upper)))]
            why = f"{rank}, in the lower quarter" if rank else f"failed at epoch {outcome.epochs}: {outcome.failure}"
            place = f"rank {order.index(better) + 1} with {better.value:.6g}"
            moved.append(Move(number, better, f"{why}; takes over from experiment {better.experiment}, {place}"))
        else:
            keeps = "keeps the defaults" if number == DEFAULTS else "goes on with its values"
            moved.append(Move(number, outcome, f"{rank}; {keeps}"))
    return tuple(moved), tuple(stopped)


def changes_in_words(before: Mapping[str, Any], after: Mapping[str, Any]) -> str:
    """What differs between two sets of values: 'lr 0.01 to 0.012, momentum 0.9 to 0.72'."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    parts = (f"{name} {_word(before, name)} to {_word(after, name)}" for name in names)
    return ", ".join(parts) or "with the same values"


def _word(values: Mapping[str, Any], name: str) -> str:
    return setting(values[name]) if name in values else "nothing"


def lineage(decisions: Sequence[Decision], experiment: int, rung: int) -> tuple[Recommendation, ...]:
    """The trainings whose work is in the checkpoint of an experiment at a rung, one for each rung from the first on.

    `decisions` are those of the population's stage, in their order.
    """
    trainings: list[Recommendation] = []
    number = experiment
    for decision in reversed(decisions[: rung + 1]):
        issued = next(one for one in decision.issued if one.number == number)
        trainings.append(issued)
        number = number if issued.parent is None else issued.parent
    return tuple(reversed(trainings))


def schedule_of(trainings: Sequence[Recommendation]) -> tuple[Segment, ...]:
    """The values of a lineage by epochs; what follows with the same values is one segment."""
    segments: list[Segment] = []
    for issued in trainings:
        if segments and segments[-1].values == issued.values:
            segments.pop()
        segments.append(Segment(issued.epochs, issued.values))
    return tuple(segments)


def values_at(schedule: Sequence[Segment], epochs: int) -> Mapping[str, Any]:
    """The values with which a training comes to so many epochs; behind the schedule's end its last ones."""
    return next((segment.values for segment in schedule if segment.epochs >= epochs), schedule[-1].values)
