"""Shows the status of a study while it runs: a bar of ipywidgets, a table that replaces the last one, or lines of text.

The bar and the table need a kernel that a notebook talks to; the bar also needs ipywidgets (extra 'notebook').
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib import import_module
from importlib.util import find_spec
from typing import Any, Protocol

from automl.reporting.notebook.html import NotebookResult


class Display(Protocol):
    """Shows one status after another."""

    def show(self, status: NotebookResult, share: float) -> None:
        """Shows a status. `share` is the part of the epochs that are done, from 0 to 1."""

    def close(self) -> None:
        """Leaves the last status on display."""


@contextmanager
def progress_display() -> Iterator[Display]:
    """The best display that this process supports. It is closed at the end, also after an exception."""
    display = _choose()
    try:
        yield display
    finally:
        display.close()


def _choose() -> Display:
    if not _in_notebook():
        return Lines()
    return Bar() if find_spec("ipywidgets") is not None else Table()


def _in_notebook() -> bool:
    """Whether this process is a kernel; IPython in a terminal is not."""
    if "IPython" not in sys.modules:
        return False
    return getattr(sys.modules["IPython"].get_ipython(), "kernel", None) is not None


class Lines:
    """Prints a status when it differs from the last one."""

    def __init__(self) -> None:
        self._last = ""

    def show(self, status: NotebookResult, share: float) -> None:
        text = "; ".join(f"{name}: {value}" for name, value in status.rows[1:])
        if text != self._last:
            sys.stdout.write(f"{share:4.0%}  {text}\n")
            sys.stdout.flush()
        self._last = text

    def close(self) -> None:
        """The lines stay."""


class Table:
    """Shows each status in place of the previous one."""

    def __init__(self) -> None:
        self._handle: Any = None

    def show(self, status: NotebookResult, share: float) -> None:  # noqa: ARG002 - the table says it
        self._put(status)

    def close(self) -> None:
        """The table stays."""

    def _put(self, what: Any) -> None:
        if self._handle is None:
            self._handle = import_module("IPython.display").display(what, display_id=True)
        else:
            self._handle.update(what)


class Bar(Table):
    """A bar above the table, as widgets. They die with the kernel, so at the end the table takes their place."""

    def __init__(self) -> None:
        super().__init__()
        widgets = import_module("ipywidgets")
        self._bar = widgets.FloatProgress(min=0.0, max=1.0, description="epochs")
        self._text = widgets.HTML()
        self._box = widgets.VBox([self._bar, self._text])
        self._last: NotebookResult | None = None

    def show(self, status: NotebookResult, share: float) -> None:
        self._last, self._bar.value, self._text.value = status, share, status._repr_html_()
        if self._handle is None:
            self._put(self._box)

    def close(self) -> None:
        if self._last is not None:
            self._put(self._last)
        for widget in (self._box, self._bar, self._text):
            widget.close()
