"""Every network that is shipped is whole: its file is valid, and its fields and parameters are in its train spec."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.errors import SpaceError
from automl.networks import Network, catalogue, load_network
from automl.networks.checkpoints import Checkpoints
from automl.networks.definition import parse
from automl.networks.spec_formats import flatten
from tests.small_network import NETWORK

SMALL = NETWORK.format(program="/small.py")


@pytest.mark.parametrize("name", catalogue())
def test_a_shipped_network_is_whole(name: str) -> None:
    network = load_network(name, Path("/nowhere"))
    assert network.name == name
    known = flatten(network.spec)
    groups = {path for path, value in known.items() if value == {}}
    paths = [path for path in network.fields.model_dump().values() if path is not None]
    for path in [*paths, *network.parameters]:
        assert path in known or any(path.startswith(f"{group}.") for group in groups), path
    for parameter in network.parameters:
        assert network.enabled(parameter) in {True, False, None}
        assert network.parameter(parameter).default is not None
    assert Network.model_validate(network.model_dump(mode="json")) == network


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
    ],
)
def test_the_epoch_of_a_checkpoint_stands_in_its_name(pattern: str, path: str, epoch: int | None) -> None:
    assert Checkpoints(pattern=pattern).epoch_of(path) == epoch
