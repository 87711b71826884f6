"""Every schedule of ours passes the suite of schedules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from automl.search.schedules.asynchronous import ASHA, AsynchronousHyperband
from automl.search.schedules.base import Schedule
from automl.search.schedules.hyperband import Hyperband
from automl.search.schedules.population import PopulationBased
from automl.search.schedules.sequential import Sequential
from automl.search.schedules.successive_halving import SuccessiveHalving
from automl.testing.schedules import ScheduleSuite
from tests.search.toy.doubling import Doubling

R27 = Hyperband(R=27, nu=3, epoch_multiplier=1)


class TestHyperband(ScheduleSuite):
    def make_schedules(self) -> Sequence[Schedule]:
        return (
            Hyperband(R=2, nu=2, epoch_multiplier=1),
            R27,
            Hyperband(R=27, nu=3, epoch_multiplier=4, random_stage=True),
            Hyperband(R=27, nu=3, epoch_multiplier="auto", max_epochs=10),
            Hyperband(R=16, nu=4, epoch_multiplier="budget", max_epochs=50),
        )

    def make_impossible(self) -> Sequence[Schedule]:
        return Hyperband(R=2, nu=3), Hyperband(max_epochs=0), Hyperband(R=27, epoch_multiplier="budget", max_epochs=10)


class TestSuccessiveHalving(ScheduleSuite):
    def make_schedules(self) -> Sequence[Schedule]:
        return [SuccessiveHalving(R27, experiments) for experiments in (None, 1, 8, 100)]

    def make_impossible(self) -> Sequence[Schedule]:
        return (SuccessiveHalving(R27, 0),)


class TestASHA(ScheduleSuite):
    def make_schedules(self) -> Sequence[Schedule]:
        return [ASHA(SuccessiveHalving(R27, experiments)) for experiments in (None, 1, 8, 100)]

    def make_impossible(self) -> Sequence[Schedule]:
        return (ASHA(SuccessiveHalving(R27, 0)),)


class TestAsynchronousHyperband(ScheduleSuite):
    def make_schedules(self) -> Sequence[Schedule]:
        settings = Hyperband(R=2, nu=2, epoch_multiplier=1), R27, replace(R27, random_stage=True)
        return [AsynchronousHyperband(hyperband) for hyperband in settings]

    def make_impossible(self) -> Sequence[Schedule]:
        return (AsynchronousHyperband(Hyperband(R=2, nu=3)),)


class TestSequential(ScheduleSuite):
    def make_schedules(self) -> Sequence[Schedule]:
        return Sequential(1, 1), Sequential(7, 5, 3), Sequential(20, 2, None), Sequential(7, 5, 3, overlap=True)

    def make_impossible(self) -> Sequence[Schedule]:
        return Sequential(experiments=0), Sequential(epochs=0), Sequential(parallel=0), Sequential(overlap=True)


class TestPopulationBased(ScheduleSuite):
    def make_schedules(self) -> Sequence[Schedule]:
        return (
            PopulationBased(2, 1, 2),
            PopulationBased(max_epochs=9),
            PopulationBased(5, 3, 10),
            PopulationBased(40, None, 100),
        )

    def make_impossible(self) -> Sequence[Schedule]:
        return PopulationBased(1), PopulationBased(max_epochs=1), PopulationBased(8, 9, 9), PopulationBased(8, 0, 9)


class TestToy(ScheduleSuite):
    def make_schedules(self) -> Sequence[Schedule]:
        return Doubling(1, 1), Doubling(10, 3)
