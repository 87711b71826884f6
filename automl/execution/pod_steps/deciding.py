"""The steps of the brain: begin the study, decide on one rung, collect what was found."""

from __future__ import annotations

import json
import os
from collections.abc import Iterable

from automl.errors import RecordError
from automl.execution import submission
from automl.execution.pod_steps.environment import open_study, output, step, variable
from automl.execution.steps.diagnosis import Diagnosis
from automl.execution.steps.observe import fail
from automl.execution.steps.propose import propose
from automl.search.agenda import Pending, Run, open_runs, pending
from automl.search.brain import none_succeeded
from automl.search.history import MEANINGS, Decision, Failure, History
from automl.search.plan import Plan, Stage
from automl.stores import open_store
from automl.study import summary
from automl.study.definition import Definition
from automl.study.experiments import experiments
from automl.study.keys import REPORT
from automl.study.opened_study import OpenedStudy, begin
from automl.study.record import Record
from automl.study.verdict import verdict
from automl.text import strict_json


def start() -> None:
    """Probes the store, then stores the study once, or checks that it was begun with the same settings.

    Its outputs are the stages, and for a WorkflowTemplate what later pods need to know.
    """
    if os.environ.get("AUTOML_PARAMETERS"):
        study = submission.parameters(variable("AUTOML_PARAMETERS"), int(variable("AUTOML_GPUS")))
    else:
        study = submission.compiled(variable("AUTOML_STUDY"), variable("AUTOML_STORE"))
    plan = begin(Record(open_store(study.store, probe=True)), study.definition, study.text).definition.plan
    output("search", _stages(plan.search))
    output("judge", _stages(plan.finals))
    for name in ("store", "image", "timeout_minutes", "bucket", "report_key"):
        output(name, getattr(study, name))
    print(f"{study.definition.file.name}: {plan.experiments} experiments in {plan.runs} runs", flush=True)


def _stages(stages: Iterable[Stage]) -> str:
    return json.dumps([{"stage": str(stage.index), "rungs": str(len(stage.rungs))} for stage in stages])


def propose_rung() -> None:
    """Decides on a rung. First it gives up the trainings whose pods are gone for good and left no result."""
    record, opened = open_study()
    this = step()
    for following in pending(opened.definition.plan, opened.history()):
        if following.step == this and not following.decisions:  # Argo asks when the trainings before are over
            _give_up_lost(record, following.runs)
    decision = propose(record, opened.definition, this.stage, this.index)
    _show(opened, decision)
    for recommendation in decision.issued:
        print(f"experiment {recommendation.number} to epoch {recommendation.epochs}: {recommendation.reason}")
    for stopped in decision.stopped:
        print(f"experiment {stopped.number} stops: {stopped.reason}")
    output("experiments", json.dumps([str(recommendation.number) for recommendation in decision.issued]))


def _show(opened: OpenedStudy, decision: Decision) -> None:
    """Writes what people look at, after the decision is stored: its imports keep nobody else waiting."""
    from automl.reporting import views
    from automl.reporting.figures.facts import read_facts
    from automl.reporting.page.page import page

    study = opened.history()
    views.write_decisions(opened.record, opened.definition, study.decisions, [decision])
    # without the timeline: a step of a large study is not to ask for an object of every attempt
    output(REPORT, page(read_facts(opened, study), opened.record))


def collect() -> None:
    """Writes every view. Raises StudyFailed when no experiment succeeded, RecordError when the search did not end."""
    from automl.reporting import views

    record, opened = open_study()
    plan, history = opened.definition.plan, opened.history()
    unfinished = pending(plan, history)
    _give_up_lost(record, _runs_of_ended_stages(history, unfinished))
    study = views.rebuild(opened)
    output(REPORT, (record.store.get(REPORT) or b"").decode())
    best = summary.best(opened.definition, study)
    if best is not None:
        output("best", _best(opened.definition, study, best))
        print(f"the best is experiment {best.experiment}: {opened.definition.metric_rule.name} {best.value:.6g}")
        print(best.why)
    if unfinished:
        raise _ended_early(plan, unfinished[0])
    if best is None:
        raise none_succeeded(len(experiments(study, plan)))


def _best(definition: Definition, study: History, best: summary.Best) -> str:
    """The best experiment and the verdict on it, as JSON."""
    judged = verdict(definition, study)
    return strict_json.dump(
        {
            "experiment": best.experiment,
            "value": best.value,
            "standing": best.standing.value,
            "why": best.why,
            "verdict": judged and judged.to_json(),
        }
    ).decode()


def _ended_early(plan: Plan, following: Pending) -> RecordError:
    stage, index = plan.stages[following.step.stage], following.step.index
    return RecordError(
        f"stage {stage.name} ended before its rung {index} was decided",
        advice="see why its last step failed; 'argo retry' or submitting the study again goes on from here",
    )


def _runs_of_ended_stages(history: History, unfinished: Iterable[Pending]) -> list[Run]:
    """The open runs of the stages that are decided to their end; the others may still be retried."""
    may_go_on = {following.step.stage for following in unfinished}
    ended = [decision for decision in history.decisions if decision.stage not in may_go_on]
    return [run for decision in ended for run in open_runs(history, decision)]


def _give_up_lost(record: Record, runs: Iterable[Run]) -> None:
    """Stores a failure for each of these runs, which are over and have left no result."""
    for run in runs:
        fail(record, run.recommendation, run.rung, "lost", Diagnosis(Failure.LOST, MEANINGS[Failure.LOST]))
