"""A study that begins with another one in a bucket: read over HTTP, copied, and free of it from then on."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from automl.text import strict_json
from tests.command_line import as_json, automl
from tests.small_network import write_small_network
from tests.stores.conftest import served
from tests.stores.s3_server import S3Server

FIRST = "name: first\nnetwork: small.yaml\nalgorithm: bayesian\nmax_recommendations: 6\nfinal: {repeats: 0}\n"
SECOND = FIRST.replace("first", "second") + "warm_start: [s3://bucket/a/first]\n"


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    yield from served(monkeypatch)


def test_a_study_in_a_bucket_is_read_and_copied(server: S3Server, tmp_path: Path) -> None:
    write_small_network(tmp_path)
    (tmp_path / "first.yaml").write_text(FIRST)
    (tmp_path / "second.yaml").write_text(SECOND)
    refused = automl("plan", "second.yaml", cwd=tmp_path)
    assert refused.code == 2
    assert "warm_start: s3://bucket/a/first" in refused.err
    assert "Traceback" not in refused.err
    assert automl("run", "first.yaml", "--store", "s3://bucket/a/first", cwd=tmp_path).code == 0
    assert "6 of 6 trials of s3://bucket/a/first (a study)" in automl("plan", "second.yaml", cwd=tmp_path).out
    assert automl("run", "second.yaml", "--store", "s3://bucket/a/second", cwd=tmp_path).code == 0
    metadata = strict_json.load(server.objects["a/second/automl_metadata.json"], "metadata")
    assert [len(search["rows"]) for search in metadata["earlier"]] == [6]
    for key in [key for key in server.objects if key.startswith("a/first/")]:
        del server.objects[key]
    replayed = automl("replay", "s3://bucket/a/second", "-o", "json", cwd=tmp_path)
    assert (replayed.code, as_json(replayed)["decisions"]) == (0, 6)
    assert automl("run", "second.yaml", "--store", "s3://bucket/a/second", cwd=tmp_path).code == 0
