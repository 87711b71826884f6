"""The notebook for a cluster, run from its first cell to its last against a real Argo and S3 server."""

from __future__ import annotations

import json
import os
from pathlib import Path

from automl.notebook import Study
from tests.cluster.clusters import BRAIN, SMALL, Images, command
from tests.notebooks.executed_notebooks import executed, text_of
from tests.small_network import NETWORK


def test_the_notebook_submits_watches_and_collects(images: Images, tmp_path: Path, bucket: str) -> None:
    network = NETWORK.format(program="/small.py").replace("localhost/small:1", SMALL)
    (tmp_path / "small.yaml").write_text(network)
    name = f"nb-{bucket[-8:]}"
    endpoint = os.environ["AWS_ENDPOINT_URL"]
    given = {"name": name, "network": "./small.yaml", "store": bucket, "brain_image": BRAIN, "endpoint": endpoint}
    lines = [f"{key} = {json.dumps(value)}" for key, value in {**given, "namespace": "argo"}.items()]
    kept = {bucket: "s3://bucket/studies/argo", endpoint: "http://s3.example:9000", name: "argo-study"}
    try:
        notebook = executed("02_argo.ipynb", tmp_path, "\n".join([*lines, 'cpu, memory = 0.05, "128Mi"']), kept)
    finally:
        command("kubectl", "-n", "argo", "delete", "workflows", "-l", f"automl/study={name}", "--wait=false")
    found = text_of(notebook)
    assert "'Done'" in found
    assert "lint: nothing is wrong" in "".join(str(cell.get("outputs")) for cell in notebook.cells)
    study = Study.read(tmp_path / "argo_study.yaml")
    best = study.best().data
    (checkpoint,) = (tmp_path / "best_model").glob("model_*.json")
    assert json.loads(checkpoint.read_text())["epoch"] == best["epoch"]
    assert study.replay().data["same"]
