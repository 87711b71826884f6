"""The `keep` of a network file: patterns of the files that belong to an experiment when its training has ended."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache


def kept(names: Iterable[str], patterns: Sequence[str]) -> tuple[str, ...]:
    """The paths among `names` that a pattern matches, sorted. `*` and `?` stay inside of a folder, `**` does not."""
    return tuple(sorted(name for name in names if any(_form(pattern).fullmatch(name) for pattern in patterns)))


@cache
def _form(pattern: str) -> re.Pattern[str]:
    form = re.escape(pattern.removeprefix("./"))
    for written, meaning in ((r"\*\*/", "(?:.*/)?"), (r"\*\*", ".*"), (r"\*", "[^/]*"), (r"\?", "[^/]")):
        form = form.replace(written, meaning)
    return re.compile(form)
