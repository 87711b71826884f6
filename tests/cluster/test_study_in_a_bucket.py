"""A whole study with real training in a bucket of a real S3 server, beside the same study in a folder."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from automl.stores import open_store

STUDY = """\
name: bucket
network: fashion_mnist
algorithm: hyperband
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
