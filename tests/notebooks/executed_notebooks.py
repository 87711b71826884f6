"""Runs a notebook of the repository from its first cell to its last, and keeps its outputs when goldens are written."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import nbformat
from nbclient import NotebookClient

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"


def executed(name: str, folder: Path, variables: str = "", kept: dict[str, str] | None = None) -> Any:
    """The notebook after a run of all its cells, in `folder`. Raises what a cell raises.

    variables: lines at the end of its first cell of code, for this run alone. kept: texts to replace in what is kept.
    """
    notebook = nbformat.read(NOTEBOOKS / name, as_version=4)  # type: ignore[no-untyped-call]
    first = next(cell for cell in notebook.cells if cell.cell_type == "code")
    source = first.source
    if variables:
        first.source = f"{source}\n{variables}"
    NotebookClient(
        notebook,
        timeout=900,
        kernel_name="python3",
        resources={"metadata": {"path": str(folder)}},
        store_widget_state=False,  # widgets live with the kernel
    ).execute()
    first.source = source
    if os.environ.get("AUTOML_GOLDENS") == "write":
        for cell in notebook.cells:
            cell.metadata.pop("execution", None)  # when it ran
        text = nbformat.writes(notebook)  # type: ignore[no-untyped-call]
        for here, there in {f"{folder}/": "./", **(kept or {})}.items():
            text = text.replace(here, there)
        (NOTEBOOKS / name).write_text(f"{text}\n")
    return notebook


def text_of(notebook: Any) -> str:
    """What all its cells have put out, as text."""
    outputs = [output for cell in notebook.cells for output in cell.get("outputs", ())]
    return "\n".join(output.get("text", "") or output.get("data", {}).get("text/plain", "") for output in outputs)
