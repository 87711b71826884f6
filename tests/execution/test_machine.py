"""What a study takes of this machine."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.execution.machine import default_jobs, work_folder


def test_a_study_in_a_folder_works_inside_it_and_one_in_a_bucket_in_the_users_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    assert work_folder("demo/fashion") == Path("demo/fashion/.work")
    one, other = (work_folder(f"s3://bucket/{name}") for name in ("one", "other"))
    assert one.parent == other.parent == tmp_path / ".cache/argo-automl"
    assert one != other
    assert one == work_folder("s3://bucket/one")


def test_there_is_at_least_one_training_at_a_time() -> None:
    assert default_jobs() >= 1
