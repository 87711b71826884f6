"""The train spec of the Fashion-MNIST program."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from automl.errors import SpecError
from automl.trainers.settings import train as train_sections
from automl.trainers.settings.fashion_mnist import Settings


def from_spec(spec: Mapping[str, Any]) -> Settings:
    return train_sections.from_spec(Settings, spec)


def test_an_empty_spec_is_the_default_training() -> None:
    train = from_spec({}).train
    assert (train.optimizer, train.lr, train.batch_size, train.schedule) == ("adamw", 1e-3, 64, "none")
    assert (train.epochs, train.schedule_epochs, train.seed) == (9, 9, 1)


def test_a_number_that_yaml_reads_as_a_text_is_one() -> None:
    assert from_spec({"train": {"lr": "1e-3", "weight_decay": 0}}).train.lr == 0.001


@pytest.mark.parametrize(
    ("spec", "message"),
    [
        ({"trian": {}}, "a section 'trian'; did you mean 'train'\\?; allowed: train, model, data"),
        ({"train": 3}, "train is 3"),
        ({"train": {"momentun": 0.9}}, "a key train.momentun; .*did you mean 'train.momentum'"),
        ({"train": {"dropout": 0.9}}, "a key train.dropout"),
        ({"train": {"epochs": 0}}, "train.epochs is 0; allowed: a whole number from 1"),
        ({"train": {"epochs": True}}, "train.epochs is True"),
        ({"train": {"epochs": 2.0}}, "train.epochs is 2.0"),
        ({"train": {"epochs": None}}, "train.epochs is None"),
        ({"train": {"lr": 0}}, "train.lr is 0; allowed: a number above 0"),
        ({"train": {"lr": float("nan")}}, "train.lr is nan"),
        ({"train": {"lr": float("inf")}}, "train.lr is inf"),
        ({"train": {"lr": "fast"}}, "train.lr is 'fast'"),
        ({"train": {"momentum": 1.1}}, "allowed: a number from 0 to 1"),
        ({"train": {"optimizer": "adam"}}, "train.optimizer is 'adam'; allowed: sgd or adamw"),
        ({"train": {"batch_size": 1}}, "allowed: a whole number from 2"),
        ({"train": {"resume_from": 3}}, "allowed: a path or null"),
        ({"data": {"held_out": 1}}, "allowed: true or false"),
        ({"train": {"epochs": 10, "schedule": "cosine"}}, "the schedule of the learning rate ends at 9"),
    ],
)
def test_what_is_not_allowed_is_refused(spec: dict[str, Any], message: str) -> None:
    with pytest.raises(SpecError, match=message):
        from_spec(spec)


def test_null_means_the_default_where_the_default_is_null() -> None:
    assert from_spec({"train": {"threads": None, "resume_from": None}, "data": {"limit": None}}) == from_spec({})


def shaping(**train: object) -> dict[str, int | float | str | None]:
    return train_sections.identity(from_spec({"train": train}), "")


def test_what_is_without_effect_may_change_when_a_run_goes_on() -> None:
    assert shaping(optimizer="adamw", momentum=0.1) == shaping(optimizer="adamw", momentum=0.9)
    assert shaping(schedule="none", schedule_epochs=27) == shaping(schedule="none", schedule_epochs=9)
    assert shaping(epochs=3, threads=2, resume_from="x", checkpoint_interval=3, device="cpu") == shaping()


def test_what_has_an_effect_may_not_change() -> None:
    assert shaping(optimizer="sgd", momentum=0.1) != shaping(optimizer="sgd", momentum=0.9)
    assert shaping(schedule="cosine", schedule_epochs=27) != shaping(schedule="cosine", schedule_epochs=9)
    assert shaping(seed=2) != shaping()


def test_every_key_stands_in_the_help(capsys: pytest.CaptureFixture[str]) -> None:
    from automl.trainers.fashion_mnist import main

    with pytest.raises(SystemExit):
        main(["--help"])
    shown = capsys.readouterr().out
    settings = from_spec({})
    for section in vars(Settings)["__dataclass_fields__"]:
        for key in vars(getattr(settings, section)):
            assert f"  {section}.{key} " in shown


def test_no_default_needs_a_file_outside_the_package() -> None:
    from automl.trainers.settings import fashion_mnist

    assert Path(fashion_mnist.__file__).parents[1] in fashion_mnist.PACKAGED_DATA.parents
    assert fashion_mnist.PACKAGED_DATA.is_file()
