"""The commands for studies that run as Argo Workflows: submit, watch, stop, pause, resume."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.console import Console

from automl.command_options import Output, StudyPath
from automl.errors import AutoMLError, ClusterError, InvalidInput, StudyFailed
from automl.terminal import Format, complain, print_data

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
        help="Default: that of the kubeconfig context, or else argo.",
        metavar="NAME",
        envvar="ARGO_NAMESPACE",
    ),
]
Context = Annotated[
    str | None, typer.Option("--context", help="Of the kubeconfig; default: the current one.", metavar="NAME")
]
Server = Annotated[
    str | None,
    typer.Option(
        "--server",
        help="An Argo server, in place of Kubernetes itself; its token in ARGO_TOKEN.",
        metavar="URL",
        envvar="ARGO_SERVER",
    ),
]


@contextmanager
def extra_cluster() -> Iterator[None]:
    """Inside, the libraries of the extra 'cluster' are imported; a missing one is told of."""
    try:
        yield
    except ModuleNotFoundError as error:
        name = str(error.name).partition(".")[0]
        raise AutoMLError(f"{name} is not installed", advice="pip install 'argo-automl[cluster]'") from error


def submit(
    study: StudyPath,
    *,
    namespace: Namespace = None,
    context: Context = None,
    server: Server = None,
    watch: Annotated[bool, typer.Option("--watch", "-w", help="Follow it to its end, as 'automl watch' does.")] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Only check that the cluster would take it.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Run a study on a cluster: compile it, check that everything it needs is there, create the workflow.

    Example: automl submit study.yaml -n argo --watch
    """
    workflow = _compiled(study)
    cluster = _cluster(namespace, context, server)
    _refuse_a_second(cluster, workflow, study)
    made = _create(cluster, workflow, dry_run=dry_run)
    end = None
    if watch and made is not None:
        if output is Format.TABLE:
            _say_created(cluster, made, following=True)
        end = _follow(cluster, made, Console(stderr=output is not Format.TABLE), logs=False)
    if output is not Format.TABLE:
        print_data(_data(cluster, end or made or workflow, created=made is not None), output, None)
    elif made is None:
        print(f"{study}: namespace {cluster.namespace} ({cluster.where}) would take it; nothing was created")
    elif end is None:
        _say_created(cluster, made, following=False)
    if end is not None:
        _outcome(cluster, end, quiet=output is not Format.TABLE)


def watch(
    which: Which,
    namespace: Namespace = None,
    context: Context = None,
    server: Server = None,
    logs: Annotated[bool, typer.Option("--logs", help="Print what the trainings write, in place of a table.")] = False,
) -> None:
    """Follow a study on a cluster to its end: experiments, pods, and why pods wait. Ctrl-C stops watching, no more.

    Example: automl watch study.yaml --logs

    \b
    Exit code: 0 succeeded, 5 failed or stopped, 130 Ctrl-C (the study goes on).
    """
    cluster = _cluster(namespace, context, server)
    workflow = _existing(cluster, which)
    _outcome(cluster, _follow(cluster, workflow, Console(), logs=logs), quiet=False)


def stop(which: Which, namespace: Namespace = None, context: Context = None, server: Server = None) -> None:
    """Stop a study on a cluster. Its trainings are asked to stop and keep their checkpoints; 'automl resume' goes on.

    Example: automl stop study.yaml
    """
    from workflows.cluster import ended, name_of, state

    _refuse_local(which, "stop")
    cluster = _cluster(namespace, context, server)
    workflow = _existing(cluster, which)
    name, where = name_of(workflow), state(workflow)
    if ended(workflow) or where == "stopping":
        print(f"{name} has {where} already" if ended(workflow) and where != "stopped" else f"{name} is {where} already")
        return
    cluster.change(name, "stop")
    print(f"{name} stops; checkpoints and decisions stay. To go on: automl resume {which}{_options(cluster)}")


def pause(which: Which, namespace: Namespace = None, context: Context = None, server: Server = None) -> None:
    """Start no more pods of a study; those that train finish. 'automl resume' goes on.

    Example: automl pause study.yaml
    """
    from workflows.cluster import ended, name_of, state

    _refuse_local(which, "pause")
    cluster = _cluster(namespace, context, server)
    workflow = _existing(cluster, which)
    name, where = name_of(workflow), state(workflow)
    if ended(workflow) or where == "stopping":
        raise InvalidInput(f"{name} cannot be paused: it is {where}", allowed="a workflow that runs")
    if where == "paused":
        print(f"{name} is paused already")
        return
    cluster.change(name, "pause")
    print(f"{name} is paused; what trains finishes. To go on: automl resume {which}{_options(cluster)}")


def resume(which: Which, namespace: Namespace = None, context: Context = None, server: Server = None) -> None:
    """Go on with a study that was paused, stopped, deleted or that failed. Nothing that is done is trained again.

    Example: automl resume study.yaml
    """
    from workflows.cluster import name_of, state

    _refuse_local(which, "resume")
    cluster = _cluster(namespace, context, server)
    workflow = _meant(cluster, which)
    where = "deleted" if workflow is None else state(workflow)
    if workflow is not None and where == "stopping":
        workflow = _stopped(cluster, workflow)
        where = state(workflow)
    if workflow is not None and where == "paused":
        cluster.change(name_of(workflow), "resume")
        print(f"{name_of(workflow)} goes on; next: automl watch {name_of(workflow)}{_options(cluster)}")
    elif workflow is not None and where not in {"stopped", "failed", "error"}:
        says = "has succeeded: there is nothing left to do" if where == "succeeded" else f"is {where} already"
        print(f"{name_of(workflow)} {says}")
    else:
        _resubmit(cluster, which, workflow)


def _resubmit(cluster: Cluster, which: str, workflow: Workflow | None) -> None:
    """The study file compiled anew, or where only a workflow's name is known the same workflow again."""
    from workflows.cluster import again, name_of, state

    fresh = _compiled(Path(which)) if _is_file(which) else again(workflow or {})
    if workflow is None:
        print(f"no workflow of {which} is left in namespace {cluster.namespace}; what its store holds is kept")
    else:
        print(f"{name_of(workflow)} is {state(workflow)}; what its store holds is kept")
    made = _create(cluster, fresh, dry_run=False)
    assert made is not None
    _say_created(cluster, made, following=False)


# -- finding ----------------------------------------------------------------------------------------------------------


def _cluster(namespace: str | None, context: str | None, server: str | None) -> Cluster:
    with extra_cluster():
        from workflows.argo_server import ArgoServer
        from workflows.kubernetes_api import Kubernetes
    if server and context:
        if os.environ.get("ARGO_SERVER") != server:
            raise InvalidInput("--server and --context", allowed="one of the two", advice="leave one out")
        server = None  # what is said on the command line counts more than the environment
    return ArgoServer(server, namespace) if server else Kubernetes(context, namespace)


def _refuse_local(which: str, what: str) -> None:
    """Raises InvalidInput for a study that runs on this machine, where the process itself is what one stops."""
    from automl import study_file
    from automl.record import METADATA
    from automl.stores import open_store

    path = Path(which)
    if (path / METADATA).is_file():
        place = which
    elif _is_file(which):
        place = study_file.place_of(study_file.read(path), path)
        if "://" in place or open_store(place).get(METADATA) is None:
            return
    else:
        return
    raise InvalidInput(
        f"{what}: the study of {which} lies on this machine, in {place}",
        allowed="a study that runs on a cluster",
        advice=f"Ctrl-C, or SIGTERM, stops its 'automl run', which keeps every checkpoint; 'automl run "
        f"{which if _is_file(which) else 'STUDY.yaml'}' goes on with it",
    )


def _is_file(which: str) -> bool:
    return Path(which).is_file() or Path(which).suffix in {".yaml", ".yml"}


def _meant(cluster: Cluster, which: str) -> Workflow | None:
    """The workflow of this name, or the newest of a study file; None where none is left of a study."""
    from automl import study_file
    from workflows.cluster import named, of_study

    if not _is_file(which):
        return named(cluster, which)
    definition = study_file.read(Path(which))
    found = of_study(cluster, definition.file.name, definition.file.run.store)
    return found[0] if found else None


def _existing(cluster: Cluster, which: str) -> Workflow:
    found = _meant(cluster, which)
    if found is None:
        raise ClusterError(
            f"no workflow of {which} is in namespace {cluster.namespace} ({cluster.where})",
            advice=f"automl submit {which}, or choose with --namespace",
        )
    return found


def _compiled(study: Path) -> dict[str, Any]:
    from automl import study_file

    with extra_cluster():
        from workflows import compile_study
    text = study_file.read_text(study)
    made: dict[str, Any] = compile_study(study_file.parse(text, str(study), study.parent), text).to_dict()
    return made


def _refuse_a_second(cluster: Cluster, workflow: Workflow, study: Path) -> None:
    """Two workflows on one store would do the same work twice."""
    from workflows.cluster import STUDY_LABEL, ended, name_of, of_study, state, store_of

    label, store = workflow["metadata"]["labels"][STUDY_LABEL], store_of(workflow)
    for each in of_study(cluster, label, store):
        if not ended(each):
            raise ClusterError(
                f"{study}: the workflow {name_of(each)} of this study is {state(each)} on {store}",
                advice=f"see 'automl watch {study}'; 'automl resume {study}' goes on with one that is paused or "
                f"stopped, 'automl stop {study}' stops it",
            )


# -- doing ------------------------------------------------------------------------------------------------------------


def _create(cluster: Cluster, workflow: Workflow, *, dry_run: bool) -> Workflow | None:
    """Checks, then creates; nothing when it is a dry run."""
    from workflows.cluster import check

    unseen = check(cluster, workflow)
    if unseen:
        complain(f"not checked, for it cannot be seen: {', '.join(unseen)} in namespace {cluster.namespace}")
    return None if dry_run else cluster.create(workflow, dry_run=False)


def _say_created(cluster: Cluster, made: Workflow, *, following: bool) -> None:
    from workflows.cluster import name_of, store_of

    name = name_of(made)
    print(f"created the workflow {name} in namespace {cluster.namespace} ({cluster.where})", flush=True)
    if not following:
        print(f"next: automl watch {name}{_options(cluster)}")
        print(f"      or: argo watch -n {cluster.namespace} {name}; automl status {store_of(made)}")


def _options(cluster: Cluster) -> str:
    """What the next command needs to find the same place."""
    from workflows.argo_server import ArgoServer

    kind, _, context = cluster.where.partition(" ")
    place = f" --server {cluster.address}" if isinstance(cluster, ArgoServer) else ""
    if kind == "context":
        place = f" --context {context}"
    return f" -n {cluster.namespace}{place}"


def _data(cluster: Cluster, workflow: Workflow, *, created: bool) -> dict[str, Any]:
    from workflows.cluster import STUDY_LABEL, state, store_of

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
        found = cluster.get(name)
        if found is not None and ended(found):
            return found
        time.sleep(1)
    raise ClusterError(f"{name} has not stopped in {STOP_SECONDS} s", advice="see 'kubectl get pods', then try again")


def _follow(cluster: Cluster, workflow: Workflow, console: Console, *, logs: bool) -> Workflow:
    from workflows.cluster import name_of
    from workflows.watch import Watch

    name = name_of(workflow)
    try:
        return Watch(cluster, name, console, logs).follow()
    except KeyboardInterrupt:
        complain(f"stopped watching; the workflow goes on. See again: automl watch {name}{_options(cluster)}")
        raise typer.Exit(130) from None


def _outcome(cluster: Cluster, workflow: Workflow, *, quiet: bool) -> None:
    """Says how it ended. Raises StudyFailed unless it succeeded."""
    from workflows.cluster import name_of, phase, state, store_of
    from workflows.watch import why_it_failed

    name, store = name_of(workflow), store_of(workflow)
    if phase(workflow) != "Succeeded":
        if state(workflow) == "stopped":
            raise StudyFailed(f"{name} was stopped", advice=f"automl resume {name}{_options(cluster)}")
        raise StudyFailed(f"{name} failed: {why_it_failed(cluster, workflow)}", advice=f"see 'automl status {store}'")
    if not quiet:
        print(f"{name} has succeeded; next: automl best {store}")


COMMANDS = (submit, watch, stop, pause, resume)
