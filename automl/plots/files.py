"""A picture as a file: SVG, PNG or PDF, by its suffix."""

from __future__ import annotations

import tempfile
from pathlib import Path

from matplotlib.figure import Figure

from automl.errors import InvalidInput
from automl.plots import drawing

_SAYS_WHEN = {".svg": {"Date": None}, ".pdf": {"CreationDate": None}, ".png": {}}  # a view of a record has no date


def write(figure: Figure, path: Path) -> None:
    """Writes the picture completely or not at all, over an existing file. Raises InvalidInput where it cannot."""
    try:
        with drawing.look(), tempfile.TemporaryDirectory(prefix=".tmp-plot-", dir=path.parent) as folder:
            temporary = Path(folder) / path.name
            suffix = path.suffix.lower()
            figure.savefig(temporary, format=suffix[1:], metadata=_SAYS_WHEN[suffix])
            temporary.replace(path)
    except OSError as error:
        raise InvalidInput(f"{path} cannot be written: {error.strerror}", advice="choose another place") from error
