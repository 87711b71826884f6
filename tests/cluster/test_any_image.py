"""Trainings on a real Argo in images that know nothing of us: without Python, as people have them, with TAO's manners.

The first holds a static busybox and a program in sh, where this machine has a busybox to give; otherwise it is the
usual base, of which only sh is used.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from automl.stores import open_store
from tests.any_image.test_any_image import PROGRAM, network
from tests.cluster.clusters import BRAIN, begun, build_image, command, decisions, ended, replayed

FAKE_TAO = Path(__file__).parents[1] / "networks" / "fake_tao.py"
PROGRAMS = Path(__file__).parents[1] / "programs"
AS_THEY_ARE = ("with_arguments.py", "with_overrides.py", "styles/with_variables.py")
TAG = os.environ.get("AUTOML_TEST_TAG", "test")
SH, TAO = f"localhost/automl-sh:{TAG}", f"localhost/automl-fake-tao:{TAG}"
MINE, SLOW_IMAGE, TWO_IMAGE = (f"localhost/automl-{name}:{TAG}" for name in ("mine", "slow", "two"))
APPLETS = ("sh", "[", "cat", "echo", "head", "kill", "mkdir", "mkfifo", "mv", "printf", "sed", "sleep", "tee", "test")
HYPERBAND = "algorithm: hyperband\nsampler: uniform\nR: 3\nmax_epochs: 3\nfinal: {repeats: 0}\n"
UNTIL = "algorithm: bayesian\nmax_recommendations: 8\nparallel: 2\nfinal: {repeats: 0}\nuntil: {epochs: 9}\n"
RANDOM = "algorithm: random\nmax_recommendations: 3\nfinal: {repeats: 0}\n"
PLAIN = r"""
network:
  command: [python, /opt/mine/with_arguments.py, --epochs, "{epochs}", --seed, "{seed}", "{args}"]
  metric: {name: val_acc, goal: maximize}
  status: {reader: regex, patterns: ['epoch (?P<epoch>\d+) val_acc=(?P<val_acc>{number})']}
  keep: [model.pt]
  epochs: 3
  parameters: {lr: {low: 0.0001, high: 0.1, log: true}, batch-size: {options: [16, 32, 64]}}
"""
OVERRIDES = (
    PLAIN.replace('with_arguments.py, --epochs, "{epochs}", --seed, "{seed}"', 'with_overrides.py, "epochs={epochs}"')
    .replace("batch-size: {options: [16, 32, 64]}", "model.depth: {low: 1, high: 4}")
    .replace("  keep:", "  arguments: hydra\n  keep:")
)
VARIABLES = r"""
network:
  command: [python, /opt/mine/with_variables.py]
  environment: {LR: "{lr}", LAYERS: "{layers}"}
  metric: {name: accuracy, goal: maximize}
  status: {reader: regex, patterns: ['test accuracy: (?P<accuracy>{number})'], without_epoch: one, of_epoch: last}
  epochs: 1
  fixed_epochs: true
  parameters: {lr: {low: 0.001, high: 1, log: true}, layers: {low: 1, high: 4}}
"""
# Two seconds an epoch, and nothing is better than the default
SLOW = """\
import argparse, math, time

parser = argparse.ArgumentParser()
parser.add_argument("--lr", type=float, default=0.001)
parser.add_argument("--epochs", type=int, default=9)
args = parser.parse_args()
for epoch in range(1, args.epochs + 1):
    time.sleep(2)
    with open("model.pt", "w") as file:
        file.write(f"{args.lr} {epoch}")
    print(f"epoch {epoch} val_acc={0.9 - abs(math.log10(args.lr) + 3) / 4 + epoch / 1000}", flush=True)
"""
STOPPED = r"""
network:
  command: [python, /opt/mine/slow.py, "{args}", --epochs, "{epochs}"]
  metric: {name: val_acc, goal: maximize}
  status: {reader: regex, patterns: ['epoch (?P<epoch>\d+) val_acc=(?P<val_acc>{number})']}
  keep: [model.pt]
  epochs: 9
  parameters: {lr: {low: 0.0001, high: 0.1, log: true, default: 0.001}}
"""
TWO = """\
import argparse, math

parser = argparse.ArgumentParser()
parser.add_argument("--width", type=int, default=96)
parser.add_argument("--epochs", type=int, default=3)
args = parser.parse_args()
for epoch in range(1, args.epochs + 1):
    with open("model.pt", "w") as file:
        file.write(str(args.width))
    print(f"epoch {epoch} val_acc={0.9 - 3 / args.width + epoch / 100} latency_ms={args.width / 8}", flush=True)
"""
TWO_METRICS = r"""
network:
  command: [python, /opt/mine/two.py, "{args}", --epochs, "{epochs}"]
  metrics: [{name: val_acc, goal: maximize}, {name: latency_ms, goal: minimize}]
  status:
    reader: regex
    patterns: ['epoch (?P<epoch>\d+) val_acc=(?P<val_acc>{number}) latency_ms=(?P<latency_ms>{number})']
  keep: [model.pt]
  epochs: 3
  parameters: {width: {low: 8, high: 256, log: true, default: 96}}
constraints: [{metric: latency_ms, below: 10}]
"""
HALVING = "algorithm: successive_halving\nR: 3\nmax_recommendations: 5\nresume: none\nfinal: {repeats: 0}\n"
ASHA = "algorithm: asha\nR: 9\nmax_recommendations: 5\nresume: stop\nfinal: {repeats: 0}\n"


CLAIM = """\
apiVersion: v1
kind: PersistentVolume
metadata: {{name: {name}}}
spec:
  accessModes: [ReadOnlyMany]
  capacity: {{storage: 1Mi}}
  claimRef: {{namespace: argo, name: {name}}}
  storageClassName: ""
  hostPath: {{path: {folder}}}
---
apiVersion: v1
kind: PersistentVolumeClaim
metadata: {{name: {name}}}
spec:
  accessModes: [ReadOnlyMany]
  resources: {{requests: {{storage: 1Mi}}}}
  storageClassName: ""
  volumeName: {name}
"""


def static_busybox() -> str | None:
    path = shutil.which("busybox")
    if path is None:
        return None
    said = subprocess.run(["ldd", path], capture_output=True, text=True, check=False)  # noqa: S607 - of the system
    return path if "not a dynamic executable" in said.stdout + said.stderr else None


def sh_image(context: Path) -> None:
    """Writes what SH is built from."""
    base = "ARG BASE=python:3.11-slim\nFROM ${BASE}\n"
    busybox = static_busybox()
    if busybox is not None:
        base = "FROM scratch\nENV PATH=/bin\nCOPY root/ /\n"
        (context / "root" / "bin").mkdir(parents=True)
        shutil.copy(busybox, context / "root" / "bin" / "busybox")
        for applet in APPLETS:
            (context / "root" / "bin" / applet).symlink_to("busybox")
    shutil.copy(PROGRAM, context / "train.sh")
    (context / "Dockerfile").write_text(f"{base}COPY train.sh /train.sh\n")


def tao_image(context: Path) -> None:
    shutil.copy(FAKE_TAO, context / "fake_tao.py")
    shutil.copytree(FAKE_TAO.with_name("tao"), context / "tao", ignore=shutil.ignore_patterns("__pycache__"))
    (context / "bin").mkdir()
    for name in ("detectnet_v2", "classification_pyt"):
        (context / "bin" / name).write_text(f'#!/bin/sh\nexec python3 /fake_tao.py {name} "$@"\n')
        (context / "bin" / name).chmod(0o755)
    (context / "Dockerfile").write_text(
        "ARG BASE=python:3.11-slim\nFROM ${BASE}\n"
        "COPY fake_tao.py /fake_tao.py\nCOPY tao /tao\nCOPY bin /usr/local/bin\n"
    )


def build_programs(image: str, context: Path, programs: Mapping[str, str]) -> None:
    """Builds an image with these programs, by name, in /opt/mine."""
    context.mkdir()
    for name, text in programs.items():
        (context / name).write_text(text)
    (context / "Dockerfile").write_text("ARG BASE=python:3.11-slim\nFROM ${BASE}\nCOPY *.py /opt/mine/\n")
    build_image(image, str(context), "-f", str(context / "Dockerfile"))


@pytest.fixture
def claim(tmp_path: Path) -> Iterator[str]:
    """A PersistentVolumeClaim on a folder of this machine that holds one file, `labels.csv`."""
    name = f"automl-data-{time.time_ns()}"
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "labels.csv").touch()
    for path in (folder, *tmp_path.parents[:2], tmp_path):  # the pod's user is another one
        path.chmod(0o755)
    manifest = tmp_path / "claim.yaml"
    manifest.write_text(CLAIM.format(name=name, folder=folder))
    command("kubectl", "-n", "argo", "apply", "-f", str(manifest))
    yield name
    command("kubectl", "-n", "argo", "delete", "--wait=false", "-f", str(manifest))


def submitted(
    folder: Path, bucket: str, text: str, image: str, cluster: str = "", *, algorithm: str = HYPERBAND
) -> None:
    """The study is searched on Argo, with this bucket as its store and trainings in this image."""
    endpoint = json.dumps(os.environ["AWS_ENDPOINT_URL"])
    (folder / "study.yaml").write_text(
        f"name: any\n{text}{algorithm}costs: {{gpus: 0}}\nrun: {{store: {bucket}, jobs: 3}}\n"
        f"cluster: {{brain_image: {BRAIN}, image: {image}, endpoint: {endpoint}, cpu: 0.05, memory: 128Mi{cluster}}}\n"
    )
    compiled = folder / "workflow.yaml"
    command("automl", "compile", str(folder / "study.yaml"), "-o", str(compiled))
    assert ended(begun("submit", str(compiled)))["status"]["phase"] == "Succeeded"


@pytest.mark.usefixtures("images")
def test_an_image_without_python_is_searched_and_goes_on_from_folders(tmp_path: Path, bucket: str) -> None:
    context = tmp_path / "image"
    context.mkdir()
    sh_image(context)
    build_image(SH, str(context), "-f", str(context / "Dockerfile"))
    (tmp_path / "my_net.yaml").write_text(network("csv", "/train.sh"))
    submitted(tmp_path, bucket, "network: ./my_net.yaml\n", SH)
    store = open_store(bucket)
    best = json.loads(store.get("best_model/manifest.json") or b"")
    assert {file["name"] for file in best["files"]} == {f"step75_epoch0003/{name}" for name in ("epoch", "x")}
    log = (store.get(f"experiment_{best['experiment']}/log.txt") or b"").decode()
    assert "goes on after epoch 0" in log


@pytest.mark.usefixtures("images")
@pytest.mark.parametrize(
    ("text", "algorithm"),
    [(PLAIN, f"{HYPERBAND}resume: none\n"), (OVERRIDES, UNTIL), (VARIABLES, RANDOM)],
    ids=["arguments-hyperband", "hydra-bayesian-until", "environment-random"],
)
def test_a_program_as_people_have_it_is_searched_with_no_line_changed(
    text: str, algorithm: str, tmp_path: Path, bucket: str
) -> None:
    build_programs(MINE, tmp_path / "image", {Path(name).name: (PROGRAMS / name).read_text() for name in AS_THEY_ARE})
    submitted(tmp_path, bucket, text, MINE, algorithm=algorithm)
    store = open_store(bucket)
    controller = json.loads(store.get("controller.json") or b"")
    best = controller["experiments"][controller["best"]["experiment"]]
    if "keep:" in text:
        assert json.loads(store.get("best_model/model.pt") or b"")["lr"] == best["values"]["lr"]
    results = [result for each in controller["experiments"] for result in each["results"]]
    if algorithm == UNTIL:
        end = json.loads(store.get("ends/0.json") or b"")
        assert end["limit"] == "epochs"
        assert len(results) == 4  # of eight: two at a time, of three epochs each, until nine are trained
        return
    if algorithm == RANDOM:
        assert [result["failure"] for result in results] == [None] * 3
        return
    assert len(results) == 4
    for each in controller["experiments"]:
        log = (store.get(f"experiment_{each['number']}/log.txt") or b"").decode()
        last = each["results"][-1]["epochs"]
        assert re.findall(r"epoch (\d+) ", log)[-last:] == [str(epoch) for epoch in range(1, last + 1)]  # anew


@pytest.mark.usefixtures("images")
def test_a_program_without_checkpoints_is_started_once_and_stopped_where_it_falls_behind(
    tmp_path: Path, bucket: str
) -> None:
    build_programs(SLOW_IMAGE, tmp_path / "image", {"slow.py": SLOW})
    submitted(tmp_path, bucket, STOPPED, SLOW_IMAGE, algorithm=ASHA)
    store = open_store(bucket)
    rows = json.loads(store.get("controller.json") or b"")["experiments"]
    assert rows[0]["status"] == "success"
    assert (store.get("best_model/model.pt") or b"").split() == [b"0.001", b"9"]
    stopped = [each for each in rows if each["status"] == "stopped"]
    assert stopped
    for each in stopped:
        assert [result["epochs"] for result in each["results"]] == [3]
        log = (store.get(f"experiment_{each['number']}/log.txt") or b"").decode()
        assert re.findall(r"epoch (\d+) ", log)[:3] == ["1", "2", "3"]
        assert "epoch 9 " not in log
    replayed(store)


@pytest.mark.usefixtures("images")
def test_two_metrics_and_a_constraint_decide_as_here(tmp_path: Path, bucket: str) -> None:
    build_programs(TWO_IMAGE, tmp_path / "image", {"two.py": TWO})
    submitted(tmp_path, bucket, TWO_METRICS, TWO_IMAGE, algorithm=HALVING)
    here = tmp_path / "here"
    here.mkdir()
    (here / "two.py").write_text(TWO)
    study = f"name: any\n{TWO_METRICS.replace('/opt/mine/', '')}{HALVING}run: {{jobs: 2}}\n"
    (here / "study.yaml").write_text(study)
    command("automl", "run", str(here / "study.yaml"))
    store = open_store(bucket)
    assert decisions(store) == decisions(open_store(str(here / "any")))
    rows = json.loads(store.get("controller.json") or b"")
    best = rows["experiments"][rows["best"]["experiment"]]
    assert best["values"]["width"] <= 80
    replayed(store)


@pytest.mark.usefixtures("images")
def test_what_behaves_as_a_tao_container_is_searched_and_goes_on_in_place(
    tmp_path: Path, bucket: str, claim: str
) -> None:
    context = tmp_path / "image"
    context.mkdir()
    tao_image(context)
    build_image(TAO, str(context), "-f", str(context / "Dockerfile"))
    submitted(
        tmp_path,
        bucket,
        "network: detectnet_v2\ndataset: /data\n",
        TAO,
        f", volumes: [{{claim: {claim}, path: /data}}]",
    )
    store = open_store(bucket)
    best = json.loads(store.get("best_model/manifest.json") or b"")
    assert {file["name"] for file in best["files"]} == {"model.epoch-3.ckzip", "model.epoch-3.hdf5"}
    controller = json.loads(store.get("controller.json") or b"")
    gone_on = [each for each in controller["experiments"] if len(each["results"]) > 1]
    assert gone_on
    for experiment in gone_on:
        log = store.get(f"experiment_{experiment['number']}/log.txt") or b""
        assert (log.count(b"starts\n"), log.count(b"goes on from epoch")) == (1, len(experiment["results"]) - 1)
        assert b"in /data: labels.csv, read only" in log
        assert [epoch for epoch, _ in experiment["history"]] == [1, 2, 3]


@pytest.mark.usefixtures("images")
def test_what_is_stopped_at_its_rung_has_the_learning_rates_of_an_undisturbed_training(
    tmp_path: Path, bucket: str
) -> None:
    context = tmp_path / "image"
    context.mkdir()
    tao_image(context)
    build_image(TAO, str(context), "-f", str(context / "Dockerfile"))
    text = "network: classification_pyt\ndataset: /data\n"
    submitted(tmp_path, bucket, text, TAO, ", environment: {FAKE_TAO_SECONDS: '1'}")
    store = open_store(bucket)
    controller = json.loads(store.get("controller.json") or b"")
    assert {each["status"] for each in controller["experiments"]} <= {"success", "stopped"}
    assert [each for each in controller["experiments"] if len(each["results"]) > 1]
    for each in controller["experiments"]:
        (rate,) = [value for name, value in each["values"].items() if name.endswith(".lr")]
        log = (store.get(f"experiment_{each['number']}/log.txt") or b"").decode()
        for epoch, seen in re.findall(r"epoch (\d+) lr (\S+)", log):
            assert float(seen) == pytest.approx(rate * (1 - int(epoch) / 3), rel=1e-4)
        assert (log.count("starts\n"), log.count("goes on from epoch")) == (1, len(each["results"]) - 1)
