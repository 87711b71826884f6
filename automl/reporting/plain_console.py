"""The one door to a terminal, where text is printed as it stands: to rich, `[torch]` would be markup."""

from __future__ import annotations

from typing import Any

from rich.console import Console


def plain_console(**options: Any) -> Console:
    """A console of rich that takes no text for markup, in tables and beside them. `options` are those of `Console`."""
    return Console(markup=False, emoji=False, **options)
