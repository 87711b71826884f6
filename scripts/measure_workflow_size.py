"""Measures how large the objects of finished workflows are: a rung, a training and what does not grow.

    python scripts/measure_workflow_size.py                 # every workflow of a study in the namespace
    python scripts/measure_workflow_size.py NAME NAME ...

Argo packs `status.nodes` (gzip, then base64) when the object nears 1 MiB, and nothing else. So here the nodes are
packed as Argo does it, whatever their size, and the rest is taken as it lies there. What one more rung or training
takes is measured with copies of a workflow's own nodes, for in a small one the first of a kind takes most. The figures
of workflows/size.py come from here. Needs kubectl and KUBECONFIG.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import json
import random
import re
import subprocess
from typing import Any

_ENDED = {"Succeeded", "Failed"}
_TIMES = 20  # that a workflow is grown by
_ONCE = {"main", "start", "collect"}  # templates that a workflow runs once


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help="of workflows; default: all of studies that have ended")
    parser.add_argument("--namespace", default="argo")
    options = parser.parse_args()
    for workflow in workflows(options.names, options.namespace):
        nodes = workflow["status"].get("nodes")
        if not nodes:
            continue  # packed already, or stored elsewhere
        rungs, runs = counted(nodes)
        if not rungs or not runs:
            continue  # it ended before its first training
        training = (packed(grown(nodes, True)) - packed(nodes)) / runs / _TIMES
        rung = ((packed(grown(nodes, False)) - packed(nodes)) / _TIMES - runs * training) / rungs
        print(
            f"{workflow['metadata']['name']}: {rungs} rungs, {runs} trainings: {packed(nodes):,} bytes of nodes, "
            f"{rest(workflow):,} of the rest; {rung:.0f} more a rung, {training:.0f} a training"
        )


def workflows(names: list[str], namespace: str) -> list[dict[str, Any]]:
    """Those of these names, or all of studies, that have ended."""
    command = ["kubectl", "-n", namespace, "get", "workflows", "-o", "json"]
    done = subprocess.run([*command, *names], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    answer = json.loads(done.stdout)
    ended = [
        workflow for workflow in answer.get("items", [answer]) if workflow.get("status", {}).get("phase") in _ENDED
    ]
    return [workflow for workflow in ended if names or "automl/study" in workflow["metadata"].get("labels", {})]


def counted(nodes: dict[str, Any]) -> tuple[int, int]:
    """Its rungs, or its turns where it has no barriers, and its trainings."""
    templates = [node.get("templateName") for node in nodes.values() if node["type"] in {"DAG", "Retry"}]
    return templates.count("rung") + templates.count("turn"), templates.count("train")


def grown(nodes: dict[str, Any], trainings: bool) -> dict[str, Any]:
    """The nodes, and so many copies of those of its trainings, or of its stages with all that is in them.

    A copy has ids and times of its own, which are what does not compress.
    """
    rng, larger = random.Random(1), dict(nodes)  # noqa: S311 - ids to be packed, no secrets
    copied = {key: node for key, node in nodes.items() if not trainings or node.get("templateName") == "train"}
    copied = {key: node for key, node in copied.items() if node.get("templateName") not in _ONCE}
    for _ in range(_TIMES):
        text = json.dumps(copied)
        for old in (key.rpartition("-")[2] for key in nodes):
            text = text.replace(f"-{old}", f"-{rng.randrange(10**8, 4 * 10**9)}")
        text = re.sub(r"T\d\d:\d\d:\d\dZ", lambda _: f"T{rng.randrange(10**5, 10**6)}Z", text)
        larger |= json.loads(text)
    return larger


def packed(nodes: dict[str, Any]) -> int:
    """The bytes of the nodes as Argo packs them."""
    return len(base64.b64encode(gzip.compress(_json(nodes))))


def rest(workflow: dict[str, Any]) -> int:
    """The bytes of everything else but the study that travels in it."""
    status = {name: value for name, value in workflow["status"].items() if name != "nodes"}
    sent = [
        len(parameter.get("value", "")) for parameter in workflow["spec"].get("arguments", {}).get("parameters", ())
    ]
    return len(_json({**workflow, "status": status})) - sum(sent)


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


if __name__ == "__main__":
    main()
