"""The WorkflowTemplates in manifests/templates: goldens of what `workflow_template` makes, and what Argo takes."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from hera.workflows import models
from jsonschema import Draft202012Validator

from automl.algorithms import ALGORITHMS
from automl.steps.sent import TEMPLATE_OPTIONS
from automl.study_options import ClusterSettings, StudyFile
from workflows import lint, workflow_template

MANIFESTS = Path(__file__).parents[2] / "manifests"
SETTINGS = ClusterSettings(semaphore="automl-limits/trainings", artifacts="automl-artifacts")
NAMES = sorted(TEMPLATE_OPTIONS)


def golden(algorithm: str) -> Path:
    return MANIFESTS / "templates" / f"automl-{algorithm.replace('_', '-')}.yaml"


def made(algorithm: str, gpus: int = 1) -> dict[str, Any]:
    found: dict[str, Any] = workflow_template(algorithm, SETTINGS, gpus).to_dict()
    return found


def test_every_algorithm_has_a_template_and_its_parameters_are_options_of_it() -> None:
    assert set(TEMPLATE_OPTIONS) == set(ALGORITHMS)
    for algorithm, options in TEMPLATE_OPTIONS.items():
        assert set(options) <= {*ALGORITHMS[algorithm].options, "max_epochs", "seed"}
        assert set(options) <= set(StudyFile.model_fields)


@pytest.mark.parametrize("algorithm", NAMES)
def test_the_template_in_manifests_is_what_is_made(algorithm: str) -> None:
    found = workflow_template(algorithm, SETTINGS).to_yaml()
    if os.environ.get("AUTOML_GOLDENS") == "write":
        golden(algorithm).write_text(found)
    assert found == golden(algorithm).read_text()


@pytest.mark.parametrize("algorithm", NAMES)
def test_a_template_is_valid_in_heras_models_made_strict_and_passes_our_lint(algorithm: str) -> None:
    schema = models.WorkflowTemplate.model_json_schema(by_alias=True)
    for each in [schema, *schema["$defs"].values()]:
        if "properties" in each:
            each["additionalProperties"] = False
    assert [error.message for error in Draft202012Validator(schema).iter_errors(made(algorithm))] == []
    assert lint.problems(made(algorithm)) == []


@pytest.mark.parametrize("algorithm", NAMES)
def test_a_template_passes_argos_own_lint(algorithm: str) -> None:
    argo = shutil.which("argo")
    if argo is None:
        pytest.skip("the command argo is not installed")
    done = subprocess.run(
        [argo, "lint", "--offline", str(golden(algorithm))], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.parametrize("algorithm", NAMES)
def test_parameters_reach_our_images_as_environment_and_nothing_else(algorithm: str) -> None:
    template = made(algorithm)
    places = {
        (path, tag)
        for path, text in strings(template["spec"]["templates"])
        for tag in re.findall(r"\{\{workflow\.parameters(?:\.(\w+))?\}\}", text)
    }
    assert {tag for path, tag in places if not path.endswith("env.value")} == {"brain_image"}
    assert {path.rpartition(".")[2] for path, tag in places if tag == "brain_image"} == {"image"}


@pytest.mark.parametrize("algorithm", NAMES)
def test_no_variable_is_told_twice(algorithm: str) -> None:
    for template in made(algorithm)["spec"]["templates"]:
        if "container" in template:
            names = [each["name"] for each in template["container"]["env"]]
            assert len(names) == len(set(names))


def test_what_the_templates_name_is_in_the_kustomization() -> None:
    folder = MANIFESTS / "templates"
    listed = yaml.safe_load((folder / "kustomization.yaml").read_text())["resources"]
    assert set(listed) == {each.name for each in folder.glob("*.yaml")} - {"kustomization.yaml"}
    limits, artifacts = (yaml.safe_load((folder / name).read_text()) for name in ("limits.yaml", "artifacts.yaml"))
    assert SETTINGS.semaphore == f"{limits['metadata']['name']}/{next(iter(limits['data']))}"
    reference = made("hyperband")["spec"]["artifactRepositoryRef"]
    assert reference == {"configMap": artifacts["metadata"]["name"], "key": next(iter(artifacts["data"]))}
    assert set(yaml.safe_load(artifacts["data"]["repository"])["s3"]) >= {"bucket", "accessKeySecret"}


def strings(value: Any, path: str = "") -> list[tuple[str, str]]:
    """Every text of a document with the names that lead to it."""
    if isinstance(value, str):
        return [(path, value)]
    if isinstance(value, list):
        return [found for each in value for found in strings(each, path)]
    if isinstance(value, dict):
        return [found for name, each in value.items() for found in strings(each, f"{path}.{name}")]
    return []
