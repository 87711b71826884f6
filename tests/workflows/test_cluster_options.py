"""What a study file says under `cluster`, as it stands in the pods of the compiled workflow and of a template."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
import yaml

from automl.study.cluster_options import ClusterSettings
from tests.workflows.compiled_pods import compiled, containers, template, variables, volume
from workflows import pod_patches, workflow_template
from workflows.cluster import gpus_of_a_training, needs


def test_without_a_secret_no_pod_has_keys_and_the_report_is_stored_by_the_same_role() -> None:
    workflow = compiled("{secret: null}")
    assert "automl-s3" not in json.dumps(workflow)
    for container in containers(workflow).values():
        assert not [name for name in variables(container) if "KEY" in name or "TOKEN" in name]
    for name in ("propose", "collect"):
        s3 = template(workflow, name)["outputs"]["artifacts"][0]["s3"]
        assert s3["useSDKCreds"] is True
        assert not [key for key in s3 if key.endswith("Secret")]


def test_keys_that_expire_come_from_a_secret_with_names_of_its_own() -> None:
    workflow = compiled("{secret: {name: mine, access_key: A, secret_key: B, session_token: C}}")
    keys = {"AWS_ACCESS_KEY_ID": "mine/A", "AWS_SECRET_ACCESS_KEY": "mine/B", "AWS_SESSION_TOKEN": "mine/C"}
    for name, container in containers(workflow).items():
        told = variables(container)
        assert {key: told.get(key) for key in keys} == (dict.fromkeys(keys) if name == "train/main" else keys)
    s3 = template(workflow, "collect")["outputs"]["artifacts"][0]["s3"]
    assert (s3["accessKeySecret"], s3["secretKeySecret"], s3["sessionTokenSecret"]) == tuple(
        {"name": "mine", "key": key} for key in "ABC"
    )
    assert "sessionTokenSecret" not in json.dumps(compiled("{secret: mine}"))


def test_a_training_and_nothing_else_gets_the_users_variables() -> None:
    workflow = compiled(
        "{environment: {NCCL_DEBUG: INFO, OMP_NUM_THREADS: 3}, secrets: {WANDB_API_KEY: wandb/api-key}}"
    )
    for name, container in containers(workflow).items():
        told = variables(container)
        if name == "train/main":
            assert told == {
                "OMP_NUM_THREADS": "3",
                "PYTHONUNBUFFERED": "1",
                "NCCL_DEBUG": "INFO",
                "WANDB_API_KEY": "wandb/api-key",
            }
        else:
            assert not {"NCCL_DEBUG", "WANDB_API_KEY"} & set(told)


@pytest.mark.parametrize(
    ("home", "path", "source"),
    [
        ("{}", "/home/automl", {"emptyDir": {}}),
        ("{size: 20Gi, path: /root}", "/root", {"emptyDir": {"sizeLimit": "20Gi"}}),
        ("{claim: caches}", "/home/automl", {"persistentVolumeClaim": {"claimName": "caches"}}),
    ],
)
def test_a_home_is_a_volume_of_the_training(home: str, path: str, source: dict[str, Any]) -> None:
    workflow = compiled(f"{{home: {home}}}")
    assert volume(workflow, "home") == source
    mount = {"name": "home", "mountPath": path}
    told = {"HOME": path, "XDG_CACHE_HOME": f"{path}/.cache", "USER": "automl", "LOGNAME": "automl"}
    for name, container in containers(workflow).items():
        assert (mount in container["volumeMounts"]) == (name == "train/main")
        assert (told.items() <= variables(container).items()) == (name == "train/main")


@pytest.mark.parametrize(
    ("given", "source"),
    [
        ("claim: c", {"persistentVolumeClaim": {"claimName": "c", "readOnly": True}}),
        ("claim: c, read_only: false", {"persistentVolumeClaim": {"claimName": "c"}}),
        ("host_path: /mnt/nvme", {"hostPath": {"path": "/mnt/nvme", "type": "Directory"}}),
        ("nfs: 'nas:/data'", {"nfs": {"server": "nas", "path": "/data", "readOnly": True}}),
        ("config_map: labels", {"configMap": {"name": "labels"}}),
        ("secret: kaggle", {"secret": {"secretName": "kaggle"}}),
        (
            "csi: {driver: s3.csi.aws.com, attributes: {bucket: data}, secret: keys, fs_type: fuse}",
            {
                "csi": {
                    "driver": "s3.csi.aws.com",
                    "fsType": "fuse",
                    "readOnly": True,
                    "volumeAttributes": {"bucket": "data"},
                    "nodePublishSecretRef": {"name": "keys"},
                }
            },
        ),
    ],
)  # fmt: skip
def test_data_of_any_kind_is_a_volume_of_the_training(given: str, source: dict[str, Any]) -> None:
    workflow = compiled(f"{{volumes: [{{{given}, path: /data}}]}}")
    assert volume(workflow, "data-0") == source
    mount = {"name": "data-0", "mountPath": "/data"} | ({} if "read_only: false" in given else {"readOnly": True})
    mounted = {name for name, each in containers(workflow).items() if mount in each["volumeMounts"]}
    assert mounted == {"train/main"}


def test_what_all_pods_get_and_what_trainings_get() -> None:
    workflow = compiled(
        "{image_pull_secrets: [registry], labels: {team: a}, annotations: {note: 'a, b'}, priority_class: low, "
        "node_selector: {pool: gpu}, tolerations: [{key: gpu, operator: Exists, effect: NoExecute, "
        "tolerationSeconds: 60}], every_pod: {labels: {cost: x}, annotations: {scrape: 'no'}, priority_class: high, "
        "node_selector: {os: linux}, tolerations: [{key: all, value: 'yes'}]}}"
    )
    spec, train = workflow["spec"], template(workflow, "train")
    assert spec["imagePullSecrets"] == [{"name": "registry"}]
    assert spec["podMetadata"] == {"labels": {"cost": "x"}, "annotations": {"scrape": "no"}}
    assert (spec["nodeSelector"], spec["podPriorityClassName"]) == ({"os": "linux"}, "high")
    assert spec["tolerations"] == [{"key": "all", "operator": "Equal", "value": "yes"}]
    progress = {"workflows.argoproj.io/progress": "0/{{inputs.parameters.epochs_to_train}}"}
    assert train["metadata"] == {"labels": {"team": "a"}, "annotations": {"note": "a, b", **progress}}
    assert (train["nodeSelector"], train["priorityClassName"]) == ({"pool": "gpu"}, "low")
    toleration = {"key": "gpu", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 60}
    assert train["tolerations"] == [toleration]
    for name in ("start", "propose", "settle", "collect"):
        assert not {"metadata", "nodeSelector", "tolerations", "priorityClassName"} & set(template(workflow, name))


@pytest.mark.parametrize("name", ["amd.com/gpu", "nvidia.com/mig-1g.10gb", "gpu.intel.com/i915"])
def test_gpus_are_asked_for_by_the_clusters_name(name: str) -> None:
    workflow = compiled(f"{{gpu_resource: {name}, ephemeral_storage: 50Gi}}", gpus=2)
    resources = template(workflow, "train")["container"]["resources"]
    assert resources["limits"] == {"memory": "4Gi", "ephemeral-storage": "50Gi", name: "2"}
    assert resources["requests"] == {"cpu": "1", **resources["limits"]}
    assert "nvidia.com/gpu" not in json.dumps(workflow["spec"]["templates"])


@pytest.mark.parametrize(
    ("given", "beside", "main"),
    [
        ("{user: 0, writable_root: true}", (0, None, False, True), (0, None, False, False)),
        ("{user: 1000, group: 100}", (1000, 100, True, True), (1000, 100, True, True)),
        ("{writable_root: true}", (None, None, True, True), (None, None, True, False)),
    ],
)
def test_another_user_is_that_of_all_containers_which_share_files_with_the_training(
    given: str, beside: tuple[Any, ...], main: tuple[Any, ...]
) -> None:
    workflow = compiled(given)
    names = ("runAsUser", "runAsGroup", "runAsNonRoot", "readOnlyRootFilesystem")
    found = {
        name: tuple(each["securityContext"].get(key) for key in names) for name, each in containers(workflow).items()
    }
    ours = (None, None, True, True)
    wanted = dict.fromkeys(("start/main", "propose/main", "settle/main", "collect/main"), ours)
    assert found == {**wanted, "train/main": main, "train/stage-in": beside, "train/observe": beside}
    assert all(each["securityContext"]["capabilities"] == {"drop": ["ALL"]} for each in containers(workflow).values())
    assert workflow["spec"]["securityContext"]["runAsUser"] == 65532  # of Argo's own containers


def test_every_container_goes_by_the_companys_proxy_and_authorities() -> None:
    workflow = compiled(
        "{ca_bundle: company-ca/all.crt, proxy: {http: 'http://p:1', https: 'http://p:2', no_proxy: [.company]}}"
    )
    direct = "localhost,127.0.0.1,.svc,.cluster.local,$(KUBERNETES_SERVICE_HOST),.company"
    told = dict.fromkeys(
        ("AWS_CA_BUNDLE", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"), "/etc/automl-ca/ca.crt"
    )
    told |= {"HTTP_PROXY": "http://p:1", "HTTPS_PROXY": "http://p:2", "NO_PROXY": direct}
    told |= {"http_proxy": "http://p:1", "https_proxy": "http://p:2", "no_proxy": direct}
    mount = {"name": "ca-bundle", "mountPath": "/etc/automl-ca", "readOnly": True}
    for container in containers(workflow).values():
        assert told.items() <= variables(container).items()
        assert mount in container["volumeMounts"]
    bundle = {"name": "company-ca", "items": [{"key": "all.crt", "path": "ca.crt"}]}
    assert volume(workflow, "ca-bundle") == {"configMap": bundle}
    wait = next(each for each in json.loads(workflow["spec"]["podSpecPatch"])["containers"] if each["name"] == "wait")
    assert variables(wait) == told
    assert wait["volumeMounts"] == [mount]


def as_argo_does(text: str, rung: int) -> str:
    """The text of an expression for a rung, by the rules of Argo's `a == 'b' ? 'c' : 'd'`."""
    found = re.search(r"\{\{=(.*?)\}\}", text)
    if found is None:
        return text
    *cases, last = found[1].split(" : ")
    chosen = {}
    for case in cases:
        condition = re.fullmatch(r"inputs\.parameters\.rung == '(\d+)' \? '(.*)'", case)
        assert condition, case
        chosen[int(condition[1])] = condition[2]
    return text.replace(found[0], chosen.get(rung, last[1:-1]))


def test_rungs_have_priorities_and_nodes_of_their_own() -> None:
    workflow = compiled(
        "{priority_class: usual, node_selector: {zone: a}, pod_patch: {nodeSelector: {disk: fast}, "
        "runtimeClassName: nvidia}, rungs: [{priority_class: low, node_selector: {pool: small}}, {}, "
        "{priority_class: high, node_selector: {pool: large, disk: huge}}]}"
    )
    train = template(workflow, "train")
    by_rung = [as_argo_does(train["priorityClassName"], rung) for rung in range(5)]
    assert by_rung == ["low", "usual", "high", "high", "high"]
    patches = [json.loads(as_argo_does(train["podSpecPatch"], rung)) for rung in range(4)]
    assert {patch["runtimeClassName"] for patch in patches} == {"nvidia"}
    assert [patch["nodeSelector"] for patch in patches] == [
        {"disk": "fast", "pool": "small"},
        {"disk": "fast"},
        *[{"disk": "huge", "pool": "large"}] * 2,
    ]
    assert train["nodeSelector"] == {"zone": "a"}  # into which Argo merges the patch
    same = template(compiled("{rungs: [{priority_class: high}]}"), "train")
    assert (same["priorityClassName"], "nodeSelector" in json.loads(same["podSpecPatch"])) == ("high", False)


def test_patches_are_merged_into_our_own() -> None:
    workflow = compiled(
        "{pod_patch: {containers: [{name: main, env: [{name: A, value: b}]}, {name: wait, env: "
        "[{name: ARGO_PROGRESS_PATCH_TICK_DURATION, value: 60s}]}], hostNetwork: true}, "
        "every_pod: {pod_patch: {schedulerName: volcano, containers: [{name: wait, resources: {limits: {cpu: 1}}}]}}}"
    )
    assert json.loads(template(workflow, "train")["podSpecPatch"]) == {
        "containers": [
            {
                "name": "wait",
                "env": [
                    {"name": "ARGO_PROGRESS_FILE_TICK_DURATION", "value": "1s"},
                    {"name": "ARGO_PROGRESS_PATCH_TICK_DURATION", "value": "60s"},
                ],
            },
            {"name": "main", "env": [{"name": "A", "value": "b"}]},
        ],
        "hostNetwork": True,
    }
    everywhere = json.loads(workflow["spec"]["podSpecPatch"])
    (wait,) = everywhere["containers"]
    assert wait["resources"] == {"limits": {"cpu": 1}}
    assert wait["securityContext"] == json.loads(pod_patches.of_every_pod(ClusterSettings()))["containers"][0].get(
        "securityContext"
    )
    assert everywhere["schedulerName"] == "volcano"


def test_affinity_is_kubernetes_own() -> None:
    expression = "{key: gpu, operator: In, values: [h100, h200]}"
    required = f"{{nodeSelectorTerms: [{{matchExpressions: [{expression}]}}]}}"
    affinity = f"{{nodeAffinity: {{requiredDuringSchedulingIgnoredDuringExecution: {required}}}}}"
    workflow = compiled(f"{{affinity: {affinity}}}")
    assert template(workflow, "train")["affinity"] == yaml.safe_load(affinity)
    assert "affinity" not in template(workflow, "propose")


@pytest.mark.parametrize(
    ("mesh", "labels", "annotations"),
    [
        ("istio", {"sidecar.istio.io/inject": "true"}, {"sidecar.istio.io/nativeSidecar": "true"}),
        ("linkerd", {}, {"linkerd.io/inject": "enabled", "config.beta.linkerd.io/proxy-enable-native-sidecar": "true"}),
        ("outside", {"sidecar.istio.io/inject": "false"}, {"linkerd.io/inject": "disabled"}),
    ],
)
def test_a_mesh_is_told_that_pods_end(mesh: str, labels: dict[str, str], annotations: dict[str, str]) -> None:
    metadata = compiled(f"{{mesh: {mesh}, every_pod: {{labels: {{own: x}}}}}}")["spec"]["podMetadata"]
    assert metadata["labels"] == {**labels, "own": "x"}
    assert annotations.items() <= metadata["annotations"].items()


def test_a_namespace_is_that_of_the_workflow() -> None:
    assert compiled("{namespace: team-a}")["metadata"]["namespace"] == "team-a"
    assert "namespace" not in compiled("{}")["metadata"]


EVERYTHING = (
    "{namespace: team-a, secret: null, image_pull_secrets: [r], environment: {A: b}, secrets: {C: d/e}, home: {}, "
    "user: 0, writable_root: true, labels: {l: m}, annotations: {n: o}, gpu_resource: amd.com/gpu, "
    "ephemeral_storage: 1Gi, affinity: {podAffinity: {}}, priority_class: p, rungs: [{}, {node_selector: {q: r}}], "
    "pod_patch: {hostNetwork: true}, every_pod: {labels: {s: t}}, mesh: outside, ca_bundle: u/v, proxy: {http: "
    "'http://w'}, volumes: [{host_path: /x, path: /y}], tolerations: [{operator: Exists}]}"
)


def test_a_template_takes_what_a_compiled_study_takes() -> None:
    settings = ClusterSettings.model_validate(yaml.safe_load(EVERYTHING))
    ours: dict[str, Any] = workflow_template("hyperband", settings, 1).to_dict()
    workflow = compiled(EVERYTHING)
    same = ("imagePullSecrets", "podMetadata", "podSpecPatch", "volumes")
    assert [ours["spec"][key] for key in same] == [workflow["spec"][key] for key in same]
    assert ours["metadata"]["namespace"] == "team-a"
    train, wanted = template(ours, "train"), template(workflow, "train")
    assert train["container"]["image"] == "{{workflow.outputs.parameters.image}}"
    for each in (train, wanted):
        del each["container"]["image"]
    theirs = ("initContainers", "sidecars")  # which are told where the study lies
    assert {key: value for key, value in train.items() if key not in theirs} == {
        key: value for key, value in wanted.items() if key not in theirs
    }


def test_the_secrets_that_pods_need_are_looked_at_before_anything_is_created() -> None:
    workflow = compiled(
        "{secret: {name: s3, session_token: t}, secrets: {A: b/c}, image_pull_secrets: [registry], "
        "volumes: [{secret: kaggle, path: /k}]}"
    )
    _, secrets = needs(workflow)
    assert secrets == {"s3": {"access-key", "secret-key", "t"}, "b": {"c"}, "registry": set(), "kaggle": set()}


@pytest.mark.parametrize("name", ["amd.com/gpu", "nvidia.com/mig-1g.10gb"])
def test_gpus_of_any_name_are_counted(name: str) -> None:
    assert gpus_of_a_training(compiled(f"{{gpu_resource: {name}, ephemeral_storage: 1Gi}}", gpus=3)) == 3
