"""A network file of a user's own, and a program in plain sh: no Python, no line of ours in what trains."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.stores import open_store
from automl.study.record import Record
from automl.study.study_file import read
from automl.text import strict_json
from tests.simulation.runs import run

PROGRAM = Path(__file__).with_name("train.sh")
NETWORK = """\
name: my_net
title: A parabola in sh
task: test
image: localhost/any:1
command: [sh, {program}, "{{spec}}", "{{results}}", {format}]
spec_format: json
status: {status}
fields: {{epochs: epochs, resume_from: resume_from}}
metric: {{name: {metric}, goal: maximize}}
checkpoints: {{pattern: "step*_epoch{{epoch}}", folder: true, resume: path}}
epochs: 9
spec: {{epochs: 9, x: 100, resume_from: null}}
parameters:
  x: {{type: int, low: 0, high: 1000, automl_enabled: true}}
"""
STATUS = {
    "csv": ("{reader: csv, path: table.csv}", "score"),
    "json_lines": ("{reader: json_lines, path: metrics.jsonl, epoch: at.epoch}", "val.score"),
    "regex": (r"{reader: regex, patterns: ['Epoch (?P<epoch>\d+)/', 'val score=(?P<score>\d+)']}", "score"),
}
STUDY = "name: study\nnetwork: ./my_net.yaml\nalgorithm: hyperband\nR: 9\nmax_epochs: 9\nfinal: {repeats: 0}\n"


def network(status: str, program: str = str(PROGRAM)) -> str:
    rule, metric = STATUS[status]
    return NETWORK.format(program=program, format=status, status=rule, metric=metric)


@pytest.mark.usefixtures("quick_runner")
@pytest.mark.parametrize("status", STATUS)
def test_a_hyperband_of_a_program_in_sh(status: str, tmp_path: Path) -> None:
    (tmp_path / "my_net.yaml").write_text(network(status))
    (tmp_path / "study.yaml").write_text(STUDY)
    definition = read(tmp_path / "study.yaml")
    study = run(definition, tmp_path / "study")
    assert len(study.results) == definition.plan.runs
    assert {(result.failure, result.message) for result in study.results.values()} == {(None, "")}
    record = Record(open_store(str(tmp_path / "study")))
    controller = strict_json.load(record.store.get("controller.json") or b"", "it")
    for experiment in controller["experiments"]:
        log = (record.store.get(f"experiment_{experiment['number']}/log.txt") or b"").decode()
        begun = [line for line in log.splitlines() if line.startswith("goes on after")]
        ended = [result["epochs"] for result in experiment["results"]]
        assert begun == [f"goes on after epoch {epoch}" for epoch in [0, *ended[:-1]]]
        assert [epoch for epoch, _ in experiment["history"]] == list(range(1, ended[-1] + 1))
    best = strict_json.load(record.store.get("best_model/manifest.json") or b"", "it")
    assert {file["name"] for file in best["files"]} == {f"step225_epoch0009/{name}" for name in ("epoch", "x")}
    lines = (record.store.get("best_model/status.json") or b"").decode().splitlines()
    assert strict_json.load(lines[-1].encode(), "it")["kpi"][definition.metric_rule.name] == best["value"]
