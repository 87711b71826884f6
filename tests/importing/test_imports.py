"""Searches of other tools become study files: what they say is in the file, and what has no counterpart is listed."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import optuna
import pytest
import yaml

from automl.export.optuna_storage import distribution
from automl.importing.optuna_study import row
from automl.problem.search_space import Parameter
from automl.study import study_file
from tests.command_line import automl, files_below, refused

HERE = Path(__file__).parent
KATIB, SWEEP = (HERE / "katib.yaml").read_text(), (HERE / "sweep.yaml").read_text()


def study_of(folder: Path, tool: str, *source: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """What an import wrote, and what it said as JSON; the file is a study."""
    ran = automl("import", tool, "-o", "json", *source, cwd=folder)
    assert (ran.code, ran.err) == (0, ""), ran
    study_file.read(folder / "study.yaml")
    return yaml.safe_load((folder / "study.yaml").read_text()), json.loads(ran.out)


def finished(folder: Path) -> list[dict[str, str]]:
    """The finished trials that lie beside the study file."""
    with (folder / "study.trials.csv").open(newline="") as file:
        return list(csv.DictReader(file))


def test_an_experiment_of_katib(tmp_path: Path) -> None:
    (tmp_path / "katib.yaml").write_text(KATIB)
    study, said = study_of(tmp_path, "katib", "katib.yaml")
    network = study["network"]
    assert network["image"] == "registry.example.org/train:latest"
    assert network["command"] == [
        *("python3", "/opt/train.py", "--epochs={epochs}", "--batch-size={batch}"),
        *("--lr={lr}", "--num-layers={num-layers}", "--optimizer={optimizer}"),
    ]
    assert network["environment"] == {"MODE": "train"}
    assert (network["metric"], network["epochs"]) == ({"name": "Validation_accuracy", "goal": "maximize"}, 10)
    assert network["parameters"] == {
        "lr": {"low": 0.0001, "high": 0.1, "log": True},
        "num-layers": {"low": 2, "high": 5},
        "batch": {"type": "ordered", "options": [16, 32, 64]},
        "optimizer": {"type": "categorical", "options": ["sgd", "adam", "ftrl"]},
    }
    assert (study["algorithm"], study["sampler"], study["max_recommendations"]) == ("bayesian", "tpe", 12)
    assert (study["seed"], study["run"], study["costs"]) == (10, {"jobs": 3}, {"gpus": 1})
    assert study["cluster"] == {"memory": "1Gi", "cpu": 0.5}
    listed = " ".join(said["not_taken_over"])
    for what in (
        "earlyStopping",
        "goal",
        "Train-accuracy",
        "retain",
        "env KEY",
        "serviceAccountName",
        "n_ei_candidates",
    ):
        assert what in listed
    for what in ("metadata.namespace", "sidecar.istio.io/inject", "maxFailedTrialCount"):
        assert what in listed
    text = (tmp_path / "study.yaml").read_text()
    assert all(sentence[:40] in text for sentence in said["not_taken_over"]), "the file lists them too"


WORKER = """\
        pytorchReplicaSpecs:
          Master:
            replicas: 2
            template:
              spec:
                containers:
                  - {name: pytorch, image: i:1, command: [python, /a.py, "--lr=${trialParameters.learningRate}"]}
"""


def test_other_kinds_of_jobs_and_collectors_of_katib(tmp_path: Path) -> None:
    data = yaml.safe_load(KATIB)
    spec = data["spec"]
    spec["parameters"] = spec["parameters"][:1]
    spec["trialTemplate"]["trialSpec"] = {"kind": "PyTorchJob", "spec": yaml.safe_load(WORKER)}
    spec["metricsCollectorSpec"] = {
        "collector": {"kind": "File"},
        "source": {
            "fileSystemPath": {"path": "/katib/log.txt", "kind": "File"},
            "filter": {"metricsFormat": ["{metricName: ([\\w|-]+), metricValue: ((-?\\d+)(\\.\\d+)?)}"]},
        },
    }
    data["status"] = {
        "currentOptimalTrial": {
            "parameterAssignments": [{"name": "lr", "value": "0.01"}],
            "observation": {"metrics": [{"name": "Validation-accuracy", "max": "0.9", "latest": "0.8"}]},
        }
    }
    (tmp_path / "katib.yaml").write_text(yaml.safe_dump(data))
    study, said = study_of(tmp_path, "katib", "katib.yaml")
    assert study["network"]["command"] == ["python", "/a.py", "--lr={lr}"]
    assert study["network"]["fixed_epochs"] is True
    status = study["network"]["status"]
    assert status["path"] == "log.txt"
    assert status["of_epoch"] == "max"
    assert status["patterns"] == ["{metricName: Validation\\-accuracy, metricValue: (?P<Validation_accuracy>{number})}"]
    assert "replicas: 2" in " ".join(said["not_taken_over"])
    (trial,) = finished(tmp_path)
    assert (trial["values.lr"], trial["value"]) == ("0.01", "0.9")


def test_a_sweep_of_wandb(tmp_path: Path) -> None:
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    study, said = study_of(tmp_path, "wandb", "sweep.yaml")
    network = study["network"]
    assert (network["command"], network["arguments"]) == (["python", "train.py", "{args}"], "flags_equals")
    assert network["spec"] == {"epochs": 10}
    parameters = network["parameters"]
    assert parameters["learning_rate"] == {"low": 0.0001, "high": 0.1, "log": True}
    assert parameters["log_rate"]["low"] == pytest.approx(0.0001, rel=0.01)
    assert parameters["log_rate"]["high"] == pytest.approx(0.1, rel=0.01)
    assert parameters["batch_size"] == {"options": [16, 32, 64]}
    assert parameters["layers"] == {"low": 1, "high": 8}
    assert parameters["dropout"] == {"low": 0.0, "high": 0.5}
    assert parameters["width"] == {"low": 32.0, "high": 256.0, "step": 32.0}
    assert parameters["optimizer.name"]["weights"] == [0.7, 0.3]
    assert parameters["optimizer.amp"] == {"options": [True, False]}
    assert (study["name"], study["max_recommendations"]) == ("sweepdemo", 30)
    listed = " ".join(said["not_taken_over"])
    for what in ("project: mine", "early_terminate", "target: 0.1", "noise: normal"):
        assert what in listed


COMMANDS = {
    "no hyphens": (["${env}", "python3", "${program}", "${args_no_hyphens}"], ["python3", "a.py", "{args}"], "hydra"),
    "json": (["${program}", "--config=${args_json}"], ["a.py", "--config={args}"], "json"),
    "a file": (["${interpreter}", "${program}", "${args_json_file}"], ["python", "a.py", "{spec}"], None),
    "words of its own": (
        ["python", "-m", "pkg", "fit", "${args}"],
        ["python", "-m", "pkg", "fit", "{args}"],
        "flags_equals",
    ),
}


@pytest.mark.parametrize(("given", "words", "form"), COMMANDS.values(), ids=COMMANDS.keys())
def test_the_command_of_a_sweep(given: list[str], words: list[str], form: str | None, tmp_path: Path) -> None:
    sweep = {"program": "a.py", "method": "grid", "command": given, "parameters": {"a": {"values": [1, 2]}}}
    (tmp_path / "sweep.yaml").write_text(yaml.safe_dump(sweep))
    study, _ = study_of(tmp_path, "wandb", "sweep.yaml")
    assert study["network"]["command"] == words
    assert study["network"].get("arguments") == form
    assert study["sampler"] == "grid"


LOGGED = """\
import sys
values = dict(word.removeprefix("--").split("=") for word in sys.argv[1:])
print("wandb: Run summary:")
print(f"wandb:          epoch {values['epochs']}")
print(f"wandb: validation_loss {float(values['learning_rate']):.5f}")
"""


def test_a_sweep_is_run_with_no_line_of_its_program_changed(tmp_path: Path, quick_runner: None) -> None:
    sweep = yaml.safe_load(SWEEP) | {"method": "random", "run_cap": 2}
    (tmp_path / "sweep.yaml").write_text(yaml.safe_dump(sweep))
    (tmp_path / "train.py").write_text(LOGGED)
    study_of(tmp_path, "wandb", "sweep.yaml")
    path = tmp_path / "study.yaml"
    path.write_text(path.read_text() + "final: {repeats: 0}\n")
    ran = automl("run", "study.yaml", "-j", "2", cwd=tmp_path)
    assert ran.code == 0, ran
    rows = json.loads((tmp_path / "sweepdemo/controller.json").read_text())["experiments"]
    for each in rows:
        assert each["results"][0]["value"] == pytest.approx(each["values"]["learning_rate"], abs=1e-5)


def search(trial: optuna.Trial) -> float:
    rate = trial.suggest_float("lr", 1e-5, 1e-1, log=True)
    layers = trial.suggest_int("layers", 1, 4)
    if trial.suggest_categorical("opt", ["sgd", "adam"]) == "sgd":
        trial.suggest_float("momentum", 0.0, 1.0)
    trial.report(rate, 1)
    if trial.number == 1:
        raise optuna.TrialPruned
    if trial.number == 2:
        raise ValueError
    return rate + layers


@pytest.mark.parametrize("storage", ["sqlite:///s.db", "s.db"])
def test_a_study_of_optuna(storage: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    of_optuna = optuna.create_study(storage="sqlite:///s.db", study_name="mine", direction="maximize")
    of_optuna.optimize(search, n_trials=5, catch=ValueError)
    study, said = study_of(tmp_path, "optuna", storage, "--study", "mine")
    assert study["network"]["metric"] == {"name": "value", "goal": "maximize"}
    parameters = study["network"]["parameters"]
    assert parameters["lr"] == {"low": 1e-5, "high": 0.1, "log": True}
    assert parameters["layers"] == {"low": 1, "high": 4}
    assert parameters["opt"] == {"type": "categorical", "options": ["sgd", "adam"]}
    assert said["finished_trials"] == 5
    rows = finished(tmp_path)
    assert [each["status"] for each in rows] == ["success", "stopped", "failure", "success", "success"]
    assert [float(each["values.lr"]) for each in rows] == [trial.params["lr"] for trial in of_optuna.trials]
    assert any("sampler and pruner" in sentence for sentence in said["not_taken_over"])


@pytest.mark.parametrize(
    "given",
    [
        {"kind": "float", "low": 0.0, "high": 1.0},
        {"kind": "float", "low": 1e-5, "high": 1.0, "log": True},
        {"kind": "float", "low": 0.0, "high": 1.0, "step": 0.25},
        {"kind": "int", "low": 1, "high": 9},
        {"kind": "int", "low": 1, "high": 512, "log": True},
        {"kind": "int", "low": 0, "high": 10, "step": 5},
        {"kind": "categorical", "options": ["a", "b"]},
        {"kind": "bool"},
    ],
    ids=str,
)
def test_what_is_exported_to_optuna_comes_back(given: dict[str, Any]) -> None:
    parameter = Parameter.from_mapping("x", given)
    assert Parameter.from_mapping("x", {"type": parameter.kind, **row(distribution(parameter))}) == parameter


def ray_results(folder: Path) -> None:
    """Three trials as Ray Tune leaves them: one ended, one has failed, one was stopped in the middle of a line."""
    for index, (rate, batch) in enumerate([(0.1, 16), (0.001, 32), (0.0001, 64)]):
        trial = folder / "mine" / f"train_{index}"
        trial.mkdir(parents=True)
        params = {"lr": rate, "batch": batch, "model": {"depth": index + 1}, "opt": "adam" if index else "sgd", "n": 1}
        (trial / "params.json").write_text(json.dumps(params))
        lines = [
            json.dumps({"val_acc": 0.5 + step / 10, "training_iteration": step, "done": step == 3, "time_total_s": 1.0})
            for step in (1, 2, 3)
        ]
        (trial / "result.json").write_text(
            "\n".join(lines if index < 2 else [*lines[:2], lines[2][:9]]) + "\n" * (index < 2)
        )
    (folder / "mine/train_1/error.txt").write_text("it failed")
    (folder / "mine/tuner.pkl").write_bytes(b"cos\nsystem\n(S'touch /tmp/unpickled'\ntR.")


def test_an_experiment_of_ray(tmp_path: Path) -> None:
    ray_results(tmp_path)
    study, said = study_of(tmp_path, "ray", "mine")
    assert study["network"]["metric"] == {"name": "val_acc", "goal": "maximize"}
    assert study["network"]["spec"] == {"n": 1}
    assert study["network"]["parameters"] == {
        "lr": {"low": 0.0001, "high": 0.1, "log": True},
        "batch": {"low": 16, "high": 64},
        "model.depth": {"low": 1, "high": 3},
        "opt": {"type": "categorical", "options": ["sgd", "adam"]},
    }
    rows = finished(tmp_path)
    assert [(each["status"], each["epochs"], each["value"]) for each in rows] == [
        ("success", "3", "0.8"),
        ("failure", "", ""),
        ("stopped", "2", "0.7"),
    ]
    assert any("pickle" in sentence for sentence in said["not_taken_over"])
    assert not Path("/tmp/unpickled").exists()


PROGRAM = """\
import argparse
parser = argparse.ArgumentParser()
for name, kind in [("lr", float), ("batch", int), ("model.depth", int), ("opt", str), ("n", int), ("epochs", int)]:
    parser.add_argument(f"--{name}", type=kind)
args = parser.parse_args()
for epoch in range(args.epochs):
    print(f"epoch {epoch + 1} val_acc={args.lr}")
"""


def test_with_its_program_an_import_is_searched_as_it_is(tmp_path: Path, quick_runner: None) -> None:
    ray_results(tmp_path)
    (tmp_path / "train.py").write_text(PROGRAM)
    study, said = study_of(tmp_path, "ray", "mine", "--", "python", "train.py", "--epochs", "2")
    assert study["network"]["command"] == ["python", "train.py", "--epochs", "{epochs}", "{args}"]
    assert (study["network"]["epochs"], study["network"]["spec"]) == (2, {"n": 1})
    assert not [sentence for sentence in said["not_taken_over"] if sentence.startswith("command:")]
    path = tmp_path / "study.yaml"
    few = path.read_text().replace("bayesian", "random").replace("recommendations: 20", "recommendations: 2")
    path.write_text(few + "final: {repeats: 0}\n")
    ran = automl("run", "study.yaml", "-j", "2", cwd=tmp_path)
    assert ran.code == 0, ran
    rows = json.loads((tmp_path / "mine-search/controller.json").read_text())["experiments"]
    assert [each["results"][0]["value"] for each in rows] == [each["values"]["lr"] for each in rows]


BAD: dict[str, tuple[str, tuple[str, ...]]] = {
    "katib of a sweep": ("katib sweep.yaml", ("sweep.yaml is no Experiment of Katib", "allowed: kind: Experiment")),
    "wandb of an experiment": ("wandb katib.yaml", ("katib.yaml is no sweep of W&B",)),
    "katib of no file": ("katib nothing.yaml", ("nothing.yaml does not exist",)),
    "katib of no YAML": ("katib broken.yaml", ("broken.yaml",)),
    "katib of a ConfigMap's template": ("katib map.yaml", ("no container", "ConfigMap")),
    "optuna of no file": ("optuna nothing.db", ("nothing.db does not exist",)),
    "optuna of a text": ("optuna text.db", ("text.db is no storage of Optuna",)),
    "optuna of no kind": ("optuna sweep.yaml", ("does not say which kind",)),
    "optuna of another study": ("optuna s.db --study mne", ("'mne' is not in s.db", "did you mean 'mine'?")),
    "optuna of an empty study": ("optuna s.db --study mine", ("no trial with parameters",)),
    "ray of no folder": ("ray nothing", ("nothing does not exist",)),
    "ray of another folder": ("ray .", ("no experiment of Ray Tune", "give the folder of one experiment: mine")),
    "ray of another metric": ("ray mine --metric val_ac", ("'val_ac' is in no result.json", "did you mean 'val_acc'?")),
    "ray with a goal that is none": ("ray mine --goal more", ("--goal: 'more'", "minimize, maximize")),
    "over a file": ("katib katib.yaml --to sweep.yaml", ("sweep.yaml already exists",)),
    "over trials": ("ray mine --to old.yaml", ("old.trials.csv already exists",)),
    "another tool": ("hyperopt a", ("no such command 'hyperopt'",)),
}


@pytest.mark.parametrize(("line", "says"), BAD.values(), ids=BAD.keys())
def test_what_is_none_of_its_kind_is_refused_in_one_line(line: str, says: tuple[str, ...], tmp_path: Path) -> None:
    (tmp_path / "katib.yaml").write_text(KATIB)
    (tmp_path / "sweep.yaml").write_text(SWEEP)
    (tmp_path / "broken.yaml").write_text("a: [")
    (tmp_path / "text.db").write_text("no database at all")
    (tmp_path / "old.trials.csv").write_text("mine")
    data = yaml.safe_load(KATIB)
    del data["spec"]["trialTemplate"]["trialSpec"]
    data["spec"]["trialTemplate"]["configMap"] = {"configMapName": "a"}
    (tmp_path / "map.yaml").write_text(yaml.safe_dump(data))
    ray_results(tmp_path)
    if "s.db" in line:
        optuna.create_study(storage=f"sqlite:///{tmp_path}/s.db", study_name="mine")
    before = files_below(tmp_path)
    refused(automl("import", *line.split(), cwd=tmp_path), *says)
    assert files_below(tmp_path) == before
