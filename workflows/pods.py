"""The pods of a workflow: one builder makes every container, and a training pod of three.

stage-in (init) prepares the shared volume, main trains with any image, observe takes what main writes to the store.
Values reach the containers as environment variables and no other way (see lint.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from hera.workflows import Env, Parameter, RetryStrategy, UserContainer
from hera.workflows import models as m

from automl.execution import pod_contract as contract
from automl.study.cluster_options import ClusterSettings, Toleration
from workflows import pod_environment, pod_patches, pod_security, pod_volumes, shape
from workflows.shape import AnnotatedContainer, titled

BRAIN_RETRIES = "8"  # with the waits between them minutes, longer than a store is usually away
_LINGER_SECONDS = pod_patches.READ_SECONDS + pod_patches.SEND_SECONDS + 1  # the last for sending it
_NEW_VERDICT, _NEW_EXIT_CODE = contract.partial(contract.VERDICT), contract.partial(contract.EXIT_CODE)
_PROGRESS = contract.PROGRESS
_PROGRESS_OF_POD = "workflows.argoproj.io/progress"
_SCORE = m.ValueFrom(path=str(contract.SCORE), default="-")  # where nobody could say it
# Runs the training, keeps its output for the log, tells `observe` its exit code, and stays until the result is stored.
# Fixed text: the words of the training's command are read from a file, one a line, and never parsed. POSIX sh, for the
# image may hold nothing else. `alive` is a pipe that each side holds open while it lives, so each notices when the
# other's container is killed. Argo sends SIGTERM to the whole group of processes: what is ours lives on. Of a container
# that failed Argo counts the progress that was sent while it ran, so one that fails stays until that was sent; one that
# is to be run again counts what it has done, and the next one the rest.
TRAIN = f"""\
cd {contract.WORK} || exit 1
told() {{ if [ -n "$ARGO_PROGRESS_FILE" ] && [ -s {_PROGRESS} ]; then cat {_PROGRESS} >"$ARGO_PROGRESS_FILE"; fi; }}
leave() {{
    did=
    [ -s {_PROGRESS} ] && did=$(cat {_PROGRESS})
    did=${{did%%/*}}
    [ "${{did:-0}}" -gt 0 ] || did=1
    echo "$did/$did" >{_PROGRESS}
}}
finish() {{
    code=$(cat {contract.VERDICT})
    [ "$code" = {contract.AGAIN} ] && leave
    told
    if [ -s {contract.OUTCOME} ]; then
        said=$(cat {contract.OUTCOME})
        printf '%s\\n' "$said"
        [ -w /dev/termination-log ] && printf %s "$said" >/dev/termination-log
    fi
    [ "$code" = 0 ] || [ -e {contract.STOPPED} ] || [ -z "$ARGO_PROGRESS_FILE" ] || sleep {_LINGER_SECONDS}
    exit "$code"
}}
[ -e {contract.SKIP} ] && finish
set --
while IFS= read -r word; do set -- "$@" "$word"; done <{contract.ARGV}
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
    echo "the container 'observe' of this pod, which stores results, does not run: this training stops, to be run again"
    echo "if this repeats, 'argo logs WORKFLOW POD -c observe' shows why"
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
finish
"""
# By cause: a pod that is gone, one that asks for it (75), and one that was stopped. Not one that used up its memory.
# Argo writes 'main: Error (exit code 75): ...', and what follows is what a training has said: it decides nothing.
_CODE = "^[^(]*.exit code"
_RETRIED = (
    f"lastRetry.status == 'Error' || lastRetry.message matches '{_CODE} {contract.AGAIN}[)]'"
    f" || (lastRetry.message matches '{_CODE} ({contract.KILLED}|{contract.TERMINATED})[)]'"
    " && !(lastRetry.message matches '^[^(]*OOMKilled'))"
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
    """Builds the pods of a workflow. All but `cluster` and numbers are texts, or tags that Argo replaces."""

    cluster: ClusterSettings
    store: str
    image: str
    gpus: int
    preemptions: int
    timeout_minutes: str | None = None
    failures_in_a_row: str | None = None
    price_per_gpu_hour: float | None = None

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
        own = pod_environment.of_the_brain(self.price_per_gpu_hour, self.gpus)
        environment = {variable.name: variable for variable in [*self._ours(), *own, *_inputs(step.inputs)]}
        environment |= {name: Env(name=name, value=value) for name, value in step.environment.items()}
        return AnnotatedContainer(
            name=step.name,
            image=self.cluster.brain_image,
            image_pull_policy=self.cluster.image_pull_policy,
            command=["python", "-m", "automl.pod"],
            args=[step.name],
            inputs=[Parameter(name=name) for name in step.inputs],
            outputs=[*outputs, *step.artifacts],
            env=list(environment.values()),
            resources=m.ResourceRequirements(requests={"cpu": "100m", "memory": "256Mi"}, limits={"memory": "2Gi"}),
            security_context=pod_security.container_security(),
            volume_mounts=pod_volumes.mounts(self.cluster),
            retry_strategy=_retried(BRAIN_RETRIES, most="30s"),
            service_account_name=self.cluster.brain_service_account,
        )

    def training(self, position: tuple[str, ...]) -> AnnotatedContainer:
        """The template of a training pod; `position` are the inputs that name the decision which asks for it."""
        cluster, inputs = self.cluster, ("experiment", *position)
        environment = [*self._ours(), *_inputs(inputs), pod_environment.attempt()]
        environment.append(Env(name="AUTOML_GPUS", value=str(self.gpus)))
        if self.timeout_minutes is not None:
            environment.append(Env(name="AUTOML_TIMEOUT_MINUTES", value=self.timeout_minutes))
        return AnnotatedContainer(
            name="train",
            annotations=titled(shape.TRAINING_TITLE),
            image=self.image,
            image_pull_policy=cluster.image_pull_policy,
            command=["sh", "-c", TRAIN],
            inputs=[Parameter(name=name) for name in dict.fromkeys((*shape.TRAINING, *position))],
            outputs=[Parameter(name=contract.SCORE.name, value_from=_SCORE)],
            env=pod_environment.of_a_training(cluster),
            resources=self._training_resources(),
            security_context=pod_security.of_a_training(cluster),
            volume_mounts=[*pod_volumes.mounts(cluster), *pod_volumes.training_mounts(cluster)],
            init_containers=[self._beside("stage-in", environment)],
            sidecars=[self._beside("observe", environment)],
            retry_strategy=_retried(str(self.preemptions), most="5m"),
            service_account_name=cluster.trainer_service_account,
            labels=dict(cluster.labels) or None,
            pod_annotations={_PROGRESS_OF_POD: shape.EPOCHS_TO_TRAIN, **cluster.annotations},
            node_selector=dict(cluster.node_selector) or None,
            affinity=m.Affinity.model_validate(cluster.affinity) if cluster.affinity else None,
            tolerations=tolerations(cluster.tolerations),
            priority_class_name=pod_patches.priority_class(cluster),
            pod_spec_patch=pod_patches.of_a_training(cluster),
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
            security_context=pod_security.beside_a_training(self.cluster),
            volume_mounts=pod_volumes.mounts(self.cluster),
        )

    def _ours(self) -> list[Any]:
        environment = pod_environment.of_ours(self.cluster, self.store)
        if self.failures_in_a_row is not None:
            environment.append(Env(name="AUTOML_FAILURES_IN_A_ROW", value=self.failures_in_a_row))
        return environment

    def _training_resources(self) -> m.ResourceRequirements:
        requests = {"cpu": f"{self.cluster.cpu:g}", "memory": self.cluster.memory}
        limits = {"memory": self.cluster.memory}
        if self.cluster.ephemeral_storage is not None:
            limits["ephemeral-storage"] = requests["ephemeral-storage"] = self.cluster.ephemeral_storage
        if self.gpus:
            limits[self.cluster.gpu_resource] = requests[self.cluster.gpu_resource] = str(self.gpus)
        return m.ResourceRequirements(requests=requests, limits=limits)


def _synchronization(semaphore: str | None) -> m.Synchronization | None:
    """The limit of trainings at a time. `semaphore` is ConfigMap/key, which holds their number."""
    if semaphore is None:
        return None
    name, _, key = semaphore.partition("/")
    selector = m.ConfigMapKeySelector(name=name, key=key)
    return m.Synchronization(semaphores=[m.SemaphoreRef(config_map_key_ref=selector)])


def tolerations(settings: Sequence[Toleration]) -> list[m.Toleration] | None:
    """The taints that a pod tolerates."""
    return [m.Toleration(**each.model_dump(exclude_none=True)) for each in settings] or None


def _retried(limit: str, most: str) -> RetryStrategy:
    """Retries up to `limit` times, with growing waits of at most `most`."""
    backoff = m.Backoff(duration="2s", factor="2", cap=most)
    return RetryStrategy(limit=limit, retry_policy="Always", expression=_RETRIED, backoff=backoff)


def _inputs(names: tuple[str, ...]) -> list[Any]:
    return [Env(name=f"AUTOML_{name.upper()}", value=f"{{{{inputs.parameters.{name}}}}}") for name in names]
