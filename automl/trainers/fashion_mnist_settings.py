"""The train spec of the Fashion-MNIST program: every key, its default, what it may be."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from automl.errors import SpecError, nearest
from automl.trainers.learning_rates import SCHEDULES

PACKAGED_DATA = Path(__file__).parent / "data" / "fashion_mnist.npz"


@dataclass(frozen=True)
class Rule:
    """What a key may hold: `convert` gives the value, or None when it may not stand there; `allowed` in words."""

    allowed: str
    convert: Callable[[object], Any]


def _whole(low: int, help_text: str, default: int | None) -> Any:
    def convert(value: object) -> int | None:
        return value if isinstance(value, int) and not isinstance(value, bool) and value >= low else None

    allowed = f"a whole number from {low}" + (", or null" if default is None else "")
    return field(default=default, metadata={"rule": Rule(allowed, convert), "help": help_text})


def _number(low: float, high: float, help_text: str, default: float, *, open_low: bool = False) -> Any:
    def convert(value: object) -> float | None:
        if isinstance(value, bool) or not isinstance(value, int | float | str):
            return None
        try:
            number = float(value)  # a text too: YAML 1.1 reads 1e-3 as one
        except ValueError:
            return None
        return number if low <= number <= high and math.isfinite(number) and not (open_low and number == low) else None

    bounds = f"{'above' if open_low else 'from'} {low:g}" + (f" to {high:g}" if math.isfinite(high) else "")
    return field(default=default, metadata={"rule": Rule(f"a number {bounds}", convert), "help": help_text})


def _choice(options: tuple[str, ...], help_text: str, default: str) -> Any:
    rule = Rule(" or ".join(options), lambda value: value if isinstance(value, str) and value in options else None)
    return field(default=default, metadata={"rule": rule, "help": help_text})


def _switch(help_text: str, *, default: bool) -> Any:
    rule = Rule("true or false", lambda value: value if isinstance(value, bool) else None)
    return field(default=default, metadata={"rule": rule, "help": help_text})


def _optional_path(help_text: str) -> Any:
    rule = Rule("a path or null", lambda value: value if isinstance(value, str) and value else None)
    return field(default=None, metadata={"rule": rule, "help": help_text})


@dataclass(frozen=True)
class Train:
    """How it is trained. Epochs count from 1 and cumulate: a run that goes on from epoch 3 to 9 trains six."""

    epochs: int = _whole(1, "stop after this many epochs in total", 9)
    schedule_epochs: int = _whole(1, "the learning rate's schedule spans this many epochs", 9)
    optimizer: str = _choice(("sgd", "adamw"), "the update rule", "adamw")
    lr: float = _number(0, math.inf, "learning rate; with a schedule the highest", 1e-3, open_low=True)
    momentum: float = _number(0, 1, "momentum of sgd; adamw does not use it", 0.9)
    weight_decay: float = _number(0, math.inf, "decay of the weights", 1e-4)
    batch_size: int = _whole(2, "pictures in a step", 64)  # from 2: batch normalisation needs two
    schedule: str = _choice(tuple(SCHEDULES), "how the learning rate changes", "none")
    seed: int = _whole(0, "of the first weights, the order of the pictures, and dropout", 1)
    threads: int | None = _whole(1, "CPU threads; null: OMP_NUM_THREADS, else 1", None)
    device: str = _choice(("auto", "cpu", "cuda"), "auto: cuda where there is one", "auto")
    checkpoint_interval: int = _whole(1, "epochs between checkpoints; the last epoch always has one", 1)
    resume_from: str | None = _optional_path("checkpoint to go on from, unless the results folder has a newer one")


@dataclass(frozen=True)
class Model:
    """The network: three blocks of convolution, with `width`, 2 x `width` and 4 x `width` channels."""

    width: int = _whole(1, "channels of the first block", 8)
    dropout: float = _number(0, 0.95, "share of the features that is dropped before the last layer", 0.1)


@dataclass(frozen=True)
class Data:
    """The pictures."""

    path: str | None = _optional_path("an .npz file as scripts/make_fashion_mnist.py makes it; null: the packaged one")
    limit: int | None = _whole(1, "use only the first so many training pictures; null: all", None)
    held_out: bool = _switch("after the last epoch, report the accuracy on the held-out part too", default=False)


@dataclass(frozen=True)
class Settings:
    """A whole train spec."""

    train: Train
    model: Model
    data: Data

    def shape_the_weights(self) -> dict[str, int | float | str | None]:
        """The settings that must be the same when a run goes on from a checkpoint, by dotted path.

        The others may change: how far to train, where, how often to save. Settings that are without effect here
        (momentum of adamw, the span of no schedule) may change as well.
        """
        train, unscheduled = self.train, self.train.schedule == "none"
        return {
            "train.optimizer": train.optimizer,
            "train.lr": train.lr,
            "train.momentum": train.momentum if train.optimizer == "sgd" else None,
            "train.weight_decay": train.weight_decay,
            "train.batch_size": train.batch_size,
            "train.schedule": train.schedule,
            "train.schedule_epochs": None if unscheduled else train.schedule_epochs,
            "train.seed": train.seed,
            "model.width": self.model.width,
            "model.dropout": self.model.dropout,
            "data.limit": self.data.limit,
        }


_SECTIONS: dict[str, type[Train | Model | Data]] = {"train": Train, "model": Model, "data": Data}


def from_spec(spec: Mapping[str, Any]) -> Settings:
    """The settings that a train spec gives, with defaults for what it leaves out.

    Raises SpecError for a key that does not exist, a value that is not allowed, and epochs beyond the schedule.
    """
    known = [f"{section}.{item.name}" for section, kind in _SECTIONS.items() for item in fields(kind)]
    for section, values in spec.items():
        if section not in _SECTIONS:
            raise SpecError(
                f"the train spec has a section {section!r}",
                allowed=", ".join(_SECTIONS),
                advice=nearest(str(section), _SECTIONS),
            )
        if not isinstance(values, Mapping):
            raise SpecError(f"{section} is {values!r}", allowed=f"a mapping with {section}'s keys")
        for key in values:
            if f"{section}.{key}" not in known:
                raise SpecError(
                    f"the train spec has a key {section}.{key}",
                    allowed=", ".join(path for path in known if path.startswith(f"{section}.")),
                    advice=nearest(f"{section}.{key}", known),
                )
    settings = Settings(
        Train(**_values("train", Train, spec)),
        Model(**_values("model", Model, spec)),
        Data(**_values("data", Data, spec)),
    )
    train = settings.train
    if train.schedule != "none" and train.epochs > train.schedule_epochs:
        raise SpecError(
            f"train.epochs is {train.epochs}, but the schedule of the learning rate ends at {train.schedule_epochs}",
            advice="set train.schedule_epochs to the greatest number of epochs that this training may reach",
        )
    return settings


def described() -> str:
    """The table of all keys, for --help."""
    lines = []
    for section, kind in _SECTIONS.items():
        for item in fields(kind):
            default = "null" if item.default is None else str(item.default).lower()
            rule: Rule = item.metadata["rule"]
            lines.append(f"  {f'{section}.{item.name}':<26} [{default}] {item.metadata['help']} ({rule.allowed})")
    return "\n".join(lines)


def _values(section: str, kind: type[Train | Model | Data], spec: Mapping[str, Any]) -> dict[str, Any]:
    given = spec.get(section, {})
    values: dict[str, Any] = {}
    for item in fields(kind):
        if item.name not in given or (given[item.name] is None and item.default is None):
            continue
        rule: Rule = item.metadata["rule"]
        value = rule.convert(given[item.name])
        if value is None:
            raise SpecError(f"{section}.{item.name} is {given[item.name]!r}", allowed=rule.allowed)
        values[item.name] = value
    return values
