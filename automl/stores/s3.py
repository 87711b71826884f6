"""A store in a bucket of S3, or of a server that speaks S3. The only file that imports boto3.

Create-once is `If-None-Match: *`. What makes it hard is the lost answer: botocore sends a PUT again whose answer never
came, and the second one is refused with 412 because the first had landed. So after 412, a time-out or a server error
the key is read back and what lies there decides. botocore never repeats a 409 (two conditional writes met); `_persist`
does.

Settings come from boto3's own chain: AWS_ENDPOINT_URL, AWS_REGION, AWS_PROFILE, keys, roles. Nothing here prints a key.
"""

from __future__ import annotations

import os
import re
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar
from urllib.parse import urlsplit

import boto3
from boto3.exceptions import Boto3Error, RetriesExceededError, S3UploadFailedError
from boto3.s3.transfer import TransferConfig
from botocore import exceptions as vendor
from botocore.config import Config
from botocore.parsers import ResponseParserError

from automl.errors import InvalidInput, StoreError, StoreRefused, UnsafeStore
from automl.stores.base import MAX_PREFIX_BYTES, Keys, Store, check_key, check_prefix, is_listed
from automl.stores.local_files import check_source, os_errors, replacing
from automl.stores.s3_redirects import RedirectedError, refuse_redirects

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

T = TypeVar("T")

_PAUSES = (0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2, 5.0)  # seconds between tries at what botocore does not repeat
_PART_BYTES = 8 << 20
_THREADS = 4
_CONNECTIONS = 32

_NO_ANSWER = (vendor.HTTPClientError, vendor.ConnectionError)  # after all of botocore's tries
_CUT_OFF = (
    vendor.ReadTimeoutError,
    vendor.ResponseStreamingError,
    vendor.IncompleteReadError,
    vendor.FlexibleChecksumError,
)

_RIGHTS = "it needs s3:GetObject, s3:PutObject, s3:DeleteObject and s3:ListBucket on this bucket and prefix"
_LATER = "the server is overloaded or failing: try again later; asking twice is safe"
_KEYS = "check AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY (or the profile, or the role), and AWS_ENDPOINT_URL"
_FRESH = "sign in again, or renew AWS_SESSION_TOKEN"
_REGION = "set AWS_REGION to the bucket's region"
_FULL = "the server has no space left or a quota is used up: free some; what was stored before is intact"
# S3's error code (or, for an answer without a body, its HTTP status) -> what it means, what to do, and which error it
# is: StoreRefused where waiting changes nothing
_CODES: dict[str, tuple[str, str, type[StoreError]]] = {
    "AccessDenied": ("access is denied", _RIGHTS, StoreRefused),
    "403": ("access is denied", _RIGHTS, StoreRefused),
    "AllAccessDisabled": ("access is denied", _RIGHTS, StoreRefused),
    "InvalidAccessKeyId": ("the server does not know this access key", _KEYS, StoreRefused),
    "SignatureDoesNotMatch": ("the secret key is wrong", _KEYS, StoreRefused),
    "ExpiredToken": ("the session has expired", _FRESH, StoreError),
    "ExpiredTokenException": ("the session has expired", _FRESH, StoreError),
    "TokenRefreshRequired": ("the session has expired", _FRESH, StoreError),
    "InvalidToken": ("the session token is not valid", _FRESH, StoreError),
    "RequestTimeTooSkewed": ("this machine's clock and the server's differ too much", "set the clock", StoreError),
    "PermanentRedirect": ("the bucket is in another region", _REGION, StoreRefused),
    "404": ("what answers does not speak S3", "check AWS_ENDPOINT_URL", StoreError),
    "405": ("what answers does not speak S3", "check AWS_ENDPOINT_URL", StoreError),
    "301": ("the bucket is in another region", _REGION, StoreRefused),
    "AuthorizationHeaderMalformed": ("the bucket is in another region", _REGION, StoreRefused),
    "IllegalLocationConstraintException": ("the bucket is in another region", _REGION, StoreRefused),
    "SlowDown": ("the server asks to slow down", _LATER, StoreError),
    "ServiceUnavailable": ("the server is not available", _LATER, StoreError),
    "InternalError": ("the server failed", _LATER, StoreError),
    "XMinioStorageFull": ("the server's disk is full", _FULL, StoreError),
    "InsufficientStorage": ("the server's disk is full", _FULL, StoreError),
    "507": ("the server's disk is full", _FULL, StoreError),
    "QuotaExceeded": ("a quota of the server is used up", _FULL, StoreError),
    "PreconditionFailed": ("the object was overwritten while it was read", "run the same command again", StoreError),
}
_CREATE = "create it, or correct its name or AWS_ENDPOINT_URL"
_SIGN_IN = "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or AWS_PROFILE, or give the pod a role"
_EXCEPTIONS: tuple[tuple[type[Exception], str, str, type[StoreError]], ...] = (  # the first that fits
    (vendor.NoCredentialsError, "there are no credentials", _SIGN_IN, StoreRefused),
    (vendor.PartialCredentialsError, "the credentials are incomplete", _SIGN_IN, StoreRefused),
    (vendor.CredentialRetrievalError, "the credentials could not be fetched", _SIGN_IN, StoreRefused),
    (vendor.TokenRetrievalError, "the session could not be renewed", "sign in again (`aws sso login`)", StoreError),
    (vendor.SSOError, "the session could not be renewed", "sign in again (`aws sso login`)", StoreError),
    (vendor.ProfileNotFound, "AWS_PROFILE names a profile that does not exist", "correct it, or unset it", StoreError),
    (vendor.ConfigParseError, "the AWS configuration file cannot be read", "fix ~/.aws/config", StoreError),
    (vendor.InvalidRegionError, "AWS_REGION is not the name of a region", _REGION, StoreRefused),
    (
        vendor.SSLError,
        "no trusted connection to the server",
        "check its certificate; AWS_CA_BUNDLE names your own authority's",
        StoreError,
    ),
    (vendor.ProxyConnectionError, "the proxy does not answer", "check HTTPS_PROXY and NO_PROXY", StoreError),
    (
        vendor.EndpointConnectionError,
        "the server cannot be reached",
        "check AWS_ENDPOINT_URL, the network and that the server runs",
        StoreError,
    ),
    (
        vendor.ConnectTimeoutError,
        "the server cannot be reached",
        "check AWS_ENDPOINT_URL, the network and that the server runs",
        StoreError,
    ),
    (vendor.ReadTimeoutError, "the server does not answer in time", _LATER, StoreError),
    (vendor.ConnectionClosedError, "the server closes the connection", _LATER, StoreError),
    (vendor.ResponseStreamingError, "the server cuts its answers off", _LATER, StoreError),
    (
        vendor.HTTPClientError,
        "the request cannot be sent",
        "check AWS_ENDPOINT_URL, and the keys for blanks and line breaks",
        StoreError,
    ),
    (RetriesExceededError, "the server cuts its answers off", _LATER, StoreError),
    (ResponseParserError, "what answers does not speak S3", "check AWS_ENDPOINT_URL", StoreError),
)


class S3Store:
    """Objects in a bucket, below an optional prefix."""

    def __init__(self, bucket: str, prefix: str = "") -> None:
        self._bucket = bucket
        self._prefix = f"{prefix}/" if prefix else ""

    @property
    def uri(self) -> str:
        """The store as a user would write it."""
        return f"s3://{self._bucket}/{self._prefix}".rstrip("/")

    def get(self, key: str) -> bytes | None:
        """The bytes under the key, or None."""
        check_key(key)
        with self._errors(f"read {key!r}"):
            return _persist(lambda: self._read(key))

    def fetch(self, key: str, to: Path) -> bool:
        """Download the object into a file, in parts; False when there is none."""
        check_key(key)
        with self._errors(f"fetch {key!r}"), os_errors(f"fetch {key!r} of {self.uri} into {str(to)!r}"):
            try:
                with replacing(to) as temporary:
                    _client().download_file(self._bucket, self._prefix + key, str(temporary), Config=_transfer())
            except vendor.ClientError as error:
                if _status(error) != 404:
                    raise
                # 404 to a HEAD has no body: only a GET says whether the object or the bucket is missing
                _persist(lambda: self._read(key))
                return False
        return True

    def create(self, key: str, data: bytes) -> bytes:
        """Store the bytes unless the key exists; what lies under it now."""
        check_key(key)
        with self._errors(f"create {key!r}"):
            return _persist(lambda: self._create_once(key, data))

    def put(self, key: str, data: bytes | Path) -> None:
        """Store the bytes, or the file's content, in parts when it is large."""
        check_key(key)
        with self._errors(f"write {key!r}"):
            if isinstance(data, Path):
                check_source(data)
                with os_errors(f"read {str(data)!r}"):
                    _client().upload_file(str(data), self._bucket, self._prefix + key, Config=_transfer())
            else:
                _client().put_object(Bucket=self._bucket, Key=self._prefix + key, Body=data)

    def list(self, prefix: str) -> Keys:
        """Every key that begins with the prefix, sorted."""
        check_prefix(prefix)
        with self._errors(f"list {prefix!r}"):
            pages = _client().get_paginator("list_objects_v2")
            answers = pages.paginate(Bucket=self._bucket, Prefix=self._prefix + prefix)
            names = [entry["Key"] for page in answers for entry in page.get("Contents", [])]
        keys = [name[len(self._prefix) :] for name in names]
        return sorted(key for key in keys if is_listed(key, prefix))

    def delete(self, key: str) -> None:
        """Remove the object, if there is one."""
        check_key(key)
        with self._errors(f"delete {key!r}"):
            try:
                _client().delete_object(Bucket=self._bucket, Key=self._prefix + key)
            except vendor.ClientError as error:
                if _code(error) != "NoSuchKey":  # some servers say so instead of 204
                    raise

    def _read(self, key: str) -> bytes | None:
        """One GET. Raises _TryAgainError when the answer broke off: botocore does not repeat the reading of a body."""
        try:
            body = _client().get_object(Bucket=self._bucket, Key=self._prefix + key)["Body"]
        except vendor.ClientError as error:
            if _code(error) == "NoSuchKey":
                return None
            raise
        try:
            with body:
                return body.read()
        except _CUT_OFF as error:
            raise _TryAgainError(error) from error

    def _create_once(self, key: str, data: bytes) -> bytes:
        """One conditional PUT, and whatever it takes to know what became of it."""
        try:
            _client().put_object(Bucket=self._bucket, Key=self._prefix + key, Body=data, IfNoneMatch="*")
        except (vendor.ClientError, *_NO_ANSWER) as error:
            status = _status(error)
            if status == 409:
                raise _TryAgainError(error) from error
            if status == 501:
                raise self._ignores_conditions() from error
            if status != 412 and status < 500:
                raise
            stored = self._read(key)
            if stored is not None:
                return stored
            if status == 412:  # deleted between the two requests
                raise _TryAgainError(error) from error
            raise
        return data

    def _ignores_conditions(self) -> UnsafeStore:
        return UnsafeStore(
            f"the store {self.uri} does not implement `If-None-Match: *` ({_endpoint()} answers 501)",
            advice="use a newer version of the server, or another one",
        )

    @contextmanager
    def _errors(self, doing: str) -> Iterator[None]:
        """Turn an error of boto3 into a StoreError that begins with "cannot <doing>"."""
        try:
            yield
        except (vendor.ClientError, vendor.BotoCoreError, Boto3Error, ResponseParserError) as error:
            # a plain HTTPClientError quotes the request that could not be sent, Authorization included: not for eyes
            cause = None if type(error) is vendor.HTTPClientError else error
            raise self._store_error(doing, error) from cause

    def _store_error(self, doing: str, error: Exception) -> StoreError:
        if isinstance(error, S3UploadFailedError) and isinstance(error.__context__, Exception):
            error = error.__context__  # boto3 puts its own error before the one that says why
        meaning, advice, kind = self._meaning(error)
        store_error = kind(f"cannot {doing} in {self.uri} at {_endpoint()}: {meaning}", advice=advice)
        _forget_client()
        return store_error

    def _meaning(self, error: Exception) -> tuple[str, str, type[StoreError]]:
        """What an error means, what to do, and StoreRefused where waiting does not change it."""
        if isinstance(error, vendor.ClientError):
            code = _code(error)
            if code == "NoSuchBucket":
                return f"the bucket {self._bucket!r} does not exist", _CREATE, StoreRefused
            message = error.response.get("Error", {}).get("Message", "")
            advice = _LATER if _status(error) >= 500 else ""
            return _CODES.get(code) or (f"{code} {message}".strip(), advice, StoreError)
        if isinstance(error, RedirectedError):
            elsewhere = error.location not in {"", _endpoint()}
            advice = f"set AWS_ENDPOINT_URL to {error.location}" if elsewhere else "check AWS_ENDPOINT_URL"
            return str(error), advice, StoreRefused
        for exception, meaning, advice, kind in _EXCEPTIONS:
            if isinstance(error, exception):
                return meaning, advice, kind
        return f"{type(error).__name__}: {error}", "", StoreError


class _TryAgainError(Exception):
    """The request did not get its answer, and the same one may."""

    def __init__(self, reason: Exception) -> None:
        self.reason = reason
        super().__init__(str(reason))


def _persist(attempt: Callable[[], T]) -> T:
    """Calls `attempt` until it does not ask to be called again. Raises what the last call raised."""
    for pause in _PAUSES:
        try:
            return attempt()
        except _TryAgainError:
            time.sleep(pause)
    try:
        return attempt()
    except _TryAgainError as again:
        raise again.reason from again


def _code(error: vendor.ClientError) -> str:
    return str(error.response.get("Error", {}).get("Code", ""))


def _status(error: Exception) -> int:
    """The HTTP status; 599 when there was no answer at all, which leaves as much in doubt as a server error."""
    if isinstance(error, vendor.ClientError):
        return int(error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0))
    return 599


_clients: dict[tuple[object, ...], S3Client] = {}
_clients_lock = threading.Lock()


def _client() -> S3Client:
    """The client of this process for the AWS settings of now: a new one costs 100 ms, and none outlives a fork."""
    settings = _settings()
    with _clients_lock:
        if settings not in _clients:
            _clients[settings] = _new_client()
        return _clients[settings]


def _settings() -> tuple[object, ...]:
    return os.getpid(), frozenset(item for item in os.environ.items() if item[0].startswith("AWS_"))


def _forget_client() -> None:
    """Let the next call make a new client: this one may hold old keys, and its allowance of retries is used up."""
    with _clients_lock:
        _clients.pop(_settings(), None)


def _new_client() -> S3Client:
    settings = Config(  # botocore addresses a server other than Amazon's path-style by itself
        retries={"mode": "standard", "total_max_attempts": 10},
        connect_timeout=5,
        read_timeout=30,
        tcp_keepalive=True,
        max_pool_connections=_CONNECTIONS,
    )
    try:
        client = boto3.session.Session().client("s3", config=settings)
    except ValueError as error:
        if isinstance(error, vendor.BotoCoreError):
            raise
        raise StoreError(
            "AWS_ENDPOINT_URL is not an address",
            allowed="http://host:port or https://host",
            advice="correct it, or unset it",
        ) from error
    client.meta.events.register_first("needs-retry.s3", refuse_redirects)  # before botocore looks for a region
    return client


def _endpoint() -> str:
    """The server's address without user and password; "S3" when the settings did not even make a client."""
    client = _clients.get(_settings())
    if client is None:
        return "S3"
    parts = urlsplit(client.meta.endpoint_url)
    return f"{parts.scheme}://{parts.netloc.rpartition('@')[2]}"


def _transfer() -> TransferConfig:
    return TransferConfig(multipart_threshold=_PART_BYTES, multipart_chunksize=_PART_BYTES, max_concurrency=_THREADS)


_BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,61}[A-Za-z0-9]")


def open_s3(rest: str) -> Store:
    """The store at "bucket/prefix". Raises InvalidInput; asks no server."""
    bucket, _, prefix = rest.partition("/")
    prefix = prefix.rstrip("/")
    if not _BUCKET.fullmatch(bucket):
        raise InvalidInput(  # does not repeat what was given: it may be key:secret@bucket
            "the store's address s3://... does not begin with the name of a bucket",
            allowed="s3://bucket/prefix",
            advice="it never holds credentials or the server's address: set AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL ...",
        )
    try:
        if prefix:
            check_key(prefix)
    except StoreError as error:
        raise InvalidInput(f"the prefix of s3://{bucket}/...: {error}", allowed="s3://bucket/prefix") from error
    if len(prefix) > MAX_PREFIX_BYTES:
        allowed = f"s3://bucket/prefix with a prefix of at most {MAX_PREFIX_BYTES} bytes"
        raise InvalidInput(f"the prefix of s3://{bucket}/... has {len(prefix)} bytes", allowed=allowed)
    return S3Store(bucket, prefix)
