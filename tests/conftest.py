"""What all tests share: the bucket of a real S3 server, where AUTOML_TEST_S3=s3://bucket/prefix names one."""

from __future__ import annotations

import os
import uuid

import boto3
import pytest


@pytest.fixture(scope="session")
def test_bucket() -> str:
    """s3://bucket/prefix as AUTOML_TEST_S3 says; the bucket is made when it is missing. Skips without it."""
    uri = os.environ.get("AUTOML_TEST_S3", "")
    if not uri:
        pytest.skip("AUTOML_TEST_S3 names no bucket of an S3 server")
    name = uri.removeprefix("s3://").partition("/")[0]
    client = boto3.client("s3")
    if name not in {each["Name"] for each in client.list_buckets()["Buckets"]}:
        client.create_bucket(Bucket=name)
    return uri


@pytest.fixture
def bucket(test_bucket: str) -> str:
    """A prefix of its own for this test."""
    return f"{test_bucket}/{uuid.uuid4().hex}"
