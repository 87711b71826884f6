"""Studies on a cluster, without one: what a workflow's status says, which workflow is meant, what is missing."""

from __future__ import annotations

import base64
import gzip
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import pytest

from automl.errors import ClusterError, NotAllowed
from automl.study import study_file
from workflows import cluster as on
from workflows import compile_study
from workflows.cluster import Action, Workflow
from workflows.kubernetes_api import why_it_waits

STUDY = "name: demo\nnetwork: fashion_mnist\nR: 3\nmax_epochs: 3\nrun: {store: s3://bucket/demo}\n"


@dataclass
class Namespace:
    """A cluster's namespace in memory, with what tests put there."""

    workflows: list[Workflow] = field(default_factory=list)
    objects: dict[tuple[str, str], Mapping[str, Any]] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    namespace: str = "argo"
    where: str = "context test"

    def create(self, workflow: Workflow, *, dry_run: bool) -> Workflow:
        if not dry_run:
            self.workflows.append(workflow)
        return workflow

    def get(self, name: str) -> Workflow | None:
        return next((each for each in self.workflows if on.name_of(each) == name), None)

    def select(self, selector: str) -> list[Workflow]:
        key, _, value = selector.partition("=")
        labels = [each["metadata"].get("labels", {}) for each in self.workflows]
        return [
            each for each, mine in zip(self.workflows, labels, strict=True) if key in mine and value in {"", mine[key]}
        ]

    def change(self, name: str, action: Action) -> None:
        raise NotImplementedError((name, action))

    def look(self, kind: Literal["serviceaccount", "secret"], name: str) -> Mapping[str, Any] | None:
        if kind in self.hidden:
            raise NotAllowed(f"no look at {kind} {name}")
        return self.objects.get((kind, name))

    def waits(self, name: str) -> dict[str, str]:
        raise NotImplementedError(name)

    def log(self, name: str, pod: str, *, follow: bool) -> Iterator[str]:
        raise NotImplementedError((name, pod, follow))


def workflow(name: str = "demo-1", store: str = "s3://bucket/demo", **more: Any) -> Workflow:
    return {
        "metadata": {"name": name, "labels": {"automl/study": "demo"}, "creationTimestamp": more.pop("made", "1")},
        "spec": {"arguments": {"parameters": [{"name": "store", "value": store}]}, **more.pop("spec", {})},
        "status": more,
    }


def pod(node: str, *, experiment: str | None = None, **more: str) -> dict[str, Any]:
    inputs = [{"name": "experiment", "value": experiment}, {"name": "rung", "value": "1"}] if experiment else []
    template = "train" if experiment else "propose"
    return {
        "id": node,
        "displayName": node,
        "type": "Pod",
        "templateName": template,
        "inputs": {"parameters": inputs},
        **more,
    }


@pytest.mark.parametrize(
    ("given", "word"),
    [
        ({}, "not seen yet by Argo's controller"),
        ({"phase": "Running"}, "running"),
        ({"phase": "Running", "spec": {"suspend": True}}, "paused"),
        ({"phase": "Running", "spec": {"shutdown": "Stop", "suspend": True}}, "stopping"),
        ({"phase": "Failed", "spec": {"shutdown": "Stop"}}, "stopped"),
        ({"phase": "Succeeded", "spec": {"shutdown": "Stop"}}, "succeeded"),  # asked to stop when it was done
        ({"phase": "Failed"}, "failed"),
        ({"phase": "Error"}, "error"),
    ],
)
def test_the_state_of_a_workflow_in_a_word(given: dict[str, Any], word: str) -> None:
    assert on.state(workflow(**given)) == word


def test_a_phase_that_argo_does_not_have_is_named() -> None:
    with pytest.raises(ClusterError, match="unknown phase 'Sleeping'; allowed: Pending, Running"):
        on.state(workflow(phase="Sleeping"))


@pytest.mark.parametrize("state", list(on.State))
def test_every_state_can_be_said_of_a_workflow(state: on.State) -> None:
    phases = {"error": "Error", "failed": "Failed", "succeeded": "Succeeded", "stopped": "Failed", "pending": "Pending"}
    phase = "" if state is on.State.UNSEEN else phases.get(state, "Running")
    spec = {
        on.State.PAUSED: {"suspend": True},
        on.State.STOPPING: {"shutdown": "Stop"},
        on.State.STOPPED: {"shutdown": "Stop"},
    }
    of = workflow(phase=phase, spec=spec.get(state, {}))
    assert on.state(of) is state
    assert "already" in on.already(of)


def test_a_status_that_argo_has_compressed_is_read() -> None:
    plain = {"a-1": pod("a-1", experiment="7", phase="Running")}
    packed = base64.b64encode(gzip.compress(json.dumps(plain).encode())).decode()
    assert on.nodes(workflow(compressedNodes=packed)) == list(plain.values())


def test_trainings_are_named_by_experiment_and_rung_and_sorted_as_numbers() -> None:
    found = on.trainings(workflow(nodes={n: pod(n, experiment=n) for n in ("10", "9", "2")} | {"brain": pod("brain")}))
    assert [each.name for each in found] == ["experiment 2 rung 1", "experiment 9 rung 1", "experiment 10 rung 1"]


def test_the_gpus_of_a_training_are_those_that_the_workflow_or_its_template_asks_for() -> None:
    text = "name: study\nnetwork: fashion_mnist\nrun: {store: s3://b/p}\ncosts: {gpus: 2}\n"
    made = compile_study(study_file.parse(text, "study", Path()), text).to_dict()
    assert on.gpus_of_a_training(made) == 2
    asked = {"metadata": {}, "spec": {"workflowTemplateRef": {"name": "t"}}}
    assert on.gpus_of_a_training({**asked, "status": {"storedWorkflowTemplateSpec": made["spec"]}}) == 2
    assert on.gpus_of_a_training(asked) == 0


def test_a_pod_is_named_by_workflow_template_and_the_end_of_its_nodes_id() -> None:
    assert on.pod_of(workflow(), pod("demo-1-4160", experiment="3")) == "demo-1-train-4160"


def test_pods_that_wait_for_the_same_are_told_together_and_usual_waits_are_not() -> None:
    nodes = [
        pod("a", experiment="1", phase="Pending", message="Unschedulable: no GPU"),
        pod("b", experiment="2", phase="Pending", message="PodInitializing"),
        pod("c", experiment="3", phase="Pending"),
        pod("d", experiment="4", phase="Running", message="Unschedulable: no GPU"),
        pod("e", phase="Pending", message="ErrImagePull"),
    ]
    seen = {"c": "Unschedulable: no GPU"}  # the pod says more than its node
    assert on.waiting(workflow(nodes={each["id"]: each for each in nodes}), seen) == {
        "Unschedulable: no GPU": ["experiment 1 rung 1", "experiment 3 rung 1"],
        "ErrImagePull": ["e"],
    }


@pytest.mark.parametrize(
    ("status", "says"),
    [
        ({"containerStatuses": [{"state": {"waiting": {"reason": "ContainerCreating"}}}]}, ""),
        ({"containerStatuses": [{"state": {"running": {}}}]}, ""),
        (
            {
                "initContainerStatuses": [{"state": {"waiting": {"reason": "ImagePullBackOff", "message": "no x:1"}}}],
                "containerStatuses": [{"state": {"waiting": {"reason": "PodInitializing"}}}],
            },
            "ImagePullBackOff: no x:1",
        ),
        (
            {
                "conditions": [
                    {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/1 nodes"}
                ]
            },
            "Unschedulable: 0/1 nodes",
        ),
    ],
)
def test_why_a_pod_waits(status: dict[str, Any], says: str) -> None:
    assert why_it_waits({"status": status}) == says


def test_the_step_that_failed_the_workflow_is_never_a_training() -> None:
    nodes = [
        pod("t", experiment="1", phase="Failed", finishedAt="3"),
        pod("first", phase="Failed", finishedAt="1"),
        pod("last", phase="Error", finishedAt="2"),
        pod("fine", phase="Succeeded", finishedAt="4"),
    ]
    found = on.failed_step(workflow(nodes={each["id"]: each for each in nodes}))
    assert found is not None
    assert found["id"] == "last"
    assert on.failed_step(workflow()) is None


def test_the_workflows_of_a_study_are_those_on_its_store_newest_first() -> None:
    made = [workflow("old", made="2"), workflow("new", made="3"), workflow("other", "s3://bucket/other", made="4")]
    assert [on.name_of(each) for each in on.of_study(Namespace(made), "demo", "s3://bucket/demo")] == ["new", "old"]


def test_the_store_of_a_workflow_from_a_template_is_what_its_first_step_put_out() -> None:
    outputs = {"parameters": [{"name": "store", "value": "s3://bucket/put-out"}]}
    assert on.store_of(workflow(store="", outputs=outputs)) == "s3://bucket/put-out"
    assert on.store_of(workflow(store="")) == ""


def test_a_workflow_that_is_not_there_is_refused_with_a_near_name() -> None:
    with pytest.raises(ClusterError, match=r"no workflow 'demo-2' in namespace argo \(context test\).*'demo-1'"):
        on.named(Namespace([workflow("demo-1")]), "demo-2")


def test_the_same_workflow_again_has_its_spec_and_what_we_wrote_and_nothing_that_stopped_it() -> None:
    first = workflow(spec={"shutdown": "Stop", "suspend": True, "entrypoint": "main"}, phase="Failed")
    first["metadata"].update({"generateName": "demo-", "uid": "u", "resourceVersion": "9"})
    first["metadata"]["labels"]["workflows.argoproj.io/completed"] = "true"
    first["metadata"]["annotations"] = {"workflows.argoproj.io/title": "t", "other/thing": "x"}
    again = on.again(first)
    assert again["metadata"] == {
        "generateName": "demo-",
        "labels": {"automl/study": "demo"},
        "annotations": {"workflows.argoproj.io/title": "t"},
    }
    assert again["spec"] == {"arguments": first["spec"]["arguments"], "entrypoint": "main"}
    assert "status" not in again


# -- what is missing --------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def compiled() -> dict[str, Any]:
    made: dict[str, Any] = compile_study(study_file.parse(STUDY, "demo", Path()), STUDY).to_dict()
    return made


WHOLE: dict[tuple[str, str], Mapping[str, Any]] = {
    ("serviceaccount", "automl-brain"): {},
    ("serviceaccount", "automl-trainer"): {},
    ("secret", "automl-s3"): {"data": {"access-key": "YQ==", "secret-key": "Yg=="}},
}


def test_a_workflow_whose_needs_are_met_passes(compiled: dict[str, Any]) -> None:
    cluster = Namespace(objects=WHOLE)
    assert on.check(cluster, compiled) == []
    assert cluster.workflows == []


@pytest.mark.parametrize(
    ("missing", "says"),
    [
        (("serviceaccount", "automl-trainer"), "no service account 'automl-trainer'; kubectl apply -k manifests/base"),
        (
            ("secret", "automl-s3"),
            "no Secret 'automl-s3', which its pods need; kubectl -n argo create secret generic automl-s3 "
            "--from-literal=access-key=... --from-literal=secret-key=...",
        ),
    ],
)
def test_what_is_missing_is_named_with_the_command_that_makes_it(
    compiled: dict[str, Any], missing: tuple[str, str], says: str
) -> None:
    objects = {key: value for key, value in WHOLE.items() if key != missing}
    with pytest.raises(ClusterError) as refused:
        on.check(Namespace(objects=objects), compiled)
    assert says in str(refused.value)


def test_a_secret_without_one_of_the_keys_is_refused(compiled: dict[str, Any]) -> None:
    objects = {**WHOLE, ("secret", "automl-s3"): {"data": {"access-key": "YQ=="}}}
    with pytest.raises(ClusterError, match="the Secret 'automl-s3' in namespace argo has no key secret-key"):
        on.check(Namespace(objects=objects), compiled)


def test_what_may_not_be_looked_at_is_said_and_refuses_nothing(compiled: dict[str, Any]) -> None:
    assert on.check(Namespace(objects=WHOLE, hidden=("secret",)), compiled) == ["Secret automl-s3"]
