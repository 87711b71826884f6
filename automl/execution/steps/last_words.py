"""Why a program that failed says that it did: the line of the end of its log that is the reason.

Often that is the last line; entry points, launchers of several processes and loggers write others behind it. So the
last line that has the form of an exception or of a refused setting counts, and the last of all where there is none.
"""

from __future__ import annotations

import os
import re
from pathlib import Path

from automl.execution.plain_files import is_plain
from automl.text.terminal_codes import without_codes

_TAIL = 16384  # bytes of the log's end that are looked at
_LINES = 40  # where several processes train, the others' complaints come after the one that counts
# what loggers and launchers write before the words of the program itself
_BEFORE = r"(?:\[?rank ?\d+\]?:?\s+|\d+:\s+|\[\d+\]:?\s+|E\s+)*"
_EXCEPTION = re.compile(
    rf"""^{_BEFORE}(?:
        (?:[A-Za-z_]\w*\.)*[A-Za-z_]\w*(?:Error|Exception|Exit|Interrupt|Fault)\b(?:\s*:|\s*$|\()   # Python, Java
        | (?:[A-Za-z_]\w*\.)+[A-Z]\w+:\s                                             # hydra.errors.MissingConfig: ...
        | Key\ .+\ not\ in\ | Could\ not\ override\ | .+\ is\ not\ a\ subclass\ of\  # omegaconf, hydra
        | (?:[\w./-]+:\ )+error:\ | error(?:\[\w+\])?:\ | Error\ in\ .+:             # argparse, compilers, R
        | what\(\):\ | panic:\ | thread\ '.+'\ panicked\ | FATAL(?:\ ERROR)?\b       # C++, Go, Rust, node
        | Segmentation\ fault\b | (?:Bus|Floating\ point)\ e
    )""",
    re.VERBOSE,
)
# what is raised when something else has failed, and says only that it did
_ONLY_THAT_IT_FAILED = re.compile(r"\b(?:ChildFailedError|CalledProcessError|SystemExit|ProcessExitedException)\b")


def last_words(log: Path) -> str:
    """The line that says why, without colours; empty for a log without any line."""
    lines = [line for line in map(str.strip, last_lines(log)) if line]
    exceptions = [line for line in lines if _EXCEPTION.match(line)]
    telling = [line for line in exceptions if not _ONLY_THAT_IT_FAILED.search(line)]
    return (telling or exceptions or lines or [""])[-1]


def last_lines(log: Path) -> list[str]:
    """The last 40 lines of a log, as far as they lie in its last 16 KiB, without what a terminal makes of them."""
    if not is_plain(log):
        return []
    with log.open("rb") as file:
        file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
        text = file.read().decode(errors="replace")
    return [without_codes(line) for line in text.splitlines()[-_LINES:]]
