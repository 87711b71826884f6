"""The pods of a workflow: one builder makes every container, and a training pod of three.

stage-in (init) prepares the shared volume, main trains with any image, observe takes what main writes to the store.
Values reach the containers as environment variables and no other way (see lint.py).
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from hera.workflows import Env, Parameter, RetryStrategy, SecretEnv, UserContainer
from hera.workflows import models as m

from automl.execution import pod_contract as contract
from automl.study.options import ClusterSettings
from workflows.shape import AnnotatedContainer, titled

MOUNT = str(contract.WORK.parent)  # of the volume that the containers of a pod share
TEMPORARY = "/tmp"  # noqa: S108 - a volume of the pod's own
SHARED_MEMORY = "shared-memory"  # for programs whose workers hand data over in memory
BRAIN_RETRIES = "8"  # with the waits between them minutes, longer than a store is usually away
USER = 65532  # and group, of the images in containers/
_NEW_VERDICT, _NEW_EXIT_CODE = contract.partial(contract.VERDICT), contract.partial(contract.EXIT_CODE)
_PROGRESS = contract.PROGRESS
# Runs the training, keeps its output for the log, tells `observe` its exit code, and stays until the result is stored.
# Fixed text: the words of the training's command are read from a file, one a line, and never parsed. POSIX sh, for the
# image may hold nothing else. `alive` is a pipe that each side holds open while it lives, so each notices when the
# other's container is killed. Argo sends SIGTERM to the whole group of processes: what is ours lives on.
TRAIN = f"""\
run={contract.WORK}
[ -e "$run/{contract.SKIP}" ] && exit 0
cd "$run" || exit 1
set --
while IFS= read -r word; do set -- "$@" "$word"; done <{contract.ARGV}
told() {{ if [ -n "$ARGO_PROGRESS_FILE" ] && [ -s {_PROGRESS} ]; then cat {_PROGRESS} >"$ARGO_PROGRESS_FILE"; fi; }}
end() {{
    asked=$((asked + 1))
    if [ "$asked" -le 30 ]; then kill -TERM "$child"; else kill -KILL "$child"; fi 2>/dev/null
}}
watch() {{
    trap '' TERM INT PIPE
    exec 4<>{contract.ALIVE} 3>{contract.ALIVE} 4<&-
    : >{contract.TRAINING}
    asked=0 waited=0
    while [ ! -e {contract.VERDICT} ]; do
        [ -e {contract.EXIT_CODE} ] || {{ [ -e {contract.STOP} ] && end; }}
        told
        if [ -e {contract.FOLLOWING} ]; then echo >&3 || break; else waited=$((waited + 1)); fi 2>/dev/null
        [ "$waited" -lt 600 ] || break
        sleep 1
    done
    [ -e {contract.VERDICT} ] && return
    echo "nobody follows this training any more: it ends here, to be run again"
    echo {contract.AGAIN} >{_NEW_VERDICT} && mv {_NEW_VERDICT} {contract.VERDICT}
    while [ ! -e {contract.EXIT_CODE} ]; do end; sleep 1; done
}}
mkfifo {contract.OUTPUT} && {{ (trap '' TERM INT; exec tee -a {contract.LOG} <{contract.OUTPUT}) & }}
"$@" >{contract.OUTPUT} 2>&1 &
child=$!
trap ': >{contract.STOPPED}; kill -TERM "$child" 2>/dev/null' TERM INT
watch &
while :; do
    wait "$child"
    code=$?
    kill -0 "$child" 2>/dev/null || break
done
echo "$code" >{_NEW_EXIT_CODE} && mv {_NEW_EXIT_CODE} {contract.EXIT_CODE}
while [ ! -e {contract.VERDICT} ]; do sleep 0.2 2>/dev/null || sleep 1; done
told
exit "$(cat {contract.VERDICT})"
"""
# By cause: a pod that is gone, one that asks for it (75), and one that was stopped. Not one that used up its memory.
_RETRIED = (
    f"lastRetry.status == 'Error' || lastRetry.message matches 'exit code {contract.AGAIN}'"
    f" || (lastRetry.message matches 'exit code ({contract.KILLED}|{contract.TERMINATED})'"
    " && !(lastRetry.message matches 'OOMKilled'))"
)


@dataclass(frozen=True)
class Step:
    """A brain step as a template: its inputs, and its outputs by name with their defaults.

    `exported` names the outputs that the whole workflow has. `environment` adds variables, or replaces them.
    """

    name: str
    inputs: tuple[str, ...] = ()
    outputs: Mapping[str, str | None] = field(default_factory=dict)
    exported: frozenset[str] = frozenset()
    environment: Mapping[str, str] = field(default_factory=dict)
    artifacts: tuple[Any, ...] = ()


@dataclass(frozen=True)
class Pods:
    """Builds the pods of a workflow. `store`, `image` and `timeout_minutes` are texts, or tags that Argo replaces."""

    cluster: ClusterSettings
    store: str
    image: str
    gpus: int
    preemptions: int
    timeout_minutes: str | None = None

    def brain_step(self, step: Step) -> AnnotatedContainer:
        """The template of a step, with its inputs in the environment."""
        outputs: list[Any] = [
            Parameter(
                name=name,
                value_from=m.ValueFrom(path=f"{contract.OUTPUTS}/{name}", default=default),
                global_name=name if name in step.exported else None,
            )
            for name, default in step.outputs.items()
        ]
        environment = {variable.name: variable for variable in [*self._store(), *_inputs(step.inputs)]}
        environment |= {name: Env(name=name, value=value) for name, value in step.environment.items()}
        return AnnotatedContainer(
            name=step.name,
            annotations=titled(".".join([*_display_names(step.inputs), step.name])),
            image=self.cluster.brain_image,
            image_pull_policy=self.cluster.image_pull_policy,
            command=["python", "-m", "automl.pod"],
            args=[step.name],
            inputs=[Parameter(name=name) for name in step.inputs],
            outputs=[*outputs, *step.artifacts],
            env=list(environment.values()),
            resources=m.ResourceRequirements(requests={"cpu": "100m", "memory": "256Mi"}, limits={"memory": "2Gi"}),
            security_context=container_security(),
            volume_mounts=_mounts(),
            retry_strategy=_retried(BRAIN_RETRIES, most="30s"),
            service_account_name=self.cluster.brain_service_account,
        )

    def training(self) -> AnnotatedContainer:
        """The template of a training pod: experiment, stage and rung are its inputs."""
        inputs, cluster = ("experiment", "stage", "rung"), self.cluster
        environment = [*self._store(), *_inputs(inputs), _attempt(), Env(name="AUTOML_GPUS", value=str(self.gpus))]
        if self.timeout_minutes is not None:
            environment.append(Env(name="AUTOML_TIMEOUT_MINUTES", value=self.timeout_minutes))
        threads = Env(name="OMP_NUM_THREADS", value=str(max(1, int(cluster.cpu))))
        memory = [m.VolumeMount(name=SHARED_MEMORY, mount_path="/dev/shm")] if cluster.shared_memory else []  # noqa: S108
        return AnnotatedContainer(
            name="train",
            annotations=titled(".".join(_display_names(inputs))),
            image=self.image,
            image_pull_policy=cluster.image_pull_policy,
            command=["sh", "-c", TRAIN],
            inputs=[Parameter(name=name) for name in inputs],
            env=[threads, Env(name="PYTHONUNBUFFERED", value="1")],
            resources=self._training_resources(),
            security_context=container_security(),
            volume_mounts=[*_mounts(), *memory, *_data_mounts(cluster)],
            init_containers=[self._beside("stage-in", environment)],
            sidecars=[self._beside("observe", environment)],
            retry_strategy=_retried(str(self.preemptions), most="5m"),
            service_account_name=cluster.trainer_service_account,
            labels=dict(cluster.labels) or None,
            node_selector=dict(cluster.node_selector) or None,
            tolerations=[m.Toleration(**toleration) for toleration in cluster.tolerations] or None,
            synchronization=_synchronization(cluster.semaphore),
        )

    def _beside(self, step: str, environment: list[Any]) -> UserContainer:
        """One of our own containers in a training pod."""
        return UserContainer(
            name=step,
            image=self.cluster.brain_image,
            image_pull_policy=self.cluster.image_pull_policy,
            command=["python", "-m", "automl.pod"],
            args=[step],
            env=environment,
            resources=m.ResourceRequirements(requests={"cpu": "50m", "memory": "128Mi"}, limits={"memory": "1Gi"}),
            security_context=container_security(),
            volume_mounts=_mounts(),
        )

    def _store(self) -> list[Any]:
        """Where the study lies and how to access it; the keys are references to a Secret."""
        cluster = self.cluster
        environment: list[Any] = [
            Env(name="AUTOML_STORE", value=self.store),
            SecretEnv(name="AWS_ACCESS_KEY_ID", secret_name=cluster.secret, secret_key="access-key"),  # noqa: S106
            SecretEnv(name="AWS_SECRET_ACCESS_KEY", secret_name=cluster.secret, secret_key="secret-key"),  # noqa: S106
            Env(name="AWS_REGION", value=cluster.region),
            Env(name="HOME", value=TEMPORARY),
        ]
        if cluster.endpoint is not None:
            environment.append(Env(name="AWS_ENDPOINT_URL", value=cluster.endpoint))
        return environment

    def _training_resources(self) -> m.ResourceRequirements:
        requests = {"cpu": f"{self.cluster.cpu:g}", "memory": self.cluster.memory}
        limits = {"memory": self.cluster.memory}
        if self.gpus:
            limits["nvidia.com/gpu"] = requests["nvidia.com/gpu"] = str(self.gpus)
        return m.ResourceRequirements(requests=requests, limits=limits)


def _display_names(inputs: tuple[str, ...]) -> list[str]:
    """stage-3.rung-1.experiment-7, with the parts that are among `inputs`."""
    return [f"{name}-{{{{inputs.parameters.{name}}}}}" for name in ("stage", "rung", "experiment") if name in inputs]


def _synchronization(semaphore: str | None) -> m.Synchronization | None:
    """The limit of trainings at a time. `semaphore` is ConfigMap/key, which holds their number."""
    if semaphore is None:
        return None
    name, _, key = semaphore.partition("/")
    selector = m.ConfigMapKeySelector(name=name, key=key)
    return m.Synchronization(semaphores=[m.SemaphoreRef(config_map_key_ref=selector)])


def _mounts() -> list[m.VolumeMount]:
    return [m.VolumeMount(name="automl", mount_path=MOUNT), m.VolumeMount(name="tmp", mount_path=TEMPORARY)]


def _data_mounts(cluster: ClusterSettings) -> list[m.VolumeMount]:
    return [
        m.VolumeMount(name=f"data-{number}", mount_path=volume.path, read_only=volume.read_only or None)
        for number, volume in enumerate(cluster.volumes)
    ]


def _data_volumes(cluster: ClusterSettings) -> list[m.Volume]:
    return [
        m.Volume(
            name=f"data-{number}",
            persistent_volume_claim=m.PersistentVolumeClaimVolumeSource(
                claim_name=volume.claim, read_only=volume.read_only or None
            ),
        )
        for number, volume in enumerate(cluster.volumes)
    ]


def _retried(limit: str, most: str) -> RetryStrategy:
    """Retries up to `limit` times, with growing waits of at most `most`."""
    backoff = m.Backoff(duration="2s", factor="2", cap=most)
    return RetryStrategy(limit=limit, retry_policy="Always", expression=_RETRIED, backoff=backoff)


def volumes(cluster: ClusterSettings) -> list[m.Volume]:
    """The shared folder, temporary files under a read-only root, shared memory, and the data of the training."""
    shared = [m.Volume(name=name, empty_dir=m.EmptyDirVolumeSource()) for name in ("automl", "tmp")]
    if cluster.shared_memory is not None:
        source = m.EmptyDirVolumeSource(medium="Memory", size_limit=m.Quantity(cluster.shared_memory))
        shared.append(m.Volume(name=SHARED_MEMORY, empty_dir=source))
    return [*shared, *_data_volumes(cluster)]


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
    context = container_security().model_dump(by_alias=True, exclude_none=True)
    return json.dumps(
        {
            "containers": [{"name": "wait", "securityContext": context}],
            "initContainers": [{"name": "init", "securityContext": context}],
        },
        sort_keys=True,
    )


def container_security() -> m.SecurityContext:
    """What it asks of a container."""
    return m.SecurityContext(
        allow_privilege_escalation=False,
        capabilities=m.Capabilities(drop=["ALL"]),
        run_as_non_root=True,
        read_only_root_filesystem=True,
    )


def _inputs(names: tuple[str, ...]) -> list[Any]:
    return [Env(name=f"AUTOML_{name.upper()}", value=f"{{{{inputs.parameters.{name}}}}}") for name in names]


def _attempt() -> m.EnvVar:
    source = m.EnvVarSource(field_ref=m.ObjectFieldSelector(field_path="metadata.uid"))
    return m.EnvVar(name="AUTOML_ATTEMPT", value_from=source)
