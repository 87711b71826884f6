"""A plan lists the parameters that experiments have: not a momentum for an optimizer that takes none."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.analysis.planned import planned
from automl.networks import catalogue, load_network
from tests.analysis.test_frozen_layers import definition


def momenta(network: str) -> dict[str, tuple[str, str]]:
    """Of a network the momenta that are searched by default: the path of the optimizer, and the one that has it."""
    return {
        name: (path, value)
        for name, settings in load_network(network, Path()).parameters.items()
        if name.endswith(".momentum") and settings.get("automl_enabled")
        for path, _, value in [str(settings.get("depends_on", "")).partition(" == ")]
        if value
    }


DEPENDENT = [name for name in catalogue() if load_network(name, Path()).is_of_tao and momenta(name)]


@pytest.mark.parametrize("network", DEPENDENT)
def test_a_momentum_is_searched_with_the_optimizer_that_has_one(network: str) -> None:
    for name, (path, value) in momenta(network).items():
        usual = planned(definition(network), (1,))
        chosen = planned(definition(network, train_spec={path: value}), (1,))
        assert name in chosen.parameters
        if network != "pose_classification":  # it begins with SGD
            assert name not in usual.parameters
            assert f"{name} is not searched: it exists only while {path} in ['{value}']" in usual.notes


def test_most_networks_have_such_an_optimizer() -> None:
    assert len(DEPENDENT) >= 12
