"""Measures how long a finished workflow waited between trainings: from a rung's last training to the next rung's pods.

    python scripts/measure_cluster_speed.py NAME [NAME ...]

For every rung after the first of a stage: the seconds from the end of the last training pod of the rung before until
the first one of this rung is made, in which the brain's pod starts, decides and ends. The times are those of the
workflow's own nodes, in whole seconds. Needs kubectl and KUBECONFIG.
"""

from __future__ import annotations

import argparse
import json
import statistics
import subprocess
from datetime import datetime
from typing import Any

Times = dict[tuple[int, int], list[tuple[datetime, datetime]]]  # (stage, rung) -> (created, ended) of its pods


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("names", nargs="+", help="of workflows")
    parser.add_argument("--namespace", default="argo")
    options = parser.parse_args()
    waited: list[float] = []
    for name in options.names:
        times = trainings(workflow(name, options.namespace))
        print(f"{name}: {sum(map(len, times.values()))} training pods in {len(times)} rungs")
        for (stage, rung), pods in sorted(times.items()):
            before = times.get((stage, rung - 1))
            if before is None:
                continue
            seconds = (min(created for created, _ in pods) - max(ended for _, ended in before)).total_seconds()
            waited.append(seconds)
            print(f"  stage {stage}, rung {rung}: {seconds:.0f} s from {len(before)} trainings to {len(pods)}")
    if waited:
        print(
            f"between rungs: median {statistics.median(waited):.0f} s, at most {max(waited):.0f} s, {len(waited)} times"
        )


def workflow(name: str, namespace: str) -> dict[str, Any]:
    """The workflow, as the cluster has it."""
    command = ["kubectl", "-n", namespace, "get", "workflow", name, "-o", "json"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def trainings(workflow: dict[str, Any]) -> Times:
    """The training pods of every rung."""
    found: Times = {}
    for node in workflow["status"]["nodes"].values():
        if node["type"] != "Pod" or node["templateName"] != "train" or "finishedAt" not in node:
            continue
        given = {each["name"]: each["value"] for each in node["inputs"]["parameters"]}
        place = int(given["stage"]), int(given["rung"])
        found.setdefault(place, []).append((_time(node["startedAt"]), _time(node["finishedAt"])))
    return found


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


if __name__ == "__main__":
    main()
