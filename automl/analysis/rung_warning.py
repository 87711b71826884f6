"""What a study says about its rungs: whether short trainings mislead its search, and what to do about it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from automl.analysis.rung_health import RungOrder, rung_orders
from automl.search.history import History
from automl.search.plan import StageKind
from automl.study.definition import Definition
from automl.text.formatting import counted


@dataclass(frozen=True)
class RungHealth:
    """The orders of every two lengths of rungs. Where some mislead, `warning` says it and `advice` what to do."""

    orders: tuple[RungOrder, ...]
    warning: str = ""
    advice: str = ""

    @property
    def text(self) -> str:
        """The warning with its advice; empty where nothing misleads."""
        return f"{self.warning}; {self.advice}" if self.warning else ""

    def after(self, epochs: int) -> str:
        """What it says of a promotion by the value after so many epochs; empty where that length does not mislead."""
        order = _worst(tuple(order for order in self.orders if order.shorter == epochs))
        return f"a warning: {_words(order)}; {self.advice}" if order else ""

    def to_json(self) -> dict[str, Any]:
        return {
            "warning": self.warning or None,
            "advice": self.advice or None,
            "orders": [order.to_json() for order in self.orders],
        }


def rung_health(definition: Definition, study: History) -> RungHealth | None:
    """The health of a study's rungs; None where no two lengths can be compared (yet)."""
    orders = rung_orders(definition.plan, study)
    worst = _worst(orders)
    if worst is None:
        return RungHealth(orders) if orders else None
    longest_misleading = max(order.shorter for order in orders if order.misleads)
    return RungHealth(orders, f"short trainings mislead: {_words(worst)}", _advice(definition, longest_misleading))


def _worst(orders: tuple[RungOrder, ...]) -> RungOrder | None:
    """The least likely of those that mislead."""
    return min((order for order in orders if order.misleads), key=lambda order: order.likelihood, default=None)


def _words(order: RungOrder) -> str:
    return (
        f"the order after {counted(order.shorter, 'epoch')} does not predict the order after {order.longer:,} "
        f"(rank correlation {order.correlation:.2f} of {order.experiments} experiments)"
    )


def _advice(definition: Definition, misleading: int) -> str:
    """A longer first rung, in a new study; and what a network has to say so that its schedule spans the training."""
    searched = [stage for stage in definition.plan.stages if stage.kind is StageKind.SEARCH]
    longest = max(stage.schedule_epochs for stage in searched)
    first = min(rung.epochs for stage in searched for rung in stage.rungs if rung.epochs > misleading)
    resource, nu = longest // first, definition.file.nu or 3
    text = "in a new study "
    if resource >= max(2, nu):
        text += f"'R: {resource}' with 'epoch_multiplier: {first}' begins with {first:,} epochs"
    else:
        text += "'algorithm: bayesian' gives each experiment a full training"
    network = definition.network
    if network.stop_at_rung or network.fields.schedule_epochs is not None:
        return text
    return (
        f"{text}; or, where the learning rate follows the epochs that the program is told, 'stop_at_rung: true' or "
        "'fields: schedule_epochs' in the network lets it span the whole training"
    )
