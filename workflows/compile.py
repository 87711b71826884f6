"""Compiles a study into an Argo Workflow: a DAG a stage, a brain task a rung, a pod an experiment.

Only short ids pass through Argo. A failed training is data, so every dependency names all outcomes; the workflow fails
when a brain step does, and the last of them fails when nothing succeeded.
"""

from __future__ import annotations

from hera.workflows import DAG, Container, Parameter, Task, Workflow
from hera.workflows import models as m

from automl import strict_json
from automl.errors import StudyFileError
from automl.plan import Stage
from automl.study_file import Definition
from workflows import lint, pods

TITLE, DESCRIPTION = "workflows.argoproj.io/title", "workflows.argoproj.io/description"


def compile_study(definition: Definition, text: str) -> Workflow:
    """The workflow of a study, for `argo submit` or for hera. text: of the study file, kept for people.

    Raises StudyFileError when the study cannot run on a cluster as it is.
    """
    cluster, store = definition.file.cluster, definition.file.run.store
    if store is None or not store.startswith("s3://"):
        raise StudyFileError(
            f"run: store: {store}", allowed="s3://bucket/prefix, where every pod can reach it", advice="set it there"
        )
    sent = strict_json.dump({**definition.to_json(), "text": text}).decode()
    lint.refuse_tags(sent, "the study")
    lint.refuse_tags(store, "run: store")
    metric = definition.metric_rule
    with Workflow(
        api_version="argoproj.io/v1alpha1",
        generate_name=f"{definition.file.name}-",
        entrypoint="main",
        arguments=[Parameter(name="store", value=store), Parameter(name="study", value=sent)],
        parallelism=definition.file.run.jobs or cluster.most_pods,
        security_context=pods.pod_security(),
        pod_spec_patch=pods.pod_patch(),
        volumes=pods.volumes(),
        pod_gc=m.PodGC(strategy="OnPodSuccess", delete_delay_duration="1h"),
        annotations={
            TITLE: f"{definition.file.name}: {definition.file.algorithm} on {definition.network.name}",
            DESCRIPTION: f"{metric.goal} {metric.name}; {definition.plan.experiments} experiments in {store}",
        },
        labels={"automl/study": definition.file.name},
    ) as workflow:
        steps = _steps(definition)
        stages = [_stage(stage, steps) for stage in definition.plan.stages]
        _main(definition, steps, stages)
    wrong = lint.problems(workflow.to_dict(), definition.plan.runs)
    if wrong:
        raise StudyFileError(f"the study does not make a workflow that Argo takes: {wrong[0]}")
    return workflow


def _steps(definition: Definition) -> dict[str, Container]:
    """The templates that run pods, by name."""
    cluster = definition.file.cluster
    made = [
        pods.brain_step(cluster, pods.Step("start", ("study",))),
        pods.brain_step(cluster, pods.Step("propose", ("stage", "rung"), "experiments")),
        pods.training(definition, cluster),
        pods.brain_step(cluster, pods.Step("collect", (), "best")),
    ]
    return {str(template.name): template for template in made}


def _stage(stage: Stage, steps: dict[str, Container]) -> DAG:
    """The DAG of a stage: a brain task and a group of trainings for every rung, one after the other."""
    with DAG(name=f"stage-{stage.index}", fail_fast=False) as dag:
        before = None
        for rung in stage.rungs:
            place = {"stage": str(stage.index), "rung": str(rung.index)}
            decide = Task(
                name=f"rung-{rung.index}",
                template=steps["propose"],
                arguments=place,
                depends=before and _ended(before),
            )
            Task(
                name=f"train-{rung.index}",
                template=steps["train"],
                with_param=decide.get_parameter("experiments"),
                arguments={"experiment": "{{item}}", **place},
                depends=f"{decide.name}.Succeeded",
            )
            before = f"train-{rung.index}"
    return dag


def _main(definition: Definition, steps: dict[str, Container], stages: list[DAG]) -> None:
    """start, then the search stages side by side, then the final judgement, then collect."""
    search = definition.plan.search
    with DAG(name="main", fail_fast=False):
        study = {"study": "{{workflow.parameters.study}}"}
        Task(name="start", template=steps["start"], arguments=study)
        for stage, dag in zip(definition.plan.stages, stages, strict=True):
            after = "start.Succeeded"
            if stage.kind == "final":
                after = " && ".join(f"({_ended(f'stage-{each.index}')})" for each in search)
            Task(name=f"stage-{stage.index}", template=dag, depends=after)
        everything = " && ".join(f"({_ended(f'stage-{stage.index}')})" for stage in definition.plan.stages)
        Task(name="collect", template=steps["collect"], depends=everything)


def _ended(task: str) -> str:
    """The condition that a task is over, however it ended."""
    return " || ".join(f"{task}.{outcome}" for outcome in ("Succeeded", "Failed", "Errored", "Skipped", "Omitted"))
