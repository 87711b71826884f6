"""S3 when it does not go well: a real HTTP server loses answers, refuses, fails, or lies about conditions."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import traceback
from collections.abc import Callable
from pathlib import Path

import pytest

from automl.errors import AutoMLError, StoreError, StoreRefused, UnsafeStore
from automl.stores import Store, open_store, probe, s3
from tests.stores.conftest import ACCESS_KEY, SECRET_KEY, aws_environment, no_pauses
from tests.stores.s3_server import Fault, S3Server

KEY = "decisions/0/00000.json"
PATH = f"study/{KEY}"
LARGE = bytes(range(250)) * 800
BUSY = Fault("PUT", status=503, code="SlowDown")


@pytest.fixture
def store(s3_server: S3Server) -> Store:  # its settings must be there before the store is used
    return open_store("s3://bucket/study")


def six_verbs(store: Store, tmp_path: Path) -> dict[str, Callable[[], object]]:
    (tmp_path / "up").write_bytes(b"x")
    return {
        "get": lambda: store.get(KEY),
        "fetch": lambda: store.fetch(KEY, tmp_path / "down"),
        "create": lambda: store.create(KEY, b"x"),
        "put": lambda: store.put(KEY, b"x"),
        "put_file": lambda: store.put(KEY, tmp_path / "up"),
        "list": lambda: store.list(""),
        "delete": lambda: store.delete(KEY),
    }


VERBS = ("get", "fetch", "create", "put", "put_file", "list", "delete")


# ---- the probe


def test_the_probe_passes_a_server_that_keeps_conditions(s3_server: S3Server, store: Store) -> None:
    probe(store)
    assert 412 in s3_server.statuses("PUT")
    assert s3_server.objects == {}


@pytest.mark.parametrize("conditions", ["ignored", "raced"])
def test_the_probe_refuses_a_server_that_does_not(s3_server: S3Server, conditions: str) -> None:
    s3_server.conditions = conditions
    with pytest.raises(UnsafeStore) as refused:
        open_store("s3://bucket/study", probe=True)
    assert "s3://bucket/study gave" in refused.value.given
    assert "If-None-Match" in refused.value.allowed
    assert "SeaweedFS" in refused.value.advice
    assert s3_server.objects == {}


def test_a_server_that_does_not_know_conditions_is_refused(s3_server: S3Server, store: Store) -> None:
    s3_server.fail(Fault("PUT", status=501, code="NotImplemented"))
    with pytest.raises(UnsafeStore, match="If-None-Match"):
        store.create(KEY, b"x")


def test_without_the_probe_opening_asks_the_server_nothing(s3_server: S3Server, store: Store) -> None:
    assert store.uri == "s3://bucket/study"
    assert s3_server.requests == []


# ---- create when the answer is in doubt


def test_a_lost_answer_is_still_our_success(s3_server: S3Server, store: Store) -> None:
    s3_server.fail(Fault("PUT", apply=True, close=True))
    assert store.create(KEY, b"ours") == b"ours"
    assert s3_server.statuses("PUT") == [
        0,
        412,
    ]  # botocore sent it again, and was refused because of our own first write
    assert s3_server.objects[PATH] == b"ours"


def test_a_server_error_after_the_write_is_still_our_success(s3_server: S3Server, store: Store) -> None:
    s3_server.fail(Fault("PUT", status=500, code="InternalError", apply=True), times=10)
    assert store.create(KEY, b"ours") == b"ours"
    assert len(s3_server.statuses("PUT")) == 10


def test_answers_lost_to_the_last_are_still_our_success(s3_server: S3Server, store: Store) -> None:
    s3_server.fail(Fault("PUT", apply=True, close=True), times=10)
    assert store.create(KEY, b"ours") == b"ours"


def test_whoever_wrote_while_our_answer_was_lost_has_won(s3_server: S3Server, store: Store) -> None:
    def other_wins() -> None:
        s3_server.objects[PATH] = b"theirs"

    s3_server.fail(Fault("PUT", close=True, meanwhile=other_wins))
    assert store.create(KEY, b"ours") == b"theirs"
    assert s3_server.objects[PATH] == b"theirs"


def test_a_write_that_never_landed_is_an_error_and_not_a_success(s3_server: S3Server, store: Store) -> None:
    s3_server.fail(BUSY, times=10)
    with pytest.raises(StoreError, match="slow down") as failed:
        store.create(KEY, b"ours")
    assert "asking twice is safe" in failed.value.advice
    assert store.create(KEY, b"ours") == b"ours"


def test_an_object_deleted_between_refusal_and_reading_is_created_again(s3_server: S3Server, store: Store) -> None:
    s3_server.objects[PATH] = b"gone soon"
    s3_server.fail(Fault("PUT"), Fault("GET", meanwhile=s3_server.objects.clear))
    assert store.create(KEY, b"ours") == b"ours"
    assert s3_server.statuses("PUT") == [412, 200]


def test_two_conflicts_and_then_success(s3_server: S3Server, store: Store) -> None:
    s3_server.fail(Fault("PUT", status=409, code="ConditionalRequestConflict"), times=2)
    assert store.create(KEY, b"ours") == b"ours"
    assert s3_server.statuses("PUT") == [409, 409, 200]


def test_conflicts_without_end_are_an_error(s3_server: S3Server, store: Store) -> None:
    s3_server.fail(Fault("PUT", status=409, code="ConditionalRequestConflict"), times=50)
    with pytest.raises(StoreError, match="ConditionalRequestConflict"):
        store.create(KEY, b"ours")
    assert s3_server.statuses("PUT") == [409] * (len(s3._PAUSES) + 1)
    assert s3_server.objects == {}


# ---- bursts of errors, and bodies that break off


@pytest.mark.parametrize("burst", [1, 3, 9])
def test_a_burst_of_503_is_survived(s3_server: S3Server, store: Store, burst: int) -> None:
    s3_server.fail(BUSY, times=burst)
    assert store.create(KEY, b"ours") == b"ours"
    assert s3_server.statuses("PUT") == [503] * burst + [200]


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_survives_three_503_and_a_closed_connection(
    s3_server: S3Server, store: Store, tmp_path: Path, verb: str
) -> None:
    s3_server.objects[PATH] = b"x"
    s3_server.fail(Fault("*", status=503, code="SlowDown"), times=3)
    s3_server.fail(Fault("*", close=True))
    six_verbs(store, tmp_path)[verb]()
    assert not s3_server.faults
    assert s3_server.objects == ({} if verb == "delete" else {PATH: b"x"})


def test_an_answer_that_breaks_off_is_read_again(s3_server: S3Server, store: Store) -> None:
    s3_server.objects[PATH] = LARGE
    s3_server.fail(Fault("GET", cut=True), times=2)
    assert store.get(KEY) == s3_server.objects[PATH]


def test_a_download_that_breaks_off_is_read_again(s3_server: S3Server, store: Store, tmp_path: Path) -> None:
    s3_server.objects[PATH] = LARGE
    s3_server.fail(Fault("GET", cut=True), times=2)
    assert store.fetch(KEY, tmp_path / "down")
    assert (tmp_path / "down").read_bytes() == s3_server.objects[PATH]


def test_answers_that_always_break_off_are_an_error_and_leave_the_old_file(
    s3_server: S3Server, store: Store, tmp_path: Path
) -> None:
    s3_server.objects[PATH] = b"x" * 1000
    (tmp_path / "down").write_bytes(b"old")
    s3_server.fail(Fault("GET", cut=True), times=100)
    for verb in (lambda: store.get(KEY), lambda: store.fetch(KEY, tmp_path / "down")):
        with pytest.raises(StoreError, match="cuts its answers off"):
            verb()
    assert [path.name for path in tmp_path.iterdir()] == ["down"]
    assert (tmp_path / "down").read_bytes() == b"old"


# ---- refusals, told so that a user knows what to do

REFUSALS = {
    "AccessDenied": (403, "access is denied", "s3:PutObject"),
    "InvalidAccessKeyId": (403, "does not know this access key", "AWS_ACCESS_KEY_ID"),
    "SignatureDoesNotMatch": (403, "secret key is wrong", "AWS_SECRET_ACCESS_KEY"),
    "ExpiredToken": (400, "session has expired", "AWS_SESSION_TOKEN"),
    "RequestTimeTooSkewed": (403, "clock", "set the clock"),
    "AuthorizationHeaderMalformed": (400, "another region", "AWS_REGION"),
    "PermanentRedirect": (301, "another region", "AWS_REGION"),
    "QuotaExceeded": (403, "quota", "free some"),
    "SomethingNew": (400, "SomethingNew said by the test", ""),
}
PASSING = {"ExpiredToken", "RequestTimeTooSkewed", "QuotaExceeded", "SomethingNew"}  # may be over at the next try


# every code, and every verb
@pytest.mark.parametrize(
    ("code", "verb"),
    [(code, "create") for code in REFUSALS]
    + [("AccessDenied", verb) for verb in VERBS if verb not in {"create", "fetch"}],
)
def test_a_refusal_says_what_to_do(s3_server: S3Server, store: Store, tmp_path: Path, code: str, verb: str) -> None:
    status, meaning, advice = REFUSALS[code]
    s3_server.fail(Fault("*", status=status, code=code), times=20)
    with pytest.raises(StoreError) as refused:
        six_verbs(store, tmp_path)[verb]()
    assert meaning in refused.value.given
    assert f"in s3://bucket/study at {s3_server.url}" in refused.value.given
    assert advice in refused.value.advice
    assert isinstance(refused.value, StoreRefused) == (code not in PASSING)
    assert_no_secret(refused.value)


def test_a_download_that_is_refused_says_what_to_do(s3_server: S3Server, store: Store, tmp_path: Path) -> None:
    s3_server.fail(Fault("HEAD", status=403, code="AccessDenied"))  # the answer to a HEAD has no body, hence no code
    with pytest.raises(StoreError, match="access is denied; it needs s3:GetObject"):
        store.fetch(KEY, tmp_path / "down")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("verb", VERBS)
def test_a_missing_bucket_is_named(s3_server: S3Server, tmp_path: Path, verb: str) -> None:
    with pytest.raises(StoreError, match=r"the bucket 'nonesuch' does not exist; create it"):
        six_verbs(open_store("s3://nonesuch/study"), tmp_path)[verb]()
    assert len(s3_server.requests) <= 2


def test_no_credentials_is_said(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    aws_environment(monkeypatch, AWS_ENDPOINT_URL=s3_server.url, AWS_REGION="us-east-1")
    with pytest.raises(StoreError, match="there are no credentials; set AWS_ACCESS_KEY_ID"):
        open_store("s3://bucket").create(KEY, b"x")
    assert s3_server.requests == []


def test_half_of_the_credentials_is_said(s3_server: S3Server, monkeypatch: pytest.MonkeyPatch) -> None:
    aws_environment(monkeypatch, AWS_ENDPOINT_URL=s3_server.url, AWS_ACCESS_KEY_ID=ACCESS_KEY)
    with pytest.raises(StoreError, match="the credentials are incomplete"):
        open_store("s3://bucket").get(KEY)


def test_a_profile_that_does_not_exist_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    aws_environment(monkeypatch, AWS_PROFILE="nobody")
    with pytest.raises(StoreError, match="AWS_PROFILE names a profile that does not exist"):
        open_store("s3://bucket").get(KEY)


@pytest.mark.parametrize("verb", ["fetch", "create", "put_file", "list"])
def test_a_server_that_is_not_there_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, verb: str) -> None:
    with socket.socket() as taken:  # bound but not listening: nothing else can answer on this port
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        keys = {"AWS_ACCESS_KEY_ID": ACCESS_KEY, "AWS_SECRET_ACCESS_KEY": SECRET_KEY}
        aws_environment(monkeypatch, AWS_ENDPOINT_URL=url, **keys)
        no_pauses(monkeypatch)
        with pytest.raises(StoreError, match="the server cannot be reached; check AWS_ENDPOINT_URL") as refused:
            six_verbs(open_store("s3://bucket/study"), tmp_path)[verb]()
    assert url in str(refused.value)


@pytest.mark.parametrize("url", ["nonsense", "localhost:9000", "http://", "http://a b"])
def test_an_endpoint_that_is_no_address_is_said(monkeypatch: pytest.MonkeyPatch, url: str) -> None:
    aws_environment(monkeypatch, AWS_ENDPOINT_URL=url, AWS_ACCESS_KEY_ID=ACCESS_KEY, AWS_SECRET_ACCESS_KEY=SECRET_KEY)
    no_pauses(monkeypatch)
    with pytest.raises(StoreError, match="AWS_ENDPOINT_URL"):
        open_store("s3://bucket").get(KEY)


def test_a_web_site_is_not_taken_for_a_store(s3_server: S3Server, store: Store, tmp_path: Path) -> None:
    for verb in ("get", "list"):
        s3_server.fail(Fault("*", status=404, code="<html>not found"), times=3)
        with pytest.raises(StoreError):
            six_verbs(store, tmp_path)[verb]()
        s3_server.faults.clear()


# ---- settings


def test_a_server_of_ones_own_is_asked_path_style(
    s3_server: S3Server, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.named_url)
    store.put(KEY, b"x")
    assert s3_server.requests == [("PUT", f"/bucket/{PATH}", 200)]


def test_a_server_named_in_the_configuration_file_is_asked_path_style(
    s3_server: S3Server, store: Store, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    (tmp_path / "config").write_text(f"[default]\nendpoint_url = {s3_server.named_url}\n")
    monkeypatch.delenv("AWS_ENDPOINT_URL")
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    store.put(KEY, b"x")
    assert s3_server.requests == [("PUT", f"/bucket/{PATH}", 200)]


@pytest.mark.parametrize("uri", ["s3://bucket", "s3://bucket/"])
def test_the_prefix_may_be_empty(s3_server: S3Server, uri: str) -> None:
    store = open_store(uri)
    assert store.uri == "s3://bucket"
    store.create(KEY, b"x")
    assert s3_server.objects == {KEY: b"x"}
    assert store.list("") == [KEY]


def test_stores_of_one_process_share_a_client_until_the_settings_change(
    s3_server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = s3._client()
    assert s3._client() is first
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "corrected")
    assert s3._client() is not first
    assert first.meta.endpoint_url == s3_server.url


def test_neighbouring_prefixes_do_not_see_each_other(s3_server: S3Server, store: Store) -> None:
    open_store("s3://bucket/study2").put("a", b"x")
    s3_server.objects["study/"] = b""  # folder marks that consoles make
    s3_server.objects["study/with blank"] = b""
    store.put("b", b"x")
    assert store.list("") == ["b"]


def test_a_client_that_failed_is_not_kept(s3_server: S3Server, store: Store) -> None:
    failed = s3._client()  # botocore allows a client some 100 retries, so one that met an outage would give up at once
    s3_server.fail(BUSY, times=10)
    with pytest.raises(StoreError, match="slow down"):
        store.put(KEY, b"x")
    assert s3._client() is not failed


def test_keys_that_were_corrected_in_the_file_are_used(
    s3_server: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    file = tmp_path / "credentials"
    aws_environment(
        monkeypatch, AWS_ENDPOINT_URL=s3_server.url, AWS_REGION="us-east-1", AWS_SHARED_CREDENTIALS_FILE=str(file)
    )
    store = open_store("s3://bucket")
    with pytest.raises(StoreError, match="there are no credentials"):
        store.put(KEY, b"x")
    file.write_text(f"[default]\naws_access_key_id = {ACCESS_KEY}\naws_secret_access_key = {SECRET_KEY}\n")
    store.put(KEY, b"x")


# ---- secrets


def assert_no_secret(error: AutoMLError) -> None:
    told = str(error) + "".join(traceback.format_exception(error))
    assert SECRET_KEY not in told
    assert ACCESS_KEY not in told


def test_a_key_with_a_line_break_is_refused_without_being_printed(
    s3_server: S3Server, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", f"{ACCESS_KEY}\nX-Injected: 1")
    with pytest.raises(StoreError, match="line breaks") as refused:
        store.get(KEY)
    assert_no_secret(refused.value)
    assert s3_server.requests == []


def test_user_and_password_in_the_endpoint_are_not_printed(
    s3_server: S3Server, store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", s3_server.url.replace("://", f"://{ACCESS_KEY}:hush@"))
    s3_server.fail(Fault("*", status=403, code="AccessDenied"))
    with pytest.raises(StoreError) as refused:
        store.get(KEY)
    assert "hush" not in str(refused.value)
    assert s3_server.url in str(refused.value)


# ---- what is imported


def test_boto3_is_imported_by_the_s3_store_alone(tmp_path: Path) -> None:
    program = (
        "import sys; from automl.stores import open_store\n"
        "open_store('./x').create('k', b'x'); open_store('memory:x').create('k', b'x')\n"
        "assert not {'boto3', 'botocore', 'numpy'} & sys.modules.keys()\n"
        "open_store('s3://bucket/x')\n"
        "assert 'boto3' in sys.modules\n"
    )
    root = Path(s3.__file__).parents[2]
    environment = {**os.environ, "PYTHONPATH": str(root)}
    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, env=environment, check=True)
