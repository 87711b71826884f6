"""A plan warns where layers are frozen, or may be, that no pretrained weights were loaded into."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from automl.analysis.frozen_layers import freezes
from automl.analysis.planned import planned
from automl.networks import catalogue, load_network
from automl.networks.definition import shipped
from automl.networks.spec_formats import flatten
from automl.study.definition import Definition
from automl.study.options import StudyFile
from tests.command_line import automl
from tests.small_network import write_small_network

# setting and value -> whether it freezes anything
SETTINGS: list[tuple[str, Any, bool]] = [
    ("model.backbone.freeze_backbone", True, True),
    ("model.backbone.freeze_backbone", False, False),
    ("model.backbone.freeze_norm", True, True),
    ("model_config.freeze_bn", None, False),
    ("model_config.freeze_blocks", [0], True),
    ("model_config.freeze_blocks", [], False),
    ("ssd_config.freeze_blocks", 0, True),
    ("maskrcnn_config.freeze_blocks", "[0,1]", True),
    ("maskrcnn_config.freeze_blocks", "[]", False),
    ("model.frozen_stages", [-1], False),
    ("model.frozen_stages", [2], True),
    ("model.backbone.freeze_at", 0, False),
    ("model.backbone.freeze_at", 2, True),
    ("train.freeze", ["backbone"], True),
    ("train.freeze", [], False),
    ("num_freeze_layers", 3, True),
    ("num_freeze_layers", 0, False),
    ("freeze", "false", False),
    ("train.schedulers.last_layer_learning_rate.freeze_steps", 1250, False),
    ("freeze_epochs", 2, False),
    ("model.frozen_fm.enabled", True, False),
    ("unfreeze_all", True, False),
    ("train.lr", 0.1, False),
]

PYTORCH = "model.backbone.freeze_backbone"
WEIGHTS = {
    "classification_pyt": "model.backbone.pretrained_backbone_path",
    "segformer": "train.pretrained_model_path",
    "faster_rcnn": "training_config.pretrained_weights",
    "mask_rcnn": "checkpoint",
    "retinanet": "training_config.pretrain_model_path",
    "yolo3": "training_config.pretrain_model_path",
    "ssd": None,  # its place of weights is not known
}


def definition(network: str, **more: Any) -> Definition:
    file = {"name": "s", "network": network, "dataset": "/data", **more}
    return Definition(StudyFile.model_validate(file), load_network(network, Path()))


def warnings(study: Definition) -> list[str]:
    return [note for note in planned(study, (1,)).notes if note.startswith("layers may be frozen")]


@pytest.mark.parametrize(("path", "value", "expected"), SETTINGS, ids=str)
def test_a_setting_freezes_by_its_name_and_value(path: str, value: Any, expected: bool) -> None:
    assert freezes(path, value) is expected


def test_the_networks_that_freeze_by_default_are_warned_of_until_their_weights_are_named() -> None:
    names = [name for name in catalogue() if shipped(name).refused is None and shipped(name).is_of_tao]
    assert len(names) == 43
    warned = {name for name in names if warnings(definition(name))}
    assert warned == set(WEIGHTS)
    for name, place in WEIGHTS.items():
        (said,) = warnings(definition(name))
        if place is not None:
            assert f"'train_spec: {{{place}: PATH}}'" in said
            assert warnings(definition(name, train_spec={place: "/weights"})) == []


def test_every_switch_of_the_catalogue_that_is_turned_on_is_warned_of() -> None:
    turned = 0
    for name in catalogue():
        network = shipped(name)
        if network.refused is not None:
            continue
        for path, value in flatten(network.spec).items():
            if path.endswith(("freeze_bn", "freeze_backbone", "freeze_norm")) and network.enabled(path) is not True:
                (said,) = warnings(definition(name, train_spec={path: True}))
                assert f"{path} is true" in said, (name, value)
                turned += 1
    assert turned == 15


ONE = {"algorithm": "random", "max_recommendations": 4}


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, [f"{PYTORCH} is searched", "model.backbone.freeze_norm is searched"]),
        (
            {"remove_default_automl_parameters": [PYTORCH]},
            ["model.backbone.freeze_norm is searched"],
        ),
        ({"remove_default_automl_parameters": [PYTORCH, "model.backbone.freeze_norm"]}, []),
        (
            {
                "remove_default_automl_parameters": [PYTORCH, "model.backbone.freeze_norm"],
                "train_spec": {PYTORCH: True},
            },
            [f"{PYTORCH} is true"],
        ),
        ({"automl_enabled": False}, []),
        ({"automl_enabled": False, "train_spec": {PYTORCH: True}}, [f"{PYTORCH} is true"]),
        ({"parameters": {PYTORCH: {"weights": [1.0, 0.0]}}}, ["model.backbone.freeze_norm is searched"]),
        ({"train_spec": {"train.pretrained_model_path": "/w"}}, []),
        ({"train_spec": {"model.backbone.pretrained_backbone_path": ""}}, [f"{PYTORCH} is searched"]),
    ],
    ids=str,
)
def test_what_may_freeze_is_named(more: dict[str, Any], expected: list[str]) -> None:
    said = warnings(definition("classification_pyt", **more))
    assert bool(said) == bool(expected)
    assert all(any(each in note for note in said) for each in expected)
    assert sum(note.count(" is searched") + note.count(" is true") for note in said) >= len(expected)


def test_a_program_of_ones_own_is_warned_of_only_where_it_takes_weights(tmp_path: Path) -> None:
    write_small_network(tmp_path)
    (tmp_path / "study.yaml").write_text("name: study\nnetwork: small.yaml\n")
    file = tmp_path / "small.yaml"
    text = file.read_text().replace("  layers: ", "  freeze_backbone: false\n  layers: ")
    text += "  freeze_backbone: {type: bool, automl_enabled: true}\n"

    def notes(spec: str) -> list[str]:
        file.write_text(text.replace("  layers: ", f"{spec}  layers: "))
        said = automl("plan", "study.yaml", "-o", "json", cwd=tmp_path)
        assert said.code == 0, said.err
        return [note for note in json.loads(said.out)["notes"] if note.startswith("layers")]

    assert notes("") == []
    assert len(notes("  pretrained: false\n")) == 1
    assert notes("  pretrained: true\n") == []
    assert notes("  pretrained_classes: 5\n") == []
