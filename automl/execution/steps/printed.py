"""What a training printed and reported, as it is stored: once, below its attempt, and never more than a bound.

A log has no bound of its own: a progress bar, a warning at every step, a binary file that was printed by mistake make
gigabytes. Of a long one the beginning is stored, where the settings stand, and the end, where the reason of a failure
stands.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from automl.execution.plain_files import ends, free_space
from automl.execution.status_readers import Follower, status_lines
from automl.text.long_text import shortened

MIB = 1 << 20
FIRST, LAST = 1 * MIB, 15 * MIB  # bytes that are stored of the beginning and of the end of a log
FREED_FROM = 64 * MIB  # bytes between them that a log has before their space on the disk is given back


def printed(log: Path, begin: int = 0) -> bytes | None:
    """The log from byte `begin` on, as it is stored; None while there is no file that can be read."""
    found = ends(log, FIRST, LAST, begin)
    if found is None:
        return None
    if found.is_whole:
        return found.first
    return shortened(
        found.first,
        found.last,
        found.size,
        f"of a longer log the first {FIRST // MIB} MiB and the last {LAST // MIB} MiB are stored",
    )


def free_the_middle(log: Path, begin: int, position: int | None, freed: int) -> int:
    """Gives back the disk space of what is neither stored of the log nor read any more; up to which byte that was done.

    The log is stored from byte `begin` on. `position` is how far it was read, None where nothing in it is read for.
    `freed` is the answer of the call before, 0 at first. Nothing is done for less than `FREED_FROM` bytes at a time.
    """
    try:
        end = log.stat().st_size - LAST
    except OSError:
        return freed
    begin, end = max(begin + FIRST, freed), end if position is None else min(end, position)
    return end if end - begin >= FREED_FROM and free_space(log, begin, end) else freed


def reported(follower: Follower, after: int = 0) -> bytes | None:
    """The status lines as they are stored, of all epochs or of those `after` one; None while there are none.

    Those of TAO's dialect are stored as they stand. Others are written in the same form, an epoch a line, and so are
    those that are longer than a log may be.
    """
    if follower.rule.reader == "tao" and not after:
        files = _whole(follower.paths())
        if files is not None:
            return files
    return status_lines(follower.readings, after) or None


def _whole(paths: Sequence[Path]) -> bytes | None:
    """The joined files, those left out that are none; None where there are none, or where they are too long."""
    parts = [found for path in paths if (found := ends(path, FIRST, LAST)) is not None]
    if not parts or sum(part.size for part in parts) > FIRST + LAST:
        return None
    return b"".join(part.first for part in parts)
