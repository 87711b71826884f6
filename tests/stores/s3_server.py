"""A small S3 server on 127.0.0.1 that does what a test tells it to: lose an answer, answer 503, ignore conditions.

It knows single objects and one page of a list, one bucket ("bucket"), and checks no signature. Not a test itself.
"""

from __future__ import annotations

import threading
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape


@dataclass(frozen=True)
class Fault:
    """What happens to one request.

    status, code: the answer (0: none of our own making). apply: do the work all the same. close: cut the connection
    without an answer. cut: send only half of the body. meanwhile: what another client does just then.
    """

    method: str
    status: int = 0
    code: str = ""
    apply: bool = False
    close: bool = False
    cut: bool = False
    meanwhile: Callable[[], None] | None = None


@dataclass
class S3Server:
    """Objects by key, the faults still to come, and every request with the status it got (0: no answer)."""

    conditions: str = "kept"  # or "ignored", or "raced": looked at, but not in one step with the write
    objects: dict[str, bytes] = field(default_factory=dict)
    faults: deque[Fault] = field(default_factory=deque)
    requests: list[tuple[str, str, int]] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.lock = threading.Lock()
        owner = self

        class Handler(_Handler):
            server_state = owner

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    @property
    def named_url(self) -> str:
        return self.url.replace("127.0.0.1", "localhost")  # botocore asks a bare number path-style by itself

    def reset(self) -> None:
        self.conditions = "kept"
        for kept in (self.objects, self.faults, self.requests):
            kept.clear()

    def stop(self) -> None:
        self._http.shutdown()
        self._http.server_close()

    def fail(self, *faults: Fault, times: int = 1) -> None:
        self.faults.extend(faults * times)

    def statuses(self, method: str) -> list[int]:
        return [status for asked, _, status in self.requests if asked == method]

    def next_fault(self, method: str) -> Fault | None:
        with self.lock:
            if self.faults and self.faults[0].method in {method, "*"}:
                return self.faults.popleft()
        return None


class _Handler(BaseHTTPRequestHandler):
    server_state: S3Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # an answer is two writes, of which the second would wait 40 ms for the client

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def _serve(self) -> None:
        state, path = self.server_state, urlsplit(self.path)
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        fault = state.next_fault(self.command)
        if fault and fault.meanwhile:
            fault.meanwhile()
        status, answer = 0, b""
        if not fault or fault.apply or fault.cut or not (fault.status or fault.close):
            status, answer = self._work(unquote(path.path), parse_qs(path.query), body)
        if fault and fault.status:
            status, answer = fault.status, _error(fault.code)
        if fault and fault.close:
            status = 0
        with state.lock:
            state.requests.append((self.command, unquote(path.path), status))
        if status == 0:
            self.close_connection = True
            return
        self._answer(status, answer, cut=bool(fault and fault.cut))

    do_GET = do_PUT = do_HEAD = do_DELETE = _serve  # noqa: N815  # http.server's names

    def _work(self, path: str, query: dict[str, list[str]], body: bytes) -> tuple[int, bytes]:
        _, bucket, *rest = path.split("/", 2)
        key = rest[0] if rest else ""
        if bucket != "bucket":
            return 404, _error("NoSuchBucket")
        if not key:
            return 200, self._page(query.get("prefix", [""])[0])
        if self.command == "PUT":
            return self._put(key, body)
        objects = self.server_state.objects
        if self.command == "DELETE":
            objects.pop(key, None)
            return 204, b""
        return (200, objects[key]) if key in objects else (404, _error("NoSuchKey"))

    def _put(self, key: str, body: bytes) -> tuple[int, bytes]:
        state = self.server_state
        asked = self.headers.get("If-None-Match") == "*" and state.conditions != "ignored"
        if state.conditions == "raced":
            if asked and key in state.objects:
                return 412, _error("PreconditionFailed")
            time.sleep(0.05)
            state.objects[key] = body
            return 200, b""
        with state.lock:
            if asked and key in state.objects:
                return 412, _error("PreconditionFailed")
            state.objects[key] = body
        return 200, b""

    def _page(self, prefix: str) -> bytes:
        keys = sorted(key for key in self.server_state.objects if key.startswith(prefix))
        rows = "".join(f"<Contents><Key>{escape(key)}</Key><Size>1</Size></Contents>" for key in keys)
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{rows}</ListBucketResult>".encode()

    def _answer(self, status: int, body: bytes, cut: bool) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.send_header("ETag", '"0"')
        self.end_headers()
        if self.command != "HEAD" and status != 204:
            self.wfile.write(body[: len(body) // 2] if cut else body)
        if cut:
            self.close_connection = True


def _error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>said by the test</Message></Error>".encode()
