"""An attempt whose training program is the test itself: it writes status lines and checkpoints as a program would."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from automl.execution.steps.diagnosis import Ended
from automl.execution.steps.observe import Observer
from automl.execution.steps.stage_in import Launch, stage_in
from automl.search.history import Recommendation
from automl.stores.memory import MemoryStore
from automl.study.definition import Definition
from automl.study.record import Record
from tests.simulation.studies import RANDOM, study

WELL, KILLED = Ended(0), Ended(-9)


def recommendation(number: int = 0, epochs: int = 3, **more: Any) -> Recommendation:
    return Recommendation(number, {"train.lr": 0.02}, epochs, epochs, 7, "a test", **more)


class Attempt:
    """One attempt at rung `rung` of an experiment, followed by an Observer. now: its files' clock, in ns."""

    def __init__(
        self,
        folder: Path,
        record: Record | None = None,
        definition: Definition | None = None,
        asked: Recommendation | None = None,
        rung: int = 0,
    ) -> None:
        self.record = record or Record(MemoryStore())
        self.definition = definition or study(RANDOM)
        self.asked = asked or recommendation()
        self.launch: Launch = stage_in(self.record, self.definition, self.asked, rung, folder)
        self.observer = Observer(self.record, self.definition, self.asked, rung, self.launch)
        self.now = 10**18

    @property
    def status(self) -> Path:
        return self.launch.results / "status.json"

    def says(self, **members: Any) -> None:
        """Appends a status line; NaN in it is written as text, as the contract has it."""
        with self.status.open("a") as file:
            file.write(json.dumps(members) + "\n")
        self._touch(self.status)

    def reports(self, epoch: int, loss: float | str) -> None:
        self.says(epoch=epoch, kpi={"loss": loss})

    def saves(self, epoch: int, text: str = "whole") -> Path:
        path = self.launch.results / f"line_{epoch}.json"
        path.write_text(text)
        self._touch(path)
        return path

    def stored(self, rung: int = 0) -> list[int]:
        """The epochs whose checkpoints are in the store, newest first."""
        return [each.epoch for each in self.record.checkpoints(self.asked.number, rung)]

    def _touch(self, path: Path) -> None:
        self.now += 10**9
        os.utime(path, ns=(self.now, self.now))


def trains(attempt: Attempt, *losses: float | str, first: int = 1) -> None:
    """Saves and reports epoch after epoch, and is looked at after each."""
    for epoch, loss in enumerate(losses, first):
        attempt.saves(epoch)
        attempt.reports(epoch, loss)
        attempt.observer.poll(epoch)
