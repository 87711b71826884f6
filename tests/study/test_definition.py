"""A study file says all that decides a study: TAO's names and ours, the defaults, and what follows from them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from automl.errors import RecordError, StudyFileError
from automl.networks import load_network
from automl.networks.spec_formats import get_path
from automl.search.algorithms import ALGORITHMS
from automl.search.plan import Resume
from automl.study import study_file
from automl.study.definition import Definition
from automl.study.options import TAO_NAMES
from automl.study.template import template
from automl.text import strict_json, strict_yaml
from tests.small_network import write_small_network

FASHION = load_network("fashion_mnist", Path())
SEARCHED = [name for name in FASHION.parameters if FASHION.enabled(name)]


def study(more: str = "", name: str = "study", network: str = "fashion_mnist", base: Path = Path()) -> Definition:
    return study_file.parse(f"name: {name}\nnetwork: {network}\n{more}\n", "study.yaml", base)


# -- names and defaults -----------------------------------------------------------------------------------------------


def test_two_lines_are_a_study() -> None:
    found = study()
    assert (found.file.algorithm, found.sampler_name, found.file.seed) == ("hyperband", "neighbours", 42)
    assert found.max_epochs == FASHION.epochs
    assert (found.file.final.candidates, found.file.final.repeats, found.file.best_among) == (3, 4, "longest")
    assert [parameter.name for parameter in found.space.parameters] == sorted(SEARCHED)
    assert found.metric_rule == FASHION.metric
    assert found.base_spec == FASHION.spec


def test_the_names_of_tao_are_ours() -> None:
    theirs = """\
model_name: fashion_mnist
name: study
automl_enabled: true
automl_algorithm: hyperband
automl_R: 9
automl_nu: 3
epoch_multiplier: 2
automl_additional_parameters: [model.width]
automl_remove_default_parameters: [train.momentum]
"""
    ours = theirs
    for tao, name in TAO_NAMES.items():
        ours = re.sub(rf"^{tao}:", f"{name}:", ours, flags=re.MULTILINE)
    assert ours.count("automl_") == 3  # automl_enabled, and the two lists, whose names hold it
    found = study_file.parse(theirs, "study.yaml", Path())
    assert found.to_json() == study_file.parse(ours, "study.yaml", Path()).to_json()
    names = [parameter.name for parameter in found.space.parameters]
    assert "model.width" in names
    assert "train.momentum" not in names
    assert found.plan.multiplier == 2


def test_the_recommendations_of_tao_are_ours() -> None:
    found = study("automl_algorithm: bayesian\nautoml_max_recommendations: 7")
    assert [rung.size for rung in found.plan.search[0].rungs] == [1] * 7
    assert study("algorithm: bayesian").plan.search[0].experiments == 20


@pytest.mark.parametrize(("epochs", "R", "top"), [(80, 27, 80), (27, 27, 27), (9, 9, 9), (5, 5, 5), (2, 3, 2)])
def test_r_is_27_or_the_epochs_when_they_are_fewer(epochs: int, R: int, top: int) -> None:  # noqa: N803
    plan = study(f"sampler: uniform\nmax_epochs: {epochs}\nrandom_stage: false").plan
    widest = plan.search[0]
    assert widest.rungs[-1].units == R // 3 ** (len(widest.rungs) - 1) * 3 ** (len(widest.rungs) - 1)
    assert widest.schedule_epochs == top


def test_the_plan_says_that_auto_has_lowered_r() -> None:
    found = study("max_epochs: 9\nepoch_multiplier: auto\nR: 27")
    assert found.plan.notes[0].startswith("R lowered from 27 to ")
    assert not study("max_epochs: 80\nepoch_multiplier: auto").plan.notes[0].startswith("R lowered")


def test_the_epochs_of_a_full_training_may_stand_in_the_train_spec() -> None:
    assert study("train_spec: {train: {epochs: 12}}").max_epochs == 12
    assert study("max_epochs: 12\ntrain_spec: {train.epochs: 12}").max_epochs == 12
    assert study("max_epochs: 12").max_epochs == 12


def test_automl_switched_off_trains_the_defaults_once() -> None:
    plan = study("automl_enabled: false").plan
    assert (plan.experiments, plan.runs) == (1, 1)
    assert plan.trained(plan.stages, resume=True) == FASHION.epochs


# -- train spec and space ---------------------------------------------------------------------------------------------


def test_nested_and_dotted_settings_are_the_same_study() -> None:
    nested = study("train_spec: {train: {threads: 2, device: cpu}, data: {limit: 100}}")
    dotted = study("train_spec: {train.threads: 2, train.device: cpu, data.limit: 100}")
    assert nested.base_spec == dotted.base_spec
    assert get_path(nested.base_spec, "train.threads") == 2
    assert get_path(nested.base_spec, "data.limit") == 100


def test_a_dataset_lands_in_its_field() -> None:
    assert get_path(study("dataset: /data/mine.npz").base_spec, "data.path") == "/data/mine.npz"


def test_a_setting_of_a_searched_parameter_is_where_the_search_starts() -> None:
    assert study("train_spec: {train.lr: 0.02}").space.defaults()["train.lr"] == 0.02
    assert study("parameters: {train.lr: {default: 0.02}}").space.defaults()["train.lr"] == 0.02


def test_ranges_and_options_are_the_users_where_given() -> None:
    found = study("parameters: {train.lr: {low: 0.001, high: 0.002}, train.batch_size: {options: [8, 16]}}")
    parameters = {parameter.name: parameter for parameter in found.space.parameters}
    assert (parameters["train.lr"].low, parameters["train.lr"].high, parameters["train.lr"].log) == (0.001, 0.002, True)
    assert parameters["train.batch_size"].options == (8, 16)


def test_a_parameter_that_is_not_searched_keeps_its_setting() -> None:
    found = study("remove_default_automl_parameters: [train.lr]\ntrain_spec: {train.lr: 0.7}")
    assert "train.lr" not in found.space.defaults()
    assert get_path(found.base_spec, "train.lr") == 0.7


# -- every algorithm and sampler --------------------------------------------------------------------------------------

PAIRS = [(algorithm, sampler) for algorithm, each in ALGORITHMS.items() for sampler in each.samplers]


@pytest.mark.parametrize(("algorithm", "sampler"), PAIRS)
def test_every_algorithm_and_sampler_makes_a_plan_and_a_first_decision(algorithm: str, sampler: str) -> None:
    text = f"algorithm: {algorithm}\nsampler: {sampler}\nadditional_automl_parameters: [model.width]"
    if sampler == "grid":  # which no interval of floats has
        searched = load_network("fashion_mnist", Path())
        floats = [name for name in searched.parameters if searched.enabled(name)]
        text += f"\nremove_default_automl_parameters: {floats}"
        text += "\nperturbed: [model.width]" if ALGORITHMS[algorithm].changes else ""
    found = study(text)
    stage = found.plan.search[0]
    decision = found.brain.decide(0, 0, (), (), ())
    size = stage.rungs[0].size if stage.overlap is None else 1
    assert [each.number for each in decision.issued] == list(range(size))
    assert decision.issued[0].values == found.space.defaults()
    for recommendation in decision.issued:
        assert found.space.check(recommendation.values) == ()
    again = study(text)
    assert strict_json.dump(again.brain.decide(0, 0, (), (), ()).to_json()) == strict_json.dump(decision.to_json())


# -- what is stored ---------------------------------------------------------------------------------------------------

RICH = """\
algorithm: successive_halving
R: 9
max_recommendations: 9
epoch_multiplier: 2
sampler: sobol
dataset: /data
metric: {name: val_loss, goal: minimize}
additional_automl_parameters: [model.width]
parameters: {train.lr: {low: 0.001}}
train_spec: {train: {threads: 2}}
costs: {minutes_per_epoch: 1, gpus: 2}
run: {jobs: 3}
final: {repeats: 2}
"""


def test_a_stored_study_comes_back_as_it_was() -> None:
    found = study(RICH)
    stored = strict_json.load(strict_json.dump(found.to_json()), "metadata")
    back = Definition.from_json(stored, found.file)
    assert back == found
    assert back.plan == found.plan
    assert back.to_json() == found.to_json()


@pytest.mark.parametrize(
    ("options", "stored", "unnamed"),
    [
        ("algorithm: bayesian", "portfolio", "gaussian_process"),
        ("algorithm: bayesian\nsampler: gaussian_process", "gaussian_process", "gaussian_process"),
        ("algorithm: bayesian\nsampler: tpe", "tpe", "gaussian_process"),
        ("algorithm: hyperband", "neighbours", "uniform"),
        ("algorithm: hyperband\nsampler: uniform", "uniform", "uniform"),
        ("algorithm: random\nsampler: sobol", "sobol", "uniform"),
    ],
)
def test_a_sampler_is_stored_by_name_and_one_that_was_not_is_that_of_before(
    options: str, stored: str, unnamed: str
) -> None:
    found = study(options).to_json()
    assert found["study"].get("sampler") == stored
    assert Definition.from_json(found).sampler_name == stored
    del found["rules"]  # as it was stored before
    found["study"].pop("sampler", None)
    assert Definition.from_json(found).sampler_name == unnamed
    assert Definition.from_json(found).to_json() == found


def test_run_and_costs_decide_nothing_and_are_not_stored() -> None:
    found = study(RICH)
    assert set(found.to_json()["study"]) & {"run", "costs"} == set()
    other = study(RICH.replace("jobs: 3", "jobs: 1").replace("gpus: 2", "gpus: 4"))
    assert other.to_json() == found.to_json()
    back = Definition.from_json(found.to_json(), other.file)
    assert (back.file.run.jobs, back.costs.gpus) == (1, 4)
    assert Definition.from_json(found.to_json()).file.run.jobs is None


@pytest.mark.parametrize(("part", "says"), [("study", "study: odd is not known"), ("network", "network: odd is not")])
def test_a_stored_study_of_another_version_is_refused(part: str, says: str) -> None:
    stored = json.loads(strict_json.dump(study().to_json()))
    stored[part]["odd"] = 1
    with pytest.raises(RecordError, match=says):
        Definition.from_json(stored)


def test_a_network_file_is_stored_whole(tmp_path: Path) -> None:
    write_small_network(tmp_path)
    stored = study(network="small.yaml", base=tmp_path).to_json()
    assert Definition.from_json(stored).network == load_network("small.yaml", tmp_path)


# -- the file as text -------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("before", ["", "\ufeff"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n"])
def test_windows_files_are_read_alike(before: str, line_end: str, tmp_path: Path) -> None:
    text = "name: study\nnetwork: fashion_mnist\nrun:\n  jobs: 2\n".replace("\n", line_end)
    path = tmp_path / "study.yaml"
    path.write_bytes((before + text).encode())
    assert study_file.read(path).to_json() == study().to_json()


TEMPLATES = [(algorithm, "fashion_mnist") for algorithm in ALGORITHMS] + [("hyperband", "small.yaml")]


def uncommented(text: str) -> str:
    """The template with every example in it switched on: lines such as `# jobs: 2` and what is below them."""
    return re.sub(r"^( *)# ( *)([\w.]+:( |$))", r"\1\2\3", text, flags=re.MULTILINE)


@pytest.mark.parametrize(("algorithm", "network"), TEMPLATES)
def test_the_template_is_a_study_with_and_without_its_examples(algorithm: str, network: str, tmp_path: Path) -> None:
    write_small_network(tmp_path)
    text = template(network, algorithm, tmp_path / "My Study_2.yaml")
    found = study_file.parse(text, "study.yaml", tmp_path)
    assert (found.file.name, found.file.algorithm) == ("my-study-2", algorithm)
    for option in ALGORITHMS[algorithm].options:
        assert (
            option in {"random_stage", "floor_multiplier", "lower_R", "perturbed"}
            or getattr(found.file, option) is not None
        ), option

    whole = uncommented(text)
    data = strict_yaml.mapping(whole, "study.yaml")
    assert {"parameters", "train_spec", "costs"} <= set(data)
    assert data["run"].keys() == {"store", "jobs", "timeout_minutes"}
    changed = study_file.parse(whole, "study.yaml", tmp_path)
    (example,) = changed.file.parameters
    assert changed.space.check(changed.space.defaults()) == ()
    assert example in {parameter.name for parameter in changed.space.parameters}
    assert changed.plan == found.plan


def test_the_comments_of_the_template_stand_in_one_column() -> None:
    for algorithm in ALGORITHMS:
        lines = template("fashion_mnist", algorithm, Path("study.yaml")).splitlines()
        comments = [line.rindex(" # ") for line in lines if re.match(r" *(# )?\w+: [^\[{]*[^ ] +# ", line)]
        assert len(comments) >= 6
        assert set(comments) == {25}


# -- the schema -------------------------------------------------------------------------------------------------------

SCHEMA = study_file.schema()
GOOD: list[dict[str, Any]] = [
    {"name": "a", "network": "b"},
    {"name": "a", "model_name": "b", "automl_R": 9, "automl_algorithm": "bayesian"},
    {"name": "a", "network": "b", "R": None, "epoch_multiplier": "auto", "train_spec": {"x": {"y": [1]}}},
]
BAD: list[dict[str, Any]] = [
    {"name": "a"},
    {"network": "b"},
    {"name": "A b", "network": "b"},
    {"name": "a", "network": "b", "model_name": "b"},
    {"name": "a", "network": "b", "R": 9, "automl_R": 9},
    {"name": "a", "network": "b", "R": "9"},
    {"name": "a", "network": "b", "nu": 1},
    {"name": "a", "network": "b", "epoch_multiplier": "big"},
    {"name": "a", "network": "b", "sead": 1},
    {"name": "a", "network": "b", "run": {"jops": 1}},
    {"name": "a", "network": "b", "algorithm": "grid"},
    {"name": "a", "network": "b", "metric": {"name": "x"}},
]


def test_the_schema_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    assert SCHEMA["$schema"].endswith("2020-12/schema")
    described = {name for name, each in SCHEMA["properties"].items() if "description" in each or "$ref" in each}
    assert set(SCHEMA["properties"]) - described <= {"algorithm"}


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_the_schema_accepts_what_init_writes(algorithm: str) -> None:
    text = template("fashion_mnist", algorithm, Path("study.yaml"))
    for each in (text, uncommented(text)):
        jsonschema.validate(strict_yaml.mapping(each, "study.yaml"), SCHEMA)


@pytest.mark.parametrize("data", GOOD, ids=range(len(GOOD)))
def test_the_schema_accepts_a_good_file(data: dict[str, Any]) -> None:
    jsonschema.validate(data, SCHEMA)


@pytest.mark.parametrize("data", BAD, ids=range(len(BAD)))
def test_the_schema_refuses_what_the_reader_refuses(data: dict[str, Any]) -> None:
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(data, SCHEMA)
    with pytest.raises(StudyFileError):
        study_file.parse(strict_yaml.dump(data), "study.yaml", Path())


def test_halving_a_network_without_checkpoints_trains_each_rung_anew(tmp_path: Path) -> None:
    write_small_network(tmp_path)
    path = tmp_path / "small.yaml"
    lines = path.read_text().splitlines(keepends=True)
    path.write_text("".join(line for line in lines if not line.startswith("checkpoints")))
    text = "name: mine\nnetwork: small.yaml\nalgorithm: {}\n"
    for algorithm in ("hyperband", "successive_halving"):
        definition = study_file.parse(text.format(algorithm), "study.yaml", tmp_path)
        assert definition.resume is Resume.NONE
        assert all(stage.anew for stage in definition.plan.search)
    assert study_file.parse(text.format("random"), "study.yaml", tmp_path).plan.searched == 20
