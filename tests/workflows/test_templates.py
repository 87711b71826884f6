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

from automl.search.algorithms import ALGORITHMS
from automl.study.cluster_options import ClusterSettings
from automl.study.options import StudyFile
from workflows import lint, workflow_template

MANIFESTS = Path(__file__).parents[2] / "manifests"
SETTINGS = ClusterSettings(semaphore="automl-limits/trainings", artifacts="automl-artifacts")
NAMES = sorted(ALGORITHMS)


def golden(algorithm: str) -> Path:
    return MANIFESTS / "templates" / f"automl-{algorithm.replace('_', '-')}.yaml"


def made(algorithm: str, gpus: int = 1) -> dict[str, Any]:
    found: dict[str, Any] = workflow_template(algorithm, SETTINGS, gpus).to_dict()
    return found


def test_every_algorithm_has_a_template_and_its_parameters_are_options_of_it() -> None:
    for row in ALGORITHMS.values():
        assert set(row.template) <= {*row.options, "max_epochs", "seed"}
        assert set(row.template) <= set(StudyFile.model_fields)


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


OVERLAYS = ("describe", "gpu-quota", "kueue", "network-policy", "pod-security", "site", "dev-s3")


def built(folder: Path) -> list[dict[str, Any]]:
    kubectl = shutil.which("kubectl")
    if kubectl is None:
        pytest.skip("the command kubectl is not installed")
    words = ["kubectl", "kustomize", str(folder)]
    done = subprocess.run(words, executable=kubectl, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return [each for each in yaml.safe_load_all(done.stdout) if each]


@pytest.fixture
def manifests(tmp_path: Path) -> Path:
    """A copy, with the keys that a user makes."""
    found = tmp_path / "manifests"
    shutil.copytree(MANIFESTS, found, ignore=shutil.ignore_patterns("s3-keys.env"))
    (found / "overlays" / "dev-s3" / "s3-keys.env").write_text("access-key=k\nsecret-key=s\n")
    return found


def test_every_overlay_is_tested_here_and_no_key_is_in_the_repository() -> None:
    assert {each.name for each in (MANIFESTS / "overlays").iterdir()} == set(OVERLAYS)
    assert "/manifests/overlays/dev-s3/s3-keys.env" in (MANIFESTS.parent / ".gitignore").read_text().splitlines()


@pytest.mark.parametrize("name", ["base", "templates", *(f"overlays/{each}" for each in OVERLAYS)])
def test_kustomize_builds_everything_into_one_namespace(manifests: Path, name: str) -> None:
    cluster_wide = {"Namespace", "ResourceFlavor", "ClusterQueue"}
    found = built(manifests / name)
    assert {each["metadata"]["namespace"] for each in found if each["kind"] not in cluster_wide} <= {"argo"}


def test_the_overlay_site_with_its_own_values_changes_nothing(manifests: Path) -> None:
    templates = [each for each in built(manifests / "overlays" / "site") if each["kind"] == "WorkflowTemplate"]
    assert len(templates) == len(NAMES)
    for found in templates:
        assert found["spec"] == made(found["metadata"]["name"].removeprefix("automl-").replace("-", "_"))["spec"]


def test_the_overlay_site_puts_values_where_a_template_would_have_them(manifests: Path) -> None:
    path = manifests / "overlays" / "site" / "values.yaml"
    values = yaml.safe_load(path.read_text())
    told = {
        "gpus": "4",
        "cpu": "8",
        "memory": "64Gi",
        "trainings": "3",
        "endpoint": "http://s3:1",
        "brain_image": "b:1",
    }
    values["data"].update(told, region="eu-west-1")
    path.write_text(yaml.safe_dump(values))
    found = built(manifests / "overlays" / "site")
    asked = SETTINGS.model_copy(
        update={"cpu": 8.0, "memory": "64Gi", "endpoint": "http://s3:1", "brain_image": "b:1", "region": "eu-west-1"}
    )
    templates = {each["metadata"]["name"]: each["spec"] for each in found if each["kind"] == "WorkflowTemplate"}
    wanted: dict[str, Any] = workflow_template("bayesian", asked, 4).to_dict()["spec"]
    for each in wanted["templates"]:
        if each["name"] == "train":
            threads = {"name": "OMP_NUM_THREADS", "value": "8"}
            assert threads in each["container"]["env"]
            each["container"]["env"][each["container"]["env"].index(threads)]["value"] = "1"
    assert templates["automl-bayesian"] == wanted
    limits = next(each for each in found if each["metadata"]["name"] == "automl-limits")
    assert limits["data"]["trainings"] == "3"


def test_kueues_label_is_on_trainings_only(manifests: Path) -> None:
    for found in built(manifests / "overlays" / "kueue"):
        if found["kind"] == "WorkflowTemplate":
            labelled = {
                each["name"]: each["metadata"]["labels"] for each in found["spec"]["templates"] if "metadata" in each
            }
            assert labelled == {"train": {"kueue.x-k8s.io/queue-name": "automl"}}


@pytest.mark.parametrize("algorithm", NAMES)
def test_a_template_cannot_be_submitted_without_a_study_and_is_for_one_algorithm(algorithm: str) -> None:
    parameters = {each["name"]: each for each in made(algorithm)["spec"]["arguments"]["parameters"]}
    assert "value" not in parameters["study"]
    assert parameters["algorithm"]["enum"] == [parameters["algorithm"]["value"]] == [algorithm]
