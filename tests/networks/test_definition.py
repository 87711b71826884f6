"""A network file: what it may say, what is refused, and how its parameters, checkpoints and train spec are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.errors import NetworkError, SpaceError
from automl.networks import load_network
from automl.networks.checkpoints import Checkpoints
from automl.networks.definition import parse
from tests.small_network import NETWORK

SMALL = NETWORK.format(program="/small.py")


def test_a_network_file_lies_beside_the_study_file(tmp_path: Path) -> None:
    (tmp_path / "nets").mkdir()
    (tmp_path / "nets" / "small.yaml").write_text(SMALL)
    network = load_network("nets/small.yaml", tmp_path)
    assert network.name == "small"
    assert network.command == ("python", "/small.py", "{spec}", "{results}")
    assert load_network(str(tmp_path / "nets" / "small.yaml"), Path("/nowhere")) == network


def test_automl_enabled_has_three_values() -> None:
    text = "automl_enabled: true"
    assert parse(SMALL, "a.yaml").enabled("train.x") is True
    assert parse(SMALL.replace(text, "automl_enabled: false"), "a.yaml").enabled("train.x") is False
    assert parse(SMALL.replace(f", {text}", ""), "a.yaml").enabled("train.x") is None


def test_a_default_comes_from_the_spec_unless_the_table_has_one() -> None:
    assert parse(SMALL, "a.yaml").parameter("train.x").default == 0.5
    assert parse(SMALL.replace("low: 0.0", "default: 0.25, low: 0.0"), "a.yaml").parameter("train.x").default == 0.25


def test_a_network_that_was_not_checked_still_refuses_a_wrong_mark() -> None:
    network = parse(SMALL, "a.yaml")
    edited = network.model_copy(update={"parameters": {"train.x": {"automl_enabled": 1}}})
    with pytest.raises(SpaceError, match="automl_enabled is 1"):
        edited.enabled("train.x")


@pytest.mark.parametrize(
    ("pattern", "path", "epoch"),
    [
        ("model_{epoch}.pt", "model_7.pt", 7),
        ("model_{epoch}.pt", "model_007.pt", 7),
        ("model_{epoch}.pt", "model_7.pt.tmp", None),
        ("model_{epoch}.pt", "a/model_7.pt", None),
        ("model_{epoch}.pt", "model_7xpt", None),
        ("model_{epoch}.pt", "model_.pt", None),
        ("model_{epoch}.pt", "model_-1.pt", None),
        ("weights/epoch={epoch}.ckpt", "weights/epoch=12.ckpt", 12),
        ("weights/ssd_*_epoch_{epoch}.hdf5", "weights/ssd_resnet18_epoch_080.hdf5", 80),
        ("weights/ssd_*_epoch_{epoch}.hdf5", "weights/ssd_a/b_epoch_080.hdf5", None),
        ("model_epoch_{epoch}_step_*.pth", "model_epoch_004_step_00125.pth", 4),
    ],
)
def test_the_epoch_of_a_checkpoint_stands_in_its_name(pattern: str, path: str, epoch: int | None) -> None:
    assert Checkpoints(pattern=pattern).whole([path]) == ({} if epoch is None else {epoch: (path,)})


def test_checkpoints_may_be_counted_from_0_and_may_be_folders() -> None:
    assert Checkpoints(pattern="model_{epoch}.pth", first=0).whole(["model_000.pth"]) == {1: ("model_000.pth",)}
    folders = Checkpoints(pattern="model.epoch-{epoch}.tlt", folder=True)
    assert list(folders.whole(["model.epoch-3.tlt/checkpoint/a.index"])) == [3]
    assert folders.whole(["model.epoch-3.tlt"]) == {}


def test_a_parameter_without_a_range_asks_a_study_for_one() -> None:
    network = parse(
        SMALL.replace("{type: float, low: 0.0, high: 1.0, automl_enabled: true}", "{type: float}"), "a.yaml"
    )
    assert not network.has_range("train.x")
    with pytest.raises(SpaceError, match=r"train.x has no range in the table of small; give one under 'parameters'"):
        network.parameter("train.x")
    assert network.parameter("train.x", {"low": 0.1, "high": 0.9}).default == 0.5
    assert network.parameter("train.x", {"options": [0.1, 0.5]}).kind == "ordered"


def test_what_is_searched_by_default_needs_a_range() -> None:
    with pytest.raises(NetworkError, match=r"train\.x has no range"):
        parse(SMALL.replace("low: 0.0, high: 1.0, ", ""), "a.yaml")


def test_a_parameter_may_go_elsewhere_than_its_name_says() -> None:
    text = SMALL.replace("{type: float, low", '{path: "layers[*]", type: float, low')
    network = parse(text.replace("layers: [1, 2]", "layers: [0.25, 0.75]"), "a.yaml")
    assert network.spec_path("train.x") == "layers[*]"
    assert network.parameter("train.x").default == 0.25
    with pytest.raises(NetworkError, match=r"train\.seed is None in the train spec"):
        parse(SMALL.replace("{type: float, low", '{path: "train.seed.x", type: float, low'), "a.yaml")


SPEC_FILES = {
    "yaml": "train: {epochs: 3, seed: 1, x: 0.25, resume_from: null}",
    "json": '{"train": {"epochs": 3, "seed": 1, "x": 0.25, "resume_from": null}}',
    "toml": "[train]\nepochs = 3\nseed = 1\nx = 0.25",
    "protobuf": "train { epochs: 3 seed: 1 x: 0.25 }",
}


@pytest.mark.parametrize("spec_format", SPEC_FILES)
def test_the_train_spec_may_lie_in_a_file_of_its_own(spec_format: str, tmp_path: Path) -> None:
    head, _, rest = SMALL.partition("spec:\n")
    text = head.replace("spec_format: json", f"spec_format: {spec_format}") + "spec: mine.txt\n"
    (tmp_path / "net.yaml").write_text(text + rest[rest.index("parameters:") :])
    (tmp_path / "mine.txt").write_text(SPEC_FILES[spec_format])
    assert load_network("net.yaml", tmp_path).parameter("train.x").default == 0.25
    (tmp_path / "mine.txt").write_text("]")
    with pytest.raises(NetworkError, match=r"net.yaml: .*mine.txt: "):
        load_network("net.yaml", tmp_path)
    (tmp_path / "mine.txt").unlink()
    with pytest.raises(NetworkError, match=r"file .*mine\.txt does not exist"):
        load_network("net.yaml", tmp_path)


RULE = 'checkpoints: {pattern: "model_{epoch}.json"}'


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        (
            RULE,
            RULE.replace("}", ", resume: arguments}", 2).replace("{epoch, resume: arguments}", "{epoch}"),
            "arguments",
        ),
        (RULE, 'checkpoints: {pattern: "m_{epoch}", arguments: ["{spec}"]}', "only the placeholders"),
        ("spec_format: json", "spec_format: jsn", "did you mean 'json'"),
        ("epochs: train.epochs,", "epochs: train.epochs, examples: layers,", "needs fields.batch_size"),
        ("epochs: train.epochs,", "epochs: train..epochs,", "train..epochs"),
        ("epochs: 3\n", "epochs: 3\ndataset: {files: {layers.x: a}}\n", "layers is a list of 2"),
        ("epochs: 3\n", "epochs: 3\ndataset: {settings: [train.xx]}\n", "no train.xx; did you mean 'train.x'"),
        ("epochs: 3\n", "epochs: 3\nhanded_over: [train.xx]\n", "handed_over: .* no train.xx; did you mean 'train.x'"),
    ],
)
def test_a_network_file_that_contradicts_itself_is_refused(old: str, new: str, said: str) -> None:
    assert old in SMALL
    with pytest.raises(NetworkError, match=said):
        parse(SMALL.replace(old, new, 1), "a.yaml")
