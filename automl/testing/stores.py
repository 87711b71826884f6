"""What every store must do: six verbs over keys and bytes, one of them create-once, by any number of writers."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier, Event

import pytest

from automl.errors import StoreError
from automl.stores import Store, probe
from automl.stores.base import MAX_KEY_BYTES, MAX_SEGMENT_BYTES
from automl.text import strict_json

__all__ = ["HOSTILE_KEYS", "HOSTILE_PREFIXES", "StoreSuite"]

_EVERY_BYTE = bytes(range(256)) * 3
_CONTENTS = {
    "empty": b"",
    "every_byte": _EVERY_BYTE,
    "text_of_many_scripts": "Kreuzentropie ▁ 損失 🙂 e\u0301\n".encode(),
    "crlf_and_nul": b"a\r\nb\0c\r\n\r\n",
    "chunked_lookalike": b"5\r\nhello\r\n0\r\n\r\n",
    "json": strict_json.dump({"loss": 0.25, "name": "größe"}),
}
_GOOD_KEYS = (
    "a",
    "decisions/0/00003.json",
    "experiment_1/r0/attempt-b1c2/ckpt/5/model.safetensors",
    "A.b_c=d+e@f-g",
    "a..b/c...",
    "-rf",
    "=41",
    "con/nul.txt",
    "x" * MAX_SEGMENT_BYTES,
    "/".join(["d"] * 100),
    "2026-11-24T00+01",
)
HOSTILE_KEYS = (
    *("", "/", "//", ".", "..", "../a", "a/..", "a/../b", "a/../../etc/passwd", "./a", "a/.", "a/./b"),  # ways out
    *("/a", "/etc/passwd", "a/", "a//b", "a\\b", "..\\a", "C:\\a", "C:/a", "~", "~root/a"),
    *(
        "a b",
        " a",
        "a ",
        "a\n",
        "a\nb",
        "a\r",
        "a\tb",
        "a\0",
        "a\0b",
        "\x1b[2J",
        "\x7f",
        "a\u00a0b",
    ),  # blanks, controls
    *("a*", "a?b", "a#b", "a%2e%2e", "%2e%2e/a", "a:b", "a|b", "a&b", "<a>"),  # patterns and addresses
    *("a;b", "$(id)", "`id`", "a'b", 'a"b', "{{a}}"),  # shells and templates
    *("ü", "e\u0301", "\u202ea", "\u2024\u2024/a", "\uff0e\uff0e/a", "🙂", "\udcff"),  # more than ASCII
    *("x" * (MAX_SEGMENT_BYTES + 1), "a/" * 450 + "a", ".tmp-a", "a/.tmp-incoming/b"),  # too long, kept for stores
)
HOSTILE_PREFIXES = ("/", "//", "../", "a/../", "./", "a//", "a b", "a*", "a\0", "ü", "a\\", "/etc/", ".tmp-incoming/")


class StoreSuite:
    """The tests that a store must pass. Subclass it as `Test...`, with a fixture `store`: a new and empty store.

    A store passes every key through `automl.stores.check_key` and every prefix through `check_prefix` of
    `automl.stores.base`: they raise the errors that the suite expects. Override the fixture `fill` where 1,000 writes
    are slow.
    """

    @pytest.fixture
    def fill(self, store: Store) -> Callable[[Sequence[str]], None]:
        """Puts a small object under each of these keys."""

        def write(keys: Sequence[str]) -> None:
            with ThreadPoolExecutor(8) as pool:
                list(pool.map(lambda key: store.put(key, b"x"), keys))

        return write

    # ---- reading what is not there

    def test_a_missing_object_reads_as_none(self, store: Store) -> None:
        assert store.get("nothing/here.json") is None

    def test_a_missing_object_is_not_fetched_and_leaves_no_file(self, store: Store, tmp_path: Path) -> None:
        (tmp_path / "down").mkdir()
        assert store.fetch("nothing/here.json", tmp_path / "down" / "file") is False
        assert list((tmp_path / "down").iterdir()) == []

    def test_an_empty_store_lists_nothing(self, store: Store) -> None:
        assert store.list("") == []
        assert store.list("decisions/") == []

    def test_deleting_what_is_not_there_is_no_error(self, store: Store) -> None:
        store.delete("nothing/here.json")
        assert store.list("") == []

    # ---- create-once

    def test_the_first_create_wins_and_returns_its_bytes(self, store: Store) -> None:
        assert store.create("decisions/0.json", b"first") == b"first"
        assert store.get("decisions/0.json") == b"first"

    def test_a_later_create_returns_the_winner_and_changes_nothing(self, store: Store) -> None:
        store.create("decisions/0.json", b"first")
        assert store.create("decisions/0.json", b"second") == b"first"
        assert store.get("decisions/0.json") == b"first"

    def test_creating_the_same_bytes_again_is_a_success(self, store: Store) -> None:
        assert [store.create("k", b"same") for _ in range(3)] == [b"same"] * 3

    def test_create_does_not_overwrite_what_put_wrote(self, store: Store) -> None:
        store.put("k", b"put")
        assert store.create("k", b"created") == b"put"

    def test_an_empty_object_counts_as_existing(self, store: Store) -> None:
        assert store.create("k", b"") == b""
        assert store.create("k", b"late") == b""

    def test_after_a_delete_the_key_can_be_created_again(self, store: Store) -> None:
        store.create("a/b/k", b"old")
        store.delete("a/b/k")
        assert store.create("a/b/k", b"new") == b"new"

    def test_eight_writers_of_one_key_all_hear_the_same_winner(self, store: Store) -> None:
        barrier = Barrier(8, timeout=60)  # a writer that fails must not keep the others waiting

        def write(writer: int) -> list[bytes]:
            answers = []
            for number in range(20):
                barrier.wait()
                answers.append(store.create(f"race/{number}", f"writer {writer} of {number}".encode()))
            return answers

        with ThreadPoolExecutor(8) as pool:
            by_writer = list(pool.map(write, range(8)))
        for number in range(20):
            winners = {answers[number] for answers in by_writer}
            assert winners == {store.get(f"race/{number}")}
            assert winners <= {f"writer {writer} of {number}".encode() for writer in range(8)}

    def test_creates_of_neighbours_do_not_disturb_each_other(self, store: Store) -> None:
        with ThreadPoolExecutor(8) as pool:
            list(pool.map(lambda n: store.create(f"deep/{n % 4}/er/{n}", str(n).encode()), range(64)))
        assert {key: store.get(key) for key in store.list("deep/")} == {
            f"deep/{n % 4}/er/{n}": str(n).encode() for n in range(64)
        }

    def test_create_and_delete_of_one_key_at_once_never_fail(self, store: Store) -> None:

        def work(worker: int) -> None:
            for number in range(15):
                if worker % 2:
                    store.delete("come/and/go")
                else:
                    assert store.create("come/and/go", f"{worker}.{number}".encode())

        with ThreadPoolExecutor(4) as pool:
            list(pool.map(work, range(4)))
        store.delete("come/and/go")
        assert store.list("come/") == []

    # ---- what is written is what is read

    @pytest.mark.parametrize("name", _CONTENTS)
    def test_content_survives_create_put_and_fetch(self, store: Store, tmp_path: Path, name: str) -> None:
        data = _CONTENTS[name]
        assert store.create("created", data) == data
        store.put("put", data)
        (tmp_path / "up").write_bytes(data)
        store.put("uploaded", tmp_path / "up")
        for key in ("created", "put", "uploaded"):
            assert store.get(key) == data
            assert store.fetch(key, tmp_path / "down")
            assert (tmp_path / "down").read_bytes() == data

    def test_put_overwrites_with_shorter_and_longer_content(self, store: Store) -> None:
        for data in (b"middle", b"", b"x" * 100_000, b"s"):
            store.put("view.json", data)
            assert store.get("view.json") == data

    def test_put_overwrites_what_create_wrote(self, store: Store) -> None:
        store.create("k", b"created")
        store.put("k", b"put")
        assert store.get("k") == b"put"

    def test_every_write_is_seen_by_the_next_read_and_list(self, store: Store) -> None:
        for number in range(20):
            store.put(f"seen/{number:02}", str(number).encode())
            assert store.get(f"seen/{number:02}") == str(number).encode()
            assert len(store.list("seen/")) == number + 1

    def test_a_file_of_many_parts_goes_up_and_down_whole(self, store: Store, tmp_path: Path) -> None:
        data = hashlib.shake_256(b"parts").digest(17 * 1024 * 1024 + 13)  # three parts on S3, the last one odd
        (tmp_path / "up").write_bytes(data)
        store.put("ckpt/5/model.safetensors", tmp_path / "up")
        assert store.fetch("ckpt/5/model.safetensors", tmp_path / "new" / "folder" / "down")
        assert _sha256((tmp_path / "new" / "folder" / "down").read_bytes()) == _sha256(data)
        assert _sha256(store.get("ckpt/5/model.safetensors") or b"") == _sha256(data)
        assert [path.name for path in (tmp_path / "new" / "folder").iterdir()] == ["down"]

    def test_the_file_that_was_put_stays_and_may_change_afterwards(self, store: Store, tmp_path: Path) -> None:
        source = tmp_path / "log.txt"
        source.write_bytes(b"epoch 1\n")
        store.put("log.txt", source)
        with source.open("ab") as file:
            file.write(b"epoch 2\n")
        assert store.get("log.txt") == b"epoch 1\n"

    def test_fetch_replaces_an_older_file_whole(self, store: Store, tmp_path: Path) -> None:
        (tmp_path / "spec.yaml").write_bytes(b"something much longer than before")
        store.put("spec.yaml", b"short")
        assert store.fetch("spec.yaml", tmp_path / "spec.yaml")
        assert (tmp_path / "spec.yaml").read_bytes() == b"short"

    @pytest.mark.parametrize("source", ["missing", "folder"])
    def test_a_source_that_is_no_file_is_refused_and_stores_nothing(
        self, store: Store, tmp_path: Path, source: str
    ) -> None:
        (tmp_path / "folder").mkdir()
        with pytest.raises(StoreError):
            store.put("k", tmp_path / source)
        assert store.list("") == []

    def test_a_reader_sees_the_old_or_the_new_never_a_mix(self, store: Store) -> None:
        versions = [bytes([letter]) * size for letter, size in ((65, 300_000), (66, 70_000))]
        store.put("view", versions[0])
        done = Event()

        def read() -> set[bytes | None]:
            contents = {store.get("view")}
            while not done.is_set():
                contents.add(store.get("view"))
            return contents

        with ThreadPoolExecutor(2) as pool:
            readers = [pool.submit(read) for _ in range(2)]
            try:
                for number in range(20):
                    store.put("view", versions[number % 2])
            finally:
                done.set()
            for reader in readers:
                assert reader.result() <= set(versions)

    # ---- list

    def test_keys_are_listed_in_order_whatever_the_order_of_writing(self, store: Store) -> None:
        keys = ["b", "a/2", "a/10", "a-1", "B", "a.x", "c/d/e", "a/1", "_"]
        for key in keys:
            store.put(key, b"x")
        assert store.list("") == sorted(keys)

    def test_a_prefix_is_a_string_and_not_a_folder(self, store: Store) -> None:
        for key in ("run/1", "run/10/a", "run/2", "runner/1", "ru"):
            store.put(key, b"x")
        assert store.list("run/1") == ["run/1", "run/10/a"]
        assert store.list("run") == ["run/1", "run/10/a", "run/2", "runner/1"]
        assert store.list("run/") == ["run/1", "run/10/a", "run/2"]
        assert store.list("run/10/a") == ["run/10/a"]
        assert store.list("run/10/a/") == []
        assert store.list("RUN") == []

    def test_a_list_of_more_than_one_page_is_complete(
        self, store: Store, fill: Callable[[Sequence[str]], None]
    ) -> None:
        keys = [f"results/{number // 100}/{number}.json" for number in range(1100)]
        fill(keys)
        assert store.list("") == sorted(keys)
        assert store.list("results/10/") == sorted(keys[1000:])

    def test_hidden_names_are_listed_only_when_asked_for(self, store: Store) -> None:
        for key in ("a", ".work/scratch", "b/.hidden/x", "b/c", "b/.d"):
            store.put(key, b"x")
        assert store.list("") == ["a", "b/c"]
        assert store.list("b/") == ["b/c"]
        assert store.list(".work/") == [".work/scratch"]
        assert store.list(".w") == [".work/scratch"]
        assert store.list("b/.") == ["b/.d", "b/.hidden/x"]

    def test_deleting_one_object_leaves_its_neighbours(self, store: Store) -> None:
        for key in ("a/1", "a/1x", "a/2", "b"):
            store.put(key, b"x")
        store.delete("a/1")
        store.delete("a/1")
        assert store.list("") == ["a/1x", "a/2", "b"]
        assert store.get("a/1") is None

    # ---- keys

    @pytest.mark.parametrize("key", _GOOD_KEYS, ids=lambda key: key[:20])
    def test_a_good_key_goes_through_every_verb(self, store: Store, tmp_path: Path, key: str) -> None:
        assert store.create(key, b"x") == b"x"
        store.put(key, b"y")
        assert store.get(key) == b"y"
        assert store.list(key) == [key]
        assert store.fetch(key, tmp_path / "down")
        store.delete(key)
        assert store.list("") == []

    @pytest.mark.parametrize("key", HOSTILE_KEYS, ids=lambda key: ascii(key[:20]))
    def test_a_hostile_key_is_refused_by_every_verb(self, store: Store, tmp_path: Path, key: str) -> None:
        verbs = (
            lambda: store.get(key),
            lambda: store.fetch(key, tmp_path / "down"),
            lambda: store.create(key, b"x"),
            lambda: store.put(key, b"x"),
            lambda: store.delete(key),
        )
        for verb in verbs:
            with pytest.raises(StoreError) as refused:
                verb()
            assert refused.value.given.startswith("the key ")
            assert refused.value.allowed
            assert str(refused.value).isprintable()
            assert str(refused.value).isascii()

    @pytest.mark.parametrize("prefix", HOSTILE_PREFIXES, ids=ascii)
    def test_a_hostile_prefix_is_refused(self, store: Store, prefix: str) -> None:
        with pytest.raises(StoreError, match="the prefix"):
            store.list(prefix)

    def test_the_longest_key_fits_every_store(self, store: Store) -> None:
        key = "/".join(["k" * 199] * 4)
        assert len(key) == MAX_KEY_BYTES - 1
        store.put(key, b"x")
        assert store.list("") == [key]

    # ---- the whole

    def test_the_probe_passes_and_leaves_nothing(self, store: Store) -> None:
        store.put("study.yaml", b"x")
        probe(store)
        assert store.list(".probe/") == []
        assert store.list("") == ["study.yaml"]


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
