"""What the brain writes into its workflow for Argo's list, at an API server that takes it, refuses it, or is away."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from automl.analysis.status import status
from automl.execution import pod_contract
from automl.execution.pod_steps import deciding, workflow_title
from automl.execution.steps.propose import propose
from automl.stores import open_store
from automl.study.opened_study import OpenedStudy, begin
from automl.study.record import Record
from tests.execution.test_pod_steps import settle
from tests.simulation.studies import HALVING, study


class _Server(ThreadingHTTPServer):
    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), _Answers)
        self.code, self.patches = 200, list[tuple[str, str, dict[str, Any]]]()


class _Answers(BaseHTTPRequestHandler):
    server: _Server

    def do_PATCH(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.patches.append((self.path, self.headers["Authorization"], body["metadata"]))
        self.send_response(self.server.code)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[_Server]:
    """An API server, and a pod that knows it and its own workflow."""
    account = tmp_path / "account"
    account.mkdir()
    (account / "token").write_text("t0ken\n")
    (account / "namespace").write_text("argo")
    monkeypatch.setattr(workflow_title, "ACCOUNT", account)
    found = _Server()
    threading.Thread(target=found.serve_forever, daemon=True).start()
    monkeypatch.setenv("AUTOML_API_SERVER", f"http://127.0.0.1:{found.server_port}")
    monkeypatch.setenv("AUTOML_WORKFLOW", "plates-x1")
    yield found
    found.shutdown()
    found.server_close()


@pytest.fixture
def opened(tmp_path: Path) -> OpenedStudy:
    """A study of nine experiments, then three, then one; the first rung has ended."""
    record, definition = Record(open_store(str(tmp_path / "line"))), study(HALVING, final={"repeats": 0})
    begin(record, definition, "a study\n")
    settle(record, propose(record, definition, 0, 0))
    return OpenedStudy.read(record)


def test_title_and_description_say_how_the_study_does(server: _Server, opened: OpenedStudy) -> None:
    workflow_title.tell(opened)
    path = "/apis/argoproj.io/v1alpha1/namespaces/argo/workflows/plates-x1"
    ((asked, allowed, metadata),) = server.patches
    assert (asked, allowed) == (path, "Bearer t0ken")
    told = metadata["annotations"]
    name = opened.definition.file.name
    assert told["workflows.argoproj.io/title"] == f"{name} 0.0000 9/9"
    assert told["workflows.argoproj.io/description"].startswith("best 0.0000 · the defaults · 9 of 9")


def test_a_title_fits_into_the_characters_that_are_seen(opened: OpenedStudy) -> None:
    now = replace(status(opened.record, opened.definition), study="a-name-of-forty-characters-is-cut-where")
    title = workflow_title.title(now)
    assert (title, len(title)) == ("a-name-of-fo… 0.0000 9/9", 24)


def test_money_is_named_where_its_price_is_known(opened: OpenedStudy) -> None:
    file = opened.definition.file
    costs = file.costs.model_copy(update={"gpus": 2, "price_per_gpu_hour": 1800.0})
    priced = replace(opened.definition, file=file.model_copy(update={"costs": costs}))
    text = workflow_title.description(status(opened.record, priced), priced.costs)
    assert text.endswith(" · cost 9.00")  # nine trainings of a second on two GPUs


def test_the_last_step_tells_the_end(server: _Server, opened: OpenedStudy, monkeypatch: pytest.MonkeyPatch) -> None:
    record, definition = opened
    for index in (1, 2):
        settle(record, propose(record, definition, 0, index))
    monkeypatch.setenv("AUTOML_STORE", record.store.uri)
    monkeypatch.setattr(pod_contract, "OUTPUTS", Path(record.store.uri).parent / "outputs")
    deciding.collect()
    assert server.patches[-1][2]["annotations"]["workflows.argoproj.io/description"].endswith(" · 9 of 9 · done")


@pytest.mark.parametrize("code", [403, 404, 500])
def test_what_is_refused_is_said_once_and_fails_nothing(
    server: _Server, opened: OpenedStudy, code: int, capsys: pytest.CaptureFixture[str]
) -> None:
    server.code = code
    workflow_title.tell(opened)
    assert len(server.patches) == 1
    assert f"Argo's list is not told how the study does: HTTP Error {code}" in capsys.readouterr().out


def test_a_server_that_is_away_fails_nothing(
    server: _Server, opened: OpenedStudy, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AUTOML_API_SERVER", "http://127.0.0.1:1")
    workflow_title.tell(opened)
    assert "is not told how the study does" in capsys.readouterr().out
    assert server.patches == []


@pytest.mark.parametrize("missing", ["AUTOML_API_SERVER", "AUTOML_WORKFLOW"])
def test_without_the_overlay_nobody_is_asked(
    server: _Server, opened: OpenedStudy, missing: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(missing)
    workflow_title.tell(opened)
    assert server.patches == []
