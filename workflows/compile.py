"""Compiles a study into an Argo Workflow, and makes the WorkflowTemplates that take any study.

Only short ids pass through Argo. A failed training is data; the workflow fails when a brain step does, and the last of
them fails when nothing succeeded or the search did not end.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hera.workflows import Parameter, Workflow, WorkflowTemplate
from hera.workflows import models as m

from automl.errors import StudyFileError
from automl.execution import submission
from automl.search.algorithms import ALGORITHMS
from automl.search.list_scheduling import order_of_stages
from automl.search.plan import Plan
from automl.study.cluster_options import ClusterSettings
from automl.study.definition import Definition
from automl.study.options import RunSettings
from automl.text import strict_json
from workflows import artifacts, lint, listing, meshes, pod_patches, pod_schema, pod_security, pod_volumes, pods, shape

_MOST_STEPS = (
    80  # rungs that have a step of their own; more would make the object large, and nobody would scroll to them
)
_STAGES: dict[str, str | None] = {"search": None, "judge": None}  # outputs of the first step, without a default
FOUND = {"best": "{}", "summary": "nothing succeeded"}  # outputs of the last step, where it has not written them
_TAKEN = dict.fromkeys(
    ("store", "image", "timeout_minutes", "failures_in_a_row")
)  # what it reads from a study that was not compiled


def compile_study(definition: Definition, text: str) -> Workflow:
    """The workflow of a study, for `argo submit` or for hera. `text` is the study file, stored for people.

    Raises StudyFileError when the study cannot run on a cluster as it is.
    """
    cluster, run, store = definition.file.cluster, definition.file.run, definition.file.run.store or ""
    image = cluster.image or definition.network.image
    submission.check_program(definition.network)
    image = submission.check_pod_values(store, image, "run: store", "set it there")
    sent = strict_json.dump(
        {**definition.to_json(), "text": text, **({"unsaid": list(definition.unsaid)} if definition.unsaid else {})}
    ).decode()
    submission.refuse_tags(sent, "the study")
    _check(cluster)
    lint.refuse_long(sent, "the study with its network")
    builder = pods.Pods(
        cluster,
        "{{workflow.parameters.store}}",
        image,
        definition.costs.gpus,
        run.preemptions,
        None if run.timeout_minutes is None else str(run.timeout_minutes),
        None if run.failures_in_a_row == RunSettings().failures_in_a_row else str(run.failures_in_a_row or 0),
        definition.costs.price_per_gpu_hour,
    )
    with Workflow(
        generate_name=f"{definition.file.name}-",
        arguments=[Parameter(name="store", value=store), Parameter(name="study", value=sent)],
        **listing.of_study(definition, store),
        **_spec(cluster, run.jobs),
    ) as workflow:
        start = pods.Step("start", ("study",), {**_STAGES, **artifacts.KEYS}, frozenset(artifacts.KEYS))
        _fill(
            builder,
            start,
            {"study": "{{workflow.parameters.study}}"},
            _lanes(definition.plan, run.jobs or cluster.most_pods),
            _lengths(definition.plan, run.jobs or cluster.most_pods),
        )
    wrong = lint.problems(workflow.to_dict(), definition.plan)
    if wrong:
        raise StudyFileError(f"the study does not make a workflow that Argo takes: {wrong[0]}")
    return workflow


def workflow_template(algorithm: str, cluster: ClusterSettings, gpus: int = 1) -> WorkflowTemplate:
    """A template that takes any study of an algorithm: `argo submit --from workflowtemplate/automl-ALGORITHM`.

    `cluster` holds the settings of all its studies; its `brain_image`, `endpoint` and `region` become parameters with
    these defaults. `gpus` is how many each training has. Raises KeyError for an unknown algorithm, StudyFileError for
    settings that no pod can have.
    """
    _check(cluster)
    options = ALGORITHMS[algorithm].template
    defaults = {
        "study": (None, "the study file: its text, or its address, s3://bucket/prefix/study.yaml"),
        "store": ("", "where the study will lie: s3://bucket/prefix; default: the study file's"),
        **{name: ("", f"{help_text}; default: the study file's") for name, help_text in options.items()},
        "algorithm": (algorithm, "what this template is for: there is a template for each"),
        "brain_image": (cluster.brain_image, "the image of our own steps"),
        "endpoint": (cluster.endpoint or "", "the address of an S3 server of your own"),
        "region": (cluster.region, "the region of the bucket"),
    }
    tags = {name: f"{{{{workflow.parameters.{name}}}}}" for name in ("brain_image", "endpoint", "region")}
    taken = {name: f"{{{{workflow.outputs.parameters.{name}}}}}" for name in _TAKEN}
    builder = pods.Pods(
        cluster.model_copy(update=tags),
        taken["store"],
        taken["image"],
        gpus,
        RunSettings().preemptions,
        taken["timeout_minutes"],
        taken["failures_in_a_row"],
    )
    with WorkflowTemplate(
        name=f"automl-{algorithm.replace('_', '-')}",
        arguments=[
            _template_parameter(name, value, help_text, algorithm) for name, (value, help_text) in defaults.items()
        ],
        annotations={
            listing.TITLE: f"{algorithm} search",
            listing.DESCRIPTION: "Give 'study', and 'store' if the study file has none.",
        },
        workflow_metadata=listing.of_any_study(algorithm),
        **_spec(cluster, None),
    ) as template:
        environment = {
            "AUTOML_STORE": "{{workflow.parameters.store}}",
            # encoded, for Argo looks into a value that it has put in for tags once more
            "AUTOML_PARAMETERS": "{{=toBase64(workflow.parameters.json)}}",
            "AUTOML_GPUS": str(gpus),
            "AUTOML_FAILURES_IN_A_ROW": "",  # it reads the study itself
        }
        exported = {**artifacts.KEYS, **_TAKEN}  # in the same order as in a compiled study, for links count them
        start = pods.Step("start", (), {**_STAGES, **exported}, frozenset(exported), environment)
        row = ALGORITHMS[algorithm]
        _fill(builder, start, {}, cluster.most_pods if row.may_overlap else None, both=not row.overlaps)
    return template


def _template_parameter(name: str, value: str | None, help_text: str, algorithm: str) -> Parameter:
    """A parameter of a template; without a value Argo asks for one at once."""
    given: dict[str, Any] = {} if value is None else {"value": value}  # of None hera makes the text 'null'
    if name == "algorithm":
        given["enum"] = [algorithm]
    return Parameter(name=name, description=help_text, **given)


def _lanes(plan: Plan, most: int) -> int | None:
    """How many turns of a stage without a barrier run at a time, no more than can train; None with barriers."""
    stages = [stage for stage in plan.stages if stage.overlap is not None]
    if not stages:
        return None
    useful = max((stage.overlap and stage.overlap.most) or stage.starts for stage in stages)
    return min(most, useful)


def _lengths(plan: Plan, places: int) -> tuple[int, ...]:
    """How many rungs the stages of a search have, in the order of their starts; none where they are too many steps."""
    lengths = tuple(dict.fromkeys(stage.most_decisions for stage in order_of_stages(plan, places)))
    return lengths if sum(lengths) <= _MOST_STEPS else ()


def _check(cluster: ClusterSettings) -> None:
    """Raises StudyFileError for settings that no pod can have, or that Argo would change."""
    submission.refuse_tags(strict_json.dump(cluster.model_dump(mode="json")).decode(), "cluster")
    pod_schema.check(cluster)


def _spec(cluster: ClusterSettings, jobs: int | None) -> dict[str, Any]:
    """What every workflow's spec has."""
    return {
        "api_version": "argoproj.io/v1alpha1",
        "entrypoint": "main",
        "parallelism": jobs or cluster.most_pods,
        "security_context": pod_security.pod_security(),
        "pod_spec_patch": pod_patches.of_every_pod(cluster),
        "volumes": pod_volumes.volumes(cluster),
        "artifact_repository_ref": artifacts.repository(cluster),
        **_every_pod(cluster),
        "pod_gc": _pod_gc(cluster),
    }


def _pod_gc(cluster: ClusterSettings) -> m.PodGC:
    """When Argo removes pods that have ended. It knows one delay for all of them."""
    if cluster.keep_failed_pods is None:
        return m.PodGC(strategy="OnPodSuccess", delete_delay_duration="1h")
    return m.PodGC(strategy="OnPodCompletion", delete_delay_duration=cluster.keep_failed_pods)


def _every_pod(cluster: ClusterSettings) -> dict[str, Any]:
    """What all pods get; options without a value are left out of the workflow."""
    every, mesh = cluster.every_pod, meshes.MESHES[cluster.mesh]
    labels, annotations = {**mesh.labels, **every.labels}, {**mesh.annotations, **every.annotations}
    return {
        "namespace": cluster.namespace,
        "image_pull_secrets": [m.LocalObjectReference(name=name) for name in cluster.image_pull_secrets] or None,
        "node_selector": dict(every.node_selector) or None,
        "tolerations": pods.tolerations(every.tolerations),
        "pod_priority_class_name": every.priority_class,
        "pod_metadata": m.Metadata(labels=labels or None, annotations=annotations or None)
        if labels or annotations
        else None,
    }


def _fill(
    builder: pods.Pods,
    start: pods.Step,
    arguments: dict[str, str],
    lanes: int | None,
    lengths: tuple[int, ...] = (),
    *,
    both: bool = False,
) -> None:
    """All templates, into the workflow that is open.

    `lanes`: of a search without barriers. `lengths`: the numbers of rungs that its stages are known to have. `both`:
    its stages may have barriers although there are lanes.
    """
    first = builder.brain_step(start)
    shown = (artifacts.report(builder.cluster),)
    position = ("stage", shape.RUNG if lanes is None else shape.TURN)
    propose = builder.brain_step(pods.Step("propose", position, shape.PROPOSED, artifacts=shown))
    train = builder.training(position)
    judge = shape.stages(propose, train, position[1], () if lanes is not None else lengths)
    search, judge = judge, shape.Stages(judge.any)
    if lanes is not None:
        queue = shape.queue(propose, train, builder.brain_step(pods.Step("settle", position)), lanes)
        search = replace(judge, queue=queue) if both else shape.Stages(queue)
    collect = builder.brain_step(pods.Step("collect", (), FOUND, frozenset(FOUND), artifacts=shown))
    shape.main(first, search, judge, collect, arguments)
