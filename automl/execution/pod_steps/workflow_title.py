"""How a study does, in Argo's list: the brain rewrites its workflow's title, description and labels, where it may.

It may where manifests/overlays/describe was applied: its ConfigMap says where the API server is, its Role lets the
brain patch workflows. No decision depends on any of it, so whatever goes wrong here is printed and nothing fails.
"""

from __future__ import annotations

import os
import ssl
import urllib.error
import urllib.request
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from automl.errors import RecordError, StoreError
from automl.networks.costs import Costs
from automl.search.history import Status
from automl.study.opened_study import OpenedStudy
from automl.text import strict_json
from automl.text.formatting import duration, number

if TYPE_CHECKING:
    from automl.analysis.status import StudyStatus

ACCOUNT = Path("/var/run/secrets/kubernetes.io/serviceaccount")  # what every pod knows of itself
_SHOWN = 24  # characters of a title in Argo's list
_SECONDS = 10.0  # for the API server's answer
_ANNOTATION = "workflows.argoproj.io/"


@dataclass(frozen=True)
class OwnWorkflow:
    """The workflow that this pod belongs to, at its API server."""

    url: str
    token: str
    trusted: ssl.SSLContext | None

    def patch(self, part: str, values: Mapping[str, str]) -> bool:
        """Merges annotations or labels; False, with the reason in the log, when that was not possible."""
        request = urllib.request.Request(  # noqa: S310 - the scheme is checked where the address is read
            self.url,
            strict_json.dump({"metadata": {part: dict(values)}}),
            {"Authorization": f"Bearer {self.token}", "Content-Type": "application/merge-patch+json"},
            method="PATCH",
        )
        direct = urllib.request.build_opener(
            urllib.request.ProxyHandler({}), urllib.request.HTTPSHandler(context=self.trusted)
        )
        try:
            with direct.open(request, timeout=_SECONDS):
                return True
        except (urllib.error.URLError, OSError) as error:
            print(f"Argo's list is not told how the study does: {error}", flush=True)
            return False


def own_workflow() -> OwnWorkflow | None:
    """The workflow of this pod; None where nobody gave the brain the right to describe it."""
    server, name = os.environ.get("AUTOML_API_SERVER", ""), os.environ.get("AUTOML_WORKFLOW", "")
    token, authority = ACCOUNT / "token", ACCOUNT / "ca.crt"
    if not name or not server.startswith(("https://", "http://")) or not token.exists():
        return None
    namespace = (ACCOUNT / "namespace").read_text().strip()
    url = f"{server.rstrip('/')}/apis/argoproj.io/v1alpha1/namespaces/{namespace}/workflows/{name}"
    trusted = ssl.create_default_context(cafile=str(authority)) if authority.exists() else None
    return OwnWorkflow(url, token.read_text().strip(), trusted)


def tell(opened: OpenedStudy) -> None:
    """Writes where the study stands into the title and the description of its workflow."""
    workflow = own_workflow()
    if workflow is None:
        return
    from automl.analysis.status import status

    try:
        now = status(opened.record, opened.definition)
    except (StoreError, RecordError) as error:  # it asks for the times of trainings, which others write
        print(f"Argo's list is not told how the study does: {error}", flush=True)
        return
    texts = {"title": title(now), "description": description(now, opened.definition.costs)}
    workflow.patch("annotations", {f"{_ANNOTATION}{name}": text for name, text in texts.items()})


def label(labels: Mapping[str, str]) -> None:
    """Labels the workflow, once its study is known."""
    workflow = own_workflow()
    if workflow is not None:
        workflow.patch("labels", labels)


def title(now: StudyStatus) -> str:
    """'plates 0.9130 9/14' in the characters that are seen: the study, its best value, the experiments that ended."""
    value = "" if now.best is None else f" {number(now.best.value)}"
    numbers = f"{value} {_ended(now)}/{now.planned}"
    name, room = now.study, max(4, _SHOWN - len(numbers))
    return (name if len(name) <= room else f"{name[: room - 1].rstrip('-')}…") + numbers


def description(now: StudyStatus, costs: Costs) -> str:
    """'best 0.9130 · experiment 5 · 9 of 14 · 26 min left · 2 failed · cost 3.20', as far as each is known."""
    parts = ["no result yet" if now.best is None else f"best {number(now.best.value)}"]
    if now.best is not None:
        parts.append("the defaults" if now.best.is_defaults else f"experiment {now.best.experiment}")
    parts.append(f"{_ended(now)} of {now.planned}")
    if now.state in ("done", "failed", "paused"):
        parts.append(now.state)
    elif now.time_left is not None:
        parts.append(f"{duration(now.time_left.middle)} left")
    if failed := now.progress.counts[Status.FAILURE]:
        parts.append(f"{failed} failed")
    if costs.price_per_gpu_hour is not None and costs.gpus:
        hours = sum(row.seconds for row in now.experiments) * costs.gpus / 3600
        parts.append(f"cost {hours * costs.price_per_gpu_hour:,.2f}")
    return " · ".join(parts)


def _ended(now: StudyStatus) -> int:
    """How many experiments have ended the last rung that they were asked for."""
    return now.planned - now.progress.counts[Status.PENDING] - now.progress.counts[Status.RUNNING]
