"""Earlier searches travel inside the workflow, because a pod reaches the bucket of its study and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.errors import StudyFileError
from automl.execution import submission
from automl.stores.memory import MemoryStore
from automl.study.opened_study import begin
from automl.study.record import Record
from automl.text import strict_json
from workflows.submit import compiled

STUDY = """\
name: mine
network: fashion_mnist
algorithm: bayesian
warm_start: [before.csv]
run: {store: s3://b/p}
"""


def sent(folder: Path) -> str:
    (arguments,) = [
        parameter["value"]
        for parameter in compiled(folder / "study.yaml")["spec"]["arguments"]["parameters"]
        if parameter["name"] == "study"
    ]
    return str(arguments)


def test_a_compiled_study_carries_what_it_begins_with(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(STUDY)
    table = tmp_path / "before.csv"
    table.write_text("train.lr,val_accuracy\n0.01,0.8\n0.002,0.7\n0.05,0.6\n")
    text = sent(tmp_path)
    table.unlink()
    definition = submission.compiled(text, "s3://b/p").definition
    (search,) = begin(Record(MemoryStore()), definition, STUDY).definition.earlier  # as the first pod does
    assert [values["train.lr"] for values in search.values] == [0.01, 0.002, 0.05]
    assert search.ranks == (1.0, 0.5, 0.0)
    assert strict_json.load(text.encode(), "")["study"]["warm_start"] == ["before.csv"]
    with pytest.raises(StudyFileError, match="there is no"):
        compiled(tmp_path / "study.yaml")


def test_text_of_a_table_cannot_be_a_tag(tmp_path: Path) -> None:
    (tmp_path / "study.yaml").write_text(STUDY)
    (tmp_path / "before.csv").write_text("train.lr,val_accuracy,{{workflow.name}}\n0.01,0.8,1\n0.02,0.7,2\n")
    with pytest.raises(StudyFileError, match="Argo would replace"):
        compiled(tmp_path / "study.yaml")
