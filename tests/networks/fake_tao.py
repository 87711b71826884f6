"""A program with the manners of a TAO container: command line, spec, status lines, checkpoints. No automl in it.

    fake_tao.py detectnet_v2 train --gpus 1 -e SPEC -r RESULTS      a spec in protobuf text, resumed in place
    fake_tao.py classification_pyt train -e SPEC results_dir=RESULTS train.num_gpus=1     in YAML, by path

The names of checkpoints and metrics of the PyTorch networks are those of tao/pytorch-6.26.3.json, which lies beside it.
Standard library only: it reads of the spec the few lines that it needs. What it fits is a parabola: the metric is best
where the learning rate is 1e-3, and it grows with the epochs. A checkpoint holds all that it goes on from.
"""

from __future__ import annotations

import json
import math
import os
import re
import sys
import time
import zipfile
from pathlib import Path

DATA = Path("/data")
CLIENT = json.loads((Path(__file__).parent / "tao" / "pytorch-6.26.3.json").read_text())["programs"]
LINE = {"date": "11/24/2026", "verbosity": "INFO", "status": "RUNNING"}


class Status:
    """status.json: appended, one object a line; kpi and graphical stay set, and later lines repeat them."""

    def __init__(self, path: Path) -> None:
        path.parent.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.groups: dict[str, dict[str, float]] = {}

    def write(self, message: str, groups: dict[str, dict[str, float]] | None = None, **members: object) -> None:
        self.groups.update(groups or {})
        line = {**LINE, "time": time.strftime("%H:%M:%S"), "message": message, **members, **self.groups}
        with self.path.open("a") as file:
            file.write(json.dumps(line) + "\n")


def found(spec: str, name: str, otherwise: str = "") -> str:
    """The value of the first field of that name, in YAML or protobuf text."""
    match = re.search(rf"^\s*{name}\s*:\s*(.+?)\s*$", spec, re.MULTILINE)
    return match[1].strip("\"'") if match else otherwise


def look_at(data: Path) -> None:
    """Says what lies in the folder of the data, where there is one, and whether it can be written."""
    if data.is_dir():
        names = ", ".join(sorted(path.name for path in data.iterdir()))
        print(f"in {data}: {names}, {'writable' if os.access(data, os.W_OK) else 'read only'}", flush=True)


def score(rate: float, epoch: int) -> float:
    return math.exp(-((math.log10(rate) + 3) ** 2)) * (1 - 1 / (1 + epoch))


def detectnet_v2(spec: str, results: Path) -> None:
    """Epochs from 0 in the lines and from 1 in the names; goes on from the highest checkpoint in RESULTS."""
    epochs, rate = int(found(spec, "num_epochs")), float(found(spec, "max_learning_rate"))
    interval = int(found(spec, "checkpoint_interval", "1"))
    look_at(DATA)
    saved = sorted((int(path.stem.rpartition("-")[2]), path) for path in results.glob("model.epoch-*.ckzip"))
    done, history = 0, []
    if saved:
        done = saved[-1][0]
        with zipfile.ZipFile(saved[-1][1]) as file:
            history = json.loads(file.read("history"))
        assert len(history) == done, "the checkpoint is of another epoch than its name says"
    print(f"goes on from epoch {done}" if done else "starts", flush=True)
    status = Status(results / "status.json")
    status.write("Starting DetectNet_v2 Training job", status="STARTED")
    for epoch in range(done, epochs):
        status.write(
            "Training loop in progress", {"graphical": {"loss": 1 / (1 + epoch)}}, epoch=epoch, max_epoch=epochs
        )
        history.append(score(rate, epoch + 1))
        if (epoch + 1) % interval == 0 or epoch + 1 == epochs:
            with zipfile.ZipFile(results / f"model.epoch-{epoch + 1}.ckzip", "w") as file:
                file.writestr("history", json.dumps(history))
            (results / f"model.epoch-{epoch + 1}.hdf5").write_text("weights")
        status.write("Evaluation metrics generated.", {"kpi": {"mean average precision": 100 * history[-1]}})
    (results / "weights").mkdir(exist_ok=True)
    (results / "weights" / "model.hdf5").write_text("weights")
    status.write("DetectNet_v2 finished", {"kpi": {"size": 42.9, "param_count": 11.2}}, status="SUCCESS")


def of_pytorch(name: str, spec: str, results: Path) -> None:
    """Epochs from 0 in the lines and in the names; goes on from a path; the metrics come before their epoch."""
    epochs, rate = int(found(spec, "num_epochs")), float(found(spec, "lr"))
    resume, done = found(spec, "resume_training_checkpoint_path"), 0
    if resume not in {"", "null"}:
        done = int(json.loads(Path(resume).read_text())["epoch"]) + 1
    print(f"goes on from epoch {done}" if done else "starts", flush=True)
    status = Status(results / "train" / "status.json")
    status.write("Starting Training Loop.", status="STARTED")
    status.write(spec * 20)
    for epoch in range(done, epochs):
        print(f"epoch {epoch} lr {rate * (1 - epoch / epochs):.6g}", flush=True)  # linear, as the client's default is
        time.sleep(float(os.environ.get("FAKE_TAO_SECONDS", "0")))
        metrics = dict.fromkeys(metrics_of(name), score(rate, epoch + 1))
        status.write("Eval metrics generated.", {"kpi": {**metrics, "val_loss": 1 / (1 + epoch)}})
        checkpoint = results / "train" / checkpoint_of(name, epoch)
        checkpoint.write_text(json.dumps({"epoch": epoch}))
        (results / "train" / f"{name}_model_latest.pth").write_text(checkpoint.read_text())
        status.write("Training loop in progress", epoch=epoch, step=25, max_epoch=epochs - 1)
        status.write("Train metrics generated.", {"kpi": {"train_loss": 1 / (1 + epoch)}})
    status.write("Train finished successfully.")


def metrics_of(name: str) -> list[str]:
    """The values of a validation; where the client makes up their names, that of the classification."""
    named = [value for value in CLIENT[name]["status"] if value.startswith("val_")]
    return [*named, *(["val_acc_1"] if "*" in CLIENT[name]["status"] else [])]


def checkpoint_of(name: str, epoch: int) -> str:
    """The name that Lightning makes of the client's pattern."""
    (pattern,) = CLIENT[name]["checkpoints"]
    full = pattern.replace("{epoch", "epoch_{epoch").replace("{step", "step_{step")
    return str(full.format(epoch=epoch, step=25 * (epoch + 1)))


def main() -> None:
    network, task, *words = sys.argv[1:]
    options = {name: words[place + 1] for place, name in enumerate(words) if name in {"-e", "-r", "--gpus"}}
    overrides = dict(word.split("=", 1) for word in words if "=" in word)
    if network not in {"detectnet_v2", *CLIENT} or task != "train" or "-e" not in options:
        sys.exit(f"no such task: {' '.join(sys.argv[1:])}")
    spec = Path(options["-e"]).read_text()
    if network == "detectnet_v2":
        detectnet_v2(spec, Path(options["-r"]))
    else:
        of_pytorch(network, spec, Path(overrides["results_dir"]))


if __name__ == "__main__":
    main()
