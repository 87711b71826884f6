"""What a study says under `cluster`, read from the pods: in another namespace, without keys, beside proxies.

Roles are those of EKS Pod Identity: containers are told an address that hands out keys, here one of this test. Proxies
are containers that would go on for ever: one beside the others, as old meshes add it, which Argo ends by the command of
an annotation, and one that starts before all others (a native sidecar), which Kubernetes ends.
"""

from __future__ import annotations

import json
import os
import re
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import certifi
import pytest
import yaml

from automl.stores import open_store
from tests.cluster.clusters import IMAGES, ROOT, SMALL, TAG, build_image, command
from tests.cluster.disturbed import until
from tests.small_network import PROGRAM

IMAGE = f"localhost/automl-as-root:{TAG}"
GPU = "amd.com/gpu"
STUDY = "algorithm: asha\nR: 3\nmax_recommendations: 3\nfinal: {repeats: 0}\ncosts: {gpus: 1}\n"
# Runs as root and writes beside its volumes, as images do that were built for a machine of one's own.
AS_ROOT = """
import getpass, json, os, pathlib

for folder in ("/opt/program", pathlib.Path.home() / ".cache"):
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    (pathlib.Path(folder) / "written").write_text("x")
FOLDERS = ("/node", "/classes", "/keys")
names = ("HOME", "NCCL_DEBUG", "WANDB_API_KEY", "SSL_CERT_FILE", "HTTPS_PROXY", "NO_PROXY")
print(json.dumps({
    "user": os.getuid(),
    "called": getpass.getuser(),
    "told": {name: os.environ.get(name) for name in names},
    "authorities": pathlib.Path(os.environ["SSL_CERT_FILE"]).read_text().count("BEGIN CERTIFICATE"),
    "data": {folder: sorted(name for name in os.listdir(folder) if name[0] != ".") for folder in FOLDERS},
}), flush=True)
"""
SERVES_UNTIL_ASKED = "trap 'exit 0' TERM; while :; do sleep 1; done"
PILOT_AGENT = '#!/bin/sh\n[ "$*" = "request POST quitquitquit" ] && kill -TERM 1\n'
OBJECTS = """\
apiVersion: v1
kind: Namespace
metadata: {{name: {name}}}
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {{name: {name}-low}}
preemptionPolicy: Never
value: 10
---
apiVersion: scheduling.k8s.io/v1
kind: PriorityClass
metadata: {{name: {name}-high}}
preemptionPolicy: Never
value: 20
---
apiVersion: v1
kind: Secret
metadata: {{name: wandb, namespace: {name}}}
stringData: {{api-key: not-in-any-manifest}}
---
apiVersion: v1
kind: Secret
metadata: {{name: registry, namespace: {name}}}
type: kubernetes.io/dockerconfigjson
stringData: {{.dockerconfigjson: '{{"auths": {{}}}}'}}
---
apiVersion: v1
kind: ConfigMap
metadata: {{name: classes, namespace: {name}}}
data: {{classes.txt: cat}}
"""
SETTINGS = """\
namespace: {name}
image: {image}
secret: null
image_pull_secrets: [registry]
ca_bundle: company-ca/all.crt
proxy: {{http: "http://127.0.0.1:1", https: "http://127.0.0.1:1", no_proxy: [.company]}}
environment: {{NCCL_DEBUG: INFO}}
secrets: {{WANDB_API_KEY: wandb/api-key}}
home: {{size: 64Mi}}
volumes:
  - {{host_path: {node}, path: /node}}
  - {{config_map: classes, path: /classes}}
  - {{secret: wandb, path: /keys}}
user: 0
writable_root: true
gpu_resource: amd.com/gpu
ephemeral_storage: 64Mi
labels: {{team: vision}}
annotations: {{note: "a, b"}}
affinity:
  nodeAffinity:
    requiredDuringSchedulingIgnoredDuringExecution:
      nodeSelectorTerms: [{{matchExpressions: [{{key: kubernetes.io/hostname, operator: Exists}}]}}]
tolerations: [{{key: gpu, operator: Exists, effect: NoExecute, tolerationSeconds: 60}}]
priority_class: {name}-low
rungs: [{{}}, {{priority_class: {name}-high, node_selector: {{kubernetes.io/hostname: localhost}}}}]
mesh: istio
every_pod:
  labels: {{cost-center: x}}
  annotations: {{scrape: "no"}}
  tolerations: [{{operator: Exists}}]
  node_selector: {{kubernetes.io/os: linux}}
  pod_patch:
    initContainers:
      - {{name: proxy, image: {small}, imagePullPolicy: Never, restartPolicy: Always, command: [sh, -c, {serves}]}}
    containers: [{{name: main, env: [{role}]}}, {{name: wait, env: [{role}]}}]
pod_patch:
  terminationGracePeriodSeconds: 45
  initContainers: [{{name: stage-in, env: [{role}]}}]
  containers:
    - {{name: observe, env: [{role}]}}
    - {{name: istio-proxy, image: {image}, imagePullPolicy: IfNotPresent, command: [sh, -c, {serves}]}}
"""


class _Role(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        keys = {"AccessKeyId": os.environ["AWS_ACCESS_KEY_ID"], "SecretAccessKey": os.environ["AWS_SECRET_ACCESS_KEY"]}
        body = json.dumps({**keys, "Token": "", "Expiration": "2099-01-01T00:00:00Z"}).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)
        self.server.asked += 1  # type: ignore[attr-defined]  # set below

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def role() -> Iterator[ThreadingHTTPServer]:
    """An address that hands out keys to pods, which share the network of this machine."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Role)
    server.asked = 0  # type: ignore[attr-defined]  # how often
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield server
    server.shutdown()
    server.server_close()


@pytest.fixture
def namespace(tmp_path: Path) -> Iterator[str]:
    """A namespace with what manifests/base puts there, and what this study names."""
    name = f"options-{time.time_ns()}"
    (tmp_path / "objects.yaml").write_text(OBJECTS.format(name=name))
    base = os.path.relpath(ROOT / "manifests" / "overlays" / "describe", tmp_path.resolve())
    (tmp_path / "kustomization.yaml").write_text(yaml.safe_dump({"namespace": name, "resources": [base]}))
    command("kubectl", "apply", "-f", str(tmp_path / "objects.yaml"))
    command("kubectl", "apply", "-k", str(tmp_path))
    server = json.dumps({"data": {"server": _api_server()}})  # this cluster has no Services
    command("kubectl", "-n", name, "patch", "configmap", "automl-describe", "-p", server)
    command("kubectl", "-n", name, "create", "configmap", "company-ca", f"--from-file=all.crt={certifi.where()}")
    add_to_the_node({GPU: "4", "ephemeral-storage": "4Gi"})
    yield name
    command("kubectl", "delete", "--wait=false", "-f", str(tmp_path / "objects.yaml"))


def _api_server() -> str:
    config = json.loads(command("kubectl", "config", "view", "--minify", "-o", "json"))
    address: str = config["clusters"][0]["cluster"]["server"]
    return address


def add_to_the_node(resources: dict[str, str]) -> None:
    """Has the first node offer what it does not offer yet; nothing stands behind it."""
    node = json.loads(command("kubectl", "get", "nodes", "-o", "json"))["items"][0]
    new = {name: amount for name, amount in resources.items() if name not in node["status"]["allocatable"]}
    status = json.dumps({"status": {"capacity": new, "allocatable": new}})
    command("kubectl", "patch", "node", node["metadata"]["name"], "--subresource=status", "-p", status)


def as_root_image(context: Path) -> None:
    context.mkdir()
    (context / "train.py").write_text(AS_ROOT + PROGRAM)
    (context / "pilot-agent").write_text(PILOT_AGENT)
    (context / "pilot-agent").chmod(0o755)
    (context / "Dockerfile").write_text(
        "ARG BASE=python:3.11-slim\nFROM ${BASE}\n"
        "COPY train.py /train.py\nCOPY pilot-agent /usr/local/bin/pilot-agent\n"
    )
    build_image(IMAGE, str(context), "-f", str(context / "Dockerfile"))


def variables(container: dict[str, Any]) -> dict[str, Any]:
    return {each["name"]: each.get("value") for each in container.get("env", ())}


@pytest.mark.usefixtures("images")
def test_pods_are_what_the_study_says_and_end(
    tmp_path: Path, bucket: str, namespace: str, role: ThreadingHTTPServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("ARGO_NAMESPACE", raising=False)  # which would count more than the study file
    as_root_image(tmp_path / "image")
    node = tmp_path / "node"
    node.mkdir()
    (node / "labels.csv").touch()
    study = IMAGES.study(tmp_path / "there", STUDY, f"store: {bucket}", "options", program="/train.py")
    address = {"name": "AWS_CONTAINER_CREDENTIALS_FULL_URI", "value": f"http://127.0.0.1:{role.server_port}/"}
    settings = yaml.safe_load(
        SETTINGS.format(
            name=namespace,
            image=IMAGE,
            small=SMALL,
            node=node,
            role=json.dumps(address),
            serves=json.dumps(SERVES_UNTIL_ASKED),
        )
    )
    whole = yaml.safe_load(study.read_text())
    whole["cluster"] |= settings
    study.write_text(yaml.safe_dump(whole))
    for path in (node, *tmp_path.parents[:2], tmp_path):  # the pod's user is another one
        path.chmod(0o755)

    command("automl", "submit", str(study), "--watch")

    (listed,) = json.loads(command("kubectl", "-n", namespace, "get", "workflows", "-o", "json"))["items"]
    annotations = listed["metadata"]["annotations"]
    assert re.fullmatch(r"options 0\.\d{4} 3/3", annotations["workflows.argoproj.io/title"])
    told = annotations["workflows.argoproj.io/description"]
    assert re.fullmatch(r"best 0\.\d{4} · (the defaults|experiment \d) · 3 of 3 · done", told)

    pods = until("all pods to end, also those with proxies", lambda: ended_pods(namespace), 60)
    assert "not-in-any-manifest" not in json.dumps(pods)
    trainings = [pod for pod in pods if "team" in pod["metadata"]["labels"]]
    assert (len(trainings), len(pods)) == (4, 10)
    for pod in pods:
        check_any(pod, address, mine=pod in trainings)
    for pod in trainings:
        check_training(pod, namespace)
    store = open_store(bucket)
    assert store.get("report.html")  # stored by Argo, with the role's keys
    said = json.loads((store.get("experiment_0/log.txt") or b"").splitlines()[0])
    assert said.pop("authorities") > 100
    direct = said["told"].pop("NO_PROXY").split(",")
    assert (direct[:4], direct[5:]) == (["localhost", "127.0.0.1", ".svc", ".cluster.local"], [".company"])
    assert re.fullmatch(r"[0-9a-f.:]+", direct[4]), direct  # the API server's address, put in by Kubernetes
    assert said == {
        "user": 0,
        "called": "automl",
        "told": {
            "HOME": "/home/automl",
            "NCCL_DEBUG": "INFO",
            "WANDB_API_KEY": "not-in-any-manifest",
            "SSL_CERT_FILE": "/etc/automl-ca/ca.crt",
            "HTTPS_PROXY": "http://127.0.0.1:1",
        },
        "data": {"/node": ["labels.csv"], "/classes": ["classes.txt"], "/keys": ["api-key"]},
    }
    assert role.asked > 0  # type: ignore[attr-defined]  # see the fixture


def ended_pods(namespace: str) -> list[dict[str, Any]]:
    """The pods of the namespace's workflow; none while one of them runs."""
    answer = command("kubectl", "-n", namespace, "get", "pods", "-l", "workflows.argoproj.io/workflow", "-o", "json")
    pods: list[dict[str, Any]] = json.loads(answer)["items"]
    return [] if any(pod["status"]["phase"] in {"Pending", "Running"} for pod in pods) else pods


def check_any(pod: dict[str, Any], address: dict[str, str], *, mine: bool) -> None:
    """What every pod is; `mine`: it trains."""
    metadata, spec = pod["metadata"], pod["spec"]
    assert {"cost-center": "x", "sidecar.istio.io/inject": "true"}.items() <= metadata["labels"].items()
    assert metadata["annotations"]["scrape"] == "no"
    assert spec["imagePullSecrets"] == [{"name": "registry"}]
    assert ({"operator": "Exists"} in spec["tolerations"]) is not mine  # a training has its own
    ends = {each["name"]: each["state"]["terminated"]["exitCode"] for each in pod["status"]["containerStatuses"]}
    # observe may be told to end before it does by itself, which Argo takes for no failure
    assert not any(code for name, code in ends.items() if name != "observe"), ends
    first = {each["name"]: each for each in spec["initContainers"]}
    assert first["proxy"]["restartPolicy"] == "Always"
    ours = {each["name"]: each for each in [*spec["containers"], *spec["initContainers"]]}
    for name in ("main", "wait", *(("observe", "stage-in") if mine else ())):
        told = variables(ours[name])
        assert not {"AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"} & set(told)
        assert told[address["name"]] == address["value"]
        assert told["HTTPS_PROXY"] == "http://127.0.0.1:1"
        assert {"name": "ca-bundle", "mountPath": "/etc/automl-ca", "readOnly": True} in ours[name]["volumeMounts"]


def check_training(pod: dict[str, Any], namespace: str) -> None:
    metadata, spec = pod["metadata"], pod["spec"]
    assert metadata["annotations"]["note"] == "a, b"
    containers = {each["name"]: each for each in spec["containers"]}
    deeper = variables(containers["observe"])["AUTOML_TURN"] == "3"  # which promotes the best of the three before
    assert (spec["priorityClassName"], spec["priority"]) == (
        (f"{namespace}-high", 20) if deeper else (f"{namespace}-low", 10)
    )
    assert spec.get("nodeSelector") == {"kubernetes.io/os": "linux"} | (
        {"kubernetes.io/hostname": "localhost"} if deeper else {}
    )
    assert spec["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    toleration = {"key": "gpu", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60}
    assert toleration in spec["tolerations"]
    assert spec["terminationGracePeriodSeconds"] == 45
    assert set(containers) == {"main", "observe", "wait", "istio-proxy"}
    limits = containers["main"]["resources"]["limits"]
    assert (limits[GPU], limits["ephemeral-storage"]) == ("1", "64Mi")
    assert containers["main"]["securityContext"]["runAsUser"] == 0
    assert containers["main"]["securityContext"]["readOnlyRootFilesystem"] is False
    volumes = {each["name"]: each for each in spec["volumes"]}
    assert volumes["home"]["emptyDir"] == {"sizeLimit": "64Mi"}
    assert {"hostPath", "configMap", "secret"} == {
        kind for name, each in volumes.items() if name.startswith("data-") for kind in each if kind != "name"
    }
