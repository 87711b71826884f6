"""Parameters of a WorkflowTemplate become a study, or one clear error."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from automl.errors import InvalidInput
from automl.execution import submission
from automl.stores import open_store
from automl.study.study_file import parse
from tests.small_network import write_small_study

STUDY = "name: mine\nnetwork: fashion_mnist\nrun: {store: s3://b/p}\n"


def told(**parameters: str) -> submission.Submission:
    given = {"study": STUDY, "algorithm": "hyperband", **parameters}
    listed = json.dumps([{"name": name, "value": value} for name, value in given.items()])
    return submission.parameters(base64.b64encode(listed.encode()).decode(), 1)


def test_options_go_before_the_study_files_own_and_are_said_in_its_text() -> None:
    found = told(study=f"{STUDY}R: 3\n", R="9", nu="3", store="s3://other/q")
    assert found.definition.file.R == 9
    assert (found.store, found.bucket, found.report_key) == ("s3://other/q", "other", "q/report.html")
    assert found.text == f"{STUDY}R: 3\n# started with R: 9\n# started with nu: 3\n"


def test_empty_parameters_leave_what_the_study_file_says() -> None:
    found = told(R="", nu="", store="", seed="")
    assert found.definition.to_json() == parse(STUDY, "study", Path()).to_json()
    assert (found.text, found.store) == (STUDY, "s3://b/p")


@pytest.mark.parametrize(
    ("said", "sent"), [("", "5"), (", failures_in_a_row: 9", "9"), (", failures_in_a_row: null", "0")]
)
def test_how_many_failures_pause_it_is_the_study_files(said: str, sent: str) -> None:
    assert told(study=STUDY.replace("}", f"{said}}}")).failures_in_a_row == sent


def test_a_whole_bucket_has_its_report_at_the_top() -> None:
    assert told(store="s3://b").report_key == "report.html"


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"r": "9"}, r"parameter 'r' is not known; .*did you mean 'R'\?"),
        ({"max_recommendations": "9"}, "'max_recommendations' is not known"),
        ({"R": "abc"}, 'R: "abc"; allowed: a whole number'),
        ({"R": "2.5"}, 'R: "2.5"; allowed: a whole number'),
        ({"study": ""}, "parameter study is empty"),
        ({"study": " \n"}, "parameter study is empty"),
        ({"study": "hello"}, "allowed: a mapping"),
        ({"study": f"{STUDY}algorithm: bayesian\nmax_recommendations: 9\n"}, "workflowtemplate/automl-bayesian"),
        ({"study": f"{STUDY}automl_algorithm: successive_halving\n"}, "workflowtemplate/automl-successive-halving"),
        ({"study": f"{STUDY}algorithm: hyperband\nautoml_algorithm: hyperband\n"}, "mean the same"),
        ({"study": "name: mine\nnetwork: fashion_mnist\n"}, "-p store=s3://bucket/prefix"),
        ({"store": "/tmp/here"}, "store: '/tmp/here'"),
        ({"study": f"{STUDY}# {{{{workflow.uid}}}}\n"}, r"parameter study holds '\{\{workflow.uid"),
        ({"endpoint": "{{workflow.name}}"}, r"parameter endpoint holds '\{\{workflow.name"),
        ({"study": f"{STUDY}costs: {{gpus: 4}}\n"}, "gpus: 4, sent to a template whose trainings have 1"),
        ({"study": "name: mine\nnetwork: ./mine.yaml\n"}, "side by side in a bucket"),
        ({"study": "s3://bucket"}, "allowed: s3://bucket/prefix/study.yaml"),
        ({"algorithm": "halvings"}, "parameter algorithm: 'halvings'"),
    ],
)
def test_wrong_parameters_are_refused_with_one_message(parameters: dict[str, str], said: str) -> None:
    with pytest.raises(InvalidInput, match=said):
        told(**parameters)


def test_a_study_in_a_bucket_brings_the_network_file_beside_it(tmp_path: Path, bucket: str) -> None:
    path = write_small_study(tmp_path)
    store = open_store(bucket)
    for name in ("study.yaml", "small.yaml"):
        store.put(name, (tmp_path / name).read_bytes())
    found = told(study=f"{bucket}/study.yaml", store="s3://b/p")
    assert found.definition.network.name == "small"
    assert found.text == path.read_text()
    store.put("study.yaml", path.read_bytes() + b"# {{workflow.uid}}\n")
    with pytest.raises(InvalidInput, match=r"study\.yaml holds"):
        told(study=f"{bucket}/study.yaml", store="s3://b/p")
    store.delete("small.yaml")
    store.put("study.yaml", path.read_bytes())
    with pytest.raises(InvalidInput, match=r"there is no .*small\.yaml"):
        told(study=f"{bucket}/study.yaml", store="s3://b/p")
    with pytest.raises(InvalidInput, match=r"there is no .*gone\.yaml"):
        told(study=f"{bucket}/gone.yaml")


def test_earlier_searches_of_a_template_lie_in_a_bucket() -> None:
    learning = STUDY + "sampler: joint_process\nwarm_start: [./before]\n"
    with pytest.raises(InvalidInput, match=r"\./before, in a study for a WorkflowTemplate.*automl submit") as error:
        told(study=learning.replace("algorithm: hyperband\n", "") + "algorithm: asha\n", algorithm="asha")
    assert "s3://bucket/prefix" in error.value.allowed
