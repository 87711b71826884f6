"""The pods of a workflow: one builder makes every container, and a training pod of three.

stage-in (init) prepares the shared volume, main trains with any image, observe takes what main writes to the store.
Values reach the containers as environment variables and no other way (see lint.py).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from hera.workflows import Container, Env, Parameter, RetryStrategy, SecretEnv, UserContainer
from hera.workflows import models as m

from automl import pod
from automl.steps.stage_in import argv
from automl.study_file import Definition
from automl.study_options import ClusterSettings

MOUNT = str(pod.WORK.parent)  # of the volume that the containers of a pod share
TEMPORARY = "/tmp"  # noqa: S108 - a volume of the pod's own
USER = 65532  # and group, of the images in containers/
# Runs the training, keeps its output for the log, tells `observe` its exit code, and stays until the result is stored.
# Fixed text: what is run are its arguments. POSIX sh, for the image may hold nothing else.
TRAIN = """\
run=/automl/run
[ -e "$run/skip" ] && exit 0
cd "$run" || exit 1
mkfifo output && { tee -a log.txt <output & }
"$@" >output 2>&1 &
child=$!
trap 'kill -TERM "$child" 2>/dev/null' TERM INT
(while [ ! -e exit-code ]; do [ -e stop ] && kill -TERM "$child" 2>/dev/null; sleep 1; done) &
while :; do
    wait "$child"
    code=$?
    kill -0 "$child" 2>/dev/null || break
done
echo "$code" >exit-code.new && mv exit-code.new exit-code
while [ ! -e verdict ]; do sleep 1; done
exit "$(cat verdict)"
"""
_RETRIED = "lastRetry.status == 'Error' || lastRetry.exitCode in ['75', '137', '143']"


@dataclass(frozen=True)
class Step:
    """A step of automl/pod.py as a template: its inputs, and the parameter that it puts out, if any."""

    name: str
    inputs: tuple[str, ...]
    output: str | None = None


def brain_step(cluster: ClusterSettings, step: Step) -> Container:
    """The template of a step, with its inputs in the environment."""
    outputs: list[Any] = []
    if step.output is not None:
        source = m.ValueFrom(
            path=f"{pod.OUTPUTS}/{step.output}", default="[]" if step.output == "experiments" else "{}"
        )
        exported = step.output if step.output == "best" else None
        outputs = [Parameter(name=step.output, value_from=source, global_name=exported)]
    return Container(
        name=step.name,
        image=cluster.brain_image,
        image_pull_policy=cluster.image_pull_policy,
        command=["python", "-m", "automl.pod"],
        args=[step.name],
        inputs=[Parameter(name=name) for name in step.inputs],
        outputs=outputs,
        env=[*_store(cluster), *_inputs(step.inputs)],
        resources=m.ResourceRequirements(requests={"cpu": "100m", "memory": "256Mi"}, limits={"memory": "2Gi"}),
        security_context=_security(),
        volume_mounts=_mounts(),
        retry_strategy=_retried("5"),
        service_account_name=cluster.brain_service_account,
    )


def training(definition: Definition, cluster: ClusterSettings) -> Container:
    """The template of a training pod: experiment, stage and rung are its inputs."""
    inputs = ("experiment", "stage", "rung")
    environment = [*_store(cluster), *_inputs(inputs), _attempt()]
    if definition.file.run.timeout_minutes is not None:
        environment.append(Env(name="AUTOML_TIMEOUT_MINUTES", value=str(definition.file.run.timeout_minutes)))
    return Container(
        name="train",
        image=cluster.image or definition.network.image,
        image_pull_policy=cluster.image_pull_policy,
        command=["sh", "-c", TRAIN, "automl"],
        args=[*argv(definition, pod.WORK)],
        inputs=[Parameter(name=name) for name in inputs],
        env=[Env(name="OMP_NUM_THREADS", value=str(max(1, int(cluster.cpu)))), Env(name="PYTHONUNBUFFERED", value="1")],
        resources=_training_resources(definition, cluster),
        security_context=_security(),
        volume_mounts=_mounts(),
        init_containers=[_beside(cluster, "stage-in", environment)],
        sidecars=[_beside(cluster, "observe", environment)],
        retry_strategy=_retried(str(definition.file.run.preemptions)),
        service_account_name=cluster.trainer_service_account,
        node_selector=dict(cluster.node_selector) or None,
        tolerations=[m.Toleration(**each) for each in cluster.tolerations] or None,
    )


def _beside(cluster: ClusterSettings, step: str, environment: list[Any]) -> UserContainer:
    """A container of ours in a training pod."""
    return UserContainer(
        name=step,
        image=cluster.brain_image,
        image_pull_policy=cluster.image_pull_policy,
        command=["python", "-m", "automl.pod"],
        args=[step],
        env=environment,
        resources=m.ResourceRequirements(requests={"cpu": "50m", "memory": "128Mi"}, limits={"memory": "1Gi"}),
        security_context=_security(),
        volume_mounts=_mounts(),
    )


def _mounts() -> list[m.VolumeMount]:
    return [m.VolumeMount(name="automl", mount_path=MOUNT), m.VolumeMount(name="tmp", mount_path=TEMPORARY)]


def _retried(limit: str) -> RetryStrategy:
    backoff = m.Backoff(duration="2s", factor="2", max_duration="5m")
    return RetryStrategy(limit=limit, retry_policy="Always", expression=_RETRIED, backoff=backoff)


def volumes() -> list[m.Volume]:
    """What every pod has of its own: the shared folder, and a place for temporary files under a read-only root."""
    return [m.Volume(name=name, empty_dir=m.EmptyDirVolumeSource()) for name in ("automl", "tmp")]


def pod_security() -> m.PodSecurityContext:
    """What the 'restricted' profile asks of a pod."""
    return m.PodSecurityContext(
        run_as_non_root=True,
        run_as_user=USER,
        fs_group=USER,
        seccomp_profile=m.SeccompProfile(type="RuntimeDefault"),
    )


def pod_patch() -> str:
    """The same for the containers that Argo adds to every pod."""
    context = _security().model_dump(by_alias=True, exclude_none=True)
    return json.dumps(
        {
            "containers": [{"name": "wait", "securityContext": context}],
            "initContainers": [{"name": "init", "securityContext": context}],
        },
        sort_keys=True,
    )


def _security() -> m.SecurityContext:
    return m.SecurityContext(
        allow_privilege_escalation=False,
        capabilities=m.Capabilities(drop=["ALL"]),
        run_as_non_root=True,
        read_only_root_filesystem=True,
    )


def _store(cluster: ClusterSettings) -> list[Any]:
    """Where the study lies and how to get in; the keys by reference to a Secret."""
    environment: list[Any] = [
        Env(name="AUTOML_STORE", value="{{workflow.parameters.store}}"),
        SecretEnv(name="AWS_ACCESS_KEY_ID", secret_name=cluster.secret, secret_key="access-key"),  # noqa: S106 - a name
        SecretEnv(name="AWS_SECRET_ACCESS_KEY", secret_name=cluster.secret, secret_key="secret-key"),  # noqa: S106
        Env(name="AWS_REGION", value=cluster.region),
        Env(name="HOME", value=TEMPORARY),
    ]
    if cluster.endpoint is not None:
        environment.append(Env(name="AWS_ENDPOINT_URL", value=cluster.endpoint))
    return environment


def _inputs(names: tuple[str, ...]) -> list[Any]:
    return [Env(name=f"AUTOML_{name.upper()}", value=f"{{{{inputs.parameters.{name}}}}}") for name in names]


def _attempt() -> m.EnvVar:
    source = m.EnvVarSource(field_ref=m.ObjectFieldSelector(field_path="metadata.uid"))
    return m.EnvVar(name="AUTOML_ATTEMPT", value_from=source)


def _training_resources(definition: Definition, cluster: ClusterSettings) -> m.ResourceRequirements:
    requests = {"cpu": f"{cluster.cpu:g}", "memory": cluster.memory}
    limits = {"memory": cluster.memory}
    if definition.costs.gpus:
        limits["nvidia.com/gpu"] = requests["nvidia.com/gpu"] = str(definition.costs.gpus)
    return m.ResourceRequirements(requests=requests, limits=limits)
