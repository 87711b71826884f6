"""A study brought to a cluster: opened, compiled, checked and created. For the commands and for notebooks."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from pathlib import Path
from typing import Any

from automl.errors import ClusterError, InvalidInput
from automl.execution.submission import STUDY_LABEL
from automl.importing.earlier_searches import with_earlier
from automl.study import study_file
from automl.text.extras import not_installed
from workflows.cluster import Cluster, Workflow, check, ended, name_of, of_study, state, store_of


@contextmanager
def extra_cluster() -> Iterator[None]:
    """Inside, the libraries of the extra 'cluster' are imported; a missing one is reported."""
    try:
        yield
    except ModuleNotFoundError as error:
        name = str(error.name).partition(".")[0]
        raise not_installed(name, "cluster") from error


def open_cluster(namespace: str | None, context: str | None, server: str | None) -> Cluster:
    """A cluster by a context of the kubeconfig, or by the Argo server at the address `server`.

    Raises ClusterError when none is known, InvalidInput for both a server and a context.
    """
    with extra_cluster():
        argo_server, kubernetes = import_module("workflows.argo_server"), import_module("workflows.kubernetes_api")
    if server and context:
        if os.environ.get("ARGO_SERVER") != server:
            raise InvalidInput("--server and --context", allowed="one of the two", advice="leave one out")
        server = None  # an option counts more than the environment
    cluster: Cluster = (
        argo_server.ArgoServer(server, namespace) if server else kubernetes.Kubernetes(context, namespace)
    )
    return cluster


def namespace_of(study: Path) -> str | None:
    """The namespace that a study file names. Raises InvalidInput."""
    return study_file.read(study).file.cluster.namespace


def workflow_of(study: Path) -> Any:
    """The hera Workflow of a study file, with the earlier searches that it names, which no pod may reach.

    Raises InvalidInput when it cannot run on a cluster.
    """
    with extra_cluster():
        compile_study = import_module("workflows.compile").compile_study
    text = study_file.read_text(study)
    definition = with_earlier(study_file.parse(text, str(study), study.parent), study.parent, str(study))
    definition.check_new()
    return compile_study(definition, text)


def template_of(study: Path) -> Any:
    """The hera WorkflowTemplate of a study's algorithm, with its `cluster` settings and GPUs. Raises InvalidInput."""
    with extra_cluster():
        workflow_template = import_module("workflows.compile").workflow_template
    definition = study_file.read(study)
    return workflow_template(definition.file.algorithm, definition.file.cluster, definition.costs.gpus)


def compiled(study: Path) -> Workflow:
    """The workflow of a study file as Kubernetes takes it. Raises InvalidInput."""
    manifest: Workflow = workflow_of(study).to_dict()
    return manifest


def newest(cluster: Cluster, study: Path) -> Workflow | None:
    """The newest workflow of a study file; None if none is left."""
    definition = study_file.read(study)
    workflows = of_study(cluster, definition.file.name, definition.file.run.store)
    return workflows[0] if workflows else None


def refuse_a_second(cluster: Cluster, workflow: Workflow, study: Path) -> None:
    """Raises ClusterError when a workflow of this study is under way: two would do the same work twice."""
    label, store = workflow["metadata"]["labels"][STUDY_LABEL], store_of(workflow)
    for existing in of_study(cluster, label, store):
        if not ended(existing):
            raise ClusterError(
                f"{study}: the workflow {name_of(existing)} of this study is {state(existing)} on {store}",
                advice=f"see 'automl watch {study}'; 'automl resume {study}' continues one that is paused or "
                f"stopped, 'automl stop {study}' stops it",
            )


def create(cluster: Cluster, workflow: Workflow, *, dry_run: bool) -> tuple[Workflow | None, list[str]]:
    """Checks, then creates unless it is a dry run (None). Also returns what could not be checked, for people.

    Raises ClusterError.
    """
    metadata = workflow["metadata"]
    if metadata.get("namespace", cluster.namespace) != cluster.namespace:  # --namespace counts more than the study file
        workflow = {**workflow, "metadata": {**metadata, "namespace": cluster.namespace}}
    unseen = check(cluster, workflow)
    return (None if dry_run else cluster.create(workflow, dry_run=False)), unseen
