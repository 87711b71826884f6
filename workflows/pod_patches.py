"""What Argo merges into pods as they are made: `podSpecPatch` of a workflow and of its trainings.

It is the way to the containers that Argo adds to every pod, to what differs by rung, and to what the study file's
`pod_patch` asks for. Argo merges the workflow's patch first, then the template's.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any

from automl.study.cluster_options import ClusterSettings
from workflows.pod_environment import of_the_network
from workflows.pod_security import container_security
from workflows.pod_volumes import ca_mounts

_RUNG = "inputs.parameters.rung"
# How often the container that Argo adds to a training pod reads its progress and sends it; by itself every 3 and 60 s.
READ_SECONDS, SEND_SECONDS = 1, 5


def of_every_pod(cluster: ClusterSettings) -> str:
    """The security of the containers that Argo adds, what they need to store the report, and `every_pod: pod_patch`."""
    security = {"securityContext": _plain(container_security())}
    wait: dict[str, Any] = {"name": "wait", **security}
    environment = of_the_network(cluster)
    if environment:
        wait["env"] = [{"name": variable.name, "value": variable.value} for variable in environment]
    if cluster.ca_bundle is not None:
        wait["volumeMounts"] = [_plain(mount) for mount in ca_mounts(cluster)]
    ours = {"containers": [wait], "initContainers": [{"name": "init", **security}]}
    return json.dumps(merged(ours, cluster.every_pod.pod_patch), sort_keys=True)


def of_a_training(cluster: ClusterSettings) -> str:
    """How often the progress is sent, `pod_patch`, and the node selector of the rung that the pod trains."""
    ticks = {"ARGO_PROGRESS_FILE_TICK_DURATION": READ_SECONDS, "ARGO_PROGRESS_PATCH_TICK_DURATION": SEND_SECONDS}
    variables = [{"name": name, "value": f"{seconds}s"} for name, seconds in ticks.items()]
    patch = merged({"containers": [{"name": "wait", "env": variables}]}, cluster.pod_patch)
    if not any(rung.node_selector for rung in cluster.rungs):
        return json.dumps(patch, sort_keys=True)
    own = patch.pop("nodeSelector", {})
    selectors = [json.dumps({**own, **rung.node_selector}, sort_keys=True) for rung in cluster.rungs]
    text = json.dumps(patch, sort_keys=True)
    return f'{text[:-1]}, "nodeSelector": {by_rung(selectors)} }}'


def priority_class(cluster: ClusterSettings) -> str | None:
    """The PriorityClass of a training, by its rung."""
    classes = [rung.priority_class or cluster.priority_class or "" for rung in cluster.rungs]
    return by_rung(classes) if any(classes) else cluster.priority_class


def by_rung(texts: Sequence[str]) -> str:
    """An expression of Argo with one of these texts, which hold no single quote: that of the rung, or the last."""
    if len(set(texts)) == 1:
        return texts[0]
    *conditional, last = texts
    cases = "".join(f"{_RUNG} == '{rung}' ? '{text}' : " for rung, text in enumerate(conditional))
    return f"{{{{={cases}'{last}'}}}}"


def merged(one: Mapping[str, Any], other: Mapping[str, Any]) -> dict[str, Any]:
    """Both, as Kubernetes merges patches: mappings by key, lists of named things by name, other lists end to end.

    Where both have a value the other's counts.
    """
    result = dict(one)
    for key, value in other.items():
        before = result.get(key)
        if isinstance(before, Mapping) and isinstance(value, Mapping):
            result[key] = merged(before, value)
        elif isinstance(before, list) and isinstance(value, list):
            result[key] = _merged_lists(before, value)
        else:
            result[key] = value
    return result


def _merged_lists(one: list[Any], other: list[Any]) -> list[Any]:
    if not all(isinstance(item, Mapping) and "name" in item for item in [*one, *other]):
        return [*one, *other]
    by_name = {item["name"]: item for item in one}
    for item in other:
        by_name[item["name"]] = merged(by_name.get(item["name"], {}), item)
    return list(by_name.values())


def _plain(model: Any) -> dict[str, Any]:
    plain: dict[str, Any] = model.model_dump(by_alias=True, exclude_none=True)
    return plain
