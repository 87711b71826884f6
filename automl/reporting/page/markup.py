"""Markup that is escaped by construction: whatever is not `Markup` becomes text.

The page is both HTML and well-formed XML, so that a strict parser can check all of it.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterable
from typing import TypeAlias

# what may close itself in HTML and in SVG
_EMPTY = frozenset({"br", "circle", "img", "line", "meta", "path", "rect", "wbr"})
# what XML does not allow at all: control characters, halves of a surrogate pair, two non-characters
_NO_CHARACTER = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f\ud800-\udfff\ufffe\uffff]")


class Markup(str):
    """Text that is markup; anything put together from it by other means than `tag` and `joined` is plain text again."""

    __slots__ = ()


Child: TypeAlias = "str | int | Iterable[Child] | None"


def escaped(text: object) -> Markup:
    """Any text as markup that shows it."""
    return Markup(html.escape(_NO_CHARACTER.sub("\N{REPLACEMENT CHARACTER}", str(text))))


def joined(*children: Child) -> Markup:
    """The children one after another; None adds nothing."""
    parts: list[str] = []
    for child in children:
        if isinstance(child, Markup):
            parts.append(child)
        elif isinstance(child, str | int):
            parts.append(escaped(child))
        elif child is not None:
            parts.append(joined(*child))
    return Markup("".join(parts))


def tag(name: str, /, *children: Child, **attributes: str | int | float | None) -> Markup:
    """An element. The attribute `class_` becomes class and `stroke_width` stroke-width; None leaves one out."""
    written = "".join(
        f' {key.rstrip("_").replace("_", "-")}="{escaped(value)}"'
        for key, value in attributes.items()
        if value is not None
    )
    if name in _EMPTY and not children:
        return Markup(f"<{name}{written} />")
    return Markup(f"<{name}{written}>{joined(*children)}</{name}>")
