"""A cluster by its Argo server, for people who have no kubeconfig: --server URL, and a token in ARGO_TOKEN."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping
from typing import Any, Literal

import requests

from automl.errors import ClusterAway, ClusterError, InvalidInput, NotAllowed
from workflows.cluster import Action, Workflow
from workflows.kubernetes_api import USUAL_NAMESPACE

_SECONDS = (5, 60)  # to connect, and for an answer
_CHANGES: dict[Action, tuple[str, ...]] = {
    "stop": ("stop", "resume"),  # a paused workflow would never end
    "pause": ("suspend",),
    "resume": ("resume",),
}


class ArgoServer:
    """One namespace behind an Argo server. See cluster.Cluster."""

    def __init__(self, address: str, namespace: str | None) -> None:
        if "://" not in address:  # as the command argo has it in ARGO_SERVER
            scheme = "http" if os.environ.get("ARGO_SECURE") == "false" else "https"
            address = f"{scheme}://{address}"
        if not address.startswith(("http://", "https://")):
            raise InvalidInput(f"--server: {address!r}", allowed="https://host:port, http://host:port, host:port")
        self.address = address.rstrip("/")
        self.where = f"Argo server {self.address}"
        self.namespace = namespace or USUAL_NAMESPACE
        self._session = requests.Session()
        self._session.trust_env = False  # no ~/.netrc: the token is the only key
        token = os.environ.get("ARGO_TOKEN", "").strip()
        if token:
            self._session.headers["Authorization"] = token if " " in token else f"Bearer {token}"

    def create(self, workflow: Workflow, *, dry_run: bool) -> Workflow:
        body = {"namespace": self.namespace, "workflow": workflow, "serverDryRun": dry_run}
        created: Workflow = self._call("POST", self._path(), json=body).json()
        return created

    def get(self, name: str) -> Workflow | None:
        answer = self._call("GET", self._path(name), none_is_fine=True)
        return None if answer.status_code == 404 else answer.json()

    def select(self, selector: str) -> list[Workflow]:
        answer = self._call("GET", self._path(), params={"listOptions.labelSelector": selector})
        items: list[Workflow] = answer.json().get("items") or []
        return items

    def change(self, name: str, action: Action) -> None:
        for verb in _CHANGES[action]:
            self._call("PUT", self._path(name, verb), json={"namespace": self.namespace, "name": name})

    def look(self, kind: Literal["serviceaccount", "secret"], name: str) -> Mapping[str, Any] | None:
        raise NotAllowed(f"an Argo server shows no {kind}: {name}")

    def waits(self, name: str) -> dict[str, str]:  # noqa: ARG002 - it shows no pods; what Argo knows is in the nodes
        return {}

    def log(self, name: str, pod: str, *, follow: bool) -> Iterator[str]:
        options = {"podName": pod, "logOptions.container": "main", "logOptions.follow": str(follow).lower()}
        answer = self._call("GET", self._path(name, "log"), params=options, stream=True, timeout=(5, None))
        try:
            for line in answer.iter_lines():
                if line:
                    yield str(json.loads(line).get("result", {}).get("content", ""))
        except requests.RequestException as error:
            raise ClusterAway(f"the log of {pod} broke off ({type(error).__name__})") from error

    def _path(self, *names: str) -> str:
        return "/".join(("api/v1/workflows", self.namespace, *names))

    def _call(self, method: str, path: str, *, none_is_fine: bool = False, **options: Any) -> requests.Response:
        """The server's answer. Raises ClusterError for a refusal, ClusterAway when there is none."""
        try:
            answer = self._session.request(method, f"{self.address}/{path}", **{"timeout": _SECONDS, **options})
        except requests.RequestException as error:
            raise ClusterAway(
                f"the {self.where} does not answer ({type(error).__name__})", advice="check the address and the network"
            ) from error
        if answer.ok or (none_is_fine and answer.status_code == 404):
            return answer
        raise self._explained(answer)

    def _explained(self, answer: requests.Response) -> ClusterError:
        try:
            message = str(answer.json().get("message", ""))
        except ValueError:
            message = answer.text[:200]
        code = answer.status_code
        if code == 401:
            return ClusterError(
                f"the {self.where} does not let you in: {message}", advice="set ARGO_TOKEN (see 'argo auth token')"
            )
        if code == 403:
            return NotAllowed(
                f"the {self.where} refuses: {message}",
                advice="ask for the Role automl-submit of manifests/base, or give --namespace",
            )
        if code in {429, 500, 502, 503, 504}:
            return ClusterAway(f"the {self.where} is not well: {code} {message}", advice="try again")
        return ClusterError(
            f"the {self.where} refuses: {code} {message}",
            advice=f"check --namespace ({self.namespace}) and the study file",
        )
