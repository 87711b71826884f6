"""Whether a training goes on with the data that it began with: a digest of the data, stored in every checkpoint."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from pathlib import Path

from numpy.typing import NDArray


def digest_of_arrays(*arrays: NDArray) -> str:  # type: ignore[type-arg]
    """sha256 of data in memory."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(array.tobytes())
    return digest.hexdigest()


def digest_of_files(folder: Path, pictures: Iterable[Path], truth: Iterable[Path] = (), text: str = "") -> str:
    """sha256 of the data of a training part: what is to be learned by its content, pictures by name and size.

    `truth` are annotations and masks, `text` labels that were read before. All files are below `folder`, which may
    move.

    Labels are corrected in place, often without changing a file's size, and are small: their content counts. Pictures
    are many times as large, and reading all of them before every rung would take as long as an epoch from a network
    volume. A picture that is replaced by another has another size, since files of pictures are compressed; one that is
    edited to the byte of its old size passes unseen. Times of files say nothing: a copy of a folder has new ones.
    """
    digest = hashlib.sha256(text.encode())
    for path in sorted(pictures):
        digest.update(f"\n{path.relative_to(folder).as_posix()} {path.stat().st_size}".encode())
    for path in sorted(truth):
        with path.open("rb") as file:
            content = hashlib.file_digest(file, "sha256").hexdigest()
        digest.update(f"\n{path.relative_to(folder).as_posix()} {content}".encode())
    return digest.hexdigest()
