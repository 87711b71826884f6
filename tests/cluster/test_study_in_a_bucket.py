"""A whole study with real training in a bucket of a real S3 server, beside the same study in a folder."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from pathlib import Path

import pytest

from automl.errors import AutoMLError
from automl.execution import submission
from automl.stores import open_store
from tests.small_network import STUDY as SMALL
from tests.small_network import write_small_network

STUDY = """\
name: bucket
network: fashion_mnist
algorithm: hyperband
sampler: uniform
R: 3
nu: 3
max_epochs: 3
train_spec: {data.limit: 600}
"""


def automl(*words: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "automl.cli", *words],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_study_in_a_bucket_decides_as_in_a_folder_and_is_nothing_but_its_objects(tmp_path: Path, bucket: str) -> None:
    (tmp_path / "study.yaml").write_text(STUDY)
    automl("run", "study.yaml", "-j", "2", folder=tmp_path)
    automl("run", "study.yaml", "-j", "2", "--store", bucket, folder=tmp_path)
    folder, remote = open_store(str(tmp_path / "bucket")), open_store(bucket)
    decisions = folder.list("decisions/")
    assert len(decisions) == 3  # two rungs and the final judgement
    assert {key: folder.get(key) for key in decisions} == {key: remote.get(key) for key in remote.list("decisions/")}
    weights = [key for key in remote.list("best_model/") if key.endswith(".pt")]
    assert len(weights) == 1
    assert folder.get(weights[0]) == remote.get(weights[0])

    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    before = {key: remote.get(key) for key in remote.list("") if "/rung_" not in key}
    automl("rebuild", bucket, folder=elsewhere)  # another folder: nothing but the bucket is needed
    assert {key: remote.get(key) for key in before} == before
    found = json.loads(automl("status", bucket, "-o", "json", folder=elsewhere))
    assert found["state"] == "done"
    assert found["epochs"]["pending"] == 0


def sent_parameters(study: str) -> submission.Submission:
    given = {"algorithm": "hyperband", "store": "s3://bucket/mine", "study": study}
    listed = json.dumps([{"name": name, "value": value} for name, value in given.items()])
    return submission.parameters(base64.b64encode(listed.encode()).decode(), gpus=0)


def test_a_study_in_a_bucket_brings_its_network_file(bucket: str, tmp_path: Path) -> None:
    write_small_network(tmp_path)
    store = open_store(bucket)
    store.put("study.yaml", SMALL.encode())
    store.put("small.yaml", (tmp_path / "small.yaml").read_bytes())
    found = sent_parameters(f"{bucket}/study.yaml")
    assert found.definition.network.name == "small"
    with pytest.raises(AutoMLError, match=r"there is no .*/gone.yaml; put it there first"):
        sent_parameters(f"{bucket}/gone.yaml")
    store.put("astray.yaml", SMALL.replace("small.yaml", "../small.yaml").encode())
    with pytest.raises(AutoMLError, match="a file beside the study file, or below it"):
        sent_parameters(f"{bucket}/astray.yaml")
