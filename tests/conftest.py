"""What all tests share: the bucket of a real S3 server, where AUTOML_TEST_S3=s3://bucket/prefix names one."""

from __future__ import annotations

import os
import uuid

import boto3
import pytest
from botocore.exceptions import ClientError
from hypothesis import HealthCheck, settings

# the same examples every time, and no clock: a machine that is busy fails nothing. AUTOML_TEST_DEEP=1 draws new ones.
settings.register_profile("steady", deadline=None, derandomize=True, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("deep", deadline=None, suppress_health_check=[HealthCheck.too_slow])
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
def bucket() -> str:
    """A prefix of its own for this test. Skips where there is no S3 server."""
    uri = os.environ.get("AUTOML_TEST_S3", "")
    if not uri:
        pytest.skip("AUTOML_TEST_S3 names no bucket of an S3 server")
    return f"{uri}/{uuid.uuid4().hex}"
