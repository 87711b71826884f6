"""What a study has found: the best so far, whether the search is over, and what the final judgement makes of it."""

from __future__ import annotations

from dataclasses import dataclass

from automl.errors import StudyFailed
from automl.problem.aim import Aim
from automl.search.agenda import standing_in
from automl.search.history import Experiment, History, Outcome
from automl.search.no_winner import nearest_to_feasible, no_winner
from automl.search.plan import Stage
from automl.search.race import DEFAULTS
from automl.search.ranking import Among, best_outcome, best_outcomes
from automl.study.definition import Definition
from automl.study.experiments import RunState, experiments, outcomes_of, run_states
from automl.study.verdict import Standing, Verdict, judged_entrants, standing, verdict
from automl.text.formatting import signed


def best_of_search(definition: Definition, study: History) -> Outcome | None:
    """The best outcome of the search stages so far, whatever a judgement says; None when nothing has succeeded."""
    brain = definition.brain
    return best_outcome(outcomes_of(study, definition.plan.search), brain.metric, brain.best_among)


def best_experiments(definition: Definition, study: History, count: int) -> list[Experiment]:
    """The `count` best experiments of the search so far, the best first; the lower number wins a tie."""
    brain = definition.brain
    order = best_outcomes(outcomes_of(study, definition.plan.search), brain.metric, brain.best_among)
    by_number = {experiment.number: experiment for experiment in experiments(study, definition.plan)}
    return [by_number[outcome.experiment] for outcome in order[:count]]


@dataclass(frozen=True)
class Best:
    """The best of a study: the one that everything names, and whose checkpoint best_model holds.

    `experiment` is the experiment of the search with the best values; DEFAULTS are the network's own. `training` is the
    outcome whose checkpoint is kept: that experiment's own, or one of the judgement, which has a number of its own.
    `why` says in a sentence what is known about it.
    """

    experiment: int
    training: Outcome
    standing: Standing
    why: str

    @property
    def value(self) -> float | None:
        """The value of the checkpoint that is kept."""
        return self.training.best_value

    @property
    def is_defaults(self) -> bool:
        return self.experiment == DEFAULTS

    @property
    def is_own_training(self) -> bool:
        """Whether the checkpoint is of that experiment itself, and not of a training of the judgement."""
        return self.training.experiment == self.experiment


def best(definition: Definition, study: History) -> Best | None:
    """The best of a study; None when nothing has succeeded.

    Until the last judgement of the plan is over it is the best of the search. From then on it is what the judgement
    confirms: its best candidate when the gain over the defaults is beyond noise (`standing`), otherwise the defaults.
    """
    found = best_of_search(definition, study)
    if found is None:
        return None
    finals = definition.plan.finals
    if not finals:
        why = "the best of the search; 'final: {repeats: 0}' asks for no judgement against the defaults"
        return Best(found.experiment, found, Standing.SEARCHED, why)
    if not _is_over(study, finals[-1]):
        return Best(found.experiment, found, Standing.SEARCHED, "the best of the search so far, not judged yet")
    judged = verdict(definition, study)
    if judged is None:  # nobody took part: no values but the defaults succeeded
        return Best(found.experiment, found, Standing.DEFAULTS, "the search found nothing above the defaults")
    stands = standing(judged)
    if stands is Standing.FAILED:
        why = "the final judgement failed, so nothing is confirmed: it is the best of the search"
        if judged.broken.best:
            why = f"it met the constraints in the search alone; trained again, nothing does: {judged.broken.best}"
        return Best(found.experiment, found, stands, why)
    number = DEFAULTS if stands is Standing.DEFAULTS or judged.candidate is None else judged.candidate
    training = _kept(definition, study, number) or found
    return Best(number, training, stands, _why(stands, judged, found))


def _kept(definition: Definition, study: History, number: int) -> Outcome | None:
    """The training of these values whose checkpoint is kept.

    It is the experiment's own where that was trained as long as those of the judgement; otherwise the one of them whose
    kept value is the best.
    """
    brain, longest = definition.brain, definition.plan.finals[-1].schedule_epochs
    searched = outcomes_of(study, definition.plan.search)
    own = best_outcomes((outcome for outcome in searched if outcome.experiment == number), brain.metric, Among.LONGEST)
    again = [
        outcome
        for entrant in judged_entrants(definition, study)
        if entrant.source == number
        for _, outcome in entrant.runs
        if outcome is not None
    ]
    if own and own[0].epochs >= longest:
        return own[0]
    return best_outcome(again, brain.metric, Among.LONGEST) or next(iter(own), None)


def _why(stands: Standing, judged: Verdict, found: Outcome) -> str:
    who, broken = f"experiment {judged.candidate}", judged.broken
    if broken.best and judged.best.mean is not None:
        return f"{who}, the best candidate, is infeasible when trained again: {broken.best}"
    if broken.default and stands is Standing.UNPROVEN:
        return f"it meets the constraints when trained again, and the defaults do not: {broken.default}"
    if stands is Standing.CONFIRMED:
        return f"it beats the defaults beyond noise: {judged.gain_text} on {judged.gain_judged_on}"
    if stands is Standing.UNPROVEN:
        if judged.gain is None:
            return "it is not compared with the defaults, whose trainings failed in the final judgement"
        return f"it was better than the defaults: {judged.gain_text}"
    if judged.candidate is None:
        nothing = "the search found nothing above the defaults"
        return nothing if found.experiment == DEFAULTS else "no candidate is left: their trainings failed when repeated"
    if judged.best.mean is None:
        return f"{who}, the best of the search, failed when it was trained again"
    if judged.interval is None:
        return f"{who}, the best candidate, was no better than the defaults: gain {signed(judged.gain or 0.0)}"
    return f"nothing beats the defaults beyond noise: {who}, the best candidate, has {judged.gain_text}"


def search_is_over(definition: Definition, study: History) -> bool:
    """Every decision of the search is made and every experiment that it issued has a result."""
    return all(_is_over(study, stage) for stage in definition.plan.search)


def _is_over(history: History, stage: Stage) -> bool:
    if stage.overlap is not None:
        return standing_in(history, stage).is_over
    decided = len(history.of_stage(stage.index)) == stage.most_decisions
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


def none_feasible(definition: Definition, study: History) -> str:
    """That no experiment meets the constraints, and which comes nearest; empty where one does or none succeeded."""
    aim = definition.aim
    near = nearest_to_feasible(outcomes_of(study, definition.plan.search), aim) if isinstance(aim, Aim) else ""
    return f"no experiment meets the constraints: {near}" if near else ""


def nothing_to_show(definition: Definition, study: History) -> StudyFailed:
    """The error of a study that came to its end and has no best experiment."""
    outcomes, count = outcomes_of(study, definition.plan.search), len(experiments(study, definition.plan))
    return no_winner(outcomes, definition.brain.metric, count)
