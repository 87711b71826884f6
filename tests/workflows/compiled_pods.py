"""The workflow of a study with what a study file says under `cluster`, and the parts of its pods."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from hera.workflows import models
from jsonschema import Draft202012Validator

from automl.study import study_file
from workflows import compile_study, lint

STUDY = "name: mine\nnetwork: fashion_mnist\nalgorithm: hyperband\nrun: {store: s3://b/p}\n"


def compiled(cluster: str, gpus: int = 1) -> dict[str, Any]:
    """The workflow of a study with these settings, which is also checked as Argo and hera do it."""
    text = f"{STUDY}costs: {{gpus: {gpus}}}\ncluster: {cluster}\n"
    workflow = compile_study(study_file.parse(text, "study.yaml", Path()), text)
    found: dict[str, Any] = workflow.to_dict()
    schema = models.Workflow.model_json_schema(by_alias=True)
    for each in [schema, *schema["$defs"].values()]:
        if "properties" in each:
            each["additionalProperties"] = False
    assert [error.message for error in Draft202012Validator(schema).iter_errors(found)] == []
    assert lint.problems(found) == []
    return found


def template(workflow: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in workflow["spec"]["templates"] if each["name"] == name)
    return found


def containers(workflow: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Every container that we describe, by template/name."""
    found = {}
    for each in workflow["spec"]["templates"]:
        if "container" in each:
            found[f"{each['name']}/main"] = each["container"]
            for beside in [*each.get("initContainers", ()), *each.get("sidecars", ())]:
                found[f"{each['name']}/{beside['name']}"] = beside
    assert set(found) == {
        "start/main", "propose/main", "settle/main", "collect/main", "train/main", "train/stage-in", "train/observe"
    }  # fmt: skip
    return found


def variables(container: dict[str, Any]) -> dict[str, Any]:
    """The environment: a value, or SECRET/KEY."""
    found: dict[str, Any] = {}
    for each in container["env"]:
        reference = each.get("valueFrom", {}).get("secretKeyRef")
        assert each["name"] not in found
        found[each["name"]] = f"{reference['name']}/{reference['key']}" if reference else each.get("value")
    return found


def volume(workflow: dict[str, Any], name: str) -> dict[str, Any]:
    found: dict[str, Any] = next(each for each in workflow["spec"]["volumes"] if each["name"] == name)
    return {key: value for key, value in found.items() if key != "name"}
