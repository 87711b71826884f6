"""A server that redirects is no S3 server at that address: for each answer in redirects.yaml one error."""

from __future__ import annotations

import http.server
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import yaml

from automl.errors import StoreRefused
from automl.stores import open_store
from tests.stores.conftest import ACCESS_KEY, SECRET_KEY, aws_environment


@dataclass
class Answer:
    """What the server answers; where `region` is given, only to requests that are signed for it."""

    status: int = 301
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    region: str = ""


class Redirecting(http.server.ThreadingHTTPServer):
    """A server on 127.0.0.1 with one answer for all; "{self}" in a header stands for its own address."""

    answer = Answer()
    daemon_threads = True

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"


class _Handler(http.server.BaseHTTPRequestHandler):
    server: Redirecting
    protocol_version = "HTTP/1.1"

    def answer(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        wanted = self.server.answer
        if wanted.region and f"/{wanted.region}/s3/" not in self.headers.get("Authorization", ""):
            wanted = Answer(200, {}, b"what lies there")
        self.send_response(wanted.status)
        for name, value in {**wanted.headers, "Content-Length": str(len(wanted.body))}.items():
            self.send_header(name, value.replace("{self}", self.server.url))
        self.end_headers()
        self.wfile.write(wanted.body if self.command != "HEAD" else b"")

    do_GET = do_PUT = do_POST = do_HEAD = do_DELETE = answer  # noqa: N815 - names of http.server

    def log_message(self, *_: object) -> None:
        """Nothing is printed."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Redirecting]:
    with Redirecting(("127.0.0.1", 0), _Handler) as running:
        aws_environment(
            monkeypatch,
            AWS_ENDPOINT_URL=running.url,
            AWS_ACCESS_KEY_ID=ACCESS_KEY,
            AWS_SECRET_ACCESS_KEY=SECRET_KEY,
            AWS_REGION="us-east-1",
        )
        threading.Thread(target=running.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True).start()
        yield running
        running.shutdown()


CASES: dict[str, dict[str, str]] = yaml.safe_load(Path(__file__).with_name("redirects.yaml").read_text())


@pytest.mark.parametrize("status", [301, 307])
@pytest.mark.parametrize("name", CASES)
def test_a_redirect_is_one_error_with_the_address(server: Redirecting, status: int, name: str) -> None:
    case = CASES[name]
    server.answer = Answer(status, {"Location": case["location"]} if case["location"] else {}, b"<html>moved</html>")
    with pytest.raises(StoreRefused) as refusal:
        open_store("s3://bucket/prefix").get("key")
    assert case["says"] in str(refusal.value)
    assert "secret" not in str(refusal.value)


def test_every_verb_is_refused(server: Redirecting) -> None:
    server.answer = Answer(301, {"Location": CASES["to https"]["location"]})
    store = open_store("s3://bucket/prefix")
    for verb in (lambda: store.create("key", b"x"), lambda: store.put("key", b"x"), lambda: store.list("")):
        with pytest.raises(StoreRefused, match="set AWS_ENDPOINT_URL to https://s3"):
            verb()
    with pytest.raises(StoreRefused, match="set AWS_ENDPOINT_URL to https://s3"):
        store.delete("key")


def test_a_redirect_to_the_bucket_s_region_is_followed(server: Redirecting) -> None:
    server.answer = Answer(301, {"x-amz-bucket-region": "eu-west-1"}, region="us-east-1")
    assert open_store("s3://bucket/prefix").get("key") == b"what lies there"
