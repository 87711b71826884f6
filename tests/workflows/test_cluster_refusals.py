"""What a study file may not say under `cluster`, and what Kubernetes knows beyond what we do."""

from __future__ import annotations

import json
import re

import pytest
import yaml

from automl.errors import StudyFileError
from automl.study.cluster_options import ClusterSettings
from tests.workflows.compiled_pods import compiled, template
from workflows import pod_patches


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (
            "{tolerations: [{key: a, opperator: Exists}]}",
            "opperator is not known; did you mean 'operator'?; allowed: key, operator",
        ),
        ("{tolerations: [{key: a, operator: exists}]}", "did you mean 'Exists'?; allowed: Equal or Exists"),
        ("{tolerations: [{key: a, operator: Exists, value: b}]}", "takes no value"),
        ("{tolerations: [{effect: NoSchedule}]}", "needs a key"),
        ("{tolerations: [{key: a, tolerationSeconds: 3}]}", "NoExecute alone"),
        ("{gpu_resource: amd}", "amd.com/gpu"),
        ("{environment: {a-b: c}}", 'the name "a-b"'),
        ("{environment: {A: true}}", "environment.A"),
        ("{environment: {WANDB_API_KEY: abc}}", "secrets: {WANDB_API_KEY: SECRET/KEY}"),
        ("{environment: {DATABASE: 'postgres://me:word@host/db'}}", "looks like a secret"),
        ("{environment: {ARGO_PROGRESS_FILE: /x}}", "is taken"),
        ("{environment: {A: b}, secrets: {A: b/c}}", "A in environment and in secrets"),
        ("{secrets: {TOKEN: wandb}}", "such as wandb/api-key"),
        ("{secret: {nme: a}}", "secret.nme is not known"),
        ("{proxy: {http: 'http://me:word@proxy:1'}}", "http://proxy.company:3128"),
        ("{ca_bundle: company-ca}", "company-ca/ca.crt"),
        ("{home: {claim: a, size: 1Gi}}", "a size of its own"),
        ("{home: {path: /tmp/home}}", "is taken"),
        ("{home: {path: /data}, volumes: [{claim: a, path: /data}]}", "two volumes at /data"),
        ("{volumes: [{path: /data}]}", "no source; allowed: one of claim, config_map"),
        ("{volumes: [{claim: a, nfs: 'b:/c', path: /data}]}", "claim and nfs"),
        ("{volumes: [{host_path: /a/../etc, path: /data}]}", "host_path"),
        ("{user: -1}", "user: -1; allowed: a whole number from 0"),
        ("{mesh: istyo}", "did you mean 'istio'"),
        ("{labels: {'a b': c}}", 'the name "a b"'),
        ("{labels: {a: 'b c'}}", "a label's value"),
        (
            "{rungs: [{priority: high}]}",
            "rungs[0].priority is not known; did you mean 'priority_class'?; allowed: priority_class",
        ),
        ("{affinity: {nodeAfinity: {}}}", "cluster.affinity.nodeAfinity is not known"),
        (
            "{affinity: {nodeAffinity: {requiredDuringSchedulingIgnoredDuringExecution: {}}}}",
            "nodeSelectorTerms is missing",
        ),
        ("{pod_patch: {hostNetwrk: true}}", "cluster.pod_patch.hostNetwrk is not known"),
        ("{pod_patch: {hostNetwork: 'yes'}}", 'hostNetwork: "yes"; allowed: true or false'),
        ("{pod_patch: {priority: true}}", "a whole number"),
        ("{pod_patch: {containers: {name: main}}}", "allowed: a list"),
        ("{pod_patch: {containers: [{name: mian}]}}", "did you mean 'main'"),
        ("{pod_patch: {initContainers: [{name: stage_in}]}}", "did you mean 'stage-in'"),
        ("{pod_patch: {containers: [{name: main, command: [x]}]}}", "containers[0].command: main runs the steps"),
        ("{pod_patch: {containers: [{name: main, env: [{name: A_TOKEN, value: x}]}]}}", "secretKeyRef"),
        ("{pod_patch: {containers: [{name: main, resources: {limts: {cpu: 1}}}]}}", "resources.limts is not known"),
        ("{every_pod: {pod_patch: {containers: [{name: observe}]}}}", 'there is no container "observe"'),
        ('{pod_patch: {hostname: "{\\x7bworkflow.uid}}"}}', "cluster holds '{{workflow.uid}}"),
    ],
)
def test_a_setting_that_no_pod_could_have_is_refused(given: str, said: str) -> None:
    with pytest.raises(StudyFileError, match=re.escape(said)):
        compiled(given)


@pytest.mark.parametrize(
    "patch",
    [
        "{containers: [{name: main, resources: {limits: {rdma/hca: 1}}}]}",
        "{containers: [{name: proxy, image: 'p:1', args: [x], ports: [{containerPort: 80}]}]}",
        "{tolerations: [{$patch: replace}], securityContext: {fsGroupChangePolicy: OnRootMismatch}}",
        "{initContainers: [{name: warm, image: 'p:1', restartPolicy: Always}], terminationGracePeriodSeconds: 600}",
        "{dnsConfig: {nameservers: [10.0.0.1]}, hostAliases: [{ip: 10.0.0.2, hostnames: [nas]}], nodeName: null}",
        "{volumes: [{name: scratch, ephemeral: {volumeClaimTemplate: {spec: {storageClassName: fast}}}}]}",
    ],
)
def test_what_kubernetes_knows_is_taken_as_a_patch(patch: str) -> None:
    ours = json.loads(pod_patches.of_a_training(ClusterSettings()))
    made = json.loads(template(compiled(f"{{pod_patch: {patch}}}"), "train")["podSpecPatch"])
    assert made == pod_patches.merged(ours, yaml.safe_load(patch))
