"""`algorithm: auto`: what the network allows and the budget pays for decides how a search is made.

A budget is for the whole study, the judgement included, by the arithmetic of `automl plan`. What was chosen is stored
as if the study file said so: a study goes on as it was begun, whatever a later version would choose.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from automl.errors import InvalidInput, StudyFileError
from automl.search.algorithms import ALGORITHMS, USUAL_NU
from automl.search.plan import MAX_EXPERIMENTS, Resume
from automl.study.definition import Definition
from automl.study.estimate import estimate, wall_minutes
from automl.study.options import AUTO, Budget, BudgetOf, StudyFile
from automl.text.formatting import counted, shown

USUAL_TRAININGS = 10
USUAL_BUDGET = Budget(trainings=USUAL_TRAININGS)
RESOURCES = (27, 9)  # R of asha, the first for which the budget is large enough
_CHOSEN_BY_AUTO = ("algorithm", "sampler", "max_recommendations", "parallel", "overlap", "R", "nu")
_SHORT, _FULL = "asha", "bayesian"


def check_given(file: StudyFile) -> None:
    """Raises StudyFileError for a budget beside what it would choose."""
    if file.algorithm != AUTO:
        if file.budget is not None:
            raise StudyFileError(
                f"budget with algorithm: {file.algorithm}",
                allowed=f"budget with algorithm: {AUTO}, which chooses the rest by it",
                advice="leave 'algorithm' out; or leave 'budget' out: 'until' ends any search at such a limit",
            )
        return
    options = {option for row in ALGORITHMS.values() for option in row.options} - {"max_epochs"}
    for option in sorted({*options, "sampler", "resume"}):
        if getattr(file, option) is not None:
            raise StudyFileError(
                f"{option}: {shown(getattr(file, option))} with algorithm: {AUTO}, which chooses it",
                allowed="max_epochs, budget and all that is no option of an algorithm",
                advice=f"leave it out, or name the algorithm: {', '.join(ALGORITHMS)}",
            )
    if not file.automl_enabled:
        raise StudyFileError(
            f"algorithm: {AUTO} with 'automl_enabled: false', which trains once", advice="leave one of them out"
        )


def chosen(file: StudyFile, definition_of: Callable[[StudyFile], Definition]) -> Definition:
    """The definition of a study file with `algorithm: auto`. Raises InvalidInput where its budget is too small."""
    budget = file.budget or USUAL_BUDGET
    unit, most = budget.given

    def tried(options: Mapping[str, Any]) -> Definition:
        update = {"budget": budget, "sampler": ALGORITHMS[options["algorithm"]].sampler, **options}
        return definition_of(file.model_copy(update=update))

    smallest = tried(_of_full(2 + len(file.enqueue or []), file))
    _check_measured(smallest, unit, most)
    if (least := _takes(smallest, unit)) > most:
        raise StudyFileError(
            f"budget: {unit}: {most:g} is too small: {counted(smallest.plan.searched, 'full training')} and the "
            f"judgement take {least:.3g}",
            allowed=f"{least:.3g} or more" if least else "",
            advice="raise it, lower max_epochs, or leave the judgement out with 'final: {repeats: 0}'",
        )
    why_full = _why_full(smallest)
    found = None if why_full else _of_short(tried, unit, most)
    if found is None:
        why = why_full or f"the budget has no room for {RESOURCES[-1]} short trainings of which the best are promoted"
        found = _largest(lambda count: tried(_of_full(count, file)), smallest.plan.searched, unit, most)
    else:
        why = f"{found.network.name} resumes from checkpoints, so one in {USUAL_NU} short trainings is promoted"
    assert found is not None, "the smallest one fits"
    takes = _takes(found, unit)
    return replace(
        found,
        unsaid=(*found.unsaid, *_CHOSEN_BY_AUTO),
        why_chosen=f"algorithm: {AUTO} chose {_in_words(found)}, for {why}; the study takes {takes:.3g} of "
        f"budget: {unit}: {most:g}{'' if file.budget else ' (the usual one)'}{_counted_with(found, unit)}",
    )


def _of_full(count: int, file: StudyFile) -> dict[str, Any]:
    """Full trainings; where several run side by side none of them waits for the others."""
    jobs = min(file.run.jobs or 1, count)
    side_by_side = {"parallel": jobs, "overlap": True} if jobs > 1 else {}
    return {"algorithm": _FULL, "max_recommendations": count, **side_by_side}


def _of_short(tried: Callable[[Mapping[str, Any]], Definition], unit: BudgetOf, most: float) -> Definition | None:
    """The largest search with short trainings of the largest R that has one full training; None where none fits."""
    largest = (_largest(of_count, least, unit, most) for least, of_count in _with_rungs(tried))
    return next((found for found in largest if found is not None), None)


def _with_rungs(
    tried: Callable[[Mapping[str, Any]], Definition],
) -> Iterator[tuple[int, Callable[[int], Definition]]]:
    """For each R that fits these epochs, its fewest experiments, and the search with any number of them."""

    def of_resource(R: int) -> Callable[[int], Definition]:  # noqa: N803
        return lambda count: tried({"algorithm": _SHORT, "R": R, "nu": USUAL_NU, "max_recommendations": count})

    for R in RESOURCES:  # noqa: N806
        try:
            of_resource(R)(R)
        except InvalidInput:  # two of its rungs would end at the same epoch
            continue
        yield R, of_resource(R)


def _largest(of_count: Callable[[int], Definition], least: int, unit: BudgetOf, most: float) -> Definition | None:
    """The largest search of at least so many experiments within the budget; None where there is none."""
    if _takes(fitting := of_count(least), unit) > most:
        return None
    below, above = least, least
    while above < MAX_EXPERIMENTS:
        above = min(2 * below, MAX_EXPERIMENTS)
        larger = of_count(above)
        if _takes(larger, unit) > most:
            break
        if larger.plan.searched == fitting.plan.searched:  # no configuration is left
            return fitting
        fitting, below = larger, above
    while above - below > 1:
        middle = (above + below) // 2
        between = of_count(middle)
        if _takes(between, unit) > most:
            above = middle
        else:
            fitting, below = between, middle
    return fitting


def _takes(definition: Definition, unit: BudgetOf) -> float:
    """How much of a budget the whole study takes."""
    plan, costs = definition.plan, definition.costs
    if unit is BudgetOf.TRAININGS:
        return (plan.epochs(resume=True) + plan.final_epochs) / definition.max_epochs
    if unit is BudgetOf.HOURS:
        assert costs.minutes_per_epoch is not None, "checked before"
        return wall_minutes(plan, costs.minutes_per_epoch, costs.start_minutes, definition.file.run.jobs or 1) / 60
    found = estimate(plan, costs, ())
    takes = found.gpu_hours if unit is BudgetOf.GPU_HOURS else found.price
    assert takes is not None, "checked before"
    return takes


def _check_measured(definition: Definition, unit: BudgetOf, most: float) -> None:
    """Raises StudyFileError where the costs that the budget is measured by are not known."""
    if unit is BudgetOf.TRAININGS:
        return
    costs = definition.costs
    missing = {
        "minutes_per_epoch": costs.minutes_per_epoch is None,
        "gpus": unit is not BudgetOf.HOURS and not costs.gpus,
        "price_per_gpu_hour": unit is BudgetOf.PRICE and not costs.price_per_gpu_hour,
    }
    unknown = [name for name, is_missing in missing.items() if is_missing]
    if unknown:
        what = {
            "minutes_per_epoch": "how long an epoch takes is not known",
            "gpus": "an experiment takes no GPU",
            "price_per_gpu_hour": "the price of a GPU hour is not known",
        }
        raise StudyFileError(
            f"budget: {unit}: {most:g}, and {' and '.join(what[name] for name in unknown)}",
            allowed=f"with costs: {{{', '.join(f'{name}: ...' for name in unknown)}}}",
            advice="set it there (train one epoch and measure), or give 'budget: {trainings: ...}'",
        )


def _why_full(definition: Definition) -> str:
    """Why its trainings must be full ones; empty where short ones are worth it."""
    network = definition.network
    if definition.file.warm_start:
        return "its sampler learns from warm_start"
    if network.fixed_epochs:
        return f"{network.name} always trains {counted(network.epochs, 'epoch')}"
    if definition.resume is Resume.NONE:
        return f"{network.name} cannot resume from a checkpoint, so short trainings would be trained again"
    if network.may_end_early:
        return f"{network.name} may end early and cannot resume then"
    if definition.max_epochs < RESOURCES[-1]:
        return f"{counted(definition.max_epochs, 'epoch')} are too few to stop trainings early"
    return ""


def _in_words(definition: Definition) -> str:
    file = definition.file
    sizes = f"R: {file.R}, nu: {file.nu}, " if file.R is not None else ""
    side_by_side = f"parallel: {file.parallel}, " if file.parallel is not None else ""
    searched = definition.plan.searched
    return f"{file.algorithm} ({sizes}{side_by_side}max_recommendations: {searched}, sampler: {file.sampler})"


def _counted_with(definition: Definition, unit: BudgetOf) -> str:
    if unit is not BudgetOf.HOURS:
        return ""
    jobs = definition.file.run.jobs
    return f", with {jobs or 1} at a time" + ("" if jobs else ": 'run: jobs' says how many")
