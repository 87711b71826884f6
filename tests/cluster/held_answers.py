"""An S3 server's front on 127.0.0.1 that does what it is asked and, for one object, keeps the answer back.

So a pod can be killed after its write has landed and before it knows: the real server has the object by then.
"""

from __future__ import annotations

import http.client
import threading
from contextlib import closing, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import unquote, urlsplit

_HOP = {"connection", "transfer-encoding", "keep-alive"}


class Front:
    """Forwards to `server`. hold(key): the answer to the next PUT of that object waits for release()."""

    def __init__(self, server: str) -> None:
        self.server = urlsplit(server).netloc
        self.key: str | None = None
        self.landed, self.released = threading.Event(), threading.Event()
        owner = self

        class Handler(_Handler):
            front = owner

        self._http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._http.daemon_threads = True
        threading.Thread(target=self._http.serve_forever, daemon=True).start()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def hold(self, key: str) -> None:
        self.landed.clear()
        self.released.clear()
        self.key = key

    def release(self) -> None:
        self.released.set()

    def close(self) -> None:
        self.release()
        self._http.shutdown()
        self._http.server_close()

    def answered(self, method: str, path: str) -> None:
        """Called when the server has answered and the client has not."""
        if method == "PUT" and self.key is not None and path.endswith(f"/{self.key}"):
            self.key = None
            self.landed.set()
            self.released.wait()


class _Handler(BaseHTTPRequestHandler):
    front: Front
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Say nothing."""

    def handle(self) -> None:
        with suppress(ConnectionError):  # whoever asked was killed
            super().handle()

    def _forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with closing(http.client.HTTPConnection(self.front.server, timeout=60)) as server:
            server.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
            for name, value in self.headers.items():
                if name.lower() not in {*_HOP, "expect"}:
                    server.putheader(name, value)
            server.endheaders(body or None)
            answer = server.getresponse()
            data = answer.read()
        self.front.answered(self.command, unquote(urlsplit(self.path).path))
        self.send_response_only(answer.status)
        for name, value in answer.getheaders():
            if name.lower() not in _HOP | ({"content-length"} if self.command != "HEAD" else set()):
                self.send_header(name, value)
        if self.command != "HEAD":
            self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _forward  # noqa: N815  # http.server's names
