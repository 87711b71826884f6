"""What the two ways to a cluster make of its answers: over real connections, to a server that answers as it is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

from automl.errors import AutoMLError, ClusterAway, ClusterError, InvalidInput, NotAllowed
from workflows.argo_server import ArgoServer
from workflows.kubernetes_api import Kubernetes

CLOSED = "http://127.0.0.1:1"
KUBECONFIG = """\
apiVersion: v1
kind: Config
current-context: one
clusters: [{{name: c, cluster: {{server: "{address}"}}}}]
users: [{{name: u, user: {{}}}}]
contexts:
  - {{name: one, context: {{cluster: c, user: u, namespace: mine}}}}
  - {{name: two, context: {{cluster: c, user: u}}}}
"""


@contextmanager
def answering(code: int, message: str) -> Iterator[tuple[str, list[str | None]]]:
    """The address of a server that gives everyone this answer, and the Authorization that each request had."""
    seen: list[str | None] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            seen.append(self.headers["Authorization"])
            body = json.dumps({"message": message, "items": []}).encode()
            self.send_response(code)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", seen
    finally:
        server.shutdown()
        server.server_close()


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    path = tmp_path / "config"
    path.write_text(KUBECONFIG.format(address=CLOSED))
    monkeypatch.setenv("KUBECONFIG", str(path))
    return path


ANSWERS: list[tuple[int, str, type[AutoMLError], str]] = [
    (401, "Unauthorized", ClusterError, "not signed in; sign in again|set ARGO_TOKEN"),
    (403, "workflows is forbidden", NotAllowed, "automl-submit"),
    (503, "etcd is away", ClusterAway, "503 etcd is away; try again"),
    (422, "spec: invalid", ClusterError, "spec: invalid"),
]


@pytest.mark.parametrize(("code", "message", "kind", "says"), ANSWERS)
def test_what_kubernetes_refuses_is_said(
    kubeconfig: Path, code: int, message: str, kind: type[AutoMLError], says: str
) -> None:
    with answering(code, message) as (address, _):
        kubeconfig.write_text(KUBECONFIG.format(address=address))
        with pytest.raises(kind, match=says):
            Kubernetes(None, None).select("automl/study")


@pytest.mark.parametrize(("code", "message", "kind", "says"), ANSWERS)
def test_what_an_argo_server_refuses_is_said(code: int, message: str, kind: type[AutoMLError], says: str) -> None:
    with answering(code, message) as (address, _), pytest.raises(kind, match=says):
        ArgoServer(address, None).select("automl/study")


def test_a_workflow_that_is_not_there_is_none(kubeconfig: Path) -> None:
    with answering(404, 'workflows.argoproj.io "x" not found') as (address, _):
        kubeconfig.write_text(KUBECONFIG.format(address=address))
        assert Kubernetes(None, None).get("x") is None
        assert ArgoServer(address, None).get("x") is None


def test_a_missing_namespace_and_a_missing_argo_are_told_apart(kubeconfig: Path) -> None:
    for message, says in [
        ('namespaces "mine" not found', "there is no namespace 'mine'"),
        ("the server could not find the requested resource", "Argo Workflows is not installed"),
    ]:
        with answering(404, message) as (address, _):
            kubeconfig.write_text(KUBECONFIG.format(address=address))
            with pytest.raises(ClusterError, match=says):
                Kubernetes(None, None).select("automl/study")


def test_what_does_not_answer_is_away_and_named(kubeconfig: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(ClusterAway, match=f"cluster of context one does not answer at {CLOSED}"):
        Kubernetes(None, None).get("x")
    with pytest.raises(ClusterAway, match=f"Argo server {CLOSED} does not answer"):
        ArgoServer(CLOSED, None).get("x")
    assert capfd.readouterr() == ("", "")  # the libraries below say nothing of their own


def test_the_namespace_is_the_one_given_or_the_contexts_or_argo(kubeconfig: Path) -> None:
    assert Kubernetes(None, None).namespace == "mine"
    assert Kubernetes("two", None).namespace == "argo"
    assert Kubernetes("one", "given").namespace == "given"
    assert ArgoServer(CLOSED, None).namespace == "argo"


def test_an_unknown_context_is_refused_with_those_there_are(kubeconfig: Path) -> None:
    with pytest.raises(InvalidInput, match="--context: 'onee'; did you mean 'one'\\?; allowed: one, two"):
        Kubernetes("onee", None)


def test_without_a_kubeconfig_the_two_ways_are_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    with pytest.raises(InvalidInput, match="set KUBECONFIG, or give the address of an Argo server with --server"):
        Kubernetes(None, None)


def test_the_token_goes_to_the_argo_server_as_a_bearers(monkeypatch: pytest.MonkeyPatch) -> None:
    for given, sent in [("abc", "Bearer abc"), ("Bearer abc", "Bearer abc"), ("", None)]:
        monkeypatch.setenv("ARGO_TOKEN", given)
        with answering(200, "") as (address, seen):
            assert ArgoServer(address, None).select("automl/study") == []
        assert seen == [sent]


def test_an_address_may_lack_its_scheme_as_in_argo_server(monkeypatch: pytest.MonkeyPatch) -> None:
    assert ArgoServer("argo.example:2746", None).address == "https://argo.example:2746"
    monkeypatch.setenv("ARGO_SECURE", "false")
    assert ArgoServer("argo.example:2746", None).address == "http://argo.example:2746"
    with pytest.raises(InvalidInput, match="--server: 'ftp://argo'; allowed: https://host:port"):
        ArgoServer("ftp://argo", None)
