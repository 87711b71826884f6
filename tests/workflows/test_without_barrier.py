"""The workflow of a study without a barrier: how many turns run at a time, how large it is, what it cannot have."""

from __future__ import annotations

import base64
from pathlib import Path
from typing import Any

import pytest

from automl.errors import StudyFileError
from automl.execution import submission
from automl.study import study_file
from automl.study.cluster_options import ClusterSettings
from automl.text import strict_json
from workflows import compile_study, lint, size, workflow_template

STUDY = "name: mine\nnetwork: fashion_mnist\nmax_epochs: 27\nrun: {store: s3://bucket/mine%s}\n"
ASHA = "algorithm: asha\nR: 27\n"
STOP = "name: mine\nnetwork: ./mine.yaml\nrun: {store: s3://bucket/mine}\nalgorithm: asha\nresume: stop\nR: 27\n"
NETWORK = """\
image: any:1
command: [/train, --epochs, "{epochs}", "{args}"]
metric: {name: loss, goal: minimize}
epochs: 27
parameters: {lr: {low: 0.1, high: 1.0}}
"""
CHAIN = "algorithm: bayesian\nmax_recommendations: 20\nparallel: 3\noverlap: true\n"


def made(text: str, run: str = "") -> dict[str, Any]:
    whole = STUDY % run + text
    definition = study_file.parse(whole, "it", Path())
    workflow: dict[str, Any] = compile_study(definition, whole).to_dict()
    assert lint.problems(workflow, definition.plan) == []
    return {template["name"]: template for template in workflow["spec"]["templates"]}


@pytest.mark.parametrize(
    ("text", "run", "lanes"),
    [
        (ASHA, "", 40),  # all that can train: 27 + 9 + 3 + 1, which is below most_pods
        (ASHA, ", jobs: 4", 4),
        (f"{ASHA}max_recommendations: 200\n", "", 50),  # most_pods
        (CHAIN, "", 3),
        (CHAIN, ", jobs: 2", 2),
        ("algorithm: asynchronous_hyperband\nR: 9\n", ", jobs: 8", 8),
    ],
)
def test_as_many_turns_run_at_a_time_as_can_train(text: str, run: str, lanes: int) -> None:
    templates = made(text, run)
    assert templates["queue"]["parallelism"] == lanes
    assert templates["stage"]["parallelism"] == 1  # of the final judgement
    tasks = {task["name"]: task["template"] for task in templates["main"]["dag"]["tasks"]}
    assert tasks == {"start": "start", "search": "queue", "judge": "stage", "collect": "collect"}


def test_a_lost_training_is_settled_and_a_failed_brain_step_is_not() -> None:
    tasks = {task["name"]: task for task in made(ASHA)["turn"]["dag"]["tasks"]}
    assert tasks["settle"]["dependencies"] == ["experiment"]
    assert tasks["settle"]["when"] == "{{=tasks.experiment.status in ['Failed', 'Error']}}"
    assert "continueOn" not in tasks["propose"]


def test_what_follows_a_turn_hangs_below_whatever_pod_of_it_was_the_last() -> None:
    assert made(ASHA)["turn"]["dag"]["target"] == "propose experiment settle"


def test_with_barriers_no_turn_is_compiled() -> None:
    assert not {"queue", "turn", "settle"} & set(made("algorithm: hyperband\nsampler: uniform\nR: 9\n"))


def test_it_is_larger_than_with_barriers_and_its_size_is_known_before() -> None:
    plans = [
        study_file.parse(STUDY % "" + f"algorithm: {name}\nR: 27\nfinal: {{repeats: 0}}\n", "it", Path()).plan
        for name in ("successive_halving", "asha")
    ]
    assert plans[0].runs == plans[1].runs == 40
    sizes = [size.workflow_bytes(plan) for plan in plans]
    assert sizes[1] - sizes[0] == 40 * size.TURN_BYTES - 4 * size.RUNG_BYTES
    with pytest.raises(StudyFileError, match="of status for 2,962 trainings; Kubernetes takes about 1,000,000"):
        made(f"{ASHA}max_recommendations: 2000\nfinal: {{repeats: 0}}\n")


def test_what_differs_by_rung_goes_by_the_rung_that_the_turn_asks_for() -> None:
    templates = made(f"{ASHA}cluster: {{rungs: [{{priority_class: low}}, {{priority_class: high}}]}}\n")
    assert templates["train"]["priorityClassName"] == "{{=inputs.parameters.rung == '0' ? 'low' : 'high'}}"
    experiment = next(task for task in templates["turn"]["dag"]["tasks"] if task["name"] == "experiment")
    given = {each["name"]: each["value"] for each in experiment["arguments"]["parameters"]}
    assert given["rung"] == "{{tasks.propose.outputs.parameters.rung}}"
    assert "rung" in {each["name"] for each in templates["propose"]["outputs"]["parameters"]}


def test_how_many_overlap_is_compiled_and_no_parameter_of_a_template() -> None:
    template: dict[str, Any] = workflow_template("asha", ClusterSettings(most_pods=7)).to_dict()
    found = {each["name"]: each for each in template["spec"]["templates"]}
    assert found["queue"]["parallelism"] == 7


@pytest.mark.parametrize(
    ("algorithm", "settings", "overlaps"),
    [
        ("bayesian", CHAIN, True),
        ("bayesian", CHAIN.replace("overlap: true\n", ""), False),
        ("hyperband", "algorithm: hyperband\n", True),
        ("hyperband", "algorithm: hyperband\nsampler: uniform\n", False),
        ("successive_halving", "algorithm: successive_halving\nsampler: tpe\n", True),
    ],
)
def test_one_template_takes_studies_with_barriers_and_without(algorithm: str, settings: str, overlaps: bool) -> None:
    sent = strict_json.dump(
        [{"name": "study", "value": STUDY % "" + settings}, {"name": "algorithm", "value": algorithm}]
    )
    definition = submission.parameters(base64.b64encode(sent).decode(), 1).definition
    assert {stage.overlap is not None for stage in definition.plan.search} == {overlaps}
    template: dict[str, Any] = workflow_template(algorithm, ClusterSettings()).to_dict()
    main = next(each for each in template["spec"]["templates"] if each["name"] == "main")
    tasks = {task["name"]: task for task in main["dag"]["tasks"]}
    for name, takes in (("search", "stage"), ("queue", "queue")):
        assert tasks[name]["template"] == takes
        assert f"{{#.template == '{takes}'}}" in tasks[name]["withParam"]
    assert main["dag"]["target"] == "search queue collect"


def test_what_is_stopped_when_it_falls_behind_has_one_turn_for_each_experiment(tmp_path: Path) -> None:
    """A pod goes through all rungs of its experiment; where rungs are trained anew, each of the 40 has a pod."""
    turns = {}
    for resume in ("stop", "none"):
        network = NETWORK if resume == "stop" else f"{NETWORK}resume: none\n"
        (tmp_path / "mine.yaml").write_text(f"name: mine\n{network}")
        text = STOP if resume == "stop" else STOP.replace("resume: stop\n", "")
        definition = study_file.parse(text, "it", tmp_path)
        workflow: dict[str, Any] = compile_study(definition, text).to_dict()
        assert lint.problems(workflow, definition.plan) == []
        templates = {template["name"]: template for template in workflow["spec"]["templates"]}
        turns[resume] = templates["queue"]["parallelism"]
        assert {"turn", "settle", "judge"} & set(templates) >= {"turn", "settle"}
    assert turns == {"stop": 27, "none": 40}
