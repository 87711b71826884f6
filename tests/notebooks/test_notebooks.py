"""The notebooks run from the first cell to the last, as a user would run them, in a folder of their own."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
HERE = ["01_quickstart.ipynb", "03_your_network.ipynb"]  # those that need no cluster
MOST_BYTES = 100_000  # of a notebook with its outputs


def executed(name: str, folder: Path) -> Any:
    """The notebook after a run of all its cells. Raises what a cell raises."""
    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)  # type: ignore[no-untyped-call]
    NotebookClient(
        notebook, timeout=300, kernel_name="python3", resources={"metadata": {"path": str(folder)}}
    ).execute()
    if os.environ.get("AUTOML_GOLDENS") == "write":
        for cell in notebook.cells:
            cell.metadata.pop("execution", None)  # when it ran
        text = nbformat.writes(notebook).replace(f"{folder}/", "./")  # type: ignore[no-untyped-call]
        (NOTEBOOKS / name).write_text(f"{text}\n")
    return notebook


def text_of(notebook: Any) -> str:
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return "\n".join(output.get("text", "") or output.get("data", {}).get("text/plain", "") for output in outputs)


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
