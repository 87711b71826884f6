"""The option `cluster` of a study file: how a study runs as an Argo Workflow. No decision depends on it.

Keys and passwords are named, never written: a Secret of the namespace holds them.
"""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator, model_validator

_NAME = r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?"  # of an object of Kubernetes
_KEY = r"[A-Za-z0-9._-]{1,253}"  # of a Secret or a ConfigMap
_LABEL = r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?"

Name = Annotated[
    str,
    Field(pattern=f"^{_NAME}$", description="the name of an object of Kubernetes: letters a-z, digits, '-' and '.'"),
]
SecretKey = Annotated[
    str, Field(pattern=f"^{_NAME}/{_KEY}$", description="a Secret and one of its keys", examples=["wandb/api-key"])
]
ConfigMapKey = Annotated[
    str,
    Field(pattern=f"^{_NAME}/{_KEY}$", description="a ConfigMap and one of its keys", examples=["company-ca/ca.crt"]),
]
Key = Annotated[str, Field(pattern=f"^{_KEY}$", description="the key of a Secret", examples=["session-token"])]
Address = Annotated[
    str,
    Field(
        pattern=r"^https?://[^\s@{}]+$",
        description="the address of a proxy, without a password",
        examples=["http://proxy.company:3128"],
    ),
]
Export = Annotated[
    str,
    Field(pattern=r"^[A-Za-z0-9.-]+:/[^\s{}]*$", description="SERVER:/PATH of an NFS server", examples=["nas:/data"]),
]
Size = Annotated[
    str, Field(pattern=r"^[1-9][0-9]*(Mi|Gi|Ti)$", description="a size in Mi, Gi or Ti", examples=["50Gi"])
]
Variable = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_]*$")]
QualifiedName = Annotated[str, Field(pattern=rf"^({_NAME}/)?{_LABEL}$")]  # of a label, an annotation or a taint
LabelValue = Annotated[str, Field(pattern=rf"^({_LABEL})?$", description="a label's value: 63 letters, digits, . _ -")]
Folder = Annotated[
    str,
    Field(
        pattern=r"^(/[A-Za-z0-9._-]*[A-Za-z0-9_-][A-Za-z0-9._-]*)+$",
        description="the path of a folder, without '..'",
        examples=["/data"],
    ),
]
Id = Annotated[int, Field(ge=0, lt=2**31)]

TAKEN_FOLDERS = ("automl", "dev", "proc", "sys", "tmp")  # of a training pod
_SOURCES = ("claim", "config_map", "csi", "host_path", "nfs", "secret")
_TAKEN_VARIABLES = ("ARGO_", "AUTOML_")  # how the names of those begin that Argo and we set
_SECRET = re.compile(
    r"(^|_)(TOKEN|PASSWORD|PASSWD|SECRET|CREDENTIALS?|API_?KEY|(ACCESS|SECRET|PRIVATE)_KEY)$", re.IGNORECASE
)
_PASSWORD_IN_URL = re.compile(r"://[^/\s@]+@")
_NEVER_HERE = "this file is stored beside the study and its workflow can be read by others"


class Options(BaseModel):
    """The base of all options of a study file: strict, without unknown names."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True, populate_by_name=True)


class SecretKeys(Options):
    """The Secret with the keys for S3, and what its keys are called."""

    name: Name
    access_key: Key = "access-key"
    secret_key: Key = "secret-key"  # noqa: S105 - the name of a key
    session_token: Key | None = Field(None, description="of keys that expire; default: none")


class CsiVolume(Options):
    """A volume that a CSI driver makes for each pod."""

    driver: Name
    attributes: dict[str, str] = {}
    fs_type: str | None = Field(None, min_length=1)
    secret: Name | None = Field(None, description="the Secret that the driver signs in with")


class DataVolume(Options):
    """Data of the namespace or of the nodes, as the pods that train see it. Exactly one of its sources is set."""

    claim: Name | None = Field(None, description="the name of a PersistentVolumeClaim")
    host_path: Folder | None = Field(None, description="a folder of every node that trains")
    nfs: Export | None = Field(None, description="what an NFS server shares: SERVER:/PATH")
    csi: CsiVolume | None = None
    config_map: str | None = Field(
        None, pattern=f"^{_NAME}$", description="the name of a ConfigMap: a file for each key"
    )
    secret: Name | None = Field(None, description="the name of a Secret: a file for each key")
    path: str = Field(
        pattern=r"^(/[A-Za-z0-9._-]*[A-Za-z0-9_-][A-Za-z0-9._-]*)+$",
        description="the folder where it appears; not below /automl, /tmp, /dev, /proc or /sys",
        examples=["/data"],
    )
    read_only: bool = True

    @field_validator("path")
    @classmethod
    def _is_free(cls, path: str) -> str:
        return _free(path)

    @model_validator(mode="after")
    def _has_one_source(self) -> DataVolume:
        given = [source for source in _SOURCES if getattr(self, source) is not None]
        if len(given) != 1:
            raise ValueError(
                f"the volume at {self.path} has {' and '.join(given) or 'no source'}; allowed: one of "
                f"{', '.join(_SOURCES)}"
            )
        return self


class Home(Options):
    """The home folder of a training, which also holds its caches: a folder of the pod, or a claim that pods share."""

    path: Folder = "/home/automl"
    claim: Name | None = Field(None, description="a PersistentVolumeClaim, whose caches outlive the pod")
    size: Size | None = Field(None, description="the most that a folder of the pod may hold")

    @field_validator("path")
    @classmethod
    def _is_free(cls, path: str) -> str:
        return _free(path)

    @model_validator(mode="after")
    def _check_size(self) -> Home:
        if self.claim is not None and self.size is not None:
            raise ValueError(f"size: {self.size} with claim: {self.claim}, which has a size of its own; leave it out")
        return self


class Toleration(Options):
    """A taint of nodes that a pod tolerates, by Kubernetes' own names."""

    key: QualifiedName | None = Field(None, description="of the taint; default: every taint")
    operator: Literal["Equal", "Exists"] = "Equal"
    value: LabelValue | None = None
    effect: Literal["NoSchedule", "PreferNoSchedule", "NoExecute"] | None = Field(None, description="default: each")
    toleration_seconds: int | None = Field(
        None, ge=0, alias="tolerationSeconds", description="how long a NoExecute is tolerated; default: for ever"
    )

    @model_validator(mode="after")
    def _check_combination(self) -> Toleration:
        if self.operator == "Exists" and self.value is not None:
            raise ValueError(f"operator: Exists takes no value; leave out value: {self.value}")
        if self.operator == "Equal" and self.key is None:
            raise ValueError("operator: Equal needs a key; operator: Exists without a key tolerates every taint")
        if self.toleration_seconds is not None and self.effect != "NoExecute":
            raise ValueError("tolerationSeconds goes with effect: NoExecute alone")
        return self


class Proxy(Options):
    """The proxies through which all pods go out."""

    http: Address | None = None
    https: Address | None = None
    no_proxy: list[Annotated[str, Field(pattern=r"^[^\s,{}$]+$", examples=[".company"])]] = Field(
        [], description="hosts, domains and networks that are reached directly, beside those of the cluster"
    )


class RungSettings(Options):
    """What is different in the trainings of one rung."""

    priority_class: Name | None = None
    node_selector: dict[QualifiedName, LabelValue] = {}


class EveryPod(Options):
    """What all pods get: those that decide as well as those that train."""

    labels: dict[QualifiedName, LabelValue] = {}
    annotations: dict[QualifiedName, str] = {}
    node_selector: dict[QualifiedName, LabelValue] = Field({}, description="where a training has none of its own")
    tolerations: list[Toleration] = Field([], description="where a training has none of its own")
    priority_class: Name | None = Field(None, description="where a training has none of its own")
    pod_patch: dict[str, Any] = Field({}, description="part of a PodSpec, merged into every pod")


class ClusterSettings(Options):
    """How a study runs as an Argo Workflow. No decision depends on it."""

    namespace: str | None = Field(
        None,
        pattern=r"^[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?$",
        description="of the workflow; default: that of the kubeconfig context, or else argo",
    )
    brain_image: str = Field("argo-automl-brain:latest", description="the image of our own steps")
    image: str | None = Field(None, description="the image that trains; default: the network's")
    image_pull_policy: Literal["Always", "IfNotPresent", "Never"] = "IfNotPresent"
    image_pull_secrets: list[Name] = Field([], description="Secrets that the images are pulled with")
    most_pods: int = Field(50, ge=1, le=10_000, description="pods side by side, when 'run: jobs' says nothing")
    endpoint: str | None = Field(None, description="the address of an S3 server of your own")
    region: str = Field("us-east-1", description="the region of the bucket")
    secret: Name | SecretKeys | None = Field(
        "automl-s3",
        description="the Secret with the keys access-key and secret-key; null: the service accounts have a role",
    )
    ca_bundle: ConfigMapKey | None = Field(
        None, description="CONFIGMAP/KEY with the certificates of all authorities that the pods trust"
    )
    proxy: Proxy | None = None
    cpu: float = Field(1.0, ge=0.01, le=1024, allow_inf_nan=False, description="CPU cores of one training")
    memory: str = Field("4Gi", pattern=r"^[1-9][0-9]*(Mi|Gi|Ti)$", description="memory of one training")
    ephemeral_storage: Size | None = Field(
        None, description="disk of one training: its checkpoints, temporary files and a home without a claim"
    )
    gpu_resource: str = Field(
        "nvidia.com/gpu",
        pattern=rf"^{_NAME}/{_LABEL}$",
        description="what the cluster calls a GPU, such as amd.com/gpu or nvidia.com/mig-1g.10gb",
        examples=["amd.com/gpu"],
    )
    shared_memory: str | None = Field(
        "1Gi",
        pattern=r"^[1-9][0-9]*(Mi|Gi)$",
        description="most of the memory that may be /dev/shm, where data loaders hand over; null: 64 MB",
    )
    semaphore: str | None = Field(
        None,
        pattern=r"^[a-z0-9.-]+/[A-Za-z0-9._-]+$",
        description="CONFIGMAP/KEY that says how many trainings may run at a time, of all studies that name it",
    )
    artifacts: str | None = Field(
        None,
        pattern=r"^[a-z0-9.-]+$",
        description="CONFIGMAP of an artifact repository, for report.html; default: beside the study",
    )
    keep_failed_pods: Annotated[str, Field(pattern=r"^[1-9][0-9]{0,4}[mh]$", examples=["24h"])] | None = Field(
        None,
        description="how long ended pods and their logs stay, in minutes (90m) or hours (24h); default: those that "
        "succeeded one hour, those that failed as long as the workflow",
    )
    environment: dict[Variable, str | int] = Field({}, description="variables of the training; no secrets")
    secrets: dict[Variable, SecretKey] = Field({}, description="variables of the training: SECRET/KEY of each")
    home: Home | None = Field(None, description="a home folder for the training; default: none")
    volumes: list[DataVolume] = Field([], max_length=20, description="data that a training reads")
    user: Id | None = Field(
        None, description="the user id of the containers of a training; 0: root; default: 65532, of no one"
    )
    group: Id | None = Field(None, description="their group id; default: the user's in the image")
    writable_root: bool = Field(False, description="whether a training may write anywhere in its image")
    labels: dict[QualifiedName, LabelValue] = Field(
        {}, description="labels of the training pods, such as kueue.x-k8s.io/queue-name"
    )
    annotations: dict[QualifiedName, str] = Field({}, description="annotations of the training pods")
    node_selector: dict[QualifiedName, LabelValue] = Field({}, description="labels of the nodes that train")
    affinity: dict[str, Any] = Field({}, description="of the training pods, as in a PodSpec")
    tolerations: list[Toleration] = Field([], description="taints that a training tolerates")
    priority_class: Name | None = Field(None, description="PriorityClass of the training pods")
    rungs: list[RungSettings] = Field(
        [], max_length=20, description="what is different by rung, from rung 0 on; deeper rungs have the last"
    )
    pod_patch: dict[str, Any] = Field({}, description="part of a PodSpec, merged into the training pods")
    every_pod: EveryPod = EveryPod()
    mesh: Literal["istio", "linkerd", "outside"] | None = Field(
        None, description="the service mesh that adds a container to pods; outside: it must not"
    )
    brain_service_account: str = "automl-brain"
    trainer_service_account: str = "automl-trainer"

    @property
    def secret_keys(self) -> SecretKeys | None:
        """The Secret with the keys for S3; None when the service accounts have a role."""
        return SecretKeys(name=self.secret) if isinstance(self.secret, str) else self.secret

    @field_validator("environment")
    @classmethod
    def _check_no_secret_is_written(cls, environment: dict[str, str | int]) -> dict[str, str | int]:
        for name, value in environment.items():
            if holds_a_secret(name, str(value)):
                raise ValueError(f"{name} looks like a secret, and {_NEVER_HERE}; secrets: {{{name}: SECRET/KEY}}")
            _check_is_the_users(name)
        return environment

    @field_validator("secrets")
    @classmethod
    def _check_names(cls, secrets: dict[str, str]) -> dict[str, str]:
        for name in secrets:
            _check_is_the_users(name)
        return secrets

    @model_validator(mode="after")
    def _check_together(self) -> ClusterSettings:
        paths = [volume.path for volume in self.volumes] + ([self.home.path] if self.home else [])
        if twice := sorted({path for path in paths if paths.count(path) > 1}):
            raise ValueError(f"two volumes at {', '.join(twice)}; give each a path of its own")
        if both := sorted(set(self.environment) & set(self.secrets)):
            raise ValueError(f"{', '.join(both)} in environment and in secrets; keep one")
        return self


def holds_a_secret(name: str, value: str) -> bool:
    """Whether a variable looks like one that holds a key or a password, by its name or by an address with one."""
    return bool(_SECRET.search(name) or _PASSWORD_IN_URL.search(value))


def _free(path: str) -> str:
    if path.split("/")[1] in TAKEN_FOLDERS:
        raise ValueError(f"{path!r} is taken; allowed: a path not below /{', /'.join(TAKEN_FOLDERS)}")
    return path


def _check_is_the_users(name: str) -> None:
    if name.startswith(_TAKEN_VARIABLES):
        raise ValueError(f"{name} is taken; allowed: a name that does not begin with {' or '.join(_TAKEN_VARIABLES)}")
