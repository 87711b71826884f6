"""Which training is stopped at the end of a rung, and which trains on: experiments that cannot be interrupted and
go on later are started once, for all their epochs, and stopped when they fall behind.

Pure. `asha` is the stopping variant of asynchronous successive halving (Li et al., MLSys 2020; Klein, Tiao, Lienart,
Archambeau & Seeger: Model-based Asynchronous Hyperparameter and Neural Architecture Search, 2020, and its
implementation in Syne Tune): who is not among the best 1/nu of all results of the rung so far is stopped. Here the best
so far always goes on, so the first one does. `median` is the median rule of Vizier (Golovin, Solnik, Moitra, Kochanski,
Karro & Sculley: Google Vizier, KDD 2017, section 3.2), asked at the same epochs: who has at its best so far been worse
than the median of what the others were on average up to here is stopped.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from automl.problem.metric import Metric
from automl.search.history import Outcome
from automl.search.plan import Stage, StopRule, with_before
from automl.search.promotion import standing
from automl.search.ranking import ranked
from automl.text.formatting import counted

FEWEST_OTHERS = 3  # results of a rung that the median rule wants to see before it stops anybody; our choice


@dataclass(frozen=True)
class Answer:
    """Whether an experiment trains on behind its rung, and why."""

    goes_on: bool
    reason: str


def answer(outcome: Outcome, results: Sequence[Outcome], rule: StopRule, nu: int, metric: Metric) -> Answer:
    """Whether an experiment trains on. `results` are those of its rung so far, its own and failures among them."""
    if rule is StopRule.MEDIAN:
        return _by_median(outcome, results, metric)
    order = ranked(results, metric)
    rank, most = order.index(outcome) + 1, _going_on(len(order), nu)
    who = "the best goes on" if most == 1 else f"the best {most} go on"
    where = standing(rank, outcome, len(order), metric)
    return Answer(rank <= most, f"{where}; of {counted(len(order), 'result')} so far {who}")


def _going_on(count: int, nu: int) -> int:
    """How many of the first `count` results of a rung are good enough."""
    return max(1, count // nu)


def _by_median(outcome: Outcome, results: Iterable[Outcome], metric: Metric) -> Answer:
    means = [one.mean for one in results if one.experiment != outcome.experiment and one.mean is not None]
    peak = outcome.value if outcome.peak is None else outcome.peak
    assert peak is not None, "only of a success"
    best = f"{metric.name} at best {peak:.6g} by epoch {outcome.epochs}"
    if len(means) < FEWEST_OTHERS:
        return Answer(
            True, f"{best}; {counted(len(means), 'other result')} so far, and nobody stops before {FEWEST_OTHERS}"
        )
    middle = median(means)
    goes_on = metric.score(peak) >= metric.score(middle)
    side = "no worse" if goes_on else "worse"
    return Answer(goes_on, f"{best} is {side} than {middle:.6g}, the median of the averages of {len(means)} others")


def likely_sizes(stage: Stage) -> tuple[float, ...]:
    """How many experiments each rung of a stage can be expected to have, where results come in an order of chance.

    Of k results of a rung the newest has any rank with the same chance, so by `asha` it is among the best max(1, k/nu)
    with the chance max(1, floor(k/nu)) / k. By `median` all of the first ones go on, and half of those after them.
    """
    sizes: list[float] = []
    for rung in stage.rungs:
        sizes.append(float(rung.size) if rung.new or not stage.stops else min(rung.size, _likely(stage, sizes[-1])))
    return tuple(sizes)


def likely_epochs(stages: Iterable[Stage]) -> float:
    """The epochs that these stages can be expected to train."""
    return sum(
        stage.ended.epochs
        if stage.ended is not None
        else sum(
            size * (rung.epochs - before)
            for size, (rung, before) in zip(likely_sizes(stage), with_before(stage, "epochs"), strict=True)
        )
        for stage in stages
    )


def _likely(stage: Stage, before: float) -> float:
    """How many go on of the `before` experiments of a rung; of a fraction of one, that part."""
    assert stage.overlap is not None, "of a stage without a barrier only"
    assert stage.overlap.nu is not None, "whose rungs follow each other"
    whole, total = int(before), 0.0
    for count in range(1, whole + 2):
        if stage.overlap.stops is StopRule.MEDIAN:
            chance = 1.0 if count <= FEWEST_OTHERS else 0.5
        else:
            chance = _going_on(count, stage.overlap.nu) / count
        total += chance * (1.0 if count <= whole else before - whole)
    return total
