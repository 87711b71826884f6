"""Studies on a cluster: what a workflow needs there, its state, and which one is meant. All pure except `Cluster`.

`Cluster` is the little that is needed of a cluster; kubernetes_api.py and argo_server.py are its two implementations.
"""

from __future__ import annotations

import base64
import gzip
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Protocol

from automl.errors import ClusterError, NotAllowed, nearest
from automl.execution.submission import STUDY_LABEL
from automl.text import strict_json

GROUP, VERSION, PLURAL = "argoproj.io", "v1alpha1", "workflows"
USUAL_WAITS = {"", "ContainerCreating", "PodInitializing"}  # every pod passes through these
_MANIFESTS = "kubectl apply -k manifests/base, whose kustomization.yaml says 'namespace: {namespace}'"
_DEVICE = "/"  # is in the names of resources such as nvidia.com/gpu, which a training has for its GPUs alone
_OURS = re.compile(r"(automl|workflows\.argoproj\.io)/(study|store|metric|title|description)")

Workflow = Mapping[str, Any]
Action = Literal["stop", "pause", "resume"]


class State(StrEnum):
    """The state of a workflow, by its phase and by what its user asked for; the value is the word for people."""

    UNSEEN = "not seen yet by Argo's controller"
    PENDING = "pending"
    RUNNING = "running"
    PAUSED = "paused"
    STOPPING = "stopping"
    STOPPED = "stopped"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ERROR = "error"


_ALREADY = {  # the message for a workflow that need not be changed
    State.UNSEEN: "already exists, and Argo's controller has not seen it yet",
    State.PENDING: "is already pending",
    State.RUNNING: "is already running",
    State.PAUSED: "is already paused",
    State.STOPPING: "is already stopping",
    State.STOPPED: "is already stopped",
    State.SUCCEEDED: "has already succeeded",
    State.FAILED: "has already failed",
    State.ERROR: "has already ended with an error",
}
_STATES = {  # Argo's phase -> state, unless the workflow was stopped or paused
    "": State.UNSEEN,
    "Pending": State.PENDING,
    "Running": State.RUNNING,
    "Succeeded": State.SUCCEEDED,
    "Failed": State.FAILED,
    "Error": State.ERROR,
}
_ENDED = {State.STOPPED, State.SUCCEEDED, State.FAILED, State.ERROR}


class Cluster(Protocol):
    """One namespace of a cluster. Every method raises ClusterError, or ClusterAway when nothing answers."""

    namespace: str
    where: str  # for people: the kubeconfig context, or the address of the Argo server

    def create(self, workflow: Workflow, *, dry_run: bool) -> Workflow:
        """Creates the workflow, or only asks whether it would be taken."""

    def get(self, name: str) -> Workflow | None:
        """The workflow of this name, or None."""

    def select(self, selector: str) -> list[Workflow]:
        """The workflows that a label selector picks."""

    def change(self, name: str, action: Action) -> None:
        """Stops, pauses or resumes a workflow."""

    def look(self, kind: Literal["serviceaccount", "secret"], name: str) -> Mapping[str, Any] | None:
        """The object, or None. Raises NotAllowed when it may not be looked at."""

    def waits(self, name: str) -> dict[str, str]:
        """Why pods of a workflow do not run yet, by the id of their node; empty where pods cannot be seen."""

    def log(self, name: str, pod: str, *, follow: bool) -> Iterator[str]:
        """The lines that the main container of a pod has written; with `follow`, until it ends."""


@dataclass(frozen=True)
class Training:
    """A pod that trains: its node in the workflow's status."""

    node: str
    pod: str
    experiment: str
    rung: str
    phase: str
    message: str

    @property
    def name(self) -> str:
        return f"experiment {self.experiment}" + (f" rung {self.rung}" if self.rung else "")


# -- what a workflow says ---------------------------------------------------------------------------------------------


def name_of(workflow: Workflow) -> str:
    return str(workflow["metadata"]["name"])


def parameter(workflow: Workflow, name: str) -> str | None:
    """The value of one of the workflow's arguments."""
    parameters = workflow["spec"].get("arguments", {}).get("parameters", ())
    return next(
        (str(argument["value"]) for argument in parameters if argument["name"] == name and "value" in argument), None
    )


def store_of(workflow: Workflow) -> str:
    """Where its study lies: an argument, or else an output of the first step; empty until that step has run."""
    put_out = workflow.get("status", {}).get("outputs", {}).get("parameters", ())
    stated = next((str(output.get("value", "")) for output in put_out if output["name"] == "store"), "")
    return parameter(workflow, "store") or stated


def phase(workflow: Workflow) -> str:
    """Argo's word for its state; empty until its controller has seen it."""
    return str(workflow.get("status", {}).get("phase", ""))


def ended(workflow: Workflow) -> bool:
    return state(workflow) in _ENDED


def already(workflow: Workflow) -> str:
    """The message for a workflow that is already in the requested state."""
    return _ALREADY[state(workflow)]


def ended_without_success(workflow: Workflow) -> bool:
    """Whether another workflow may go on with its study."""
    return state(workflow) in _ENDED - {State.SUCCEEDED}


def state(workflow: Workflow) -> State:
    """Its state. Raises ClusterError for a phase that Argo did not have when this was written."""
    by_phase = _STATES.get(phase(workflow))
    if by_phase is None:
        raise ClusterError(
            f"the workflow {name_of(workflow)} has the unknown phase {phase(workflow)!r}",
            allowed=", ".join(name for name in _STATES if name),
            advice="a newer version of argo-automl may know it",
        )
    if workflow["spec"].get("shutdown"):
        if by_phase is State.SUCCEEDED:
            return State.SUCCEEDED
        return State.STOPPED if by_phase in _ENDED else State.STOPPING
    if workflow["spec"].get("suspend") and by_phase not in _ENDED:
        return State.PAUSED
    return by_phase


def nodes(workflow: Workflow) -> list[Mapping[str, Any]]:
    """The nodes of its status, which Argo compresses when they are many."""
    status = workflow.get("status", {})
    by_id = status.get("nodes")
    if not by_id and status.get("compressedNodes"):
        by_id = strict_json.load(gzip.decompress(base64.b64decode(status["compressedNodes"])), "compressedNodes")
    return list((by_id or {}).values())


def pod_of(workflow: Workflow, node: Mapping[str, Any]) -> str:
    """The name of a node's pod: workflow, template, and the number at the end of the node's id."""
    template = node.get("templateName") or node.get("templateRef", {}).get("template", "")
    return f"{name_of(workflow)}-{template}-{str(node['id']).rpartition('-')[2]}"


def trainings(workflow: Workflow) -> list[Training]:
    """Its training pods, by experiment and rung."""
    pods = []
    for node in nodes(workflow):
        inputs = {item["name"]: item.get("value", "") for item in node.get("inputs", {}).get("parameters", ())}
        if node["type"] == "Pod" and "experiment" in inputs:
            pods.append(
                Training(
                    node["id"],
                    pod_of(workflow, node),
                    inputs["experiment"],
                    inputs.get("rung", ""),
                    node.get("phase", ""),
                    node.get("message", ""),
                )
            )
    return sorted(pods, key=lambda training: (training.experiment.zfill(9), training.rung.zfill(9), training.node))


def gpus_of_a_training(workflow: Workflow) -> int:
    """How many GPUs each of its trainings asks for, by the workflow or the template that it was made from."""
    made_from = workflow.get("status", {}).get("storedWorkflowTemplateSpec", {})
    limits = [part.get("limits") for each in (workflow["spec"], made_from) for part in _mappings(each)]
    counts = [limit[name] for limit in limits if isinstance(limit, Mapping) for name in limit if _DEVICE in name]
    return max((int(count) for count in counts if str(count).isdigit()), default=0)


def waiting(workflow: Workflow, reasons: Mapping[str, str]) -> dict[str, list[str]]:
    """Why pods do not run -> the names of those pods. `reasons` are what the pods themselves give, by node."""
    names = {training.node: training.name for training in trainings(workflow)}
    pods: dict[str, list[str]] = {}
    for node in nodes(workflow):
        if node["type"] == "Pod" and node.get("phase") == "Pending":
            reason = reasons.get(node["id"]) or node.get("message", "")
            if reason.partition(":")[0] not in USUAL_WAITS:
                pods.setdefault(reason, []).append(names.get(node["id"], node["displayName"]))
    return pods


def failed_step(workflow: Workflow) -> Mapping[str, Any] | None:
    """The last of our own steps that failed, which failed the workflow: a failed training is data and fails nothing."""
    train = {training.node for training in trainings(workflow)}
    failed = [
        node
        for node in nodes(workflow)
        if node["type"] == "Pod" and node.get("phase") in {"Failed", "Error"} and node["id"] not in train
    ]
    return max(failed, key=lambda node: str(node.get("finishedAt", "")), default=None)


# -- which workflow ---------------------------------------------------------------------------------------------------


def of_study(cluster: Cluster, study: str, store: str | None) -> list[Workflow]:
    """The workflows of a study on this store, newest first."""
    workflows = cluster.select(f"{STUDY_LABEL}={study}")
    mine = [workflow for workflow in workflows if store_of(workflow) == store]
    return sorted(
        mine, key=lambda workflow: (str(workflow["metadata"].get("creationTimestamp")), name_of(workflow)), reverse=True
    )


def named(cluster: Cluster, name: str) -> Workflow:
    """The workflow of this name. Raises ClusterError, which suggests a similar name."""
    workflow = cluster.get(name)
    if workflow is not None:
        return workflow
    names = [name_of(candidate) for candidate in cluster.select(STUDY_LABEL)]
    raise ClusterError(
        f"there is no workflow {name!r} in namespace {cluster.namespace} ({cluster.where})",
        allowed="the name of a workflow, or a study file",
        advice=nearest(name, names) or "see 'kubectl get workflows -A', or choose with --namespace",
    )


def again(workflow: Workflow) -> dict[str, Any]:
    """The same workflow to be created anew: its spec without what stopped it, and our own labels and annotations."""
    metadata = workflow["metadata"]
    kept = {
        group: {key: value for key, value in metadata.get(group, {}).items() if _OURS.fullmatch(key)}
        for group in ("labels", "annotations")
    }
    spec = {key: value for key, value in workflow["spec"].items() if key not in {"shutdown", "suspend"}}
    prefix = metadata.get("generateName") or f"{metadata['name']}-"
    return {
        "apiVersion": f"{GROUP}/{VERSION}",
        "kind": "Workflow",
        "metadata": {"generateName": prefix, **kept},
        "spec": spec,
    }


# -- before anything is created ---------------------------------------------------------------------------------------


def check(cluster: Cluster, workflow: Workflow) -> list[str]:
    """Raises ClusterError when the cluster would not take the workflow or its pods could not start.

    Returns what could not be looked at, for people.
    """
    cluster.create(workflow, dry_run=True)
    accounts, secrets = needs(workflow)
    unseen = []
    for account in sorted(accounts):
        try:
            if cluster.look("serviceaccount", account) is None:
                raise ClusterError(
                    f"namespace {cluster.namespace} has no service account {account!r}",
                    advice=_MANIFESTS.format(namespace=cluster.namespace),
                )
        except NotAllowed:
            unseen.append(f"service account {account}")
    for secret, keys in sorted(secrets.items()):
        try:
            _check_secret(cluster, secret, keys)
        except NotAllowed:
            unseen.append(f"Secret {secret}")
    return unseen


def _check_secret(cluster: Cluster, name: str, keys: set[str]) -> None:
    secret = cluster.look("secret", name)
    missing = sorted(keys - set((secret or {}).get("data") or ()))
    literals = " ".join(f"--from-literal={key}=..." for key in sorted(keys))
    create = f"kubectl -n {cluster.namespace} create secret"
    advice = f"{create} generic {name} {literals if keys else '--from-file=..., or docker-registry for an image'}"
    if secret is None:
        raise ClusterError(f"namespace {cluster.namespace} has no Secret {name!r}, which its pods need", advice=advice)
    if missing:
        raise ClusterError(
            f"the Secret {name!r} in namespace {cluster.namespace} has no key {' and no key '.join(missing)}",
            allowed=f"with {', '.join(sorted(keys))}",
            advice=f"delete it, then {advice}",
        )


def needs(workflow: Workflow) -> tuple[set[str], dict[str, set[str]]]:
    """The service accounts that its pods run as, and the Secrets that they need, with the keys that they read."""
    accounts: set[str] = set()
    secrets: dict[str, set[str]] = {}
    for mapping in _mappings(workflow["spec"]):
        account, reference = mapping.get("serviceAccountName"), mapping.get("secretKeyRef")
        if isinstance(account, str):
            accounts.add(account)
        if isinstance(reference, Mapping) and not reference.get("optional"):
            secrets.setdefault(reference["name"], set()).add(reference["key"])
        for pulled_with in mapping.get("imagePullSecrets") or ():
            secrets.setdefault(pulled_with["name"], set())
        if isinstance(mapping.get("secretName"), str):  # of a volume
            secrets.setdefault(mapping["secretName"], set())
    return accounts, secrets


def _mappings(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every mapping inside a value, at any depth."""
    if isinstance(value, Mapping):
        yield value
        for item in value.values():
            yield from _mappings(item)
    elif isinstance(value, list):
        for item in value:
            yield from _mappings(item)
