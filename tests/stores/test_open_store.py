"""The addresses that mean a store, those that mean none, and the probe on stores that lie."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.errors import InvalidInput, StoreError, UnsafeStore
from automl.stores import open_store, probe
from automl.stores.memory import MemoryStore


@pytest.mark.parametrize(
    ("uri", "below"),
    [
        ("study", "study"),
        ("./study", "study"),
        ("./a/../study/", "study"),
        ("./with:colon", "with:colon"),
        ("über uns", "über uns"),
    ],
)
def test_a_path_is_a_folder_of_the_working_directory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, uri: str, below: str
) -> None:
    monkeypatch.chdir(tmp_path)
    store = open_store(uri)
    monkeypatch.chdir("/")  # an opened store does not move
    assert store.uri == str(tmp_path / below)
    store.put("k", b"x")
    assert (tmp_path / below / "k").read_bytes() == b"x"


def test_a_tilde_is_the_home_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert open_store("~/study").uri == str(tmp_path / "study")


def test_a_file_address_is_a_folder(tmp_path: Path) -> None:
    assert open_store(f"file://{tmp_path}/my%20study").uri == f"{tmp_path}/my study"
    assert open_store(f"file://localhost{tmp_path}").uri == str(tmp_path)


def test_memory_stores_of_one_name_are_one() -> None:
    open_store("memory:one").put("k", b"x")
    assert open_store("memory:one").get("k") == b"x"
    assert open_store("memory:two").get("k") is None
    assert open_store("memory:one").uri == "memory:one"


@pytest.mark.parametrize(
    ("uri", "advice"),
    [
        ("", ""),
        ("   ", ""),
        ("a\0b", ""),
        ("gs://bucket/x", "write ./ before it"),
        ("s3a://bucket/x", "did you mean 's3'?"),
        ("mem:x", "did you mean 'memory'?"),
        ("http://127.0.0.1:9000/bucket", "set AWS_ENDPOINT_URL"),
        ("https://bucket.s3.amazonaws.com/x", "set AWS_ENDPOINT_URL"),
        ("s3:bucket/x", "write s3://bucket/x"),
        ("s3:/bucket/x", "write s3://bucket/x"),
        ("s3://", "AWS_ENDPOINT_URL"),
        ("s3:///prefix", "AWS_ENDPOINT_URL"),
        ("s3://b", "AWS_ENDPOINT_URL"),
        ("s3://127.0.0.1:9000/bucket", "AWS_ENDPOINT_URL"),
        ("s3://bucket/../other", ""),
        ("s3://bucket/a//b", ""),
        ("s3://bucket/a b", ""),
        ("s3://bucket/" + "a" * 201, ""),
        ("file:study", "write the path alone"),
        ("file://host/study", "three slashes"),
        ("C:\\study", "write ./ before it"),
    ],
)
def test_an_address_that_means_no_store_is_refused_with_the_allowed_ones(uri: str, advice: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        open_store(uri)
    assert "s3://bucket/prefix" in refused.value.allowed
    assert advice in refused.value.advice


@pytest.mark.parametrize(
    "uri",
    [
        "s3://AKIACANARY:hush@bucket/x",
        "s3://AKIACANARY:hush@127.0.0.1:9000/bucket",
        "https://AKIACANARY:hush@host/bucket",
        "https://host/bucket?X-Amz-Credential=AKIACANARY&X-Amz-Signature=hush",
        "s3:AKIACANARY:hush@bucket/x",
        "file://AKIACANARY:hush@host/x",
    ],
)
def test_credentials_in_an_address_are_refused_and_not_repeated(uri: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        open_store(uri)
    assert "AKIACANARY" not in str(refused.value)
    assert "hush" not in str(refused.value)


class _Lying(MemoryStore):
    """Keeps every promise but one."""

    def __init__(self, lie: str) -> None:
        super().__init__("lying")
        self._lie = lie
        self._creates = 0
        self._stale: dict[str, bytes] = {}

    def create(self, key: str, data: bytes) -> bytes:
        self._creates += 1
        if self._lie == "create overwrites" or (self._lie == "late creates overwrite" and self._creates > 8):
            super().put(key, data)
            return data
        told = super().create(key, data)
        return data if self._lie == "every create is told it won" else told

    def put(self, key: str, data: bytes | Path) -> None:
        old = super().get(key)
        if old is not None and self._lie == "overwrites are seen late":
            self._stale[key] = old
        super().put(key, data)

    def get(self, key: str) -> bytes | None:
        return self._stale.pop(key, None) or super().get(key)

    def list(self, prefix: str) -> list[str]:
        return [] if self._lie == "lists are late" else super().list(prefix)

    def delete(self, key: str) -> None:
        if self._lie != "deletes do nothing":
            super().delete(key)


@pytest.mark.parametrize(
    "lie",
    [
        "create overwrites",
        "every create is told it won",
        "late creates overwrite",
        "overwrites are seen late",
        "lists are late",
        "deletes do nothing",
    ],
)
def test_the_probe_finds_each_broken_promise(lie: str) -> None:
    with pytest.raises(UnsafeStore, match="the store memory:lying") as found:
        probe(_Lying(lie))
    assert found.value.allowed
    assert found.value.advice


def test_the_probe_accepts_a_store_that_keeps_them_all() -> None:
    probe(_Lying("none"))


def test_a_store_that_cannot_be_reached_is_not_called_unsafe(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(StoreError) as refused:
        open_store(str(tmp_path / "file"), probe=True)
    assert not isinstance(refused.value, UnsafeStore)
