"""What a schedule is: it says how many experiments are trained and how long, and which of them go on."""

from __future__ import annotations

from typing import Protocol

from automl.search.plan import Plan


class Schedule(Protocol):
    """How many experiments, and how long. A schedule does not know their values, which a sampler chooses."""

    def plan(self) -> Plan:
        """The search stages, known before anything is trained. Raises InvalidInput."""
        ...
