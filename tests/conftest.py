"""What tests share: settings, fixtures, and the bucket that AUTOML_TEST_S3=s3://bucket/prefix names on a server."""

from __future__ import annotations

import os
import shutil
import sys
import uuid
from collections.abc import Iterator
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, settings

from automl.execution import local_runner
from tests.command_line import BETTER, search
from tests.simulation.crashes import scratch, without_pauses
from tests.simulation.studies import uniform_instead_of_a_model

# the same examples every time, and no clock: a machine that is busy fails nothing. AUTOML_TEST_DEEP=1 draws new ones.
settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("deep", deadline=None, suppress_health_check=[HealthCheck.too_slow])
# programs of tests run in this environment, as they would where it is activated
os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"
settings.load_profile("deep" if os.environ.get("AUTOML_TEST_DEEP") else "steady")


def pytest_sessionstart() -> None:
    """Makes the bucket that AUTOML_TEST_S3 names, unless it is there."""
    uri = os.environ.get("AUTOML_TEST_S3")
    if uri:
        try:
            boto3.client("s3").create_bucket(Bucket=uri.removeprefix("s3://").partition("/")[0])
        except ClientError as error:
            if error.response["Error"]["Code"] not in {"BucketAlreadyOwnedByYou", "BucketAlreadyExists"}:
                raise


@pytest.fixture
def quick_runner(monkeypatch: pytest.MonkeyPatch) -> None:
    """The local runner looks often, and waits for a program that is asked to stop for a second only."""
    monkeypatch.setattr(local_runner, "POLL_SECONDS", 0.01)
    monkeypatch.setattr(local_runner, "GRACE_SECONDS", 1.0)


@pytest.fixture
def journal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file to which every training of `least_squares.py` adds a line for every epoch: its seed and the epoch."""
    path = tmp_path / "journal"
    path.touch()
    monkeypatch.setenv("LEAST_SQUARES_JOURNAL", str(path))
    return path


@pytest.fixture
def quick_simulation(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The crash simulator without pauses, and without the seconds that a model takes."""
    uniform_instead_of_a_model(monkeypatch)
    with without_pauses():
        yield


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    """A folder that the crash simulator may fill, in memory where there is room."""
    found = scratch(tmp_path)
    yield found
    shutil.rmtree(found)


@pytest.fixture
def bucket() -> str:
    """A prefix of its own for this test. Skips where there is no S3 server."""
    uri = os.environ.get("AUTOML_TEST_S3", "")
    if not uri:
        pytest.skip("AUTOML_TEST_S3 names no bucket of an S3 server")
    return f"{uri}/{uuid.uuid4().hex}"


@pytest.fixture(scope="session")
def studied(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a study of the small network that has run to its end and found something above the defaults."""
    folder = tmp_path_factory.mktemp("studied")
    search(folder, BETTER)
    return folder


@pytest.fixture
def copy(studied: Path, tmp_path: Path) -> Path:
    """A copy of it that a test may change."""
    folder = tmp_path / "copy"
    shutil.copytree(studied, folder)
    return folder
