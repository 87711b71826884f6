"""The commands that ask a study's record, on a study that really ran; verify has a file of its own."""

from __future__ import annotations

import csv
import json
import re
from pathlib import Path

import pytest
import yaml

from automl.cli import record
from automl.stores.folder import FolderStore
from tests.command_line import BETTER, as_json, automl, edit_json, files_below, refused
from tests.recorded_studies import recorded
from tests.simulation.studies import HYPERBAND_9, study
from tests.small_network import write_small_study

COMMANDS = [command.__name__ for command in record.COMMANDS]


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(command: str, tmp_path: Path) -> None:
    ran = automl(command, "--help", cwd=tmp_path)
    assert (ran.code, ran.err) == (0, "")
    assert f"Example: automl {command}" in ran.out


@pytest.mark.parametrize("command", ["replay study", "why study 1", "verify study.yaml", "diff study study.yaml"])
def test_json_and_yaml_hold_the_same_data_and_nothing_is_written(command: str, studied: Path) -> None:
    before = files_below(studied)
    found, same, table = (automl(*command.split(), "-o", form, cwd=studied) for form in ("json", "yaml", "table"))
    assert [each.code for each in (found, same, table)] == [0, 0, 0]
    assert yaml.safe_load(same.out) == as_json(found)
    assert "\x1b" not in table.out
    assert table.err == ""
    assert files_below(studied) == before


# -- replay -----------------------------------------------------------------------------------------------------------


def test_a_study_that_ran_replays_the_same(studied: Path) -> None:
    found = as_json(automl("replay", "study", "-o", "json", cwd=studied))
    assert (found["same"], found["difference"]) == (True, None)
    assert found["decisions"] == len(list((studied / "study" / "decisions").rglob("*.json")))
    assert found["software"]["then"] == found["software"]["now"]
    assert {"argo-automl", "numpy", "scikit-optimize"} <= set(found["software"]["now"])


def test_a_changed_decision_is_named_with_both_values_and_both_versions(copy: Path) -> None:
    edit_json(copy / "study" / "decisions/0/0.json", lambda data: data["issued"][1]["values"].update({"train.x": 0.75}))
    # the study was begun with another numpy: what decides is not touched by that
    edit_json(copy / "study" / "automl_metadata.json", lambda data: data["software"].update(numpy="1.0.0"))
    ran = automl("replay", "study", "-o", "json", cwd=copy)
    assert ran.code == 1
    found = as_json(ran)["difference"]
    assert (found["decision"], found["field"], found["stored"]) == (
        "decisions/0/0.json",
        "issued[1].values.train.x",
        0.75,
    )
    table = automl("replay", "study", cwd=copy)
    assert table.code == 1
    assert re.search(r"^software +numpy 1.0.0 then, [\d.]+ now$", table.out, flags=re.MULTILINE)


# -- why --------------------------------------------------------------------------------------------------------------


def test_why_tells_the_story_of_the_best(studied: Path) -> None:
    best = as_json(automl("best", "study", "-o", "json", cwd=studied))["experiment"]
    found = as_json(automl("why", "study", str(best), "-o", "json", cwd=studied))
    assert found["story"][0].startswith("proposed by uniform sampling, which looks at no result")
    assert found["story"][-1].startswith("the best of the search: score")
    text = automl("why", "study", str(best), cwd=studied).out
    for line in found["story"]:
        assert line in text


def test_why_of_no_experiment_is_refused(studied: Path) -> None:
    refused(automl("why", "study", "99", cwd=studied), "there is no experiment 99", "0 to")
    refused(automl("why", "study", "best", cwd=studied), "EXPERIMENT: 'best'", "the number of an experiment")
    refused(automl("why", "nowhere", "1", cwd=studied), "no study lies in")


# -- diff and clone ---------------------------------------------------------------------------------------------------


def test_diff_names_settings_decisions_and_the_gain(studied: Path, tmp_path: Path) -> None:
    write_small_study(tmp_path, BETTER.replace("seed: 7", "seed: 8"))
    assert automl("run", "study.yaml", "-j", "2", cwd=tmp_path).code == 0
    found = as_json(automl("diff", str(studied / "study"), "study", "-o", "json", cwd=tmp_path))
    settings = {each["setting"]: (each["a"], each["b"]) for each in found["settings"]}
    assert settings.pop("seed") == (7, 8)
    assert set(settings) <= {"network command[1]"}  # the program lies in another folder
    assert found["decisions"]["first_difference"]["decision"] == "decisions/0/0.json"
    assert found["gain"] == pytest.approx(found["b"]["best"]["value"] - found["a"]["best"]["value"])
    text = automl("diff", str(studied / "study"), "study", cwd=tmp_path).out
    assert re.search(r"^seed +7 +8$", text, flags=re.MULTILINE)
    assert "decisions differ after 0: decisions/0/0.json, issued[0].seed" in text


def test_diff_with_itself_finds_nothing(studied: Path) -> None:
    found = as_json(automl("diff", "study", "study.yaml", "-o", "json", cwd=studied))
    assert found["settings"] == []
    assert found["decisions"]["first_difference"] is None
    assert found["gain"] == 0


def test_a_clone_is_the_same_study_under_another_name(studied: Path, tmp_path: Path) -> None:
    ran = automl("clone", str(studied / "study"), "Again_2.yaml", cwd=tmp_path)
    assert (ran.code, ran.err) == (0, "")
    assert ran.out == "wrote Again_2.yaml\nwrote Again_2.network.yaml\nnext: automl plan Again_2.yaml\n"
    assert automl("run", "Again_2.yaml", "-j", "2", cwd=tmp_path).code == 0
    found = as_json(automl("diff", str(studied / "study"), "again-2", "-o", "json", cwd=tmp_path))
    assert {each["setting"] for each in found["settings"]} == {"name", "network"}
    assert found["decisions"]["first_difference"] is None


def test_a_clone_keeps_comments_and_moves_the_store(tmp_path: Path) -> None:
    text = "# mine\nname: study   # its name\nnetwork: small.yaml\nR: 3\nrun: {jobs: 1, store: ./there/study}\n"
    write_small_study(tmp_path, study=text)
    assert automl("run", "study.yaml", cwd=tmp_path).code == 0
    assert automl("clone", "study.yaml", "next.yaml", cwd=tmp_path).code == 0
    wanted = text.replace("name: study", "name: next").replace("small.yaml", "./next.network.yaml")
    assert (tmp_path / "next.yaml").read_text() == wanted.replace("./there/study", "./next")


def test_a_clone_with_another_budget_tries_the_best_values_first(studied: Path, tmp_path: Path) -> None:
    words = ("clone", str(studied / "study"), "more.yaml", "--R", "4", "--best", "2")
    assert automl(*words, cwd=tmp_path).code == 0
    told = yaml.safe_load((tmp_path / "more.yaml").read_text())
    values = yaml.safe_load(automl("best", str(studied / "study"), "-o", "yaml", cwd=tmp_path).out)["values"]
    assert (told["R"], told["enqueue"][0], told["algorithm"]) == (4, values, "hyperband")
    assert automl("plan", "more.yaml", cwd=tmp_path).code == 0
    assert automl("run", "more.yaml", "-j", "2", cwd=tmp_path).code == 0
    story = as_json(automl("why", "more", "1", "-o", "json", cwd=tmp_path))
    assert story["values"] == values
    assert "from the study file" in story["story"][0]
    for option in ("--recommendations", "--R"):
        refused(automl("clone", str(studied / "study"), "b.yaml", option, "0", cwd=tmp_path), option)
    refused(
        automl("clone", str(studied / "study"), "b.yaml", "--recommendations", "9", cwd=tmp_path),
        "max_recommendations: 9 is no option of algorithm: hyperband",
    )
    assert not (tmp_path / "b.yaml").exists()


def test_a_clone_overwrites_nothing(studied: Path, tmp_path: Path) -> None:
    (tmp_path / "again.network.yaml").write_text("mine")
    refused(automl("clone", str(studied / "study"), "again.yaml", cwd=tmp_path), "again.network.yaml is there already")
    assert [each.name for each in tmp_path.iterdir()] == ["again.network.yaml"]
    refused(automl("clone", str(studied / "study"), "away/a.yaml", cwd=tmp_path), "there is no folder away")


# -- export -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "name"), [("csv", "a.csv"), ("jsonl", "a.jsonl"), ("optuna", "a.db"), ("tensorboard", "a")]
)
def test_export_writes_once_and_says_what(form: str, name: str, studied: Path, tmp_path: Path) -> None:
    study = str(studied / "study")
    found = as_json(automl("export", study, name, "--to", form, "-o", "json", cwd=tmp_path))
    assert (found["wrote"], found["form"]) == (name, form)
    assert [each.name for each in tmp_path.iterdir()] == [name]
    before = files_below(tmp_path)
    refused(automl("export", study, name, "--to", form, cwd=tmp_path), f"{name} is there already")
    assert files_below(tmp_path) == before


def test_the_rows_of_a_csv_are_the_results(studied: Path, tmp_path: Path) -> None:
    assert automl("export", str(studied / "study"), "a.csv", "--to", "csv", cwd=tmp_path).code == 0
    with (tmp_path / "a.csv").open(encoding="utf-8", newline="") as file:
        found = {(row["experiment"], row["rung"]): row for row in csv.DictReader(file)}
    for path in (studied / "study/results").rglob("*.json"):
        result = json.loads(path.read_text())
        row = found.pop((str(result["experiment"]), str(result["rung"])))
        assert float(row["value"]) == result["history"][-1][1]
    assert found == {}


BAD_EXPORTS = {
    "an unknown form": ("a.xls --to xsl", ("--to: 'xsl' is not known", "csv, jsonl, optuna, tensorboard")),
    "a near form": ("a.csv --to cvs", ("did you mean 'csv'?",)),
    "no form": ("a.csv", ("missing option '--to'",)),
    "an Optuna storage of no kind": ("a.txt --to optuna", ("a.txt does not say which kind", ".db", ".log")),
    "no folder": ("away/a.csv --to csv", ("there is no folder away",)),
    "a folder that cannot be written": ("/proc/a.csv --to csv", ("/proc/a.csv cannot be written",)),
}


@pytest.mark.parametrize(("words", "says"), BAD_EXPORTS.values(), ids=BAD_EXPORTS.keys())
def test_a_bad_export_is_refused_and_leaves_nothing(
    words: str, says: tuple[str, ...], studied: Path, tmp_path: Path
) -> None:
    refused(automl("export", str(studied / "study"), *words.split(), cwd=tmp_path), *says)
    assert list(tmp_path.iterdir()) == []


# -- download ---------------------------------------------------------------------------------------------------------


def test_a_download_is_the_same_study(studied: Path, tmp_path: Path) -> None:
    found = as_json(automl("download", str(studied / "study"), "here", "-o", "json", cwd=tmp_path))
    wanted = {name: data for name, data in files_below(studied / "study").items() if not name.startswith(".")}
    assert {name.removeprefix("./"): data for name, data in files_below(tmp_path / "here").items()} == wanted
    assert found["objects"] == sum(path.is_file() for path in (tmp_path / "here").rglob("*"))
    assert automl("verify", "here", cwd=tmp_path).code == 0


def test_a_download_that_was_cut_off_goes_on(studied: Path, tmp_path: Path) -> None:
    command = ("download", str(studied / "study"), "here")
    assert automl(*command, cwd=tmp_path).code == 0
    whole = files_below(tmp_path / "here")
    for name in ("results/1/0.json", "controller.json"):
        (tmp_path / "here" / name).unlink()
    (tmp_path / "here" / "brain.json").write_text("as it was while the study ran")
    assert automl(*command, cwd=tmp_path).code == 0
    assert files_below(tmp_path / "here") == whole


def test_a_download_without_checkpoints_can_be_read_and_exported(studied: Path, tmp_path: Path) -> None:
    assert automl("download", str(studied / "study"), "here", "--no-checkpoints", cwd=tmp_path).code == 0
    assert list((tmp_path / "here").rglob("checkpoints")) == []
    assert list((tmp_path / "here/best_model").glob("model_*"))
    for command in ("report here", "replay here", "export here a.csv --to csv"):
        assert automl(*command.split(), cwd=tmp_path).code == 0


def test_a_download_into_something_else_is_refused(copy: Path, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("mine")
    write_small_study(tmp_path, "seed: 99\n")
    assert automl("run", "study.yaml", cwd=tmp_path).code == 0
    before = files_below(tmp_path)
    for folder, says in (
        ("mine", "and is no study"),
        ("study", "holds another study"),
        ("small.py", "and is no study"),
    ):
        refused(automl("download", str(copy / "study"), folder, cwd=tmp_path), folder, says)
    assert files_below(tmp_path) == before


# -- a study that is under way ----------------------------------------------------------------------------------------


def test_every_command_answers_while_a_study_is_under_way(tmp_path: Path) -> None:
    recorded(FolderStore(tmp_path / "line"), study(HYPERBAND_9), decisions=2)
    (tmp_path / "line" / "results/0/1.json").unlink(missing_ok=True)
    for command in ("replay line", "verify line", "why line 0", "diff line line", "export line a.csv --to csv"):
        ran = automl(*command.split(), cwd=tmp_path)
        assert (ran.code, ran.err) == (0, ""), command
