"""Networks of timm, by name."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import timm
from torch import nn

from automl.errors import SpecError, nearest
from automl.trainers.settings.pictures import Model


def network(settings: Model, *, channels: int, classes: int) -> nn.Module:
    """The network with new last layer; with classes 0 it gives its features, as many as its `num_features`.

    Takes (n, channels, image_size, image_size). Raises SpecError when timm has no such network, and when weights cannot
    be had.
    """
    names = timm.list_models()
    name, _, tag = settings.name.partition(".")
    if name not in names:
        raise SpecError(
            f"model.name is {settings.name!r}, and timm {timm.__version__} has no such network",
            allowed=f"one of {len(names)}: python -c 'import timm; print(*timm.list_models())'",
            advice=nearest(name, names),
        )
    if tag and settings.name not in timm.list_pretrained():
        raise SpecError(f"model.name is {settings.name!r}, and timm knows no weights {tag!r} of it", allowed=name)
    options: dict[str, Any] = {
        "pretrained": settings.pretrained,
        "in_chans": channels,
        "num_classes": classes,
        "drop_rate": settings.dropout,
    }
    try:
        try:
            network = timm.create_model(settings.name, img_size=settings.image_size, **options)
        except TypeError as error:  # transformers must be told the size, the others know no such option
            if "img_size" not in str(error):
                raise
            network = timm.create_model(settings.name, **options)
    except (OSError, RuntimeError) as error:
        if not settings.pretrained:
            raise
        reason = str(error).partition("\n")[0]
        raise SpecError(
            f"model.pretrained is true, and the weights of {settings.name} cannot be had ({reason})",
            advice="set it to false, or give a file as model.weights",
        ) from error
    if settings.weights is not None:
        _load(network, Path(settings.weights))
    assert isinstance(network, nn.Module)
    return network


def _load(network: nn.Module, path: Path) -> None:
    if not path.is_file():
        raise SpecError(f"model.weights is {str(path)!r}, and there is no such file")
    try:
        state = timm.models.load_state_dict(str(path), weights_only=True)
        own = network.state_dict()
        fitting = {name: value for name, value in state.items() if name in own and value.shape == own[name].shape}
    except (AttributeError, EOFError, OSError, RuntimeError, ValueError, pickle.UnpicklingError) as error:
        reason = str(error).partition("\n")[0]
        raise SpecError(f"model.weights is {str(path)!r}, which cannot be read ({reason})") from error
    if len(fitting) < len(own) / 2:  # the last layer may be of another task
        raise SpecError(
            f"model.weights is {str(path)!r}, of which {len(fitting)} of {len(own)} tensors fit the network"
        )
    network.load_state_dict(fitting, strict=False)
