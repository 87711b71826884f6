"""What a study has found: the best so far, whether the search is over, and the verdict of the final judgement."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from automl.problem.metric import mean_of
from automl.search.agenda import standing_in
from automl.search.history import Experiment, History, Outcome
from automl.search.plan import Stage
from automl.search.ranking import best_first, best_outcome, best_values
from automl.study.definition import Definition
from automl.study.experiments import RunState, experiments, outcomes_of, run_states


def best_of_search(definition: Definition, study: History) -> Outcome | None:
    """The best outcome of the search stages so far."""
    return best_outcome(outcomes_of(study, definition.plan.search), definition.brain.metric)


def best_experiments(definition: Definition, study: History, count: int) -> list[Experiment]:
    """The `count` best experiments of the search so far, the best first; the lower number wins a tie."""
    metric = definition.brain.metric
    values = best_values(outcomes_of(study, definition.plan.search), metric)
    return best_first(
        experiments(study, definition.plan),
        lambda experiment: values.get(experiment.number),
        lambda experiment: (experiment.number,),
        metric,
    )[:count]


@dataclass(frozen=True)
class JudgedSide:
    """The ended trainings of one side of the final judgement; the value of a failed one is None."""

    experiments: tuple[int, ...]
    values: tuple[float | None, ...]

    @property
    def mean(self) -> float | None:
        """The mean of the values that exist."""
        values = [value for value in self.values if value is not None]
        return mean_of(values) if values else None

    def to_json(self) -> dict[str, Any]:
        mean = {} if self.mean is None else {"mean": self.mean}
        return {"experiments": list(self.experiments), "values": list(self.values), **mean}


@dataclass(frozen=True)
class Verdict:
    """What the final judgement found: the values of the defaults and of the best, trained again with fresh seeds.

    `gain` is the mean of the best minus that of the defaults, signed so that positive is better; None while a side
    has no value.
    """

    judged_on: str  # "held-out data" where the network has any, otherwise "validation data"
    gain: float | None
    default: JudgedSide
    best: JudgedSide

    def to_json(self) -> dict[str, Any]:
        return {
            "judged_on": self.judged_on,
            "gain": self.gain,
            "default": self.default.to_json(),
            "best": self.best.to_json(),
        }


def verdict(definition: Definition, study: History) -> Verdict | None:
    """The verdict of the final judgement so far; None before it has a result of the defaults."""
    held_out = definition.network.held_out_metric is not None
    metric = definition.brain.metric
    outcomes: dict[str, list[Outcome]] = {"default": [], "best": []}
    for stage in _last_judgement(definition):
        half = stage.rungs[0].size // 2
        for outcome in outcomes_of(study, (stage,)):
            outcomes["default" if outcome.experiment < stage.first + half else "best"].append(outcome)
    if not outcomes["default"]:
        return None
    default, best = (
        JudgedSide(
            tuple(outcome.experiment for outcome in side),
            tuple(outcome.held_out if held_out else outcome.value for outcome in side),
        )
        for side in outcomes.values()
    )
    gain = None
    if default.mean is not None and best.mean is not None:
        gain = metric.gain(best.mean, default.mean)
    return Verdict("held-out data" if held_out else "validation data", gain, default, best)


def _last_judgement(definition: Definition) -> tuple[Stage, ...]:
    """The final stage of the plan, if it has one; the last one in a study that was extended."""
    return definition.plan.finals[-1:]


def paired_gains(definition: Definition, study: History) -> tuple[float, ...]:
    """The best minus the default for each seed of the final judgement where both have a value; positive is better."""
    metric, gains = definition.brain.metric, []
    held_out = definition.network.held_out_metric is not None
    for stage in _last_judgement(definition):
        outcomes = {outcome.experiment: outcome for outcome in outcomes_of(study, (stage,))}
        half = stage.rungs[0].size // 2
        for number in range(stage.first, stage.first + half):
            default, best = outcomes.get(number), outcomes.get(number + half)
            if default is None or best is None:
                continue
            before, after = (default.held_out, best.held_out) if held_out else (default.value, best.value)
            if before is not None and after is not None:
                gains.append(metric.gain(after, before))
    return tuple(gains)


def search_is_over(definition: Definition, study: History) -> bool:
    """Every decision of the search is made and every experiment that it issued has a result."""
    return all(_is_over(study, stage) for stage in definition.plan.search)


def _is_over(history: History, stage: Stage) -> bool:
    if stage.overlap is not None:
        return standing_in(history, stage).is_over
    decided = len(history.of_stage(stage.index)) == len(stage.rungs)
    return decided and RunState.TRAINING not in run_states(history, (stage,)).values()


def state(definition: Definition, study: History) -> str:
    """The state of a study: not started, running, judging, done, or failed when nothing succeeded."""
    if not study.decisions:
        return "not started"
    if not search_is_over(definition, study):
        return "running"
    if best_of_search(definition, study) is None:
        return "failed"
    finals = definition.plan.finals
    return "done" if all(_is_over(study, stage) for stage in finals) else "judging"
