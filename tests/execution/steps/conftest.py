"""An attempt to follow."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.execution.steps.attempts import Attempt


@pytest.fixture
def attempt(tmp_path: Path) -> Attempt:
    return Attempt(tmp_path / "a1")
