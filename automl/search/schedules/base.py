"""What a schedule is: it says how many experiments are trained and how long, and who goes on."""

from __future__ import annotations

from typing import Protocol

from automl.search.plan import Plan


class Schedule(Protocol):
    """How many, how long. A schedule knows no values: those are a sampler's."""

    def plan(self) -> Plan:
        """The search stages, known before anything is trained. Raises InvalidInput."""
        ...
