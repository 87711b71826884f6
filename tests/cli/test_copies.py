"""The commands clone, export and download, on a study that really ran."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import pytest
import yaml

from tests.command_line import as_json, automl, files_below, refused
from tests.small_network import write_small_study


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


def test_a_clone_elsewhere_learns_from_the_same_earlier_searches(tmp_path: Path) -> None:
    """Their paths are from the folder of the study file, and become those from the folder of the new one."""
    text = (
        "name: study\nnetwork: small.yaml\nalgorithm: bayesian\nmax_recommendations: 2\nfinal: {repeats: 0}\n"
        "warm_start: [../tables/a.csv, ./a.csv]  # two tables\n"
    )
    for folder in ("mine", "tables", "other/deep"):
        (tmp_path / folder).mkdir(parents=True)
    write_small_study(tmp_path / "mine", study=text)
    for table in ("tables/a.csv", "mine/a.csv"):
        (tmp_path / table).write_text(f"train.x,score\n0.4{len(table)},0.7\n0.1,0.5\n")
    assert automl("run", "study.yaml", cwd=tmp_path / "mine").code == 0
    moved = text.replace("../tables/a.csv", "../../tables/a.csv").replace("./a.csv]", "../../mine/a.csv]")
    for number, study in enumerate(("mine/study.yaml", "mine/study")):
        new = f"other/deep/next_{number}.yaml"
        assert automl("clone", study, new, cwd=tmp_path).code == 0
        renamed = moved.replace("name: study", f"name: next-{number}").replace("small", f"./next_{number}.network")
        assert (tmp_path / new).read_text() == renamed
        assert automl("run", new, cwd=tmp_path).code == 0
        found = as_json(automl("diff", "mine/study", f"other/deep/next-{number}", "-o", "json", cwd=tmp_path))
        assert found["decisions"]["first_difference"] is None
    assert automl("clone", "mine/study", "mine/next.yaml", cwd=tmp_path).code == 0
    assert "warm_start: [../tables/a.csv, ./a.csv]  # two tables" in (tmp_path / "mine/next.yaml").read_text()
    (tmp_path / "mine/study").rename(tmp_path / "moved")
    refused(
        automl("clone", "moved", "other/next.yaml", cwd=tmp_path),
        "warm_start: ../tables/a.csv, ./a.csv: from the folder of the study file, which",
        "automl clone STUDY.yaml NEW.yaml",
    )
    assert automl("clone", "mine/study.yaml", "other/next.yaml", "--store", "moved", cwd=tmp_path).code == 0


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
    refused(automl("clone", str(studied / "study"), "again.yaml", cwd=tmp_path), "again.network.yaml already exists")
    assert [each.name for each in tmp_path.iterdir()] == ["again.network.yaml"]
    refused(automl("clone", str(studied / "study"), "away/a.yaml", cwd=tmp_path), "folder away does not exist")


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
    refused(automl("export", study, name, "--to", form, cwd=tmp_path), f"{name} already exists")
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
    "no folder": ("away/a.csv --to csv", ("folder away does not exist",)),
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
        ("mine", "and holds no study"),
        ("study", "holds another study"),
        ("small.py", "and holds no study"),
    ):
        refused(automl("download", str(copy / "study"), folder, cwd=tmp_path), folder, says)
    assert files_below(tmp_path) == before
