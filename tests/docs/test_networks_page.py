"""What docs/networks.md says of single networks of TAO is what their files say."""

from __future__ import annotations

import re

from automl.networks import catalogue
from automl.networks.definition import shipped
from tests.docs.pages import text_of
from tests.networks.tao.releases import of_network

PAGE = text_of("docs/networks.md")


def rows(header: str) -> list[list[str]]:
    """The cells of the table below a header line."""
    _, _, below = PAGE.partition(f"{header}\n")
    lines = below.partition("\n\n")[0].splitlines()[1:]
    return [[cell.strip() for cell in line.strip("|").split(" | ")] for line in lines]


def ticked(cell: str) -> list[str]:
    return re.findall(r"`([^`]+)`", cell)


def test_the_table_of_the_thirteen_is_that_of_their_files() -> None:
    table = rows("| network | epochs | metric | checkpoint | resumes | code |")
    assert len(table) == 13
    for name, epochs, metric, checkpoint, goes_on, _ in table:
        network = shipped(name.strip("`"))
        assert network.checkpoints is not None
        assert [epochs, metric, checkpoint, goes_on] == [
            f"`{network.fields.epochs}`",
            f"`{network.metric.name}`",
            f"`{network.checkpoints.pattern}`",
            network.checkpoints.resume,
        ]
        assert network.status_rule.path == "status.json"
        assert network.framework == "TensorFlow 1.15"


def test_what_is_to_be_set_is_what_the_files_say() -> None:
    said = {name: ticked(row[1]) for row in rows("| networks | under `train_spec` |") for name in ticked(row[0])}
    assert said == {name: shipped(name).dataset.settings for name in catalogue() if shipped(name).dataset.settings}


def test_every_network_of_tao_is_said_to_be_run_or_read() -> None:
    networks = [shipped(name) for name in catalogue() if shipped(name).is_of_tao]
    by_framework = {
        kind: [n for n in networks if (n.framework or "").startswith(kind)] for kind in ("PyTorch", "Tensor")
    }
    named = [name for row in rows("| networks | run | read |") for name in ticked(row[0])]
    others = len(by_framework["PyTorch"]) - len([name for name in named if shipped(name) in by_framework["PyTorch"]])
    assert f"| the other {others} of PyTorch |" in PAGE
    assert f"| the {sum(n.framework == 'TensorFlow 1.15' for n in networks)} of TensorFlow 1 |" in PAGE
    assert {n.name for n in by_framework["Tensor"] if "2" in (n.framework or "")} <= set(named)
    for network in by_framework["PyTorch"]:
        assert any(release == "pytorch-6.26.3" for release, _ in of_network(network)), network.name
