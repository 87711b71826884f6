"""What programs write for a terminal: colours, movements, titles of windows."""

from __future__ import annotations

import re

# control sequences, operating system commands, other escapes; what a progress bar goes back by
_CODES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]|\x9b[0-?]*[ -/]*[@-~]|\x1b[\]PX^_].*?(?:\x07|\x1b\\|$)|\x1b[ -/]*[0-~]|[\x00\x08]"
)


def without_codes(text: str) -> str:
    """A line without them."""
    return text if text.isprintable() else _CODES.sub("", text)
