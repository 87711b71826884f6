"""Studies compiled by hera: beside their study files lie the workflows that people submit."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import pytest
import yaml
from hera.workflows import models
from jsonschema import Draft202012Validator

from automl.errors import StudyFileError
from automl.execution.submission import labels
from automl.study import study_file
from automl.text import strict_json
from workflows import compile_study, lint

EXAMPLES = Path(__file__).parents[2] / "workflows" / "examples"
STUDIES = sorted(EXAMPLES.glob("*.study.yaml"))


def compiled(text: str) -> dict[str, Any]:
    found: dict[str, Any] = compile_study(study_file.parse(text, "study", EXAMPLES), text).to_dict()
    return found


def strings(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for inner in value.values():
            yield from strings(inner)
    elif isinstance(value, list):
        for inner in value:
            yield from strings(inner)


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.name)
def test_the_workflow_beside_a_study_is_what_it_compiles_to(path: Path) -> None:
    text = path.read_text()
    golden = path.with_name(path.name.replace(".study.yaml", ".argo.yaml"))
    found = compile_study(study_file.parse(text, str(path), EXAMPLES), text).to_yaml()
    if os.environ.get("AUTOML_GOLDENS") == "write":
        golden.write_text(found)
    assert found == golden.read_text()


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.name)
def test_a_compiled_workflow_is_valid_in_heras_models_made_strict(path: Path) -> None:
    schema = models.Workflow.model_json_schema(by_alias=True)
    for each in [schema, *schema["$defs"].values()]:
        if "properties" in each:
            each["additionalProperties"] = False
    assert schema["properties"]
    text = path.read_text()
    assert [error.message for error in Draft202012Validator(schema).iter_errors(compiled(text))] == []


@pytest.mark.parametrize("path", STUDIES, ids=lambda path: path.name)
def test_a_compiled_workflow_passes_argos_own_lint(path: Path) -> None:
    argo = shutil.which("argo")
    if argo is None:
        pytest.skip("the command argo is not installed")
    golden = path.with_name(path.name.replace(".study.yaml", ".argo.yaml"))
    done = subprocess.run([argo, "lint", "--offline", str(golden)], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_compiling_twice_gives_the_same_bytes() -> None:
    text = STUDIES[0].read_text()
    once, again = (compile_study(study_file.parse(text, "study", EXAMPLES), text).to_yaml() for _ in range(2))
    assert once == again


def test_no_value_of_a_user_stands_in_a_command_and_no_key_in_a_manifest() -> None:
    text = "name: mine\nnetwork: fashion_mnist\ntrain_spec: {data.limit: 777}\nrun: {store: s3://b/needle}\n"
    workflow = compiled(text)
    containers = [
        container
        for template in workflow["spec"]["templates"]
        for container in [
            template.get("container"),
            *template.get("initContainers", ()),
            *template.get("sidecars", ()),
        ]
        if container
    ]
    assert len(containers) == 7  # four brain steps, and the three containers of a training pod
    for container in containers:
        words = [*container["command"], *container.get("args", ())]
        assert not any("{{" in word or "needle" in word or "777" in word for word in words)
        assert container["securityContext"]["readOnlyRootFilesystem"] is True
        assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}
        keys = [each for each in container["env"] if each["name"].startswith("AWS_") and "KEY" in each["name"]]
        assert all("secretKeyRef" in each["valueFrom"] for each in keys)
    assert workflow["spec"]["securityContext"]["runAsNonRoot"] is True


def test_a_study_that_argo_would_rewrite_is_refused() -> None:
    text = "name: mine\nnetwork: fashion_mnist\nrun: {store: s3://b/p}\n# {{workflow.uid}}\n"
    with pytest.raises(StudyFileError, match=r"\{\{workflow.uid\}\}"):
        compiled(text)


@pytest.mark.parametrize(
    ("store", "given"),
    [
        ("", "none is set"),
        ("./here", "'./here'"),
        ("/tmp/here", "'/tmp/here'"),
        ("s3://b/my study", "'s3://b/my study'"),
        ("s3://b/{{pod.name}}", "'s3://b/{{pod.name}}'"),
        ("s3://b/$(id)", "'s3://b/$(id)'"),
        ("s3://b/ü", "'s3://b/ü'"),
        ("s3://b/p?x=1", "'s3://b/p?x=1'"),
        ("s3://", "'s3://'"),
        ("gs://b/p", "'gs://b/p'"),
    ],
)
def test_a_store_that_pods_would_refuse_is_refused_before_they_run(store: str, given: str) -> None:
    run = f"run: {{store: {json.dumps(store)}}}\n" if store else ""
    with pytest.raises(StudyFileError) as refusal:
        compiled(f"name: mine\nnetwork: fashion_mnist\n{run}")
    assert str(refusal.value).startswith(f"run: store: {given}; allowed: s3://bucket/prefix")


def test_an_image_that_is_no_reference_is_refused() -> None:
    with pytest.raises(StudyFileError, match="image: 'my image'"):
        compiled("name: mine\nnetwork: fashion_mnist\nrun: {store: s3://b/p}\ncluster: {image: my image}\n")


CHAIN = "name: mine\nnetwork: fashion_mnist\nalgorithm: bayesian\nmax_recommendations: {n}\nrun: {{store: s3://b/p}}\n"


def test_a_chain_of_a_thousand_steps_compiles_to_no_more_than_one_of_a_hundred() -> None:
    short, long = compiled(CHAIN.format(n=100)), compiled(CHAIN.format(n=1000))
    assert short["spec"]["templates"] == long["spec"]["templates"]


HYPERBAND = (
    "name: mine\nnetwork: fashion_mnist\nalgorithm: hyperband\nsampler: uniform\nR: 9\nmax_epochs: 9\n"
    "run: {store: s3://b/a_p/}\n"
)


def test_each_rung_of_a_known_stage_has_a_step_of_its_own_and_others_go_through_the_sequence() -> None:
    templates = {template["name"]: template for template in compiled(HYPERBAND)["spec"]["templates"]}
    for length in (3, 2):
        steps = [step for group in templates[f"stage-{length}"]["steps"] for step in group]
        indices = [
            each["value"] for step in steps for each in step["arguments"]["parameters"] if each["name"] == "rung"
        ]
        assert indices == [str(number) for number in range(length)]
    tasks = {task["name"]: task for task in templates["main"]["dag"]["tasks"]}
    called = {name: task["template"] for name, task in tasks.items() if name not in ("start", "collect")}
    assert called == {"search-3": "stage-3", "search-2": "stage-2", "extension": "stage", "judge": "stage"}
    assert "not (#.rungs in ['3', '2'])" in tasks["extension"]["withParam"]
    for name in ("search-3", "search-2", "extension"):
        assert f"{name}.Failed" in tasks["judge"]["depends"]


def test_the_list_finds_a_study_by_its_labels() -> None:
    workflow = compiled(HYPERBAND)
    assert workflow["metadata"]["labels"] == {"automl/study": "mine", "automl/metric": "val_accuracy"}
    (store,) = workflow["spec"]["workflowMetadata"]["labelsFrom"].values()  # for '-p store=...' may be another one
    assert "workflow.parameters.store" in store["expression"]
    definition = study_file.parse(HYPERBAND, "study", EXAMPLES)
    assert labels(definition, "s3://b/a_p/")["automl/store"] == "b-a_p"


@pytest.mark.parametrize(
    ("cluster", "kept"), [("{}", ("OnPodSuccess", "1h")), ("{keep_failed_pods: 24h}", ("OnPodCompletion", "24h"))]
)
def test_how_long_pods_that_ended_stay(cluster: str, kept: tuple[str, str]) -> None:
    found = compiled(f"{HYPERBAND}cluster: {cluster}\n")["spec"]["podGC"]
    assert (found["strategy"], found["deleteDelayDuration"]) == kept


def test_a_delay_that_argo_would_not_read_is_refused() -> None:
    with pytest.raises(StudyFileError, match="keep_failed_pods"):
        compiled(f"{HYPERBAND}cluster: {{keep_failed_pods: 1d}}\n")


def test_a_workflow_that_would_outgrow_kubernetes_is_refused_with_advice() -> None:
    with pytest.raises(StudyFileError, match=r"of status for 9,010 trainings.*raise 'parallel'"):
        compiled(CHAIN.format(n=9000))


def test_the_claims_of_a_study_reach_its_trainings_and_no_other_pod() -> None:
    text = f"{CHAIN.format(n=10)}cluster: {{volumes: [{{claim: tao-data, path: /data}}]}}\n"
    spec = compiled(text)["spec"]
    claims = {each["name"]: each["persistentVolumeClaim"] for each in spec["volumes"] if "emptyDir" not in each}
    assert claims == {"data-0": {"claimName": "tao-data", "readOnly": True}}
    mount = {"name": "data-0", "mountPath": "/data", "readOnly": True}
    mounted = {each["name"]: mount in each.get("container", {}).get("volumeMounts", ()) for each in spec["templates"]}
    assert [name for name, has in mounted.items() if has] == ["train"]


@pytest.mark.parametrize(
    ("volumes", "said"),
    [
        ("{claim: a, path: /tmp/x}", "'/tmp/x' is taken"),
        ("{claim: a, path: data}", "path"),
        ("{claim: a, path: /data/../etc}", "path"),
        ("{claim: A_b, path: /data}", "claim"),
        ("{claim: a, path: /data}, {claim: b, path: /data}", "two volumes at /data"),
    ],
)
def test_a_volume_that_no_pod_could_have_is_refused(volumes: str, said: str) -> None:
    with pytest.raises(StudyFileError, match=re.escape(said)):
        compiled(f"{CHAIN.format(n=10)}cluster: {{volumes: [{volumes}]}}\n")


def test_a_study_that_is_too_long_for_an_environment_variable_is_refused() -> None:
    with pytest.raises(StudyFileError, match=r"allowed: 120,000.*study=s3://bucket/study.yaml"):
        compiled(CHAIN.format(n=10) + "# a remark\n" * 20_000)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda w: w["spec"]["templates"][0]["container"]["args"].append("{{workflow.uid}}"), "a tag in a command"),
        (lambda w: w["spec"]["templates"][0].update(name="a_b"), "the template name"),
        (lambda w: task(w, "collect").update(template="gone"), "no template 'gone'"),
        (lambda w: task(w, "collect").update(depends="gone.Succeeded"), "depends on 'gone'"),
        (lambda w: task(w, "propose")["arguments"]["parameters"].pop(), "takes"),
        (
            lambda w: task(w, "experiment").update(withParam="{{steps.propose.outputs.parameters.gone}}"),
            "has no output 'gone'",
        ),
        (lambda w: w["spec"]["templates"][0].update(script={"source": "x"}), "inline script"),
    ],
)
def test_what_lint_finds(change: Any, said: str) -> None:
    workflow = compiled(STUDIES[0].read_text())
    assert lint.problems(workflow) == []
    change(workflow)
    assert any(said in problem for problem in lint.problems(workflow))


def task(workflow: dict[str, Any], name: str) -> dict[str, Any]:
    for template in workflow["spec"]["templates"]:
        groups = [template.get("dag", {}).get("tasks", ()), *template.get("steps", ())]
        for each in chain.from_iterable(groups):
            if each["name"] == name:
                found: dict[str, Any] = each
                return found
    raise KeyError(name)


def test_the_examples_carry_a_study_that_reads_back() -> None:
    for path in STUDIES:
        workflow = yaml.safe_load(path.with_name(path.name.replace(".study.yaml", ".argo.yaml")).read_text())
        given = {each["name"]: each["value"] for each in workflow["spec"]["arguments"]["parameters"]}
        assert given["store"].startswith("s3://")
        assert path.read_text() in strict_json.load(given["study"].encode(), "study")["text"]


def test_argo_goes_through_the_brackets_in_the_order_of_their_starts() -> None:
    text = "name: s\nnetwork: fashion_mnist\nalgorithm: hyperband\nsampler: uniform\nR: 27\nmax_epochs: 27\n"
    run = "run: {store: 's3://b/s', jobs: 4}\n"
    templates = {template["name"]: template for template in compiled(text + run)["spec"]["templates"]}
    assert templates["main"]["dag"]["target"] == "search-3 search-4 search-2 extension collect"
