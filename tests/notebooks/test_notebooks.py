"""The notebooks run from the first cell to the last, as a user would run them, in a folder of their own."""

from __future__ import annotations

from pathlib import Path

import nbformat
import pytest

from tests.notebooks.executed_notebooks import NOTEBOOKS, executed, text_of

HERE = ["01_quickstart.ipynb", "03_your_network.ipynb", "04_results.ipynb"]  # those that need no cluster
MOST_BYTES = 120_000  # of a notebook with its outputs


@pytest.mark.parametrize("name", HERE)
def test_a_notebook_runs_to_its_end_and_finds_a_best(name: str, tmp_path: Path) -> None:
    notebook = executed(name, tmp_path)
    found = text_of(notebook)
    assert "'Done'" in found
    for cell in notebook.cells:  # a status takes the place of the one before
        assert len(cell.get("outputs", ())) <= 2
    assert "experiment " in found


@pytest.mark.parametrize("path", sorted(NOTEBOOKS.glob("*.ipynb")), ids=lambda path: path.name)
def test_a_notebook_in_the_repository_is_small_and_has_its_outputs(path: Path) -> None:
    assert path.stat().st_size < MOST_BYTES
    notebook = nbformat.read(path, as_version=4)  # type: ignore[no-untyped-call]
    assert any(cell.get("outputs") for cell in notebook.cells)
    assert "/tmp/" not in path.read_text()
