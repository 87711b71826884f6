"""The GPUs of a machine: what its makers' tools say, what is left of it, and which training gets which."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.errors import StudyFileError
from automl.execution.gpus import Gpus, found, shared
from tests.command_line import automl, refused

NVIDIA = """\
GPU 0: NVIDIA A100-SXM4-80GB (UUID: GPU-11111111-aaaa-bbbb-cccc-000000000000)
GPU 1: NVIDIA A100-SXM4-80GB (UUID: GPU-22222222-aaaa-bbbb-cccc-000000000000)
"""
SLICED = """\
GPU 0: NVIDIA A100-SXM4-80GB (UUID: GPU-11111111-aaaa-bbbb-cccc-000000000000)
  MIG 3g.40gb     Device  0: (UUID: MIG-aaaa)
  MIG 3g.40gb     Device  1: (UUID: MIG-bbbb)
GPU 1: NVIDIA A100-SXM4-80GB (UUID: GPU-22222222-aaaa-bbbb-cccc-000000000000)
"""
AMD = """\


============================ ROCm System Management Interface ============================
=========================================== ID ===========================================
GPU[0]\t\t: Device Name: \t\tAMD Instinct MI210
GPU[0]\t\t: Device ID: \t\t0x740f
GPU[1]\t\t: Device Name: \t\tAMD Instinct MI210
GPU[1]\t\t: Device ID: \t\t0x740f
==========================================================================================
================================== End of ROCm SMI Log ===================================
"""


@pytest.fixture(autouse=True)
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder of the makers' tools, in front of PATH; there are none in it, and nothing is hidden."""
    folder = tmp_path / "tools"
    folder.mkdir()
    for name in ("nvidia-smi", "rocm-smi"):  # in place of those that this machine may have
        tool(folder, name, "", code=127)
    monkeypatch.setenv("PATH", str(folder), prepend=":")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    return folder


def tool(folder: Path, name: str, prints: str, code: int = 0, before: str = "") -> None:
    (folder / name).write_text(f"#!/bin/sh\n{before}\ncat <<'END'\n{prints}END\nexit {code}\n")
    (folder / name).chmod(0o755)


@pytest.mark.parametrize(
    ("name", "prints", "names"),
    [
        ("nvidia-smi", NVIDIA, ("0", "1")),
        ("nvidia-smi", SLICED, ("MIG-aaaa", "MIG-bbbb", "1")),
        ("nvidia-smi", "No devices found.\n", ()),
        ("rocm-smi", AMD, ("0", "1")),
        ("rocm-smi", "", ()),
    ],
)
def test_gpus_are_found_by_the_tools(name: str, prints: str, names: tuple[str, ...], tools: Path) -> None:
    tool(tools, name, prints)
    assert found() == names


@pytest.mark.parametrize(
    "message", ["NVIDIA-SMI has failed because it couldn't communicate with the NVIDIA driver.\n", NVIDIA]
)
def test_a_tool_that_fails_finds_nothing(message: str, tools: Path) -> None:
    tool(tools, "nvidia-smi", message, code=9)
    assert found() == ()


@pytest.mark.parametrize(
    ("visible", "names"),
    [
        ("1", ("1",)),
        ("1,0", ("1", "0")),
        ("0,7,1", ("0",)),
        ("", ()),
        ("-1", ()),
        ("GPU-2222", ("1",)),
        (" 0 , 1 ", ("0", "1")),
    ],
)
def test_what_is_hidden_from_us_is_not_used(
    visible: str, names: tuple[str, ...], tools: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool(tools, "nvidia-smi", NVIDIA)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", visible)
    assert found() == names


def test_trainings_share_the_gpus_evenly() -> None:
    gpus = Gpus(("0", "1", "2", "3"), 2, known=True)
    assert gpus.places == 2
    assert gpus.for_next([]) == ("0", "1")
    assert gpus.for_next(["0", "1"]) == ("2", "3")
    assert gpus.for_next(["0", "1", "2", "3", "2", "3"]) == ("0", "1")
    assert gpus.variables(("2", "3"))["CUDA_VISIBLE_DEVICES"] == "2,3"


def test_a_machine_without_gpus_hides_nothing_and_an_empty_list_hides_all() -> None:
    assert shared(None, 1).variables(()) == {}
    assert shared(None, 4).places is None
    assert shared([], 1).variables(()) == {
        "CUDA_DEVICE_ORDER": "PCI_BUS_ID",
        "CUDA_VISIBLE_DEVICES": "",
        "HIP_VISIBLE_DEVICES": "",
    }


def test_a_training_that_takes_more_than_there_are_is_refused(tools: Path) -> None:
    tool(tools, "nvidia-smi", NVIDIA)
    with pytest.raises(StudyFileError, match=r"gpus: 4, and this machine has 2; allowed: at most 2"):
        shared(None, 4)
    with pytest.raises(StudyFileError, match="run: gpus has 1"):
        shared(["GPU-1"], 2)


PROGRAM = """\
import os, time
print("sees", os.environ.get("CUDA_VISIBLE_DEVICES"), "at", time.monotonic())
time.sleep(0.4)
print("epoch 1 loss=0.5")
print("left at", time.monotonic())
"""
STUDY = """\
name: mine
network:
  command: [python, train.py, "{lr}", "{epochs}"]
  metric: {name: loss, goal: minimize}
  status: {reader: regex, patterns: ['epoch (?P<epoch>\\d+) loss=(?P<loss>{number})']}
  epochs: 1
  parameters: {lr: {low: 0.1, high: 1.0}}
algorithm: random
max_recommendations: 6
final: {repeats: 0}
"""


@pytest.mark.usefixtures("quick_runner")
@pytest.mark.parametrize(
    ("more", "options", "seen", "most"),
    [
        ("", [], {"0", "1"}, 2),
        ("costs: {gpus: 2}\n", [], {"0,1"}, 1),
        ("run: {gpus: [1]}\n", [], {"1"}, 1),
        ("run: {gpus: [1, 0]}\n", ["-j", "4"], {"0", "1"}, 4),
    ],
)
def test_one_experiment_a_gpu_and_each_sees_its_own(
    more: str, options: list[str], seen: set[str], most: int, tools: Path
) -> None:
    tmp_path = tools.parent
    tool(tools, "nvidia-smi", NVIDIA)
    (tmp_path / "train.py").write_text(PROGRAM)
    (tmp_path / "study.yaml").write_text(STUDY + more)
    ran = automl("run", "study.yaml", *options, cwd=tmp_path)
    assert ran.code == 0, ran
    spans = []
    for number in range(6):
        words = (tmp_path / f"mine/experiment_{number}/log.txt").read_text().split()
        spans.append((words[1], float(words[3]), float(words[-1])))
    assert {devices for devices, _, _ in spans} == seen
    at_a_time = [
        [devices for devices, began, ended in spans if began <= at < ended] for at in (span[1] for span in spans)
    ]
    assert max(map(len, at_a_time)) <= most
    if most == len(seen):  # nobody shares one
        assert all(len(set(devices)) == len(devices) for devices in at_a_time)


def test_more_gpus_than_there_are_stop_a_run_before_it_begins(tools: Path, tmp_path: Path) -> None:
    tool(tools, "nvidia-smi", NVIDIA)
    (tmp_path / "train.py").write_text(PROGRAM)
    (tmp_path / "study.yaml").write_text(STUDY + "costs: {gpus: 3}\n")
    refused(automl("run", "study.yaml", cwd=tmp_path), "costs: gpus: 3, and this machine has 2")
    assert not (tmp_path / "mine").exists()


@pytest.mark.parametrize("gpus", ["[-1]", "0", "['a b']", "[0.5]"])
def test_bad_gpus_are_refused(gpus: str, tmp_path: Path) -> None:
    (tmp_path / "train.py").write_text(PROGRAM)
    (tmp_path / "study.yaml").write_text(f"{STUDY}run: {{gpus: {gpus}}}\n")
    refused(automl("plan", "study.yaml", cwd=tmp_path), "run.gpus")
