"""The race of the final judgement: how large it is, who takes part, and who leaves after each of its rungs.

A few candidates of the search and the defaults train again, all with the same new seeds. After each rung the worse half
leaves and the others train again, with further seeds, until one candidate is left beside the defaults. It is sequential
halving (Karnin, Koren & Somekh 2013, algorithm 2) with one training of each in a rung, and all others in the last one.
The defaults stay as long as a candidate does: they are what everybody is measured against.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

from automl.problem.aim import Aim
from automl.problem.metric import Metric, mean_of
from automl.search.fronts import Reading
from automl.search.history import Decision, Outcome, Recommendation, Segment, Stopped
from automl.search.ranking import best_first, further_words
from automl.text.formatting import counted

DEFAULTS = 0  # the number of the experiment that trains the network's defaults
USUAL_SHARE = Fraction(1, 3)  # of the epochs of the search, that a race may take


@dataclass(frozen=True)
class Judgement:
    """How a study file wants the best to be judged.

    With `candidates` so many at most race against the defaults, with `repeats` trainings each at most, within `share`
    of the epochs of the search (None: a third). Without it there is no race: the best alone and the defaults train
    `repeats` times each, all at once, whatever that takes. No `repeats`: no judgement.
    """

    repeats: int
    candidates: int | None = None
    share: float | None = None

    @property
    def most(self) -> Fraction:
        """The most that a race may take, as a share of the epochs of the search."""
        return USUAL_SHARE if self.share is None else Fraction(repr(self.share))


@dataclass(frozen=True)
class Heat:
    """A rung of a race: how many take part, the defaults among them, and how often each of them trains."""

    entrants: int
    trainings: int

    @property
    def size(self) -> int:
        return self.entrants * self.trainings


def heats(candidates: int, repeats: int) -> tuple[Heat, ...]:
    """The rungs of a race in which whoever stays to the end trains `repeats` times."""
    rungs: list[Heat] = []
    entrants, left = candidates + 1, repeats
    while entrants > 2 and left > 1:
        rungs.append(Heat(entrants, 1))
        entrants, left = entrants - entrants // 2, left - 1
    return (*rungs, Heat(entrants, left))


def most_heats(wanted: Judgement) -> int:
    """The most rungs that a race can have, however short the search is."""
    if wanted.candidates is None:
        return 1
    sizes = (
        (others, repeats) for others in range(1, wanted.candidates + 1) for repeats in range(1, wanted.repeats + 1)
    )
    return max((len(heats(*size)) for size in sizes), default=0)


def trainings(candidates: int, repeats: int) -> int:
    """How many trainings such a race takes."""
    return sum(heat.size for heat in heats(candidates, repeats))


def fitted(wanted: Judgement, candidates: int, epochs: int, longest: int) -> tuple[int, int]:
    """The candidates and repeats of the largest race that a search of so many epochs allows.

    It has as many repeats as fit, because they narrow the interval, and then as many candidates. One of each is the
    least, even where that takes more than it may. `longest` is the epochs of one training.
    """
    affordable = int(wanted.most * epochs) // longest
    sizes = ((others, repeats) for repeats in range(wanted.repeats, 0, -1) for others in range(candidates, 0, -1))
    return next((size for size in sizes if trainings(*size) <= affordable), (1, 1))


def in_words(wanted: Judgement, candidates: int, chosen: tuple[int, int], epochs: int, longest: int) -> str:
    """What was chosen and what it takes, for people."""

    def share(size: tuple[int, int]) -> str:
        took = trainings(*size) * longest
        return f"{took:,} epochs, {100 * share_of(size, epochs, longest):.0f} %"

    others, repeats = chosen
    least = ", the least there is" if trainings(*chosen) * longest > wanted.most * epochs else ""
    text = (
        f"final judgement: {counted(others, 'candidate')} and the defaults, up to {counted(repeats, 'training')} each: "
        f"{share(chosen)} of the search's {epochs:,}{least}"
    )
    asked = (candidates, wanted.repeats)
    if chosen == asked:
        return text
    allowed = "a third" if wanted.share is None else f"{100 * wanted.share:g} %"
    needed = share_of(asked, epochs, longest)
    return (
        f"{text} ({allowed} is allowed); 'final: {{share: {rounded_up(needed):g}}}' allows "
        f"{counted(candidates, 'candidate')} with {counted(wanted.repeats, 'training')} each: {share(asked)}"
    )


def share_of(size: tuple[int, int], epochs: float, longest: int) -> float:
    """The epochs of a race of (candidates, repeats) as a share of a search's; `longest` is those of one training."""
    return trainings(*size) * longest / max(1, epochs)


def rounded_up(share: float) -> float:
    """A share in whole hundredths, not less than it is."""
    return -int(-share * 100 // 1) / 100


# -- who takes part, and who leaves -----------------------------------------------------------------------------------


@dataclass(frozen=True)
class Entrant:
    """Values that race: those of experiment `source` of the search. `runs` are their trainings in the judgement.

    Each run is a recommendation with its outcome, which is None until it has come to its end. Where the values change
    on the way `schedule` holds all of them, and `values` are the last.
    """

    source: int
    values: Mapping[str, Any]
    runs: tuple[tuple[Recommendation, Outcome | None], ...] = ()
    schedule: tuple[Segment, ...] | None = None

    @property
    def name(self) -> str:
        return "the defaults" if self.is_defaults else f"the values of experiment {self.source}"

    @property
    def is_defaults(self) -> bool:
        return self.source == DEFAULTS

    @property
    def failure(self) -> str:
        """How one of its trainings failed; empty when none has."""
        failures = (outcome.failure for _, outcome in self.runs if outcome is not None)
        return next((str(failure) for failure in failures if failure is not None), "")

    @property
    def is_out(self) -> bool:
        """Whether it takes part no more: a candidate of which a training failed, or defaults of which all have."""
        outcomes = [outcome for _, outcome in self.runs if outcome is not None]
        failed = [outcome.failure is not None for outcome in outcomes]
        return bool(failed) and (all(failed) if self.is_defaults else any(failed))

    @property
    def mean(self) -> float | None:
        """The mean of the metric after the last epoch of its trainings; None without any."""
        values = [outcome.value for _, outcome in self.runs if outcome is not None and outcome.value is not None]
        return mean_of(values) if values else None

    @property
    def reading(self) -> Reading:
        """The means of all metrics over its trainings; of a further metric over those that reported it."""
        outcomes = [outcome for _, outcome in self.runs if outcome is not None and outcome.value is not None]
        names = dict.fromkeys(name for outcome in outcomes for name in outcome.measured)
        further = {name: mean_of([one.measured[name] for one in outcomes if name in one.measured]) for name in names}
        return self.mean, further

    @property
    def trainings(self) -> int:
        return len(self.runs)


def entrants(decisions: Sequence[Decision], outcomes: Mapping[int, Outcome]) -> tuple[Entrant, ...]:
    """All that took part in the race of these decisions, in the order in which they began; outcomes by number."""
    runs: dict[int, dict[int, Recommendation]] = {}  # by source and number; of one whose values change, the newest
    for decision in decisions:
        for issued in decision.issued:
            assert issued.source is not None, "every training of a race says whose values it trains"
            runs.setdefault(issued.source, {})[issued.number] = issued

    def entrant(source: int, trained: Sequence[Recommendation]) -> Entrant:
        schedule = trained[0].schedule
        values = trained[0].values if schedule is None else schedule[-1].values
        return Entrant(source, values, tuple((each, _at_its_end(each, outcomes)) for each in trained), schedule)

    return tuple(entrant(source, list(by_number.values())) for source, by_number in runs.items())


def _at_its_end(issued: Recommendation, outcomes: Mapping[int, Outcome]) -> Outcome | None:
    """The outcome of a training that has failed, or has done all of its epochs."""
    outcome = outcomes.get(issued.number)
    if outcome is None or (outcome.failure is None and outcome.epochs < issued.schedule_epochs):
        return None
    return outcome


def placed(racing: Sequence[Entrant], metric: Metric) -> list[Entrant]:
    """Those that are not out, the best mean first; of equal ones the one that comes from the earlier experiment.

    Of several metrics the weighted sum of the means counts. Who breaks a constraint comes behind those who do not.
    """
    staying = [entrant for entrant in racing if not entrant.is_out]
    if isinstance(metric, Aim):
        valued = [entrant for entrant in staying if entrant.mean is not None]
        return sorted(valued, key=lambda entrant: (*_rank(entrant, metric), entrant.source))
    return best_first(staying, lambda entrant: entrant.mean, lambda entrant: (entrant.source,), metric)


def _rank(entrant: Entrant, aim: Aim) -> tuple[float, float]:
    violation, scores = aim.violation(*entrant.reading), aim.scores(*entrant.reading)
    return violation, 0.0 if scores is None else -aim.utility(scores)


def halved(racing: Sequence[Entrant], size: int, metric: Metric) -> tuple[tuple[Entrant, ...], tuple[Stopped, ...]]:
    """Who goes on to a rung of `size` entrants, in the order in which they began, and who leaves, with the reason."""
    order = placed(racing, metric)
    candidates = [entrant for entrant in order if not entrant.is_defaults]
    with_defaults = len(candidates) < len(order)
    staying = candidates[: size - 1 if with_defaults else size]
    sources = {entrant.source for entrant in staying} | ({DEFAULTS} if staying and with_defaults else set())

    def why(entrant: Entrant) -> str:
        who = f"{entrant.name} leave"
        if entrant.is_out:
            return f"{who} the race: a training failed ({entrant.failure})"
        if entrant.is_defaults:
            return f"{who} the race: no candidate is left"
        rank = f"rank {order.index(entrant) + 1} of {len(order)}"
        further = further_words(metric, *entrant.reading)
        seen = f"{metric.name} = {entrant.mean:.6g}{further} over {counted(entrant.trainings, 'training')}"
        kept = "the best candidate goes on" if len(staying) == 1 else f"the best {len(staying)} candidates go on"
        return f"{who} the race: {rank} by {seen}; {kept}"

    stopped = [Stopped(entrant.runs[-1][0].number, why(entrant)) for entrant in racing if entrant.source not in sources]
    return (
        tuple(entrant for entrant in racing if entrant.source in sources),
        tuple(sorted(stopped, key=lambda experiment: experiment.number)),
    )
