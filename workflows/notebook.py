"""A study on a cluster, from a notebook: look at its workflow, submit, watch, stop.

    from automl.notebook import Study
    from workflows.notebook import OnCluster

    study = Study.write("study.yaml", network="fashion_mnist", run={"store": "s3://bucket/prefix"})
    there = OnCluster(study, namespace="argo")
    there.workflow()
    there.submit()
    there.wait()
    study.best()

What a study has found is asked of the study itself, which reads its record in the bucket: for that the notebook needs
boto3's own variables (AWS_ACCESS_KEY_ID, ..., AWS_ENDPOINT_URL for an S3 server of your own).
"""

from __future__ import annotations

import re
import time
from dataclasses import dataclass, field
from typing import Any

from automl.errors import AutoMLError, ClusterAway, ClusterError, RecordError
from automl.notebook import Study
from automl.reporting.notebook.html import NotebookResult
from automl.reporting.notebook.progress import progress_display
from automl.reporting.rows import indicators
from workflows import cluster as on
from workflows.cluster import Cluster, Workflow
from workflows.lint import problems
from workflows.size import MOST_BYTES, study_bytes
from workflows.submit import compiled, create, newest, open_cluster, refuse_a_second
from workflows.watch import why_it_failed

__all__ = ["OnCluster"]

_INPUT = re.compile(r"\{\{inputs\.parameters\.(\w+)\}\}")  # what Argo puts in
_EXPRESSION, _NAMED = re.compile(r"\{\{=(.*?)\}\}"), re.compile(r"inputs\.parameters\.\w+")
PATIENCE = 30.0  # at most, seconds between two requests to a cluster that does not answer


@dataclass
class OnCluster:
    """A study on one namespace of a cluster; its workflow is the newest that its study file was submitted as.

    `namespace` is by default that of the study file, or of the kubeconfig context, or else argo. `context` is one of
    the kubeconfig, by default the current one. `server` is the address of an Argo server to use instead of Kubernetes
    itself; its token is taken from ARGO_TOKEN.
    """

    study: Study
    namespace: str | None = None
    context: str | None = None
    server: str | None = None
    _cluster: Cluster | None = field(default=None, repr=False)
    _name: str = field(default="", repr=False)

    def workflow(self) -> NotebookResult:
        """The Argo Workflow that the study compiles to: its templates, its size at the end, what lint finds.

        It needs no cluster. `data` is the workflow as Kubernetes takes it. Raises InvalidInput.
        """
        manifest, definition = compiled(self.study.path), self.study.definition
        wrong = problems(manifest, definition.plan)
        rows = [("template", "what it is", "containers")]
        rows += [
            (template["name"], _kind(template), ", ".join(_containers(template)))
            for template in manifest["spec"]["templates"]
        ]
        size = f"{study_bytes(definition) / 1000:,.0f} kB at the end, of the {MOST_BYTES / 1000:,.0f} kB that fit"
        lines = [f"size: {size}", f"lint: {'; '.join(wrong) or 'nothing is wrong'}"]
        text = "\n".join([*("  ".join(row) for row in rows), *lines])
        return NotebookResult(manifest, lambda console: console.print(text, highlight=False), rows, lines=lines)

    def submit(self) -> NotebookResult:
        """Checks that the cluster has all that the study needs, then creates the workflow.

        Raises InvalidInput, and ClusterError: also when a workflow of this study is under way.
        """
        manifest, cluster = compiled(self.study.path), self._connected()
        refuse_a_second(cluster, manifest, self.study.path)
        created, unseen = create(cluster, manifest, dry_run=False)
        assert created is not None, "it is no dry run"
        self._name = on.name_of(created)
        data = {"workflow": self._name, "namespace": cluster.namespace, "store": on.store_of(created)}
        rows = [("", ""), *data.items()]
        rows += [("not checked, for it cannot be seen", ", ".join(unseen))] if unseen else []
        return _pairs(data, rows)

    def status(self) -> NotebookResult:
        """Where the workflow stands, why pods wait, and what the record says. Raises ClusterError."""
        return self._look()[1]

    def wait(self, every: float = 5.0) -> str:
        """Shows the status until the workflow has ended: 'Done' or 'Error'. It looks again after `every` seconds.

        An interrupted cell stops waiting and nothing else. A cluster that does not answer is asked again. Raises
        ClusterError when the workflow is gone.
        """
        pause = every
        with progress_display() as display:
            while True:
                try:
                    workflow, result = self._look()
                except ClusterAway as error:
                    display.show(_pairs({}, [("", ""), ("workflow", f"{error.given}; asking again")]), 0.0)
                    time.sleep(pause)
                    pause = min(2 * pause, PATIENCE)
                    continue
                pause = every
                display.show(result, result.data["share"])
                if on.ended(workflow):
                    return "Done" if on.phase(workflow) == "Succeeded" else "Error"
                time.sleep(every)

    def stop(self) -> None:
        """Asks the trainings to keep a checkpoint and end; `submit` goes on from there. Raises ClusterError."""
        workflow = self._workflow()
        if not on.ended(workflow):
            self._connected().change(on.name_of(workflow), "stop")

    def _look(self) -> tuple[Workflow, NotebookResult]:
        workflow = self._workflow()
        cluster, ended = self._connected(), on.ended(workflow)
        running = sum(pod.phase == "Running" for pod in on.trainings(workflow))
        rows = [("workflow", f"{on.name_of(workflow)} in {cluster.namespace}: {on.state(workflow)}")]
        if not ended:
            rows.append(("pods that train", str(running)))
            waits = on.waiting(workflow, cluster.waits(on.name_of(workflow)))
            rows += [(f"{len(pods)} waiting", reason) for reason, pods in waits.items()]
        elif on.ended_without_success(workflow):
            rows.append(("failed", why_it_failed(cluster, workflow)))
        share = 0.0
        try:
            current = self.study.read_status()
            rows += indicators(current)[1:]
            share = current.progress.share_done
        except RecordError:
            rows.append(("record", "not begun"))
        except AutoMLError as error:
            rows.append(("record", f"cannot be read from here: {error}"))
        data = {"workflow": on.name_of(workflow), "state": on.state(workflow), "training": running, "share": share}
        return workflow, _pairs(data, [("", ""), *rows])

    def _connected(self) -> Cluster:
        if self._cluster is None:
            namespace = self.namespace or self.study.definition.file.cluster.namespace
            self._cluster = open_cluster(namespace, self.context, self.server)
        return self._cluster

    def _workflow(self) -> Workflow:
        cluster = self._connected()
        workflow = cluster.get(self._name) if self._name else newest(cluster, self.study.path)
        if workflow is None:
            raise ClusterError(
                f"no workflow of {self.study.path} is in namespace {cluster.namespace} ({cluster.where})",
                advice="submit() makes one, and continues with what the store holds",
            )
        return workflow


def _kind(template: dict[str, Any]) -> str:
    title = template.get("annotations", {}).get("workflows.argoproj.io/display-name", "")
    # an expression, which puts its inputs into Argo's letters, is shown by their names alone
    title = _EXPRESSION.sub(
        lambda found: ".".join(f"{{{{{each}}}}}" for each in dict.fromkeys(_NAMED.findall(found[1]))), title
    )
    title = _INPUT.sub(r"<\1>", title)
    kind = "a pod" if "container" in template else "steps"
    return f"{kind}, shown as {title}" if title else kind


def _containers(template: dict[str, Any]) -> list[str]:
    """The containers of a pod with their images: init containers, main, sidecars."""
    main = [{"name": "main", **template["container"]}] if "container" in template else []
    containers = [*template.get("initContainers", ()), *main, *template.get("sidecars", ())]
    return [f"{container['name']} ({container['image']})" for container in containers]


def _pairs(data: dict[str, Any], rows: list[tuple[str, str]]) -> NotebookResult:
    text = "\n".join(f"{name}: {value}" for name, value in rows[1:])
    return NotebookResult(data, lambda console: console.print(text, highlight=False), rows)
