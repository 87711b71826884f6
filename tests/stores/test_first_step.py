"""The first step of a workflow meets a store that does not serve it: what waiting changes, and what it does not."""

from __future__ import annotations

import base64
import json
from pathlib import Path

import pytest

from automl import pod
from tests.stores.s3_server import Fault, S3Server


def exit_code(monkeypatch: pytest.MonkeyPatch, log: Path, study: str) -> int:
    sent = [{"name": "algorithm", "value": "hyperband"}, {"name": "study", "value": study}]
    monkeypatch.setenv("AUTOML_PARAMETERS", base64.b64encode(json.dumps(sent).encode()).decode())
    monkeypatch.setenv("AUTOML_GPUS", "0")
    monkeypatch.setattr(pod, "TERMINATION_LOG", log)
    monkeypatch.setattr("sys.argv", ["automl.pod", "start"])
    with pytest.raises(SystemExit) as left:
        pod.main()
    assert isinstance(left.value.code, int)
    return left.value.code


@pytest.mark.usefixtures("s3_server")
def test_a_missing_bucket_ends_the_study_at_once(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert exit_code(monkeypatch, tmp_path / "log", "s3://nonesuch/a/study.yaml") == 2
    assert "the bucket 'nonesuch' does not exist; create it" in (tmp_path / "log").read_text()


REFUSED, FAILING = Fault("*", status=403, code="AccessDenied"), Fault("*", status=503, code="ServiceUnavailable")


@pytest.mark.parametrize(("fault", "expected"), [(REFUSED, 2), (FAILING, 75)], ids=["refused", "failing"])
def test_a_refusal_is_final_and_a_failure_is_waited_for(
    s3_server: S3Server, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, fault: Fault, expected: int
) -> None:
    s3_server.fail(fault, times=200)
    assert exit_code(monkeypatch, tmp_path / "log", "s3://bucket/a/study.yaml") == expected
