"""Every store of ours passes the suite of stores: a folder, memory, moto and a real S3 server."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from automl.errors import StoreError
from automl.stores import Store, open_store
from automl.stores.base import check_key, check_prefix
from automl.testing.stores import HOSTILE_KEYS, HOSTILE_PREFIXES, StoreSuite
from tests.stores.conftest import Place


class TestOurStores(StoreSuite):
    @pytest.fixture
    def fill(self, place: Place) -> Callable[[Sequence[str]], None]:
        return place.fill


def test_the_address_of_a_store_opens_it_again(store: Store) -> None:
    store.put("k", b"x")
    again = open_store(store.uri)
    assert again.uri == store.uri
    assert again.get("k") == b"x"


@pytest.mark.parametrize("source", ["missing", "folder"])
def test_a_source_that_is_no_file_is_refused_with_a_reason(store: Store, tmp_path: Path, source: str) -> None:
    (tmp_path / "folder").mkdir()
    with pytest.raises(StoreError, match="it is not a file"):
        store.put("k", tmp_path / source)


@pytest.mark.parametrize("key", HOSTILE_KEYS, ids=lambda key: ascii(key[:20]))
def test_a_hostile_key_is_refused_before_any_store_sees_it(key: str) -> None:
    with pytest.raises(StoreError, match=r"^the key "):
        check_key(key)


@pytest.mark.parametrize("prefix", HOSTILE_PREFIXES, ids=ascii)
def test_a_hostile_prefix_is_refused_before_any_store_sees_it(prefix: str) -> None:
    with pytest.raises(StoreError, match=r"^the prefix "):
        check_prefix(prefix)
