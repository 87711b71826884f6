"""Looking ahead and along: what plan measures, settings of a command line, logs, and watch of a run on this machine."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from pathlib import Path

import yaml

from tests.command_line import BETTER, automl, files_below, refused, search
from tests.small_network import write_small_study


def test_logs_prints_what_a_training_has_printed(tmp_path: Path) -> None:
    search(tmp_path, "train_spec: {train.fault: crash}\nrun: {failures_in_a_row: 0}\n")
    assert automl("logs", "study.yaml", "1", cwd=tmp_path).out == "it crashed\n"
    silent = automl("logs", "study.yaml", "0", cwd=tmp_path)
    assert (silent.code, silent.out) == (0, "")
    assert silent.err.startswith("experiment 0 has printed nothing yet")
    refused(automl("logs", "study.yaml", "99", cwd=tmp_path), "there is no experiment 99", "in this study")


def test_logs_prints_what_is_under_way_on_this_machine(tmp_path: Path) -> None:
    write_small_study(tmp_path, "train_spec: {train.waits_at: [2]}\n")
    network = tmp_path / "small.yaml"
    shown = "import sys; print('line one', 'line two', sep=chr(10), flush=True); "
    program = next(tmp_path.glob("*.py"))
    program.write_text(shown + program.read_text().lstrip())
    assert network.exists()
    command = [sys.executable, "-m", "automl.cli", "run", "study.yaml", "-j", "1"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as run:
        try:
            until = time.monotonic() + 30
            while not (ran := automl("logs", "study.yaml", "0", "--lines", "1", cwd=tmp_path)).out:
                assert time.monotonic() < until, ran.err
                time.sleep(0.1)
        finally:
            run.terminate()
    assert ran.out == "line two\n"


def test_plan_prints_ranges_and_counts_with_what_a_probe_measures(tmp_path: Path) -> None:
    write_small_study(tmp_path)
    network = tmp_path / "small.yaml"
    network.write_text(re.sub(r"usual: .*\n", "", network.read_text()))
    before = files_below(tmp_path)
    assert "'automl plan --probe' measures it" in automl("plan", "study.yaml", cwd=tmp_path).out
    ran = automl("plan", "study.yaml", "--probe", cwd=tmp_path)
    assert ran.code == 0, ran.err
    assert re.search(r"^searched +range +default\ntrain.x +0 to 1 +0.5$", ran.out, flags=re.MULTILINE)
    assert re.search(
        r"measured here, by 3 epochs of the defaults; to keep it: costs: {minutes_per_epoch: [\d.e-]+", ran.out
    )
    assert re.search(r"^time +\d+ s with 1", ran.out, flags=re.MULTILINE)
    assert files_below(tmp_path) == before


def test_a_probe_of_a_program_that_fails_says_why(tmp_path: Path) -> None:
    write_small_study(tmp_path, "train_spec: {train.fault: crash, train.fault_in: all}\n")
    ran = automl("plan", "study.yaml", "--probe", cwd=tmp_path)
    assert (ran.code, ran.out) == (5, "")
    assert "the defaults cannot be trained: exit code 1: it crashed" in ran.err


def test_settings_of_the_command_line_go_before_those_of_the_file(tmp_path: Path) -> None:
    write_small_study(tmp_path)
    words = ("--set", "R=4", "--set", "nu=2", "--set", "parameters.train.x.high=0.7", "--seed", "9")
    found = json.loads(automl("plan", "study.yaml", *words, "-o", "json", cwd=tmp_path).out)
    assert found["ranges"][0]["high"] == 0.7
    ran = automl("run", "study.yaml", *words, "--store", "nine", "-j", "2", cwd=tmp_path)
    assert ran.code == 0, ran.err
    stored = (tmp_path / "nine/study.yaml").read_text()
    assert stored.startswith("# study.yaml with --set R=4 --set nu=2 --set parameters.train.x.high=0.7 --set seed=9\n")
    assert (yaml.safe_load(stored)["seed"], yaml.safe_load(stored)["R"]) == (9, 4)
    for wrong, says in (
        ("R", "KEY=VALUE"),
        ("R.x=1", "R is no group of settings"),
        ("run.jops=1", "did you mean 'jobs'?"),
    ):
        refused(automl("plan", "study.yaml", "--set", wrong, cwd=tmp_path), says)


def test_watch_follows_a_study_on_this_machine_to_its_end(tmp_path: Path) -> None:
    write_small_study(tmp_path, "train_spec: {train.waits_at: [3]}\n")
    command = [sys.executable, "-m", "automl.cli", "run", "study.yaml", "-j", "3"]
    with subprocess.Popen(command, cwd=tmp_path, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT):
        until = time.monotonic() + 30
        while not list(tmp_path.glob("study/.work/attempts/*/results/status.json")):
            assert time.monotonic() < until
            time.sleep(0.1)
        watch = subprocess.Popen(
            [*command[:3], "watch", "study.yaml"],
            cwd=tmp_path,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        assert watch.stdout is not None
        first = watch.stdout.readline()
        while watch.poll() is None:
            assert time.monotonic() < until + 30
            for attempt in tmp_path.glob("study/.work/attempts/*"):
                (attempt / "go").touch()
            time.sleep(0.1)
        out, err = watch.communicate()
    assert (watch.returncode, err) == (0, "")
    assert first.startswith("study: ")
    assert re.search(r"^experiment \d: done, epoch 3", out, flags=re.MULTILINE)
    assert re.search(r"^state +done$", out, flags=re.MULTILINE)


def test_watch_of_a_study_that_nobody_runs_says_so(tmp_path: Path) -> None:
    search(tmp_path, BETTER)
    assert automl("watch", "study", cwd=tmp_path).code == 0
    refused(automl("watch", "study", "--logs", cwd=tmp_path), "automl logs study EXPERIMENT")
    for result in (tmp_path / "study/results").glob("*/*.json"):
        result.unlink()
    ran = automl("watch", "study.yaml", cwd=tmp_path)
    assert ran.code == 5
    assert "no process of this machine runs it; 'automl run study.yaml' continues it" in ran.err


def test_plan_of_a_chain_says_how_many_fill_the_space(tmp_path: Path) -> None:
    study = "name: study\nnetwork: small.yaml\nalgorithm: bayesian\nmax_recommendations: {}\n"
    for experiments, says in (
        (20, "4 to fill the space, then 15 by the model"),
        (4, "3 to fill the space; none is left"),
    ):
        write_small_study(tmp_path, study=study.format(experiments))
        assert f"note: the defaults, {says}" in automl("plan", "study.yaml", cwd=tmp_path).out
