"""The command line: help, output forms, exit codes, and that it starts quickly."""

from __future__ import annotations

import importlib.metadata
import json
import os
import platform
import pty
import re
import shutil
import subprocess
import sys
import termios
from pathlib import Path
from typing import Any

import pytest
import yaml

from automl import __version__
from automl.search.algorithms import ALGORITHMS
from tests.command_line import automl, files_below, read_terminal, refused, search
from tests.small_network import write_small_study

COMMANDS = ["init", "plan", "run", "status", "best", "report", "rebuild", "schema", "networks", "networks show"]
COMMANDS += ["networks parameters", "compile", "submit", "watch", "stop", "pause", "resume"]
BASH = shutil.which("bash") or "/bin/bash"
BETTER = "parameters: {train.x: {default: 0.1}}\n"  # far from the best, so that the search finds a better one


@pytest.fixture(scope="module")
def studied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study that has run to its end and found something better than the defaults."""
    folder = tmp_path_factory.mktemp("studied")
    (folder / "run.txt").write_text(search(folder, BETTER).out)
    return folder


def test_a_search_without_a_judgement_does_not_promise_one(tmp_path: Path) -> None:
    write_small_study(tmp_path, BETTER, study="name: study\nnetwork: small.yaml\nR: 3\nfinal: {repeats: 0}\n")
    ran = automl("run", "study.yaml", "-j", "2", cwd=tmp_path)
    assert (ran.code, ran.err) == (0, "")
    assert "still to come" not in ran.out
    assert "'final: {repeats: 0}' asks for no judgement" in ran.out


# -- help -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself_with_an_example(command: str, tmp_path: Path) -> None:
    for option in ("--help", "-h"):
        ran = automl(*command.split(), option, cwd=tmp_path)
        assert ran.code == 0
        assert f"Example: automl {command}" in ran.out
        assert ran.err == ""


def test_the_help_shows_the_first_steps_line_by_line(tmp_path: Path) -> None:
    ran = automl("--help", cwd=tmp_path)
    assert ran.code == 0
    lines = [line.strip() for line in ran.out.splitlines()]
    assert any(re.fullmatch(r"automl init +writes study.yaml", line) for line in lines)
    assert any(re.fullmatch(r"automl best study.yaml +what it found", line) for line in lines)
    for command in COMMANDS:
        assert command.split()[0] in ran.out


def test_without_a_command_the_help_is_shown(tmp_path: Path) -> None:
    ran = automl(cwd=tmp_path)
    assert (ran.code, ran.err) == (2, "")
    assert "automl init" in ran.out


def test_the_version_is_the_packages(tmp_path: Path) -> None:
    ran = automl("--version", cwd=tmp_path)
    assert ran.code == 0
    assert ran.out.startswith(f"argo-automl {__version__}, Python {platform.python_version()}, {platform.system()}")
    assert importlib.metadata.version("argo-automl") == __version__


def test_a_shell_can_be_taught_to_complete(tmp_path: Path) -> None:
    # the shell is found by looking at who called
    command = f"{Path(sys.executable).with_name('automl')} --show-completion; exit $?"
    done = subprocess.run([BASH, "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "complete -o default -F _automl_completion automl" in done.stdout


# -- starting ---------------------------------------------------------------------------------------------------------


def modules_after(code: str) -> set[str]:
    """The top-level modules that a fresh Python has after running some code; what it prints is dropped."""
    show = "import sys; print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)"
    done = subprocess.run([sys.executable, "-c", f"{code}\n{show}"], capture_output=True, text=True, check=True)
    return set(done.stderr.split())


HEAVY = {"numpy", "scipy", "skopt", "sklearn", "torch", "boto3", "botocore", "hera", "kubernetes"}
HEAVY |= {"optuna", "pandas", "tensorboardX"}


def test_importing_the_package_imports_nothing_heavy() -> None:
    assert modules_after("import automl") & (HEAVY | {"pydantic", "yaml", "typer", "rich"}) == set()


def test_the_help_imports_nothing_heavy() -> None:
    code = (
        "import automl.cli\ntry:\n    automl.cli.main(['--help'])\nexcept SystemExit as end:\n    assert end.code == 0"
    )
    assert modules_after(code) & HEAVY == set()


def test_what_a_study_does_not_need_is_not_imported(tmp_path: Path) -> None:
    write_small_study(tmp_path)
    code = f"import os, automl.cli\nos.chdir({str(tmp_path)!r})\ntry:\n    automl.cli.main(['plan', 'study.yaml'])\n"
    assert modules_after(f"{code}except SystemExit as end:\n    assert end.code == 0") & HEAVY - {"numpy"} == set()


def test_the_package_alone_brings_no_torch_and_no_argo() -> None:
    alone = [each for each in importlib.metadata.requires("argo-automl") or () if "extra ==" not in each]
    names = {re.split(r"[^a-z0-9-]", each)[0] for each in alone}
    assert {"numpy", "pydantic", "scikit-optimize", "typer"} <= names
    assert names & {"torch", "hera", "kubernetes", "jupyterlab"} == set()


# -- output -----------------------------------------------------------------------------------------------------------

OUTPUTS = ["plan study.yaml", "status study.yaml", "best study.yaml", "report study.yaml", "run study.yaml", "networks"]
OUTPUTS += ["networks show small.yaml", "networks parameters small.yaml"]


@pytest.mark.parametrize("command", OUTPUTS)
def test_json_and_yaml_hold_the_same_data(command: str, studied: Path) -> None:
    as_json, as_yaml = (automl(*command.split(), "-o", form, cwd=studied) for form in ("json", "yaml"))
    assert (as_json.code, as_yaml.code) == (0, 0)
    data = json.loads(as_json.out)
    assert data
    assert yaml.safe_load(as_yaml.out) == data


@pytest.mark.parametrize("command", OUTPUTS)
def test_a_table_that_is_piped_has_no_colours_and_is_not_wrapped(command: str, studied: Path) -> None:
    ran = automl(*command.split(), "-o", "table", cwd=studied)
    assert ran.code == 0
    assert "\x1b" not in ran.out
    for line in ran.out.splitlines():
        assert line == line.rstrip()
    if command in OUTPUTS[:1]:
        (searched,) = (line for line in ran.out.splitlines() if line.startswith("searched"))
        assert searched.split() == ["searched", "range", "default"]


def test_a_long_row_stays_one_line_when_it_is_piped(tmp_path: Path) -> None:
    ran = automl("networks", "parameters", "fashion_mnist", cwd=tmp_path)
    data = json.loads(automl("networks", "parameters", "fashion_mnist", "-o", "json", cwd=tmp_path).out)
    assert len(ran.out.splitlines()) == 1 + len(data)
    (momentum,) = (line for line in ran.out.splitlines() if line.startswith("train.momentum"))
    assert momentum.endswith("if train.optimizer is sgd")


def test_the_table_of_a_plan_says_what_its_data_say(tmp_path: Path) -> None:
    write_small_study(tmp_path, "costs: {minutes_per_epoch: 60, gpus: 2, price_per_gpu_hour: 1.5}\n")
    found = json.loads(automl("plan", "study.yaml", "-j", "1", "-j", "3", "-o", "json", cwd=tmp_path).out)
    total = found["totals"]
    assert total["wall_minutes"].keys() == {"1", "3"}
    text = automl("plan", "study.yaml", "-j", "1", "-j", "3", cwd=tmp_path).out
    assert f"{total['experiments']} experiments in {total['runs']} runs" in text
    assert re.search(rf"^GPU hours +{total['gpu_hours']:g}$", text, flags=re.MULTILINE)
    assert re.search(rf"^price +{total['price']:.2f}$", text, flags=re.MULTILINE)
    assert re.search(r"^time +\d+ h with 1, \d+ h with 3 at a time; \d+ h of training$", text, flags=re.MULTILINE)
    assert re.search(r"^s=1 +0 +3 +epoch 1$\n^ +1 +1 +epoch 3 \(from 1\)$", text, flags=re.MULTILINE)


@pytest.mark.parametrize(("experiments", "too_large"), [(1000, False), (3000, True)])
def test_a_plan_says_how_large_its_workflow_becomes(experiments: int, too_large: bool, tmp_path: Path) -> None:
    chain = f"name: study\nnetwork: small.yaml\nalgorithm: bayesian\nmax_recommendations: {experiments}\n"
    write_small_study(tmp_path, study=chain)
    size = json.loads(automl("plan", "study.yaml", "-o", "json", cwd=tmp_path).out)["workflow"]
    assert (size["bytes"] > size["most_bytes"]) is too_large
    text = automl("plan", "study.yaml", cwd=tmp_path).out
    assert f"on Argo  a workflow of about {size['bytes'] / 1000:,.0f} kB\n" in text
    assert ("too large for one workflow: Kubernetes takes about 1,000 kB" in text) is too_large
    with (tmp_path / "study.yaml").open("a") as file:
        file.write("run: {store: s3://bucket/study}\n")
    assert (automl("compile", "study.yaml", cwd=tmp_path).code == 2) is too_large


def test_a_plan_without_costs_says_so_and_counts_one_experiment_as_one(tmp_path: Path) -> None:
    write_small_study(tmp_path, "automl_enabled: false\n")
    network = tmp_path / "small.yaml"
    network.write_text(re.sub(r"usual: .*\n", "", network.read_text()))
    text = automl("plan", "study.yaml", cwd=tmp_path).out
    assert "1 experiment in 1 run\n" in text
    assert "unknown: 'automl plan --probe' measures it; 'costs: {minutes_per_epoch: ...}' sets it" in text
    assert "<bool>" not in automl("plan", "--help", cwd=tmp_path).out
    assert "GPU hours" not in text
    assert "price" not in text


def test_the_steps_of_a_long_chain_are_one_row(tmp_path: Path) -> None:
    write_small_study(tmp_path, study="name: study\nnetwork: small.yaml\nalgorithm: bayesian\n")
    text = automl("plan", "study.yaml", cwd=tmp_path).out
    assert re.search(r"^search +0\.\.\.19 +1 each +epoch 3$", text, flags=re.MULTILINE)


def test_a_run_ends_with_the_defaults_beside_the_best(studied: Path) -> None:
    found = json.loads(automl("report", "study.yaml", "-o", "json", cwd=studied).out)
    best = found["best"]
    assert not best["defaults"]
    end = (studied / "run.txt").read_text().partition("\n\n")[2]
    assert re.search(rf"^experiment +default: 0 +best: {best['experiment']}$", end, flags=re.MULTILINE)
    assert re.search(rf"^score, in the search +[\d.]+ +{best['value']:.4f}$", end, flags=re.MULTILINE)
    assert re.search(rf"^train.x +0.1 +{best['values']['train.x']:.4g}$", end, flags=re.MULTILINE)
    verdict = found["verdict"]["sentence"]
    assert verdict.startswith("Perhaps better than the defaults: +")  # one training of each has no interval
    assert f"\n{verdict}, on validation data\n" in end
    assert f"{verdict}, on validation data" in automl("status", "study.yaml", cwd=studied).out
    assert f"{studied}/study/best_model" in end


def test_status_is_short_and_report_has_every_experiment_with_its_reason(studied: Path) -> None:
    found = json.loads(automl("status", "study.yaml", "-o", "json", cwd=studied).out)
    _, rows = automl("status", "study.yaml", cwd=studied).out.split("\n\n")
    header, *first, more = rows.splitlines()
    assert header.startswith("experiment")
    assert len(first) == 3
    assert more == f"and {len(found['experiments_table']) - 3} more: automl report study.yaml"
    assert "final" not in "".join(first)  # the judgement trains the same values again
    assert f"{found['best']['experiment']} " in first[0]
    *_, table = automl("report", "study.yaml", cwd=studied).out.split("\n\n")
    assert len(table.splitlines()) == 1 + len(found["experiments_table"])
    assert all(row["reason"] in table for row in found["experiments_table"])


def test_best_ends_with_values_to_copy(studied: Path) -> None:
    data = json.loads(automl("best", "study.yaml", "-o", "json", cwd=studied).out)
    assert data["model"] == f"{studied}/study/best_model"
    assert data["verdict"]["sentence"] in automl("best", "study.yaml", cwd=studied).out
    flags, text, as_json = (
        automl("best", "study.yaml", "--values", form, cwd=studied).out for form in ("flags", "yaml", "json")
    )
    value = data["values"]["train.x"]
    assert flags == f"--train.x {value!r}\n"
    assert yaml.safe_load(text) == json.loads(as_json) == {"train": {"x": value}}
    refused(automl("best", "study.yaml", "--values", "yml", cwd=studied), "did you mean 'yaml'?")
    refused(automl("best", "study.yaml", "--values", "json", "-o", "json", cwd=studied), "give one of the two")


@pytest.mark.parametrize("place", ["study.yaml", "study", "./study/", "{folder}/study", "file://{folder}/study"])
def test_a_study_is_named_by_its_file_or_by_its_place(place: str, studied: Path) -> None:
    wanted = automl("best", "study.yaml", "-o", "json", cwd=studied)
    ran = automl("best", place.format(folder=studied), "-o", "json", cwd=studied)
    assert (ran.code, ran.out) == (0, wanted.out)


def test_a_question_writes_nothing(studied: Path) -> None:
    before = files_below(studied)
    for command in ("plan study.yaml", "status study.yaml", "best study", "report study", "networks", "schema"):
        assert automl(*command.split(), cwd=studied).code == 0
    assert files_below(studied) == before


def test_rebuild_makes_the_same_views_again(studied: Path, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(studied, copy)
    before = files_below(copy)
    for name in ("brain.json", "controller.json", "recommendation_0.json", "report.html", "best_model/manifest.json"):
        (copy / "study" / name).unlink()
    ran = automl("rebuild", "study.yaml", cwd=copy)
    assert (ran.code, ran.out) == (0, f"rebuilt the views of {copy}/study\n")
    assert files_below(copy) == before


def test_the_page_of_a_finished_study_lies_beside_its_other_files_and_can_be_written_anywhere(studied: Path) -> None:
    ran = automl("report", "study", "--html", "page.html", cwd=studied)
    assert (ran.code, ran.out) == (0, "wrote page.html\n")
    page = (studied / "page.html").read_bytes()
    (studied / "page.html").unlink()
    assert page == (studied / "study/report.html").read_bytes()
    best = json.loads(automl("best", "study", "-o", "json", cwd=studied).out)
    assert f"experiment {best['experiment']}." in page.decode()


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ("study.yaml", "is not a report of argo-automl"),
        ("study", "is a folder"),
        ("no/a.html", "folder no does not exist"),
    ],
)
def test_a_page_is_written_over_nothing_but_a_page(target: str, says: str, studied: Path) -> None:
    before = files_below(studied)
    refused(automl("report", "study.yaml", "--html", target, cwd=studied), "--html: ", says)
    assert files_below(studied) == before


@pytest.mark.parametrize("algorithm", ALGORITHMS)
def test_init_writes_a_study_that_can_be_planned(algorithm: str, tmp_path: Path) -> None:
    ran = automl("init", "mine.yaml", "--algorithm", algorithm, cwd=tmp_path)
    assert (ran.code, ran.out) == (0, "wrote mine.yaml; next: automl plan mine.yaml\n")
    found = json.loads(automl("plan", "mine.yaml", "-o", "json", cwd=tmp_path).out)
    assert (found["study"], found["algorithm"]) == ("mine", algorithm)


def test_a_network_that_is_shown_is_the_start_of_ones_own(tmp_path: Path) -> None:
    ran = automl("networks", "show", "fashion_mnist", cwd=tmp_path)
    assert "\nname: fashion_mnist\n" in ran.out
    (tmp_path / "mine.yaml").write_text(ran.out.replace("name: fashion_mnist", "name: mine", 1))
    (tmp_path / "study.yaml").write_text("name: study\nnetwork: mine.yaml\n")
    ours, theirs = (
        json.loads(automl("networks", "show", name, "-o", "json", cwd=tmp_path).out)
        for name in ("mine.yaml", "fashion_mnist")
    )
    assert ours == {**theirs, "name": "mine"}
    assert json.loads(automl("plan", "study.yaml", "-o", "json", cwd=tmp_path).out)["network"] == "mine"


def test_init_looks_for_a_network_file_beside_the_study_file(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    write_small_study(tmp_path / "sub").unlink()
    assert automl("init", "sub/study.yaml", "-n", "small.yaml", cwd=tmp_path).code == 0
    assert automl("plan", "sub/study.yaml", cwd=tmp_path).code == 0


# -- a terminal -------------------------------------------------------------------------------------------------------


def on_terminal(*arguments: str, cwd: Path, columns: int) -> tuple[int, str]:
    """Exit code and screen of a command on a terminal of this width."""
    ours, theirs = pty.openpty()
    termios.tcsetwinsize(theirs, (40, columns))
    environment: dict[str, Any] = {
        name: value for name, value in os.environ.items() if name not in {"COLUMNS", "LINES"}
    }
    command = [sys.executable, "-m", "automl.cli", *arguments]
    with subprocess.Popen(
        command, cwd=cwd, stdout=theirs, stderr=theirs, env={**environment, "TERM": "xterm"}
    ) as child:
        os.close(theirs)
        text = read_terminal(ours)
    os.close(ours)
    return child.returncode, re.sub(r"\x1b\[[0-9;?]*[a-zA-Z]", "", text.decode()).replace("\r\n", "\n")


def test_on_a_narrow_terminal_status_still_has_one_line_an_experiment(studied: Path) -> None:
    code, screen = on_terminal("status", "study", cwd=studied, columns=60)
    assert code == 0
    assert max(map(len, screen.splitlines())) <= 60
    rows = screen.rstrip().split("\n\n")[-1].splitlines()
    assert len(rows) == 1 + 3 + 1


def test_a_reader_that_leaves_early_is_no_error(studied: Path) -> None:
    command = f"{sys.executable} -m automl.cli schema | head -1; exit ${{PIPESTATUS[0]}}"
    done = subprocess.run([BASH, "-c", command], cwd=studied, capture_output=True, text=True, check=False)
    assert done.stdout == "{\n"
    assert done.stderr == ""
    assert done.returncode in {0, 141}
