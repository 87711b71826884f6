"""Measures how large the objects of finished workflows are: a rung, a training and what does not grow.

    python scripts/measure_workflow_size.py                 # every workflow of a study in the namespace
    python scripts/measure_workflow_size.py NAME NAME ...

Argo packs `status.nodes` (gzip, then base64) when the object nears 1 MiB, and nothing else. So here the nodes are
packed as Argo does it, whatever their size, and the rest is taken as it lies there. Least squares over the workflows
gives the figures of workflows/size.py. Needs kubectl and KUBECONFIG.
"""

from __future__ import annotations

import argparse
import base64
import gzip
import json
import subprocess
from typing import Any

import numpy as np

_ENDED = {"Succeeded", "Failed"}


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="*", help="of workflows; default: all of studies that have ended")
    parser.add_argument("--namespace", default="argo")
    options = parser.parse_args()
    rows = []
    for workflow in workflows(options.names, options.namespace):
        nodes = workflow["status"].get("nodes")
        if not nodes:
            continue  # packed already, or stored elsewhere
        rungs, runs = counted(nodes)
        sizes = packed(nodes), rest(workflow)
        rows.append((rungs, runs, *sizes))
        print(f"{workflow['metadata']['name']}: {rungs} rungs, {runs} trainings: nodes {sizes[0]:,}, rest {sizes[1]:,}")
    if not rows:
        parser.exit(1, "no such workflow has ended\n")
    table = np.array(rows, dtype=float)
    grows = np.column_stack([np.ones(len(table)), table[:, 0], table[:, 1]])
    found, *_ = np.linalg.lstsq(grows, table[:, 2] + table[:, 3], rcond=None)
    worst = np.abs(grows @ found - table[:, 2] - table[:, 3]).max()
    print(f"bytes: {found[0]:,.0f}, {found[1]:,.0f} a rung, {found[2]:,.0f} a training; at most {worst:,.0f} off")


def workflows(names: list[str], namespace: str) -> list[dict[str, Any]]:
    """Those of these names, or all of studies, that have ended."""
    command = ["kubectl", "-n", namespace, "get", "workflows", "-o", "json"]
    done = subprocess.run([*command, *names], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    ended = [each for each in found.get("items", [found]) if each.get("status", {}).get("phase") in _ENDED]
    return [each for each in ended if names or "automl/study" in each["metadata"].get("labels", {})]


def counted(nodes: dict[str, Any]) -> tuple[int, int]:
    """Its rungs and its trainings."""
    templates = [each.get("templateName") for each in nodes.values() if each["type"] in {"Steps", "Retry"}]
    return templates.count("rung"), templates.count("train")


def packed(nodes: dict[str, Any]) -> int:
    """The bytes of the nodes as Argo packs them."""
    return len(base64.b64encode(gzip.compress(_json(nodes))))


def rest(workflow: dict[str, Any]) -> int:
    """The bytes of everything else but the study that travels in it."""
    status = {name: value for name, value in workflow["status"].items() if name != "nodes"}
    sent = [len(each.get("value", "")) for each in workflow["spec"].get("arguments", {}).get("parameters", ())]
    return len(_json({**workflow, "status": status})) - sum(sent)


def _json(value: Any) -> bytes:
    return json.dumps(value, separators=(",", ":")).encode()


if __name__ == "__main__":
    main()
