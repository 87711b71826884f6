"""The words of a command, and the placeholders that may stand in them."""

from __future__ import annotations

import re
from typing import Any


def as_words(words: Any) -> Any:
    """A list of YAML as the tuple that a frozen model holds."""
    return tuple(words) if isinstance(words, list) else words


def with_placeholders(words: tuple[str, ...], placeholders: tuple[str, ...]) -> tuple[str, ...]:
    """The words, if they contain only these placeholders. Raises ValueError."""
    for word in words:
        if "{{" in word:
            raise ValueError("'{{' may not stand in a command: a cluster would fill it in")
        for placeholder in re.findall(r"\{[^}]*\}", word):
            if placeholder not in placeholders:
                raise ValueError(f"only the placeholders {', '.join(placeholders)}, and {placeholder} is none of them")
    return words
