"""A training that asks for more memory than there is is told apart by what it says; the batch size is the suspect."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.execution.steps import out_of_memory
from automl.search.history import Failure
from automl.text import strict_json
from tests.command_line import automl

_TORCH = (
    "torch.OutOfMemoryError: CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 79.10 GiB"
)


@pytest.mark.parametrize(
    "line",
    [
        _TORCH,
        "RuntimeError: CUDA out of memory. Tried to allocate 20.00 MiB (GPU 0; 7.79 GiB total capacity)",
        "RuntimeError: CUDA error: out of memory",
        "RuntimeError: [enforce fail at alloc_cpu.cpp:118] err == 0. DefaultCPUAllocator: can't allocate memory: you",
        "MemoryError",
        "numpy._core._exceptions._ArrayMemoryError: Unable to allocate 1.00 TiB for an array with shape (1,)",
        "tensorflow.python.framework.errors_impl.ResourceExhaustedError: OOM when allocating tensor with shape[64,3]",
        "terminate called after throwing an instance of 'std::bad_alloc'",
    ],
)
def test_what_libraries_say_is_known(tmp_path: Path, line: str) -> None:
    log = tmp_path / "log.txt"
    log.write_text("Traceback (most recent call last):\n" + line + "\n" + "W: rank 1 is stopped\n" * 20)
    assert out_of_memory.complaint("", log) == line
    assert out_of_memory.complaint(line, tmp_path / "none.txt") == line


@pytest.mark.parametrize(
    "text",
    [
        "",
        "epoch 1, memory 12 GB",
        "ValueError: out of memory is not what this says",
        _TORCH + "\n" + "trying again with half the batch\n" * 50,  # it went on
        "error: no such file\n",
    ],
)
def test_nothing_else_is_taken_for_it(tmp_path: Path, text: str) -> None:
    (tmp_path / "log.txt").write_text(text)
    assert out_of_memory.complaint("the loss is not finite", tmp_path / "log.txt") == ""


_PROGRAM = """
import json, pathlib, resource, sys
resource.setrlimit(resource.RLIMIT_AS, (1 << 30, 1 << 30))
spec, results = json.loads(pathlib.Path(sys.argv[1]).read_text()), pathlib.Path(sys.argv[2])
batch = bytearray(spec["train"]["batch_size"] << 20)
with (results / "status.json").open("a") as status:
    for epoch in range(1, spec["train"]["epochs"] + 1):
        print(json.dumps({"epoch": epoch, "kpi": {"score": len(batch)}}), file=status)
"""
_NETWORK = """
name: hungry
title: It takes a mebibyte for every example of a batch
task: test
image: localhost/small:1
command: [python, {program}, "{{spec}}", "{{results}}"]
spec_format: json
fields: {{epochs: train.epochs, batch_size: train.batch_size}}
metric: {{name: score, goal: maximize}}
epochs: 1
spec: {{train: {{epochs: 1, batch_size: 8}}}}
parameters:
  train.batch_size: {{type: ordered, options: [8, 4096], automl_enabled: true}}
"""
_STUDY = "{name: study, network: ./hungry.yaml, algorithm: random, max_recommendations: 5, final: {repeats: 0}}"


def test_a_search_goes_on_and_says_which_batch_was_too_large(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(_PROGRAM)
    (tmp_path / "hungry.yaml").write_text(_NETWORK.format(program=tmp_path / "program.py"))
    (tmp_path / "study.yaml").write_text(_STUDY)
    ran = automl("run", "study.yaml", "-j", "1", cwd=tmp_path)
    assert ran.code == 0, ran.err
    made = strict_json.load((tmp_path / "study" / "controller.json").read_bytes(), "controller.json")
    ended = {each["values"]["train.batch_size"]: each for each in made["experiments"]}
    assert ended[8]["results"][-1]["failure"] is None
    large = ended[4096]
    found = large["results"][-1]
    assert found["failure"] == Failure.OUT_OF_MEMORY
    assert found["message"] == "MemoryError; the first suspect is the batch size, train.batch_size = 4096"
    why = automl("why", "study", str(large["number"]), cwd=tmp_path)
    assert "it asked for more memory than there was" in why.out
    assert "train.batch_size = 4096" in why.out
    report = (tmp_path / "study" / "report.html").read_text()
    assert "out of memory: " in report
    assert "train.batch_size = 4096" in report
