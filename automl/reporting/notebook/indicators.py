"""The numbers above a study in a notebook."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from automl.text import formatting

if TYPE_CHECKING:
    pass


def share_done(data: Mapping[str, Any]) -> float:
    """The share of the planned epochs that are done, 0 to 1. data: as `status.status` gives it."""
    done, pending = data["epochs"]["done"], data["epochs"]["pending"]
    return done / (done + pending) if done + pending else 0.0


def indicators(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The four things that one looks at while a search runs, after where it stands."""
    running = ", ".join(f"{each['experiment']} (epoch {each['epoch']})" for each in data["running"]) or "none"
    best = data["best"]
    return [
        ("state", data["state"]),
        ("experiments now", running),
        ("epochs pending", f"{data['epochs']['pending']:,}"),
        ("time left", formatting.left(data["minutes_left"], data["minutes_left_80"])),
        ("best so far", f"{formatting.number(best['value'])} (experiment {best['experiment']})" if best else "none"),
    ]
