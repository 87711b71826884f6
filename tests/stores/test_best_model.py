"""best_model/ in every store: each file of the best checkpoint comes out under its own name, whatever that is."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.execution.local_runner import LocalRun
from automl.operations.download import Download, fetch_best_model
from automl.operations.verify import verify
from automl.reporting import views
from automl.stores import Store, open_store
from automl.study.best_model import BestModel
from automl.study.keys import BEST_MODEL
from automl.study.opened_study import OpenedStudy, begin
from automl.study.record import Record
from tests.corpus.test_folders import CASES, NETWORK, tree
from tests.simulation.runs import NO_FINAL, hear_nothing
from tests.simulation.studies import study

ODD = ("names_of_every_kind", "names_that_look_alike", "names_that_are_long", "folders_that_are_empty")
EXPECTED = {name: text for case in ODD for name, text in CASES[case]["resumed"].items()}

pytestmark = pytest.mark.usefixtures("quick_runner")


def test_every_file_arrives_under_its_own_name(store: Store, tmp_path: Path) -> None:
    deeds = "\n".join(CASES[name]["deed"] for name in ODD)
    settings = {"algorithm": "random", "max_recommendations": 1, "max_epochs": 2} | NO_FINAL
    definition, record = study(settings, {0: deeds}, NETWORK), Record(store)
    begin(record, definition, "a study\n")
    LocalRun(record, definition, 1, tmp_path / "work", hear_nothing).run()

    opened = OpenedStudy.read(record)
    verification = verify(opened, lambda _part: None)
    assert verification.is_whole, verification.findings.problems
    assert verification.findings.notes == []
    before = {key: store.get(key) for key in store.list("")}
    views.rebuild(opened)
    assert {key: store.get(key) for key in store.list("")} == before

    fetch_best_model(record, tmp_path / "model")
    assert tree(tmp_path / "model" / "model_2") == {
        name.removeprefix("model_2/"): text for name, text in EXPECTED.items()
    }

    for _ in Download(opened, tmp_path / "copy", checkpoints=False):
        pass
    copied = Record(open_store(str(tmp_path / "copy")))
    fetch_best_model(copied, tmp_path / "again")
    assert tree(tmp_path / "again") == tree(tmp_path / "model")
    model = BestModel.read(copied)
    assert model is not None
    for file in model.files:
        assert (tmp_path / "copy" / file.key).is_file()
    assert (tmp_path / "copy" / BEST_MODEL / "model_2" / ".metadata").is_file()


def test_a_best_model_that_an_older_version_wrote_is_read(store: Store, tmp_path: Path) -> None:
    """It wrote an underscore for what a key may not hold, and the name was the key."""
    store.put("best_model/weights__last_.pt", b"x")
    sha256 = "2d711642b726b04401627ca9fbac32f5c8530fb1903cc4db02258717921a4881"
    store.put(
        "best_model/manifest.json",
        b'{"format": 1, "experiment": 4, "epoch": 3, "metric": "loss", "value": 0.5, "values": {}, "files": '
        b'[{"name": "weights__last_.pt", "size": 1, "sha256": "%s"}]}' % sha256.encode(),
    )
    model = fetch_best_model(Record(store), tmp_path / "model")
    assert (model.experiment, [file.name for file in model.files]) == (4, ["manifest.json", "weights__last_.pt"])
    assert (tmp_path / "model" / "weights__last_.pt").read_text() == "x"
