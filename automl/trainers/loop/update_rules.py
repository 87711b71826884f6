"""SGD and AdamW by the functions of torch.optim, without its classes.

Why: the first object of a torch.optim class imports torch._dynamo, which took 4.3 CPU seconds where importing torch
took 2.8 and an epoch of the default example half a second. A search starts this program twenty times.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import torch
from torch import Tensor, nn
from torch.optim.adamw import adamw
from torch.optim.sgd import sgd


class UpdateRule(Protocol):
    """Changes parameters by their gradients."""

    def step(self, learning_rate: float) -> None:
        """One update from the gradients that the parameters hold."""
        ...

    def state(self) -> dict[str, Any]:
        """What a checkpoint must hold: tensors and plain numbers."""
        ...

    def restore(self, state: Mapping[str, Any]) -> None:
        """Takes over what `state` gave. Raises KeyError or RuntimeError when it belongs to other parameters."""
        ...


class SGD:
    """Gradient descent with momentum and decay of the weights added to the gradient, as torch.optim.SGD."""

    def __init__(self, parameters: Iterable[nn.Parameter], *, momentum: float, weight_decay: float) -> None:
        self._parameters: list[Tensor] = [*parameters]
        self._momentum, self._weight_decay = momentum, weight_decay
        self._velocities = [torch.zeros_like(parameter) for parameter in self._parameters]

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        velocities: list[Tensor | None] = [*self._velocities]
        sgd(
            self._parameters,
            [_gradient(parameter) for parameter in self._parameters],
            velocities,
            foreach=False,
            weight_decay=self._weight_decay,
            momentum=self._momentum,
            lr=learning_rate,
            dampening=0.0,
            nesterov=False,
            maximize=False,
        )

    def state(self) -> dict[str, Any]:
        return {"velocities": self._velocities}

    def restore(self, state: Mapping[str, Any]) -> None:
        _copy_all(state["velocities"], self._velocities)


class AdamW:
    """Adam with the decay apart from the gradient (Loshchilov and Hutter 2019), as torch.optim.AdamW."""

    _BETA_1, _BETA_2, _EPSILON = 0.9, 0.999, 1e-8

    def __init__(self, parameters: Iterable[nn.Parameter], *, weight_decay: float) -> None:
        self._parameters: list[Tensor] = [*parameters]
        self._weight_decay = weight_decay
        self._steps = [torch.zeros(()) for _ in self._parameters]
        self._means = [torch.zeros_like(parameter) for parameter in self._parameters]
        self._squares = [torch.zeros_like(parameter) for parameter in self._parameters]

    @torch.no_grad()
    def step(self, learning_rate: float) -> None:
        adamw(
            self._parameters,
            [_gradient(parameter) for parameter in self._parameters],
            self._means,
            self._squares,
            [],
            self._steps,
            foreach=False,
            amsgrad=False,
            beta1=self._BETA_1,
            beta2=self._BETA_2,
            lr=learning_rate,
            weight_decay=self._weight_decay,
            eps=self._EPSILON,
            maximize=False,
        )

    def state(self) -> dict[str, Any]:
        return {"steps": self._steps, "means": self._means, "squares": self._squares}

    def restore(self, state: Mapping[str, Any]) -> None:
        _copy_all(state["steps"], self._steps)
        _copy_all(state["means"], self._means)
        _copy_all(state["squares"], self._squares)


def _gradient(parameter: Tensor) -> Tensor:
    assert parameter.grad is not None, "a step before a backward pass"
    return parameter.grad


def _copy_all(sources: list[Tensor], targets: list[Tensor]) -> None:
    if len(sources) != len(targets):
        raise RuntimeError(f"{len(sources)} tensors for {len(targets)} parameters")
    for source, target in zip(sources, targets, strict=True):
        target.copy_(source)


def _check(sgd: SGD, adamw: AdamW) -> tuple[UpdateRule, ...]:
    """For the type checker: both keep the protocol."""
    return (sgd, adamw)
