"""A study as the first step of a workflow gets it: from the parameters of a WorkflowTemplate, or compiled."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from automl import strict_json, study_file
from automl.errors import AutoMLError
from automl.steps import sent

STUDY = "name: mine\nnetwork: fashion_mnist\n"
PLACE = {"algorithm": "hyperband", "store": "s3://bucket/mine"}


def parameters(gpus: int = 0, /, **given: str) -> sent.Sent:
    return sent.parameters(json.dumps([{"name": name, "value": value} for name, value in given.items()]), gpus)


def test_options_go_before_the_files_own_and_empty_ones_say_nothing() -> None:
    found = parameters(**PLACE, study=STUDY + "R: 9\nmax_epochs: 27\n", R="27", nu="", epoch_multiplier="auto")
    assert (found.definition.file.R, found.definition.file.nu, found.definition.file.epoch_multiplier) == (
        27,
        None,
        "auto",
    )
    assert found.text.endswith("# started with R: 27\n# started with epoch_multiplier: auto\n")
    assert study_file.parse(found.text, "text", Path()).file.R == 9  # the author's own file stays readable


def test_a_compiled_study_is_the_one_that_was_sent() -> None:
    definition = study_file.parse(STUDY, "study", Path())
    text = strict_json.dump({**definition.to_json(), "text": STUDY}).decode()
    found = sent.compiled(text, "s3://b/p")
    assert (found.definition.to_json(), found.text, found.store) == (definition.to_json(), STUDY, "s3://b/p")


def test_what_the_pods_that_follow_need_is_the_files_own() -> None:
    found = parameters(
        algorithm="hyperband",
        study=STUDY + "run: {store: s3://b/p, timeout_minutes: 7}\ncluster: {image: registry.example/me/it:1}\n",
    )
    assert (found.store, found.image, found.timeout_minutes) == ("s3://b/p", "registry.example/me/it:1", "7.0")


def test_every_gpu_of_the_template_reaches_the_command() -> None:
    assert parameters(2, **PLACE, study=STUDY).definition.costs.gpus == 2


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"study": STUDY, "RR": "9"}, r"parameter 'RR' is not known; allowed: study, store, .*did you mean 'R'"),
        ({"study": STUDY, "max_recommendations": "9"}, "parameter 'max_recommendations' is not known"),
        ({"study": STUDY, "R": "abc"}, "R"),
        ({"study": STUDY, "R": "1"}, "R"),
        ({"study": ""}, "parameter study is empty"),
        ({"study": "s3://alone"}, "s3://bucket/prefix/study.yaml"),
        ({"study": STUDY, "store": ""}, "store: ''"),
        ({"study": STUDY, "store": "./here"}, "s3://bucket/prefix"),
        ({"study": STUDY + "algorithm: bayesian\n"}, "submit it from workflowtemplate/automl-bayesian"),
        ({"study": STUDY + "automl_algorithm: random\n"}, "submit it from workflowtemplate/automl-random"),
        ({"study": STUDY, "algorithm": "magic"}, "parameter algorithm: 'magic'; allowed: hyperband, "),
        ({"study": STUDY + "costs: {gpus: 3}\n"}, "costs: gpus: 3, sent to a template whose trainings have 0"),
        ({"study": STUDY + "cluster: {image: 'a b'}\n"}, "image: 'a b'"),
    ],
)
def test_wrong_parameters_get_one_clear_error(given: dict[str, str], said: str) -> None:
    with pytest.raises(AutoMLError, match=said):
        parameters(0, **{**PLACE, **given})
