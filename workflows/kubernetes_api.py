"""A cluster by its own API, as kubectl reaches it: by KUBECONFIG, or from inside a pod."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from kubernetes import client, config
from urllib3.exceptions import HTTPError

from automl.errors import ClusterAway, ClusterError, InvalidInput, NotAllowed, nearest
from workflows.cluster import GROUP, PLURAL, USUAL_WAITS, VERSION, Action, Workflow

USUAL_NAMESPACE = "argo"
_MINE = Path("/var/run/secrets/kubernetes.io/serviceaccount/namespace")  # of the pod that we run in, if any
_SECONDS = (5, 60)  # to connect, and for an answer
_SILENCE = (5, 24 * 3600)  # the same for a log, which may say nothing for long
_CHANGES: dict[Action, dict[str, Any]] = {
    "stop": {"shutdown": "Stop", "suspend": None},  # a paused workflow would never end
    "pause": {"suspend": True},
    "resume": {"suspend": None},
}


class Kubernetes:
    """One namespace of the cluster that a kubeconfig context names. See cluster.Cluster."""

    def __init__(self, context: str | None, namespace: str | None) -> None:
        self._api, self.where, usual = _connect(context)
        self.namespace = namespace or usual or USUAL_NAMESPACE
        self._objects: Any = client.CustomObjectsApi(self._api)  # its types do not cover raw answers
        self._core: Any = client.CoreV1Api(self._api)

    def create(self, workflow: Workflow, *, dry_run: bool) -> Workflow:
        options = {"dry_run": "All"} if dry_run else {}
        with self._explaining(f"create workflows in namespace {self.namespace}"):
            created: Workflow = self._objects.create_namespaced_custom_object(
                GROUP, VERSION, self.namespace, PLURAL, dict(workflow), _request_timeout=_SECONDS, **options
            )
        return created

    def get(self, name: str) -> Workflow | None:
        try:
            with self._explaining(f"get workflows of namespace {self.namespace}", none_is_fine=True):
                workflow: Workflow = self._objects.get_namespaced_custom_object(
                    GROUP, VERSION, self.namespace, PLURAL, name, _request_timeout=_SECONDS
                )
        except _NotThere:
            return None
        return workflow

    def select(self, selector: str) -> list[Workflow]:
        with self._explaining(f"list workflows of namespace {self.namespace}"):
            answer = self._objects.list_namespaced_custom_object(
                GROUP, VERSION, self.namespace, PLURAL, label_selector=selector, _request_timeout=_SECONDS
            )
        items: list[Workflow] = answer["items"]
        return items

    def change(self, name: str, action: Action) -> None:
        with self._explaining(f"change workflow {name} in namespace {self.namespace}"):
            self._objects.patch_namespaced_custom_object(
                GROUP, VERSION, self.namespace, PLURAL, name, {"spec": _CHANGES[action]}, _request_timeout=_SECONDS
            )

    def look(self, kind: Literal["serviceaccount", "secret"], name: str) -> Mapping[str, Any] | None:
        read = {
            "serviceaccount": self._core.read_namespaced_service_account,
            "secret": self._core.read_namespaced_secret,
        }[kind]
        try:
            with self._explaining(f"get {kind}s of namespace {self.namespace}", none_is_fine=True):
                answer = read(name, self.namespace, _preload_content=False, _request_timeout=_SECONDS)
                body: Mapping[str, Any] = json.loads(answer.data)
        except _NotThere:
            return None
        return body

    def waits(self, name: str) -> dict[str, str]:
        with self._explaining(f"list pods of namespace {self.namespace}"):
            answer = self._core.list_namespaced_pod(
                self.namespace,
                label_selector=f"workflows.argoproj.io/workflow={name}",
                field_selector="status.phase=Pending",
                _preload_content=False,
                _request_timeout=_SECONDS,
            )
            pods = json.loads(answer.data)["items"]
        return {
            pod["metadata"].get("annotations", {}).get("workflows.argoproj.io/node-id", ""): why_it_waits(pod)
            for pod in pods
        }

    def log(self, name: str, pod: str, *, follow: bool) -> Iterator[str]:  # noqa: ARG002 - an Argo server wants the name
        with self._explaining(f"read the log of pod {pod}"):
            answer = self._core.read_namespaced_pod_log(
                pod, self.namespace, container="main", follow=follow, _preload_content=False, _request_timeout=_SILENCE
            )
            rest = b""
            for data in answer.stream():
                *lines, rest = (rest + data).split(b"\n")
                yield from (line.decode(errors="replace") for line in lines)
            if rest:
                yield rest.decode(errors="replace")

    @contextmanager
    def _explaining(self, doing: str, *, none_is_fine: bool = False) -> Iterator[None]:
        """Turns an error of the client into a ClusterError that says what could not be done."""
        try:
            yield
        except client.ApiException as error:
            if error.status == 404 and none_is_fine:
                raise _NotThere from error
            raise _explained(error, doing, self) from error
        except (HTTPError, OSError) as error:
            raise ClusterAway(
                f"the cluster of {self.where} does not answer at {self._api.configuration.host} ({_reason(error)})",
                advice="check that it runs and can be reached: kubectl get namespaces",
            ) from error


class _NotThere(Exception):
    """The object does not exist."""


def why_it_waits(pod: Mapping[str, Any]) -> str:
    """Why a pending pod does not run: what a container waits for, or why no node takes it; empty for a usual wait."""
    status = pod.get("status", {})
    for container in [*status.get("initContainerStatuses", ()), *status.get("containerStatuses", ())]:
        reason = container.get("state", {}).get("waiting", {})
        if reason.get("reason", "") not in USUAL_WAITS:
            return f"{reason['reason']}: {reason['message']}" if reason.get("message") else str(reason["reason"])
    for condition in status.get("conditions", ()):
        if condition["type"] == "PodScheduled" and condition["status"] == "False":
            return f"{condition.get('reason', 'not scheduled')}: {condition.get('message', '')}"
    return ""


def _connect(context: str | None) -> tuple[client.ApiClient, str, str | None]:
    """The client, the cluster's name for people, and the default namespace there."""
    inside = "KUBERNETES_SERVICE_HOST" in os.environ and _MINE.is_file()
    settings = client.Configuration()
    file = os.environ.get("KUBECONFIG") or None
    try:
        contexts, current = config.list_kube_config_contexts(file)
    except config.ConfigException as error:
        if context is None and inside:
            config.load_incluster_config(client_configuration=settings)
            return _client(settings), "the pod's own account", _MINE.read_text().strip()
        raise InvalidInput(
            f"no cluster is known: {error}",
            advice="set KUBECONFIG, or give the address of an Argo server with --server",
        ) from error
    names = [entry["name"] for entry in contexts]
    if context is not None and context not in names:
        raise InvalidInput(f"--context: {context!r}", allowed=", ".join(names), advice=nearest(context, names))
    chosen = next(entry for entry in contexts if entry["name"] == context) if context else current
    try:
        config.load_kube_config(file, context=chosen["name"], client_configuration=settings)
    except (config.ConfigException, OSError) as error:
        raise InvalidInput(
            f"context {chosen['name']}: {error}", advice="check the file that KUBECONFIG names"
        ) from error
    return _client(settings), f"context {chosen['name']}", chosen["context"].get("namespace")


def _client(settings: Any) -> client.ApiClient:
    settings.retries = False  # urllib3 would report each on standard error
    return client.ApiClient(settings)


def _explained(error: client.ApiException, doing: str, cluster: Kubernetes) -> ClusterError:
    """What the API server's refusal means."""
    try:
        message = str(json.loads(error.body or "{}").get("message", ""))
    except ValueError:
        message = str(error.reason)
    if error.status == 401:
        return ClusterError(f"{cluster.where} is not signed in", advice="sign in again, then 'kubectl auth whoami'")
    if error.status == 403:
        return NotAllowed(
            f"you may not {doing}: {message}",
            advice="ask for the Role automl-submit of manifests/base, or give --namespace",
        )
    if error.status == 404 and message.startswith("namespaces"):
        return ClusterError(
            f"there is no namespace {cluster.namespace!r} in the cluster of {cluster.where}",
            advice="give another with --namespace, or make it, with what manifests/base puts there",
        )
    if error.status == 404 and "requested resource" in message:
        return ClusterError(
            f"the cluster of {cluster.where} knows no workflows: Argo Workflows is not installed there",
            advice="see https://argo-workflows.readthedocs.io/en/latest/installation/, or choose with --context",
        )
    if error.status in {429, 500, 502, 503, 504}:
        return ClusterAway(f"the cluster of {cluster.where} is not well: {error.status} {message}", advice="try again")
    return ClusterError(f"cannot {doing}: {message or error.reason}", advice="see 'kubectl get events'")


def _reason(error: Exception) -> str:
    """The innermost cause, in a few words."""
    cause: BaseException = error
    while (inner := getattr(cause, "reason", None) or cause.__cause__) and isinstance(inner, BaseException):
        cause = inner
    return str(cause).rpartition(">: ")[2]
