"""A bad command, a bad place or a damaged record is refused in one clear line, and nothing is written."""

from __future__ import annotations

import json
import math
import re
import shlex
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.command_line import automl, files_below, refused, refused_at_last
from tests.small_network import STUDY, write_small_study
from tests.stores.conftest import aws_environment


@dataclass(frozen=True)
class Command:
    """A bad command, beside a good study file, and what its error must say."""

    line: str
    says: tuple[str, ...]


def command(line: str, *says: str) -> Command:
    return Command(line, says)


COMMANDS = {
    "unknown command": command("pln study.yaml", "no such command 'pln'", "'plan'", "automl --help"),
    "unknown option": command("run study.yaml --jbos 2", "no such option: --jbos", "--jobs", "automl run --help"),
    "no study": command("plan", "missing argument 'STUDY.yaml'", "automl plan --help"),
    "two studies": command("plan study.yaml b.yaml", "unexpected extra argument", "b.yaml"),
    "an option without its value": command("run study.yaml -j", "'-j' requires an argument"),
    "jobs is 0": command("run study.yaml -j 0", "--jobs: '0'", "a whole number from 1 to 1,024"),
    "jobs is negative": command("plan study.yaml -j -2", "--jobs: '-2'", "a whole number from 1"),
    "jobs is text": command("plan study.yaml -j two", "--jobs: 'two'", "a whole number from 1"),
    "jobs is a float": command("run study.yaml -j 1.5", "--jobs: '1.5'", "a whole number from 1"),
    "jobs is huge": command("run study.yaml -j 99999999999999999999", "--jobs", "to 1,024"),
    "unknown output": command("plan study.yaml -o jsn", "--output: 'jsn'", "table, json, yaml", "did you mean 'json'?"),
    "unknown algorithm": command(
        "init a.yaml -a bayesain", "'bayesain' is not known", "hyperband, bayesian", "did you mean 'bayesian'?"
    ),
    "unknown network": command("init a.yaml -n fashion", "'fashion' is not known", "did you mean 'fashion_mnist'?"),
    "unknown network shown": command("networks show fashion", "'fashion' is not known", "'fashion_mnist'"),
    "unknown command of networks": command("networks shw", "no such command 'shw'", "'show'"),
    "init over a file": command("init study.yaml", "study.yaml already exists", "give another name"),
    "init over a folder": command("init empty", "empty already exists"),
    "init where no folder is": command("init away/a.yaml", "folder away does not exist", "create it first"),
    "init where nothing can be written": command("init /proc/a.yaml", "/proc/a.yaml"),
    "a study file that is missing": command("plan stdy.yaml", "file stdy.yaml does not exist", "automl init"),
    "a study file that is a folder": command("plan empty", "empty is a folder", "a study file"),
    "a study file without an end": command("plan /dev/zero", "/dev/zero is too large"),
    "status of a missing file": command("status stdy.yaml", "file stdy.yaml does not exist"),
    "status before a start": command("status study.yaml", "no study lies in", "automl run", "automl_metadata.json"),
    "status of an empty folder": command("status empty", "no study lies in", "empty", "automl_metadata.json"),
    "status of no folder": command("status nowhere", "no study lies in", "nowhere"),
    "best of an empty folder": command("best empty", "no study lies in"),
    "report of an empty folder": command("report empty", "no study lies in"),
    "a page and data at once": command("report empty --html a.html -o json", "--html a.html with --output json"),
    "rebuild of an empty folder": command("rebuild empty", "no study lies in"),
    "rebuild of no address": command("rebuild ''", "the store '' is not an address", "s3://bucket/prefix"),
    "a store of an unknown kind": command("run study.yaml --store gs://b/p", "unknown scheme 'gs'", "s3://bucket"),
    "a store over http": command("status http://server/b", "unknown scheme 'http'", "AWS_ENDPOINT_URL"),
    "a store that is a file": command("run study.yaml --store small.py", "small.py", "folder"),
    "a store below a file": command("run study.yaml --store small.py/study", "small.py/study", "folder"),
    "a store that cannot be written": command("run study.yaml --store /proc/study", "cannot write", "/proc/study"),
    "s3 without a bucket": command("run study.yaml --store s3://", "begin with the name of a bucket", "s3://bucket"),
    "s3 with one slash": command("status s3:/bucket/a", "has no '//'", "write s3://bucket/a"),
    "s3 with a bad bucket": command("status s3://b/a", "begin with the name of a bucket"),
    "s3 with keys in the address": command("status s3://key:secret@bucket/a", "AWS_ACCESS_KEY_ID"),
}


@pytest.mark.parametrize("row", COMMANDS.values(), ids=COMMANDS.keys())
def test_a_bad_command_is_refused_in_one_line(row: Command, tmp_path: Path) -> None:
    write_small_study(tmp_path)
    (tmp_path / "empty").mkdir()
    before = files_below(tmp_path)

    ran = automl(*shlex.split(row.line), cwd=tmp_path)
    refused(ran, *row.says)
    assert "secret" not in ran.err
    assert files_below(tmp_path) == before


def test_s3_without_credentials_is_refused_in_one_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    aws_environment(monkeypatch)
    refused(automl("status", "s3://bucket/a", cwd=tmp_path), "s3://bucket/a", "no credentials", "AWS_ACCESS_KEY_ID")


def test_an_s3_server_that_is_not_there_is_given_up_in_half_a_minute(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    aws_environment(
        monkeypatch,
        AWS_ENDPOINT_URL="http://127.0.0.1:9",
        AWS_REGION="a",
        AWS_ACCESS_KEY_ID="a",
        AWS_SECRET_ACCESS_KEY="secret",
    )
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)  # the waits between the tries, counted and not waited

    refused(
        automl("status", "s3://bucket/a", cwd=tmp_path),
        "s3://bucket/a at http://127.0.0.1:9",
        "cannot be reached",
        "AWS_ENDPOINT_URL",
    )
    assert 0 < sum(waited) < 30


@pytest.fixture(scope="module")
def studied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study that has run to its end, and its files; not to be changed."""
    folder = tmp_path_factory.mktemp("studied")
    write_small_study(folder, "final: {repeats: 0}\n", STUDY.replace("final: {repeats: 1}\n", ""))
    assert automl("run", "study.yaml", "-j", "2", "-o", "json", cwd=folder).code == 0
    return folder


Damage = Callable[[bytes], bytes]


def _changed(**members: Any) -> Damage:
    return lambda data: json.dumps({**json.loads(data), **members}).encode()


def _edited(data: bytes) -> bytes:
    assert b'"seed": 1,' in data
    return data.replace(b'"seed": 1,', b'"seed": 2,')


CUT: Damage = lambda data: data[: len(data) // 2]  # noqa: E731
NEWER = _changed(format=99)
METADATA, DECISION, RESULT = "automl_metadata.json", "decisions/0/0.json", "results/1/0.json"


def damaged(name: str, damage: Damage, *says: str) -> tuple[str, Damage, tuple[str, ...]]:
    """An object of the record, what happens to it, and what the error says beside its name."""
    return name, damage, (name, *says)


RECORDS = {
    "metadata cut off": damaged(METADATA, CUT, "is not strict JSON", "restore it from a copy"),
    "metadata empty": damaged(METADATA, lambda _: b"", "is not strict JSON"),
    "metadata edited": damaged(METADATA, _edited, "does not match its sha256", "restore it from a copy"),
    "metadata of a newer format": damaged(METADATA, NEWER, "has format 99", "formats up to", "newer argo-automl"),
    "metadata is a list": damaged(METADATA, lambda _: b"[]", "names no format"),
    "metadata not UTF-8": damaged(METADATA, lambda _: b"\xff\xfe", "is not strict JSON"),
    "a decision cut off": damaged(DECISION, CUT, "is not strict JSON", "restore it from a copy"),
    "a decision of a newer format": damaged(DECISION, NEWER, "has format 99", "newer argo-automl"),
    "a decision that is incomplete": damaged(DECISION, _changed(issued=[{}]), "does not hold what it should"),
    "a result cut off": damaged(RESULT, CUT, "is not strict JSON", "restore it from a copy"),
    "a result of a newer format": damaged(RESULT, NEWER, "has format 99", "newer argo-automl"),
    "a result without a format": damaged(RESULT, _changed(format=None), "names no format"),
    "a result with NaN": damaged(RESULT, _changed(best_value=math.nan), "NaN is not a number"),
    "a result with infinity": damaged(RESULT, _changed(best_value=math.inf), "Infinity is not a number"),
    "a result with 1e999": damaged(RESULT, lambda data: re.sub(rb"0\.4\d+", b"1e999", data), "1e999 is too large"),
    "a result with a key twice": damaged(
        RESULT, lambda data: b'{"format": 1, ' + data.lstrip(b"{"), "the key 'format' is given twice"
    ),
    "a result with an unknown failure": damaged(RESULT, _changed(failure="odd"), "does not hold what it", "odd"),
    "a result with neither value nor failure": (RESULT, _changed(history=[]), ("the result of experiment 1",)),
    "a result with another member": damaged(RESULT, _changed(extra=1), "does not hold what it should", "extra"),
}


@pytest.mark.parametrize(("name", "damage", "says"), RECORDS.values(), ids=RECORDS.keys())
def test_a_damaged_record_is_refused_in_one_line(
    name: str, damage: Damage, says: tuple[str, ...], studied: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(studied, folder)
    target = folder / "study" / name
    target.write_bytes(damage(target.read_bytes()))
    before = files_below(folder)

    for words in ("status study.yaml", "best study", "report study.yaml", "rebuild study"):
        refused(automl(*words.split(), cwd=folder), *says)
        assert files_below(folder) == before
    refused_at_last(automl("run", "study.yaml", "-o", "json", cwd=folder), *says)


CHECKPOINTS: dict[str, tuple[str, Damage, tuple[str, ...]]] = {
    "a manifest cut off": ("manifest.json", CUT, ("manifest.json", "is not strict JSON")),
    "a manifest of a newer format": ("manifest.json", NEWER, ("manifest.json", "has format 99", "newer argo-automl")),
    "a checkpoint cut off": ("0", CUT, ("checkpoints/3/0", "does not match its manifest")),
}


@pytest.mark.parametrize(("name", "damage", "says"), CHECKPOINTS.values(), ids=CHECKPOINTS.keys())
def test_a_damaged_checkpoint_is_refused_in_one_line(
    name: str, damage: Damage, says: tuple[str, ...], studied: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(studied, folder)
    (target,) = (folder / "study").glob(f"experiment_0/rung_1/*/checkpoints/3/{name}")
    target.write_bytes(damage(target.read_bytes()))

    refused(automl("rebuild", "study", cwd=folder), *says)


def test_a_study_that_was_begun_with_other_settings_is_refused_by_their_names(studied: Path, tmp_path: Path) -> None:
    folder = tmp_path / "copy"
    shutil.copytree(studied, folder)
    study = folder / "study.yaml"
    before = files_below(folder / "study")
    for more, name in (("seed: 2\n", "seed"), ("max_epochs: 5\n", "max_epochs")):
        study.write_text((studied / "study.yaml").read_text() + more)
        refused(
            automl("run", "study.yaml", cwd=folder),
            "begun with another",
            name,
            "'run', 'costs' and 'cluster' may change",
            "name",
        )
    assert files_below(folder / "study") == before

    study.write_text((studied / "study.yaml").read_text() + "costs: {gpus: 1}\nrun: {jobs: 1}\n")
    assert automl("run", "study.yaml", cwd=folder).code == 0
