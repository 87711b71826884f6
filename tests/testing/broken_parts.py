"""A store that breaks its promise, for the suites to find; run by test_suites.py. One that works stands beside it."""

from __future__ import annotations

import secrets
from pathlib import Path

import pytest

from automl.stores import Store, open_store
from automl.stores.base import Keys
from automl.testing.stores import StoreSuite


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
