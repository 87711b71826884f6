"""The steps of the brain: begin the study, decide on one rung, collect what was found."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Collection, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

from automl.errors import NotReady, RecordError
from automl.execution import submission
from automl.execution.pod_steps import node_texts, workflow_title
from automl.execution.pod_steps.environment import open_study, output, step, variable, with_settings
from automl.execution.steps import train_on
from automl.execution.steps.diagnosis import Diagnosis
from automl.execution.steps.observe import fail
from automl.execution.steps.propose import propose
from automl.search.agenda import Pending, Run, Step, open_runs, pending, runs_of_decision, standing_in
from automl.search.extension import most_judging_rungs
from automl.search.history import MEANINGS, Decision, Failure, History
from automl.search.list_scheduling import order_of_stages
from automl.search.plan import Plan, Stage
from automl.stores import open_store
from automl.study import ending, outages, summary
from automl.study.definition import Definition
from automl.study.experiments import experiments
from automl.study.keys import REPORT, best_model_key
from automl.study.opened_study import OpenedStudy, begin
from automl.study.record import Record
from automl.study.verdict import verdict
from automl.text import strict_json
from automl.text.formatting import counted, numbered

WAIT_SECONDS = 3.0  # between two looks for a result; Argo takes longer to start a pod


def start() -> None:
    """Probes the store, then stores the study once, or checks that it was begun with the same settings.

    Its outputs are the stages, and for a WorkflowTemplate what later pods need to know.
    """
    if os.environ.get("AUTOML_PARAMETERS"):
        study = submission.parameters(variable("AUTOML_PARAMETERS"), int(variable("AUTOML_GPUS")))
    else:
        study = submission.compiled(variable("AUTOML_STUDY"), variable("AUTOML_STORE"))
    opened = begin(Record(open_store(study.store, probe=True)), study.definition, study.text)
    plan = opened.definition.plan
    again = outages.go_on(opened.record, with_settings(opened.definition, study.failures_in_a_row))
    if again:
        print(f"the study continues after a pause: {counted(len(again), 'training')} again", flush=True)
    file = opened.definition.file
    output("search", _stages(opened.definition, order_of_stages(plan, file.run.jobs or file.cluster.most_pods)))
    output("judge", _judgements(opened.definition))
    for name in ("store", "image", "timeout_minutes", "failures_in_a_row", "bucket", "report_key"):
        output(name, getattr(study, name))
    print(f"{study.definition.file.name}: {plan.experiments} experiments in {plan.runs} runs", flush=True)
    workflow_title.label(submission.labels(opened.definition, study.store))
    workflow_title.tell(opened)


def _stages(definition: Definition, stages: Iterable[Stage]) -> str:
    """As Argo loops over them: `title` and `part` name their nodes in its pages, `template` is that of the stage."""
    return json.dumps(
        [
            {
                "stage": str(stage.index),
                "rungs": str(stage.turns),
                "title": node_texts.stage_title(definition, stage),
                "part": node_texts.part(definition, stage),
                "template": "stage" if stage.overlap is None else "queue",
            }
            for stage in stages
        ]
    )


def _judgements(definition: Definition) -> str:
    """The judgements; the last one with as many rungs as it can have where the search may end early."""
    planned: list[dict[str, str]] = json.loads(_stages(definition, definition.plan.finals))
    if planned and definition.file.until is not None and definition.end is None:
        most = most_judging_rungs(definition.file.final.judgement, definition.plan)
        planned[-1]["rungs"] = str(max(int(planned[-1]["rungs"]), most))
    return json.dumps(planned)


def propose_rung() -> None:
    """Decides on a rung. First it gives up the trainings whose pods are gone for good and left no result.

    In a stage without a barrier it waits until there is something to train, or until there is nothing any more.
    """
    record, opened = open_study()
    outages.refuse_paused(record)
    this = step()
    if opened.definition.plan.stages[this.stage].overlap is not None:
        _propose_training(record, opened, this)
        return
    for following in pending(opened.definition.plan, opened.history()):
        if following.step == this and not following.decisions:  # Argo asks when the trainings before are over
            _refuse_untried(_give_up_lost(opened, following.runs))
    history = opened.history()
    outages.check(record, opened.definition, history)
    opened = _look_for_the_end(opened, history)
    if not _is_needed(opened, this):
        return
    _put_out(opened, propose(record, opened.definition, this.stage, this.index))


def _look_for_the_end(opened: OpenedStudy, history: History) -> OpenedStudy:
    """Ends the search where one of its limits is reached. `history` is what the record holds."""
    return replace(opened, definition=ending.look(opened.record, opened.definition, history))


def _is_needed(opened: OpenedStudy, this: Step) -> bool:
    """Whether the plan still has this decision; if not, says so to people and to Argo."""
    stage, end = opened.definition.plan.stages[this.stage], opened.definition.end
    if this.index < stage.turns:
        return True
    why = stage.ended.why if stage.ended is not None else end.why if end is not None else "it is in no plan"
    print(f"not needed: {why}")
    _put_out_trainings(opened.definition, Decision(this.stage, this.index, (), ()))
    return False


def _propose_training(record: Record, opened: OpenedStudy, this: Step) -> None:
    """Decides on one training. What it waits for, others train, whose turns came before.

    Each turn has its own index, so one that is run again gets its own decision again. It makes those before its own
    that nobody has made yet: what decides is what stands in the record, and not which turn is the first to look.
    """
    asked_again, seen = False, -1
    while (decided := train_on.decision_of_turn(record, opened.definition.plan.stages[this.stage], this.index)) is None:
        before, history = opened.definition, opened.history()
        outages.check(record, before, history)
        if len(history.results) != seen:
            opened, seen = _look_for_the_end(opened, history), len(history.results)
        opened = replace(opened, definition=ending.refreshed(record, opened.definition))
        if not _is_needed(opened, this):
            return
        if opened.definition is not before:  # it has ended: some of the decisions may be no part of the plan any more
            history = opened.history()
        plan = opened.definition.plan
        following = next((each for each in pending(plan, history) if each.step.stage == this.stage), None)
        if following is None or _begins_nothing(plan.stages[this.stage], history):
            print("nothing is left to train in this stage")
            _put_out_trainings(opened.definition, Decision(this.stage, this.index, (), ()))
            return
        if following.is_due:
            with suppress(NotReady):  # another turn was quicker
                propose(record, opened.definition, this.stage, following.step.index)
            continue
        if not asked_again:
            print(f"waits for the result of {counted(len(following.runs), 'training')}", flush=True)
        asked_again = True
        time.sleep(WAIT_SECONDS)
    if _is_needed(opened, this):
        _put_out(opened, decided)


def _begins_nothing(stage: Stage, history: History) -> bool:
    """Whether no turn is left for a new experiment, in a stage whose experiments train on until they are stopped."""
    return stage.stops and not standing_in(history, stage).can_begin


def settle() -> None:
    """Gives up the training of a turn whose pod is gone for good, if it left no result."""
    record, opened = open_study()
    outages.refuse_paused(record)  # a pod that refused to train is not lost
    this = step()
    stage = opened.definition.plan.stages[this.stage]
    decided = train_on.decision_of_turn(record, stage, this.index)
    if decided is None:
        return
    runs: list[Run] = list(runs_of_decision(decided))
    if stage.stops:  # it may have come to a later rung
        numbers = [run.recommendation.number for run in runs]
        newest = (train_on.newest_run(record, opened.definition, stage.index, number) for number in numbers)
        runs = [run for run in newest if run is not None]
    _give_up_lost(opened, (run for run in runs if record.result(*run.key) is None))


def _put_out(opened: OpenedStudy, decision: Decision) -> None:
    """Shows a decision to people, and to Argo what it asks for."""
    _show(opened, decision)
    workflow_title.tell(opened)
    for recommendation in decision.issued:
        print(f"experiment {recommendation.number} to epoch {recommendation.epochs}: {recommendation.reason}")
    for stopped in decision.stopped:
        print(f"experiment {stopped.number} stops: {stopped.reason}")
    _put_out_trainings(opened.definition, decision)


def _put_out_trainings(definition: Definition, decision: Decision) -> None:
    """Tells Argo what to train: `experiments` for workflows that were compiled before trainings had names."""
    output("experiments", json.dumps([str(recommendation.number) for recommendation in decision.issued]))
    output("trainings", json.dumps(node_texts.trainings(definition, decision)))
    output("epochs", node_texts.epochs(definition, decision))
    output("epochs_to_train", node_texts.epochs_to_train(definition, decision))
    output("rung", str(max((rung for _, rung in decision.runs()), default=0)))


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
    if (paused := outages.open_pause(record)) is not None:
        views.rebuild(opened)
        output(REPORT, (record.store.get(REPORT) or b"").decode())
        raise paused.error()
    unfinished = pending(plan, history)
    _give_up_lost(opened, _runs_of_ended_stages(history, unfinished))
    study = views.rebuild(opened)
    output(REPORT, (record.store.get(REPORT) or b"").decode())
    best = summary.best(opened.definition, study)
    if best is not None:
        values = next(each.values for each in experiments(study, plan) if each.number == best.experiment)
        place = record.where(best_model_key(""))
        output("best", _best(opened.definition, study, best, values, place))
        line = node_texts.summary(opened.definition, best, values, place)
        output("summary", line)
        print(line)
    workflow_title.tell(opened)
    if unfinished:
        raise _ended_early(plan, unfinished[0])
    if best is None:
        raise summary.nothing_to_show(opened.definition, study)


def _best(definition: Definition, study: History, best: summary.Best, values: Mapping[str, Any], place: str) -> str:
    """The best experiment and the verdict on it, as JSON."""
    judged = verdict(definition, study)
    return strict_json.dump(
        {
            "experiment": best.experiment,
            "metric": definition.metric_rule.name,
            "value": best.value,
            "values": dict(values),
            "gain": judged and judged.gain,
            "place": place,
            "standing": best.standing.value,
            "why": best.why,
            "verdict": judged and judged.to_json(),
        }
    ).decode()


def _ended_early(plan: Plan, following: Pending) -> RecordError:
    stage, index = plan.stages[following.step.stage], following.step.index
    what = f"its rung {index}" if stage.overlap is None else f"training {index}"
    return RecordError(
        f"stage {stage.name} ended before {what} was decided",
        advice="see why its last step failed; 'argo retry' or submitting the study again continues from here",
    )


def _runs_of_ended_stages(history: History, unfinished: Iterable[Pending]) -> tuple[Run, ...]:
    """The open runs of the stages that are decided to their end; the others may still be retried."""
    may_go_on = {following.step.stage for following in unfinished}
    return open_runs(history, *(decision for decision in history.decisions if decision.stage not in may_go_on))


def _refuse_untried(runs: Collection[Run]) -> None:
    """Raises NotReady when there are any runs that a user had trained again when their pods were over."""
    if runs:
        numbers = sorted({run.recommendation.number for run in runs})
        raise NotReady(
            f"{numbered('experiment', numbers)} is to be trained again, and the pods of that rung were over by then",
            advice="'automl resume' does it",
        )


def _give_up_lost(opened: OpenedStudy, runs: Iterable[Run]) -> list[Run]:
    """Stores a failure for each of these runs, which are over and have left no result.

    Returns those that it leaves open: a user had them trained again when their pods were over.
    """
    record, left = opened.record, []
    for run in runs:
        if ending.is_left_out(opened.definition, run):
            ending.leave_out(record, opened.definition, run, "left-out")
            continue
        if not outages.was_tried(record, run.key):
            left.append(run)
            continue
        fail(record, run.recommendation, run.rung, "lost", Diagnosis(Failure.LOST, MEANINGS[Failure.LOST]))
    return left
