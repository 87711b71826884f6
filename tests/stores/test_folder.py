"""A folder as a store, when a writer is killed, the disk is full or read-only, or the folder is not what it seems."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from automl.errors import StoreError
from automl.stores import Store, folder, open_store, probe

ROOT = Path(folder.__file__).parents[2]
IS_ROOT = os.geteuid() == 0

WRITER = """
import hashlib, sys
from automl.stores import open_store
store = open_store(sys.argv[1])
for number in range(200):
    body = str(number).encode() * 20_000
    data = hashlib.sha256(body).hexdigest().encode() + body
    if number % 2:
        store.create(f"objects/{number % 7}/{number}", data)
    else:
        store.put(f"objects/{number % 7}/{number}", data)
    store.put("view", data)
    print(number, flush=True)
"""


@pytest.fixture
def store(tmp_path: Path) -> Store:
    return open_store(str(tmp_path / "study"))


def files_below(path: Path) -> list[str]:
    return sorted(str(file.relative_to(path)) for file in path.rglob("*") if not file.is_dir())


def python(program: str, *arguments: str) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.Popen([sys.executable, "-c", program, *arguments], env=environment, stdout=subprocess.PIPE)


def mount(*arguments: str, program: str = "mount") -> bool:
    found = shutil.which(program)
    return found is not None and subprocess.run([found, *arguments], check=False, capture_output=True).returncode == 0


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 1 MiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    if not (IS_ROOT and mount("-t", "tmpfs", "-o", "size=1m", "tmpfs", str(disk))):
        pytest.skip("only root, and not in every container, may mount a file system")
    yield disk
    assert mount("-l", str(disk), program="umount")


# ---- what a user sees in the folder


def test_the_folder_is_made_by_the_first_write(tmp_path: Path) -> None:
    store = open_store(str(tmp_path / "a" / "study"))
    assert store.get("k") is None
    assert store.list("") == []
    assert not store.fetch("k", tmp_path / "down")
    store.delete("k")
    assert not (tmp_path / "a").exists()
    store.create("k", b"x")
    assert (tmp_path / "a" / "study" / "k").read_bytes() == b"x"


def test_objects_are_plain_files_and_nothing_else_stays(store: Store) -> None:
    (Path(store.uri).parent / "up").write_bytes(b"file")
    store.create("decisions/0.json", b"x")
    store.create("decisions/0.json", b"late")
    store.put("ckpt/model.pt", Path(store.uri).parent / "up")
    assert files_below(Path(store.uri)) == ["ckpt/model.pt", "decisions/0.json"]


def test_a_file_that_a_user_lays_down_is_an_object(store: Store) -> None:
    store.put("a", b"x")
    (Path(store.uri) / "notes.txt").write_text("mine")
    (Path(store.uri) / "with blank.txt").write_text("no key may hold a blank")
    os.mkfifo(Path(store.uri) / "pipe")
    assert store.list("") == ["a", "notes.txt"]
    assert store.create("notes.txt", b"x") == b"mine"


def test_files_have_the_rights_that_the_user_wants(store: Store) -> None:
    old = os.umask(0o027)
    try:
        store.create("k", b"x")
        store.put("v", b"x")
    finally:
        os.umask(old)
    assert {(Path(store.uri) / name).stat().st_mode & 0o777 for name in "kv"} == {0o640}


def test_deleting_the_last_object_removes_its_folders_but_not_the_store(store: Store) -> None:
    store.put("a/b/c/k", b"x")
    store.put("a/k", b"x")
    store.delete("a/b/c/k")
    assert not (Path(store.uri) / "a" / "b").exists()
    store.delete("a/k")
    assert Path(store.uri).is_dir()
    store.put("a", b"now an object")
    assert store.list("") == ["a"]


def test_deleting_a_file_that_a_user_laid_down_leaves_the_folder(tmp_path: Path) -> None:
    (tmp_path / "study").mkdir()
    (tmp_path / "study" / "k").write_bytes(b"x")
    open_store(str(tmp_path / "study")).delete("k")
    assert list((tmp_path / "study").iterdir()) == []


@pytest.mark.parametrize("verb", ["create", "put"])
def test_a_folder_that_vanishes_before_the_object_gets_its_name_is_made_again(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, verb: str
) -> None:
    opened, removed = folder._opened_folder, list[Path]()

    def vanishing(path: Path) -> AbstractContextManager[int]:
        if path.name == "deep" and len(removed) < 3:
            removed.append(path)
            path.rmdir()  # as the delete of a neighbour does
        return opened(path)

    monkeypatch.setattr(folder, "_opened_folder", vanishing)
    calls(store, "very/deep/k", tmp_path)[verb]()
    assert len(removed) == 3
    assert store.get("very/deep/k") == b"new"


def test_folders_that_vanish_while_they_are_written_into_are_made_again(store: Store) -> None:
    def work(worker: int) -> None:
        for number in range(60):
            key = f"deep/er/{worker % 2}/{number % 3}"
            if worker < 2:
                store.delete(key)
            elif worker < 4:
                store.put(key, b"x" * worker)
            else:
                store.create(key, b"x" * worker)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(work, range(6)))


# ---- keys that collide with folders


@pytest.mark.parametrize("verb", ["get", "fetch", "create", "put", "delete"])
def test_a_key_that_is_a_folder_is_refused(store: Store, tmp_path: Path, verb: str) -> None:
    store.put("a/b", b"x")
    with pytest.raises(StoreError, match="one key cannot be an object and a folder"):
        calls(store, "a", tmp_path)[verb]()
    assert store.list("") == ["a/b"]


@pytest.mark.parametrize("key", ["a/b", "a/b/c"])
@pytest.mark.parametrize("verb", ["create", "put"])
def test_a_key_below_an_object_is_refused(store: Store, tmp_path: Path, verb: str, key: str) -> None:
    store.put("a", b"x")
    with pytest.raises(StoreError, match="one key cannot be an object and a folder"):
        calls(store, key, tmp_path)[verb]()
    assert store.get(key) is None
    store.delete(key)
    assert store.get("a") == b"x"


def calls(store: Store, key: str, tmp_path: Path) -> dict[str, Callable[[], object]]:
    return {
        "get": lambda: store.get(key),
        "fetch": lambda: store.fetch(key, tmp_path / "down"),
        "create": lambda: store.create(key, b"new"),
        "put": lambda: store.put(key, b"new"),
        "delete": lambda: store.delete(key),
        "list": lambda: store.list(""),
    }


# ---- killed writers


@pytest.mark.parametrize("after", [0, 3, 20, 80])
def test_kill_9_leaves_no_torn_object_and_loses_no_finished_one(store: Store, after: int) -> None:
    with python(WRITER, store.uri) as writer:
        assert writer.stdout is not None
        finished = [int(writer.stdout.readline()) for _ in range(after + 1)]
        writer.kill()
        finished += [int(line) for line in writer.stdout.read().splitlines()]
    keys = store.list("objects/")
    assert {f"objects/{number % 7}/{number}" for number in finished} <= set(keys)
    assert len(keys) - len(finished) in {0, 1}  # the last may be stored and not yet told
    for key in [*keys, "view"]:
        data = store.get(key) or b""
        assert hashlib.sha256(data[64:]).hexdigest().encode() == data[:64]
    assert [key for key in store.list("") if key != "view"] == keys


def test_what_a_killed_writer_left_unfinished_is_swept_when_it_is_old(store: Store) -> None:
    incoming = Path(store.uri) / ".tmp-incoming"
    incoming.mkdir(parents=True)
    for name in ("old", "fresh"):
        (incoming / name).write_bytes(b"half")
    long_ago = time.time() - 2 * folder._ABANDONED_AFTER_SECONDS
    os.utime(incoming / "old", (long_ago, long_ago))
    assert store.list("") == []
    store.put("k", b"x")
    assert [path.name for path in incoming.iterdir()] == ["fresh"]


def test_every_write_is_flushed_before_it_counts(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    flushed: list[str] = []

    def fsync(handle: int, real: Callable[[int], None] = os.fsync) -> None:
        flushed.append(str(Path(f"/proc/self/fd/{handle}").readlink()).removeprefix(store.uri))
        real(handle)

    monkeypatch.setattr(os, "fsync", fsync)
    store.create("a/k", b"x")
    assert flushed[-1] == "/a"  # the folder's entry comes last
    assert any(path.startswith("/.tmp-incoming/") for path in flushed)
    assert {"", "/a"} <= set(flushed)  # the new folder's own entry too
    flushed.clear()
    store.create("a/k", b"late")
    assert flushed[-1] == "/a"  # the loser relies on the winner's object
    for data in (b"y", Path(store.uri) / "a" / "k"):
        flushed.clear()
        store.put("a/v", data)
        assert [path.startswith("/.tmp-incoming/") for path in flushed] == [True, False]
        assert flushed[-1] == "/a"


# ---- full, read-only and foreign disks


def test_a_full_disk_is_told_and_harms_nothing(small_disk: Path, tmp_path: Path) -> None:
    store = open_store(str(small_disk / "study"))
    store.create("decisions/0.json", b"decided")
    store.put("view", b"old view")
    (tmp_path / "large").write_bytes(bytes(3 << 20))
    for attempt in (
        lambda: store.create("decisions/1.json", bytes(3 << 20)),
        lambda: store.put("view", bytes(3 << 20)),
        lambda: store.put("view", tmp_path / "large"),
    ):
        with pytest.raises(StoreError, match=r"No space left on device.*; the disk is full: free some space") as full:
            attempt()
        assert store.uri in full.value.given
        assert files_below(small_disk) == ["study/decisions/0.json", "study/view"]
    assert store.get("decisions/0.json") == b"decided"
    assert store.get("view") == b"old view"
    store.create("decisions/1.json", b"small enough")


@pytest.mark.parametrize("uri", ["folder", "memory"])
def test_a_download_onto_a_full_disk_leaves_the_old_file(small_disk: Path, tmp_path: Path, uri: str) -> None:
    store = open_store("memory:full" if uri == "memory" else str(tmp_path / "study"))
    store.put("k", bytes(3 << 20))
    (small_disk / "down").write_bytes(b"old")
    with pytest.raises(StoreError, match="the disk is full"):
        store.fetch("k", small_disk / "down")
    assert files_below(small_disk) == ["down"]
    assert (small_disk / "down").read_bytes() == b"old"


def test_a_read_only_disk_is_told_and_can_be_read(small_disk: Path) -> None:
    store = open_store(str(small_disk / "study"))
    store.put("k", b"x")
    assert mount("-o", "remount,ro", str(small_disk))
    for attempt in (lambda: store.create("n", b"x"), lambda: store.put("k", b"y"), lambda: store.delete("k")):
        with pytest.raises(StoreError, match="the file system is read-only"):
            attempt()
    assert store.get("k") == b"x"
    assert store.list("") == ["k"]


@pytest.fixture
def nobody() -> Iterator[Path]:
    """A folder that everyone may enter, below which this process has lost root's rights."""
    if not IS_ROOT:
        pytest.skip("only root may become another user")
    readable = Path(tempfile.mkdtemp(dir="/tmp"))  # tmp_path lies below a folder that is root's alone
    readable.chmod(0o755)
    open_store(str(readable / "study")).put("k", b"x")
    os.seteuid(65534)
    yield readable
    os.seteuid(0)
    shutil.rmtree(readable)


def test_a_folder_that_may_not_be_written_is_told_and_can_be_read(nobody: Path) -> None:
    store = open_store(str(nobody / "study"))
    for verb in ("create", "put", "delete"):
        with pytest.raises(StoreError, match=r"Permission denied \(.*\); this user lacks the permission"):
            calls(store, "k", nobody)[verb]()
    assert store.get("k") == b"x"
    assert store.list("") == ["k"]


def test_a_folder_that_may_not_be_entered_is_told(nobody: Path) -> None:
    os.seteuid(0)
    (nobody / "study").chmod(0o700)
    os.seteuid(65534)
    store = open_store(str(nobody / "study"))
    for verb in calls(store, "k", nobody).values():
        with pytest.raises(StoreError, match=r"Permission denied \(.*\); this user lacks the permission"):
            verb()


def test_a_store_that_is_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "study").write_bytes(b"x")
    store = open_store(str(tmp_path / "study"))
    for verb in calls(store, "k", tmp_path).values():
        with pytest.raises(StoreError, match=r"is a file|File exists"):
            verb()


@pytest.mark.parametrize("code", [errno.EPERM, errno.ENOTSUP])
def test_without_hard_links_create_is_once_all_the_same(
    store: Store, monkeypatch: pytest.MonkeyPatch, code: int
) -> None:
    def no_links(*_names: Path, follow_symlinks: bool) -> None:  # os.link's own name
        raise OSError(code, os.strerror(code))

    monkeypatch.setattr(os, "link", no_links)
    probe(store)
    for number in range(10):
        with ThreadPoolExecutor(8) as pool:
            told = set(pool.map(lambda n, key=f"k/{number}": store.create(key, str(n).encode()), range(8)))
        assert told == {store.get(f"k/{number}")}
    assert len(store.list("")) == 10


def test_a_source_that_may_not_be_read_is_named(nobody: Path) -> None:
    os.seteuid(0)
    (nobody / "mine").mkdir()
    os.chown(nobody / "mine", 65534, 65534)
    (nobody / "source").write_bytes(b"x")
    (nobody / "source").chmod(0o600)
    os.seteuid(65534)
    with pytest.raises(StoreError, match=r"Permission denied \(.*/source\)"):
        open_store(str(nobody / "mine")).put("k", nobody / "source")
    assert files_below(nobody / "mine") == []


# ---- symbolic links


@pytest.mark.parametrize("verb", ["get", "fetch", "create", "put", "delete"])
@pytest.mark.parametrize("key", ["link", "linked/secret", "inside/k", "dangling"])
def test_symbolic_links_are_not_followed(store: Store, tmp_path: Path, verb: str, key: str) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    store.put("real/k", b"x")
    root = Path(store.uri)
    (root / "link").symlink_to(outside / "secret")
    (root / "linked").symlink_to(outside, target_is_directory=True)
    (root / "inside").symlink_to(root / "real", target_is_directory=True)
    (root / "dangling").symlink_to(outside / "made-by-put")
    with pytest.raises(StoreError, match="is a symbolic link"):
        calls(store, key, tmp_path)[verb]()
    assert files_below(outside) == ["secret"]
    assert (outside / "secret").read_bytes() == b"secret"
    assert store.list("") == ["real/k"]
    with pytest.raises(StoreError, match="is a symbolic link"):
        store.list("linked/")


def test_the_store_itself_may_be_a_symbolic_link(tmp_path: Path) -> None:
    (tmp_path / "large-disk").mkdir()
    (tmp_path / "study").symlink_to(tmp_path / "large-disk", target_is_directory=True)
    store = open_store(str(tmp_path / "study"))
    store.create("a/k", b"x")
    assert store.uri == str(tmp_path / "study")
    assert (tmp_path / "large-disk" / "a" / "k").read_bytes() == b"x"
    assert store.list("") == ["a/k"]
