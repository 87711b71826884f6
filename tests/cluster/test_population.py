"""A population on a real Argo: its decisions are those of this machine, and pods go on from checkpoints of others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from automl.operations.verify import verify
from automl.study.opened_study import OpenedStudy
from automl.study.record import Record
from tests.cluster.clusters import Cluster, decisions, trainings

pytestmark = pytest.mark.usefixtures("images")
POPULATION = "algorithm: pbt\npopulation: 4\ninterval: 1\nmax_epochs: 2\nfinal: {candidates: 1, repeats: 1}\n"


def test_a_population_decides_as_here_and_is_judged_by_its_schedule(tmp_path: Path, bucket: str) -> None:
    cluster = Cluster(tmp_path, bucket)
    workflow, store = cluster.submit(POPULATION)
    assert workflow["status"]["phase"] == "Succeeded"
    here = cluster.run_here(POPULATION)
    assert decisions(store) == decisions(here)
    assert {key: store.get(key) for key in store.list("best_model/")} == {
        key: here.get(key) for key in here.list("best_model/")
    }
    opened = OpenedStudy.read(Record(store))
    assert verify(opened, lambda _part: None).findings.problems == []
    study = opened.history()
    taken = [issued for issued in study.of_stage(0)[1].issued if issued.parent is not None]
    assert taken, "somebody took over"
    assert all(study.results[issued.number, 1].failure is None for issued in taken)
    assert len(study.of_stage(1)) == 2, "the judgement is cut at the end of the interval"
    assert len(trainings(store)) == len(store.list("results/")) == 4 * 2 + 2 * 2
    assert json.loads(store.get("best_model/manifest.json") or b"")["epoch"] == 2
