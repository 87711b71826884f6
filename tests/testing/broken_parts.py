"""Parts that break a promise each, for the suites to find, and parts that keep them all; run by test_suites.py."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest

from automl.problem.search_space import SearchSpace
from automl.search.plan import Plan, Rung, Stage, StageKind
from automl.search.samplers.base import Proposal, Request, Sampler, Trial
from automl.search.samplers.uniform import Uniform
from automl.search.schedules.base import Schedule
from automl.search.schedules.sequential import Sequential
from automl.stores import Store, open_store
from automl.stores.base import Keys
from automl.testing.samplers import SamplerSuite
from automl.testing.schedules import ScheduleSuite
from automl.testing.stores import StoreSuite


class HostsEntropySampler:
    """Draws feasible values, and leaves the seed of the request aside."""

    def propose(self, space: SearchSpace, trials: Sequence[Trial], request: Request) -> tuple[Proposal, ...]:
        rng = np.random.default_rng()
        return tuple(Proposal(space.sample(rng), f"after {len(trials)} trials") for _ in range(request.count))


class TestHostsEntropySampler(SamplerSuite):
    def make_sampler(self) -> Sampler:
        return HostsEntropySampler()


class OverlappingSchedule:
    """Two stages whose experiments have the same numbers, and a rung that trains no longer than the one before."""

    def plan(self) -> Plan:
        rungs = (Rung(0, 3, 2, 2, new=True), Rung(1, 1, 2, 2, new=False))
        return Plan((Stage(0, "one", StageKind.SEARCH, 0, rungs), Stage(1, "other", StageKind.SEARCH, 0, rungs)))


class TestOverlappingSchedule(ScheduleSuite):
    def make_schedules(self) -> Sequence[Schedule]:
        return (OverlappingSchedule(),)

    def make_impossible(self) -> Sequence[Schedule]:
        return (OverlappingSchedule(),)


class TestSoundSchedule(ScheduleSuite):
    def make_schedules(self) -> Sequence[Schedule]:
        return (Sequential(3, 2),)


class TestSoundSampler(SamplerSuite):
    def make_sampler(self) -> Sampler:
        return Uniform()


class OverwritingStore:
    """Creates a key as often as it is asked."""

    def __init__(self) -> None:
        self._store = open_store(f"memory:{secrets.token_hex(8)}")
        self.uri = self._store.uri

    def get(self, key: str) -> bytes | None:
        return self._store.get(key)

    def fetch(self, key: str, to: Path) -> bool:
        return self._store.fetch(key, to)

    def create(self, key: str, data: bytes) -> bytes:
        self._store.put(key, data)
        return data

    def put(self, key: str, data: bytes | Path) -> None:
        self._store.put(key, data)

    def list(self, prefix: str) -> Keys:
        return self._store.list(prefix)

    def delete(self, key: str) -> None:
        self._store.delete(key)


class TestOverwritingStore(StoreSuite):
    @pytest.fixture
    def store(self) -> Store:
        return OverwritingStore()


class TestSoundStore(StoreSuite):
    @pytest.fixture
    def store(self) -> Store:
        return open_store(f"memory:{secrets.token_hex(8)}")
