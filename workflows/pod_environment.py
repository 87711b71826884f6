"""The environment variables of the containers: where the study lies, who they are there, what a training is told."""

from __future__ import annotations

from typing import Any

from hera.workflows import Env, SecretEnv
from hera.workflows import models as m

from automl.study.cluster_options import ClusterSettings

TEMPORARY = "/tmp"  # noqa: S108 - a volume of the pod's own
CA_FOLDER, CA_FILE = "/etc/automl-ca", "ca.crt"
DESCRIBE = "automl-describe"  # the ConfigMap of manifests/overlays/describe
NOBODY = "automl"  # the name of a user that no /etc/passwd knows
# That Argo's own container reaches the API server without the proxy; Kubernetes puts in the address.
_IN_THE_CLUSTER = ("localhost", "127.0.0.1", ".svc", ".cluster.local", "$(KUBERNETES_SERVICE_HOST)")
_CA_VARIABLES = ("AWS_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")  # who reads which differs


def of_ours(cluster: ClusterSettings, store: str) -> list[Any]:
    """Where the study lies and how to access it; keys are references to a Secret."""
    environment: list[Any] = [
        Env(name="AUTOML_STORE", value=store),
        *_keys(cluster),
        Env(name="AWS_REGION", value=cluster.region),
        Env(name="HOME", value=TEMPORARY),
    ]
    if cluster.endpoint is not None:
        environment.append(Env(name="AWS_ENDPOINT_URL", value=cluster.endpoint))
    return [*environment, *of_the_network(cluster)]


def of_the_brain(price_per_gpu_hour: float | None, gpus: int) -> list[Any]:
    """What the brain needs to describe its workflow, where manifests/overlays/describe lets it, and its costs."""
    server = m.ConfigMapKeySelector(name=DESCRIBE, key="server", optional=True)
    environment: list[Any] = [
        Env(name="AUTOML_WORKFLOW", value="{{workflow.name}}"),
        m.EnvVar(name="AUTOML_API_SERVER", value_from=m.EnvVarSource(config_map_key_ref=server)),
    ]
    if price_per_gpu_hour is not None:
        environment.append(Env(name="AUTOML_PRICE_PER_GPU_HOUR", value=f"{price_per_gpu_hour:g}"))
        environment.append(Env(name="AUTOML_GPUS", value=str(gpus)))
    return environment


def of_a_training(cluster: ClusterSettings) -> list[Any]:
    """What the container that trains is told; the user's own variables replace ours."""
    environment: dict[str, Any] = {
        "OMP_NUM_THREADS": str(max(1, int(cluster.cpu))),
        "PYTHONUNBUFFERED": "1",
    }
    if cluster.home is not None:
        # torch and others ask for the name of their user, which has none
        environment |= {"HOME": cluster.home.path, "XDG_CACHE_HOME": f"{cluster.home.path}/.cache"}
        environment |= {"USER": NOBODY, "LOGNAME": NOBODY}
    environment |= {variable.name: variable.value for variable in of_the_network(cluster)}
    environment |= {name: str(value) for name, value in cluster.environment.items()}
    secret = {name: reference.split("/") for name, reference in cluster.secrets.items()}
    plain = [Env(name=name, value=value) for name, value in environment.items() if name not in secret]
    return [*plain, *(_reference(name, *parts) for name, parts in secret.items())]


def of_the_network(cluster: ClusterSettings) -> list[Any]:
    """The proxies and the authorities that every container goes by; empty unless there are any."""
    environment: dict[str, str] = {}
    if cluster.ca_bundle is not None:
        environment |= dict.fromkeys(_CA_VARIABLES, f"{CA_FOLDER}/{CA_FILE}")
    proxy = cluster.proxy
    if proxy is not None:
        direct = ",".join((*_IN_THE_CLUSTER, *proxy.no_proxy))
        told = {"HTTP_PROXY": proxy.http, "HTTPS_PROXY": proxy.https, "NO_PROXY": direct}
        for name, value in told.items():
            if value is not None:
                environment |= {name: value, name.lower(): value}
    return [Env(name=name, value=value) for name, value in environment.items()]


def _keys(cluster: ClusterSettings) -> list[Any]:
    """The keys for S3; none when the pods' service accounts have a role."""
    secret = cluster.secret_keys
    if secret is None:
        return []
    token = [] if secret.session_token is None else [_reference("AWS_SESSION_TOKEN", secret.name, secret.session_token)]
    return [
        _reference("AWS_ACCESS_KEY_ID", secret.name, secret.access_key),
        _reference("AWS_SECRET_ACCESS_KEY", secret.name, secret.secret_key),
        *token,
    ]


def _reference(variable: str, secret: str, key: str) -> Any:
    return SecretEnv(name=variable, secret_name=secret, secret_key=key)


def attempt() -> m.EnvVar:
    """What a pod tells its containers about itself."""
    source = m.EnvVarSource(field_ref=m.ObjectFieldSelector(field_path="metadata.uid"))
    return m.EnvVar(name="AUTOML_ATTEMPT", value_from=source)
