"""Why a search has no winner: nothing succeeded, or nothing that succeeded meets the constraints."""

from __future__ import annotations

import math
from collections.abc import Sequence

from automl.errors import StudyFailed
from automl.problem.aim import Aim
from automl.problem.metric import Metric
from automl.search.fronts import placed
from automl.search.history import Failure, Outcome
from automl.search.ranking import kept_reading


def no_winner(outcomes: Sequence[Outcome], metric: Metric, count: int | None = None) -> StudyFailed:
    """The error of a search with these outcomes, of which none can be the best.

    `count` is the number of its experiments; None: those that have an outcome.
    """
    if isinstance(metric, Aim) and (nearest := nearest_to_feasible(outcomes, metric)):
        advice = "loosen 'constraints' or widen 'parameters', and start under another name"
        if all(_is_silent(outcome, metric) for outcome in outcomes if outcome.best_value is not None):
            advice = "name it as the training reports it: 'automl why STUDY 0' says what was reported"
        return StudyFailed(f"no experiment meets the constraints ({aim_words(metric)}): {nearest}", advice=advice)
    failures = sorted({str(outcome.failure) for outcome in outcomes if outcome.failure is not None})
    return none_succeeded(len({outcome.experiment for outcome in outcomes}) if count is None else count, failures)


def _is_silent(outcome: Outcome, aim: Aim) -> bool:
    """Whether a success has not reported a metric that it needs."""
    return math.isinf(aim.violation(*kept_reading(outcome)))


def aim_words(aim: Aim) -> str:
    """The constraints of an aim, or what it needs where it has none."""
    names = ", ".join(metric.name for metric in aim.objectives)
    return ", ".join(one.words for one in aim.constraints) or f"a value of each of {names}"


def nearest_to_feasible(outcomes: Sequence[Outcome], aim: Aim) -> str:
    """Who breaks the constraints least, and by how much; empty where one meets them, or nothing succeeded."""
    order = placed(outcomes, kept_reading, lambda one: (one.experiment, one.rung), aim)
    if not order or order[0].front is not None:
        return ""
    nearest = order[0].item
    return f"nearest is experiment {nearest.experiment}, whose {aim.why_infeasible(*kept_reading(nearest))}"


def none_succeeded(count: int, failures: Sequence[str] = ()) -> StudyFailed:
    """The error of a study none of whose `count` experiments succeeded. `failures` are their kinds, if known."""
    if set(failures) == {Failure.ENDED.value}:
        early = f"the search ended early before any of its {count} experiments had a result"
        return StudyFailed(early, advice="start under another name, with higher limits or 'until: {then: finish}'")
    kinds = f" ({', '.join(failures)})" if failures else ""
    return StudyFailed(
        f"none of the {count} experiments succeeded{kinds}",
        advice="read 'automl logs STUDY 0' and fix the training, then 'automl retry' has them trained again; with other"
        " settings start under another name",
    )
