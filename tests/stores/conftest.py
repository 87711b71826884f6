"""Stores to test: a folder, memory, S3 by moto in this process, and a real S3 server when AUTOML_TEST_S3 names one.

AUTOML_TEST_S3=s3://bucket/prefix with AWS_ENDPOINT_URL and keys as for the product; the bucket must exist.
"""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from types import SimpleNamespace
from urllib.parse import urlsplit

import pytest
from botocore.awsrequest import AWSPreparedRequest
from moto import mock_aws
from moto.core.botocore_stubber import BotocoreStubber
from moto.core.common_types import TYPE_RESPONSE
from moto.core.models import DEFAULT_ACCOUNT_ID
from moto.s3.models import s3_backends

from automl.stores import Store, open_store
from automl.stores.s3 import _client as s3_client  # making a client of our own for each test would take 0.3 s
from tests.stores.s3_server import S3Server

MOTO_URI = "s3://bucket/a/study"
ACCESS_KEY, SECRET_KEY = "AKIACANARYCANARY0001", "canary/secret+never=printed"


@dataclass(frozen=True)
class Place:
    """A store, and a quick way to lay many small objects into it."""

    store: Store
    fill: Callable[[Sequence[str]], None]


def aws_environment(patch: pytest.MonkeyPatch, **settings: str) -> None:
    """Nothing of this machine's AWS settings, and these instead."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        patch.delenv(name)
    quiet = {
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    }
    for name, value in {**quiet, **settings}.items():
        patch.setenv(name, value)


def served(patch: pytest.MonkeyPatch) -> Iterator[S3Server]:
    """An empty S3 server, and the settings that lead to it, for a fixture that has no `place`."""
    running = S3Server()
    aws_environment(
        patch,
        AWS_ENDPOINT_URL=running.url,
        AWS_ACCESS_KEY_ID="access-key",
        AWS_SECRET_ACCESS_KEY="secret-key",
        AWS_REGION="us-east-1",
    )
    yield running
    running.stop()


@pytest.fixture(params=["folder", "memory", "moto", "real_s3"])
def place(request: pytest.FixtureRequest) -> Place:
    made: Place = request.getfixturevalue(f"{request.param}_place")
    return made


@pytest.fixture
def store(place: Place) -> Store:
    return place.store


@pytest.fixture
def folder_place(tmp_path: Path) -> Place:
    root = tmp_path / "study"

    def fill(keys: Sequence[str]) -> None:
        for key in keys:  # plain files are objects; a thousand flushes to the disk are not what is tested
            (root / key).parent.mkdir(parents=True, exist_ok=True)
            (root / key).write_bytes(b"x")

    return Place(open_store(str(root)), fill)


@pytest.fixture
def memory_place() -> Place:
    store = open_store(f"memory:{secrets.token_hex(8)}")
    return Place(store, lambda keys: _fill(store, keys))


@pytest.fixture
def moto_place(monkeypatch: pytest.MonkeyPatch) -> Iterator[Place]:
    aws_environment(monkeypatch, AWS_ACCESS_KEY_ID="test", AWS_SECRET_ACCESS_KEY="test", AWS_REGION="us-east-1")
    one_at_a_time = Lock()  # a server's conditional PUT is one step; moto's is several, and its threads meet in between
    process = BotocoreStubber.process_request

    def process_alone(self: BotocoreStubber, request: AWSPreparedRequest) -> TYPE_RESPONSE | None:
        with one_at_a_time:
            return process(self, request)

    monkeypatch.setattr(BotocoreStubber, "process_request", process_alone)
    with mock_aws():
        s3_client().create_bucket(Bucket="bucket")
        bucket = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]

        def fill(keys: Sequence[str]) -> None:
            for key in keys:  # a thousand requests to moto take five seconds
                bucket.put_object("bucket", f"a/study/{key}", b"x")

        yield Place(open_store(MOTO_URI), fill)


@pytest.fixture
def real_s3_place() -> Iterator[Place]:
    uri = os.environ.get("AUTOML_TEST_S3")
    if not uri:
        pytest.skip("AUTOML_TEST_S3 names no bucket")
    uri = f"{uri.rstrip('/')}/{secrets.token_hex(8)}"
    store = open_store(uri)
    yield Place(store, lambda keys: _fill(store, keys))
    address = urlsplit(uri)
    below = f"{address.path.lstrip('/')}/"
    pages = s3_client().get_paginator("list_objects_v2").paginate(Bucket=address.netloc, Prefix=below)
    for key in [entry["Key"] for page in pages for entry in page.get("Contents", [])]:  # not store.list: it hides names
        s3_client().delete_object(Bucket=address.netloc, Key=key)


def _fill(store: Store, keys: Sequence[str]) -> None:
    with ThreadPoolExecutor(8) as pool:
        for _ in pool.map(lambda key: store.put(key, b"x"), keys):
            pass


@pytest.fixture(scope="session")
def running_s3_server() -> Iterator[S3Server]:
    server = S3Server()
    yield server
    server.stop()


@pytest.fixture
def s3_server(running_s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> S3Server:
    """An empty server of our own, the AWS settings that lead to it, and botocore's pauses between tries cut to none.

    All tests share one port, hence one client: making one takes 0.3 s.
    """
    aws_environment(
        monkeypatch,
        AWS_ENDPOINT_URL=running_s3_server.url,
        AWS_ACCESS_KEY_ID=ACCESS_KEY,
        AWS_SECRET_ACCESS_KEY=SECRET_KEY,
        AWS_REGION="us-east-1",
    )
    no_pauses(monkeypatch)
    running_s3_server.reset()
    return running_s3_server


def no_pauses(patch: pytest.MonkeyPatch) -> None:
    """Botocore and our own loop try as often as ever, but at once."""
    patch.setattr("botocore.endpoint.time", SimpleNamespace(sleep=lambda _seconds: None))
    patch.setattr("automl.stores.s3._PAUSES", (0.001,) * 8)
