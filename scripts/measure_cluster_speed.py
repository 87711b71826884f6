"""Measures how long a finished workflow waited between trainings: from a rung's last training to the next rung's pods.

    python scripts/measure_cluster_speed.py NAME [NAME ...] [--floor IMAGE]

For every rung after the first of a stage: the seconds from the end of the last training pod of the rung before until
the first one of this rung is made, in which the brain's pod starts, decides and ends. The times are those of the
workflow's own nodes, in whole seconds. Needs kubectl and KUBECONFIG.

--floor is the peer in the same run: a workflow of the same shape whose pods only run `true`, of an image that the
cluster has. What it waits between rungs is Argo's and the cluster's own; what ours waits beyond it is ours.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
import time
from datetime import datetime
from typing import Any

from automl.study.cluster_options import ClusterSettings
from workflows import pod_patches, pod_security

FLOOR_RUNGS = 4
Times = dict[tuple[int, int], list[tuple[datetime, datetime]]]  # (stage, rung) -> (created, ended) of its pods


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help="of workflows")
    parser.add_argument("--floor", metavar="IMAGE", help="run and measure one whose pods do nothing, of this image")
    parser.add_argument("--namespace", default="argo")
    options = parser.parse_args()
    if options.floor:
        report([run_floor(options.floor, options.namespace)], options.namespace)
    report(options.names, options.namespace)


def report(names: list[str], namespace: str) -> None:
    """Prints the waits of these workflows."""
    waited: list[float] = []
    for name in names:
        times = trainings(workflow(name, namespace))
        print(f"{name}: {sum(map(len, times.values()))} training pods in {len(times)} rungs")
        for (stage, rung), runs in sorted(times.items()):
            before = times.get((stage, rung - 1))
            if before is None:
                continue
            seconds = (min(created for created, _ in runs) - max(ended for _, ended in before)).total_seconds()
            waited.append(seconds)
            print(f"  stage {stage}, rung {rung}: {seconds:.0f} s from {len(before)} trainings to {len(runs)}")
    if waited:
        print(
            f"between rungs: median {statistics.median(waited):.0f} s, at most {max(waited):.0f} s, {len(waited)} times"
        )


def workflow(name: str, namespace: str) -> dict[str, Any]:
    """The workflow, as the cluster has it."""
    workflow: dict[str, Any] = json.loads(_kubectl(namespace, "get", "workflow", name, "-o", "json"))
    return workflow


def _kubectl(namespace: str, *words: str, text: str | None = None) -> str:
    command = ["kubectl", "-n", namespace, *words]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


def run_floor(image: str, namespace: str) -> str:
    """Runs the workflow that does nothing, to its end: `FLOOR_RUNGS` rungs of three pods. Gives its name."""
    name = (
        _kubectl(namespace, "create", "-f", "-", "-o", "name", text=json.dumps(floor(image))).strip().partition("/")[2]
    )
    end = time.monotonic() + 600
    while workflow(name, namespace).get("status", {}).get("phase") not in ("Succeeded", "Failed", "Error"):
        assert time.monotonic() < end, f"{name} did not end"
        time.sleep(1)
    return name


def floor(image: str) -> dict[str, Any]:
    """The steps that workflows/shape.py makes: a rung is one pod that puts out numbers, and one for each of them."""
    pod = {
        "image": image,
        "imagePullPolicy": "IfNotPresent",
        "securityContext": pod_security.container_security().model_dump(by_alias=True, exclude_none=True),
    }
    stage_and_rung = [{"name": name, "value": f"{{{{inputs.parameters.{name}}}}}"} for name in ("stage", "rung")]
    inputs = {"parameters": [{"name": "stage"}, {"name": "rung"}]}
    numbers = {"name": "experiments", "valueFrom": {"default": '["0", "1", "2"]', "path": "/tmp/none"}}  # noqa: S108
    propose = {**pod, "command": ["true"]}
    tasks = [
        {"name": "propose", "template": "propose", "arguments": {"parameters": stage_and_rung}},
        {
            "name": "experiment",
            "template": "train",
            "depends": "propose",
            "withParam": "{{tasks.propose.outputs.parameters.experiments}}",
            "arguments": {"parameters": [*stage_and_rung, {"name": "experiment", "value": "{{item}}"}]},
        },
    ]
    step = {
        "name": "rung",
        "template": "rung",
        "withSequence": {"count": FLOOR_RUNGS},
        "arguments": {"parameters": [{"name": "stage", "value": "0"}, {"name": "rung", "value": "{{item}}"}]},
    }
    train_inputs = {"parameters": [*inputs["parameters"], {"name": "experiment"}]}
    return {
        "apiVersion": "argoproj.io/v1alpha1",
        "kind": "Workflow",
        "metadata": {"generateName": "floor-"},
        "spec": {
            "entrypoint": "main",
            "securityContext": pod_security.pod_security().model_dump(by_alias=True, exclude_none=True),
            "podSpecPatch": pod_patches.of_every_pod(ClusterSettings()),
            "serviceAccountName": "automl-brain",
            "templates": [
                {"name": "main", "parallelism": 1, "steps": [[step]]},
                {"name": "rung", "inputs": inputs, "dag": {"tasks": tasks}},
                {"name": "propose", "inputs": inputs, "outputs": {"parameters": [numbers]}, "container": propose},
                {"name": "train", "inputs": train_inputs, "container": {**pod, "command": ["true"]}},
            ],
        },
    }


def trainings(workflow: dict[str, Any]) -> Times:
    """The training pods of every rung."""
    times: Times = {}
    for node in workflow["status"]["nodes"].values():
        if node["type"] != "Pod" or node["templateName"] != "train" or "finishedAt" not in node:
            continue
        inputs = {parameter["name"]: parameter["value"] for parameter in node["inputs"]["parameters"]}
        rung = int(inputs["stage"]), int(inputs["rung"])
        times.setdefault(rung, []).append((_time(node["startedAt"]), _time(node["finishedAt"])))
    return times


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


if __name__ == "__main__":
    main()
