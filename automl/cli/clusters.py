"""The commands for studies that run as Argo Workflows: submit, watch, stop, pause, resume."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from automl.cli import watching
from automl.cli.options import Output, StudyPath
from automl.cli.output import Format, complain, print_data
from automl.errors import ClusterError, InvalidInput, StudyFailed
from automl.reporting.plain_console import plain_console

if TYPE_CHECKING:
    from workflows.cluster import Cluster, Workflow

STOP_SECONDS = 180  # that a workflow may take to stop
Which = Annotated[
    str, typer.Argument(help="The study file, or the name of its workflow.", metavar="STUDY.yaml|WORKFLOW")
]
Namespace = Annotated[
    str | None,
    typer.Option(
        "--namespace",
        "-n",
        help="Default: the namespace of the study file, else of the kubeconfig context, else argo.",
        metavar="NAME",
        envvar="ARGO_NAMESPACE",
    ),
]
Context = Annotated[
    str | None, typer.Option("--context", help="A context of the kubeconfig; default: the current one.", metavar="NAME")
]
Server = Annotated[
    str | None,
    typer.Option(
        "--server",
        help="An Argo server to use instead of the Kubernetes API; its token is in ARGO_TOKEN.",
        metavar="URL",
        envvar="ARGO_SERVER",
    ),
]


def submit(
    study: StudyPath,
    *,
    namespace: Namespace = None,
    context: Context = None,
    server: Server = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Follow it to its end, like 'automl watch'.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check whether the cluster would accept it.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Run a study on a cluster: compile it, check that everything it needs is there, create the workflow.

    Example: automl submit study.yaml -n argo --watch
    """
    from workflows.submit import compiled, refuse_a_second

    workflow = compiled(study)
    cluster = _opened(str(study), namespace, context, server)
    refuse_a_second(cluster, workflow, study)
    created = _create(cluster, workflow, dry_run=dry_run)
    end = None
    if watch and created is not None:
        if output is Format.TABLE:
            _say_created(cluster, created, following=True)
        end = _follow(cluster, created, plain_console(stderr=output is not Format.TABLE), logs=False)
    if output is not Format.TABLE:
        print_data(_data(cluster, end or created or workflow, created=created is not None), output, None)
    elif created is None:
        print(f"{study}: namespace {cluster.namespace} ({cluster.where}) would take it; nothing was created")
    elif end is None:
        _say_created(cluster, created, following=False)
    if end is not None:
        _outcome(cluster, end, quiet=output is not Format.TABLE)


def watch(
    which: Which,
    namespace: Namespace = None,
    context: Context = None,
    server: Server = None,
    logs: Annotated[bool, typer.Option("--logs", help="Print the logs of the trainings instead of a table.")] = False,
) -> None:
    """Follow a study to its end, on a cluster or on this machine. Ctrl-C ends the watching, not the study.

    Example: automl watch study.yaml --logs

    \b
    On a cluster it shows pods too, and why they wait.
    Exit code: 0 succeeded, 5 failed or stopped, 130 Ctrl-C (the study goes on).
    """
    if _local_store(which) is not None:
        watching.follow(which, logs=logs)
        return
    cluster = _opened(which, namespace, context, server)
    workflow = _existing(cluster, which)
    _outcome(cluster, _follow(cluster, workflow, plain_console(), logs=logs), quiet=False)


def stop(which: Which, namespace: Namespace = None, context: Context = None, server: Server = None) -> None:
    """Stop a study on a cluster. Its trainings stop and keep their checkpoints; 'automl resume' continues it.

    Example: automl stop study.yaml
    """
    from workflows.cluster import State, already, ended, name_of, state

    _refuse_local(which, "stop")
    cluster = _opened(which, namespace, context, server)
    workflow = _existing(cluster, which)
    name = name_of(workflow)
    if ended(workflow) or state(workflow) is State.STOPPING:
        print(f"{name} {already(workflow)}")
        return
    cluster.change(name, "stop")
    print(f"{name} stops; checkpoints and decisions stay. To continue: automl resume {which}{_options(cluster)}")


def pause(which: Which, namespace: Namespace = None, context: Context = None, server: Server = None) -> None:
    """Start no more pods of a study; those that train finish. 'automl resume' continues it.

    Example: automl pause study.yaml
    """
    from workflows.cluster import State, already, ended, name_of, state

    _refuse_local(which, "pause")
    cluster = _opened(which, namespace, context, server)
    workflow = _existing(cluster, which)
    name = name_of(workflow)
    if ended(workflow) or state(workflow) is State.STOPPING:
        raise InvalidInput(f"{name} cannot be paused: it {already(workflow)}", allowed="a workflow that is running")
    if state(workflow) is State.PAUSED:
        print(f"{name} {already(workflow)}")
        return
    cluster.change(name, "pause")
    print(f"{name} is paused; running trainings finish. To continue: automl resume {which}{_options(cluster)}")


def resume(which: Which, namespace: Namespace = None, context: Context = None, server: Server = None) -> None:
    """Resume a study that was paused, stopped or deleted, or that failed. Finished trainings are not repeated.

    Example: automl resume study.yaml
    """
    from workflows.cluster import State, already, ended_without_success, name_of, state

    _refuse_local(which, "resume")
    cluster = _opened(which, namespace, context, server)
    workflow = _requested_workflow(cluster, which)
    if workflow is not None and state(workflow) is State.STOPPING:
        workflow = _stopped(cluster, workflow)
    if workflow is None or ended_without_success(workflow):
        _resubmit(cluster, which, workflow)
        return
    name = name_of(workflow)
    if state(workflow) is State.PAUSED:
        cluster.change(name, "resume")
        print(f"{name} continues; next: automl watch {name}{_options(cluster)}")
    elif state(workflow) is State.SUCCEEDED:
        print(f"{name} has succeeded: there is nothing left to do")
    else:
        print(f"{name} {already(workflow)}")


def _resubmit(cluster: Cluster, which: str, workflow: Workflow | None) -> None:
    """Compiles the study file again, or creates the same workflow again if only its name was given."""
    from workflows.cluster import again, name_of, state
    from workflows.submit import compiled

    fresh = compiled(Path(which)) if _is_file(which) else again(workflow or {})
    if workflow is None:
        print(f"no workflow of {which} is left in namespace {cluster.namespace}; what its store holds is kept")
    else:
        print(f"{name_of(workflow)} is {state(workflow)}; what its store holds is kept")
    created = _create(cluster, fresh, dry_run=False)
    assert created is not None
    _say_created(cluster, created, following=False)


# -- finding ----------------------------------------------------------------------------------------------------------


def _local_store(which: str) -> str | None:
    """The folder in which a study that was begun on this machine is stored; None for any other."""
    from automl.stores import open_store
    from automl.study import study_file
    from automl.study.keys import METADATA

    path = Path(which)
    if (path / METADATA).is_file():
        return which
    if not _is_file(which):
        return None
    store = study_file.store_uri(study_file.read(path), path)
    return None if "://" in store or open_store(store).get(METADATA) is None else store


def _refuse_local(which: str, what: str) -> None:
    """Raises InvalidInput for a study that runs on this machine, where the user stops the process itself."""
    store = _local_store(which)
    if store is not None:
        raise InvalidInput(
            f"{what}: the study of {which} is stored on this machine, in {store}",
            allowed="a study that runs on a cluster",
            advice=f"Ctrl-C, or SIGTERM, stops its 'automl run', which keeps every checkpoint; 'automl run "
            f"{which if _is_file(which) else 'STUDY.yaml'}' continues it",
        )


def _opened(which: str, namespace: str | None, context: str | None, server: str | None) -> Cluster:
    """The cluster, in the namespace that was asked for, or else in that of the study file."""
    from workflows.submit import namespace_of, open_cluster

    if namespace is None and _is_file(which):
        namespace = namespace_of(Path(which))
    return open_cluster(namespace, context, server)


def _is_file(which: str) -> bool:
    return Path(which).is_file() or Path(which).suffix in {".yaml", ".yml"}


def _requested_workflow(cluster: Cluster, which: str) -> Workflow | None:
    """The workflow of this name, or the newest of a study file; None if a study has none left."""
    from workflows.cluster import named
    from workflows.submit import newest

    return newest(cluster, Path(which)) if _is_file(which) else named(cluster, which)


def _existing(cluster: Cluster, which: str) -> Workflow:
    workflow = _requested_workflow(cluster, which)
    if workflow is None:
        raise ClusterError(
            f"no workflow of {which} is in namespace {cluster.namespace} ({cluster.where})",
            advice=f"automl submit {which}, or choose with --namespace",
        )
    return workflow


# -- doing ------------------------------------------------------------------------------------------------------------


def _create(cluster: Cluster, workflow: Workflow, *, dry_run: bool) -> Workflow | None:
    """Checks, then creates; nothing when it is a dry run."""
    from workflows.submit import create

    created, unseen = create(cluster, workflow, dry_run=dry_run)
    if unseen:
        names = ", ".join(unseen)
        complain(f"not checked, because your permissions do not show it: {names} in namespace {cluster.namespace}")
    return created


def _say_created(cluster: Cluster, workflow: Workflow, *, following: bool) -> None:
    from workflows.cluster import name_of, store_of

    name = name_of(workflow)
    print(f"created the workflow {name} in namespace {cluster.namespace} ({cluster.where})", flush=True)
    if not following:
        print(f"next: automl watch {name}{_options(cluster)}")
        print(f"      or: argo watch -n {cluster.namespace} {name}; automl status {store_of(workflow)}")


def _options(cluster: Cluster) -> str:
    """The options with which the next command finds the same namespace."""
    from workflows.argo_server import ArgoServer

    kind, _, context = cluster.where.partition(" ")
    option = f" --server {cluster.address}" if isinstance(cluster, ArgoServer) else ""
    if kind == "context":
        option = f" --context {context}"
    return f" -n {cluster.namespace}{option}"


def _data(cluster: Cluster, workflow: Workflow, *, created: bool) -> dict[str, Any]:
    from automl.execution.submission import STUDY_LABEL
    from workflows.cluster import state, store_of

    return {
        "study": workflow["metadata"]["labels"][STUDY_LABEL],
        "store": store_of(workflow),
        "workflow": workflow["metadata"].get("name"),
        "namespace": cluster.namespace,
        "cluster": cluster.where,
        "created": created,
        "state": state(workflow) if created else None,
    }


def _stopped(cluster: Cluster, workflow: Workflow) -> Workflow:
    """The workflow after it has stopped, which takes as long as its trainings need to store a checkpoint."""
    from workflows.cluster import ended, name_of

    name = name_of(workflow)
    print(f"{name} is stopping; waiting until it has", flush=True)
    until = time.monotonic() + STOP_SECONDS
    while time.monotonic() < until:
        latest = cluster.get(name)
        if latest is not None and ended(latest):
            return latest
        time.sleep(1)
    raise ClusterError(f"{name} did not stop within {STOP_SECONDS} s", advice="see 'kubectl get pods', then try again")


def _follow(cluster: Cluster, workflow: Workflow, console: Console, *, logs: bool) -> Workflow:
    from workflows.cluster import name_of
    from workflows.watch import Watch

    name = name_of(workflow)
    try:
        return Watch(cluster, name, console, logs).follow()
    except KeyboardInterrupt:
        complain(f"stopped watching; the workflow continues. To see it again: automl watch {name}{_options(cluster)}")
        raise typer.Exit(130) from None


def _outcome(cluster: Cluster, workflow: Workflow, *, quiet: bool) -> None:
    """Says how it ended. Raises StudyFailed unless it succeeded."""
    from workflows.cluster import State, name_of, state, store_of
    from workflows.watch import why_it_failed

    name, store = name_of(workflow), store_of(workflow)
    if state(workflow) is not State.SUCCEEDED:
        if state(workflow) is State.STOPPED:
            raise StudyFailed(f"{name} was stopped", advice=f"automl resume {name}{_options(cluster)}")
        raise StudyFailed(f"{name} failed: {why_it_failed(cluster, workflow)}", advice=f"see 'automl status {store}'")
    if not quiet:
        print(f"{name} has succeeded; next: automl best {store}")
