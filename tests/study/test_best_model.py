"""The keys that the files of a checkpoint get in best_model/: their own names where possible, never one for two."""

from __future__ import annotations

import pytest

from automl.errors import RecordError
from automl.stores.base import check_key
from automl.study.best_model import BestModel, model_files
from automl.study.manifest import Manifest, StoredFile

KEYS = {
    "epoch=1.ckpt": "epoch=1.ckpt",
    "model_1/.metadata": "model_1/.metadata",
    "weights (last).pt": "renamed/0_weights__last_.pt",
    "größe/x": "renamed/0_gr__e_x",
    "renamed/1_a": "renamed/0_renamed_1_a",
    "log.txt": "renamed/0_log.txt",
    "manifest.json": "renamed/0_manifest.json",
    "recommendation_3.json": "renamed/0_recommendation_3.json",
    "model_1/log.txt": "model_1/log.txt",
    ".tmp-1": "renamed/0_.tmp-1",
    "n" * 255: f"renamed/0_{'n' * 120}",
}


def manifest(*names: str) -> Manifest:
    files = tuple(StoredFile(name, 1, "0") for name in names)
    return Manifest("experiment_0/rung_0/a/checkpoints/1/manifest.json", 1, files, (), ("a",), 1.0)


@pytest.mark.parametrize(("name", "key"), KEYS.items(), ids=range(len(KEYS)))
def test_a_file_has_the_key_of_its_name_or_one_that_no_name_can_have(name: str, key: str) -> None:
    (file,) = model_files(manifest(name))
    check_key(file.key)
    assert (file.key, file.file.name) == (f"best_model/{key}", name)


def test_no_two_files_have_one_key() -> None:
    names = [*KEYS, "weights  last .pt", "weights__last_.pt", "grö?e/x", "n" * 254, "renamed/2_weights__last_.pt"]
    keys = [file.key for file in model_files(manifest(*names))]
    assert len(set(keys)) == len(names)


def test_what_it_writes_it_reads() -> None:
    model = BestModel(4, 3, "loss", 0.5, {"lr": 0.1}, model_files(manifest("a b", "c")), ("empty",), training=4)
    assert BestModel.from_json(model.to_json(), "it") == model


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", ""])
def test_a_file_outside_the_folder_is_refused(name: str) -> None:
    data = BestModel(4, 3, "loss", 0.5, {}, model_files(manifest("a b"))).to_json()
    data["files"][0]["name"] = name
    with pytest.raises(RecordError, match="does not hold what it should"):
        BestModel.from_json(data, "it")
