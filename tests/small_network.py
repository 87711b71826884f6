"""A network that trains in no time, for tests of everything around a training: its program, its file, a study of it.

The metric is `score`, best at train.x = 0.5, which is the default; it grows with the epochs. What `train.fault` says
goes wrong in every experiment whose train.x is not 0.5, or in all of them with `train.fault_in: all`. Before each epoch
of `train.waits_at` it waits for a file `go` beside its spec, unless it goes on from just there.
"""

from __future__ import annotations

from pathlib import Path

PROGRAM = """
import json, os, pathlib, sys, time

spec, results = json.loads(pathlib.Path(sys.argv[1]).read_text()), pathlib.Path(sys.argv[2])
train = spec["train"]
x, fault = train["x"], train["fault"]
if x == 0.5 and train["fault_in"] != "all":
    fault = None
first = 1
if train["resume_from"]:
    try:
        first = json.loads(pathlib.Path(train["resume_from"]).read_text())["epoch"] + 1
    except ValueError:
        sys.exit("the checkpoint cannot be read")
if fault == "crash":
    sys.exit("it crashed")
if fault == "hang":
    time.sleep(600)
if fault == "kill":
    os.kill(os.getpid(), 9)
if fault == "memory":
    fault = b"x" * (1 << 30)
with (results / "status.json").open("a") as status:
    for epoch in range(first, train["epochs"] + 1):
        while epoch in train["waits_at"] and epoch != first and not (results.parent / "go").exists():
            time.sleep(0.1)
        text = json.dumps({"epoch": epoch, "ballast": "x" * train["kilobytes"] * 1024})
        if fault != "no_checkpoint":
            (results / f"model_{epoch}.json").write_text(text[:5] if fault == "torn" else text)
        score = {"nan": "nan", "inf": float("inf")}.get(fault, 1 - (x - 0.5) ** 2 - 1 / (1 + epoch))
        name = "other" if fault == "no_metric" else "score"
        print(json.dumps({"epoch": epoch, "kpi": {name: score}}), file=status, flush=True)
"""

NETWORK = """\
name: small
title: A parabola
task: test
image: localhost/small:1
command: [python, {program}, "{{spec}}", "{{results}}"]
spec_format: json
fields: {{epochs: train.epochs, seed: train.seed, resume_from: train.resume_from}}
metric: {{name: score, goal: maximize}}
checkpoints: {{pattern: "model_{{epoch}}.json"}}
epochs: 3
usual: {{minutes_per_epoch: 0.01}}
spec:
  train: {{epochs: 3, seed: 1, x: 0.5, kilobytes: 0, waits_at: [], fault: null, fault_in: others, resume_from: null}}
  layers: [1, 2]
parameters:
  train.x: {{type: float, low: 0.0, high: 1.0, automl_enabled: true}}
"""

STUDY = """\
name: study
network: small.yaml
algorithm: hyperband
R: 3
sampler: uniform
final: {repeats: 1}
"""


def write_small_network(folder: Path) -> None:
    """small.yaml and its program in a folder."""
    program = folder / "small.py"
    program.write_text(PROGRAM)
    (folder / "small.yaml").write_text(NETWORK.format(program=program))


def write_small_study(folder: Path, more: str = "", study: str = STUDY) -> Path:
    """study.yaml beside its network; `more` is added at its end."""
    write_small_network(folder)
    path = folder / "study.yaml"
    path.write_text(study + more)
    return path
