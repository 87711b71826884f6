"""A training that does what a file of the corpus says: `python training.py SPEC RESULTS`.

After each epoch it saves the folder model_EPOCH, does the deed of its seed, and reports. A deed is Python.
"""

from __future__ import annotations

import json
import os
import sys
from contextlib import suppress
from pathlib import Path
from typing import Any


def do(deed: str, results: Path, epoch: int) -> None:
    """Does the deed of an epoch in a results folder."""
    model = results / f"model_{epoch}"
    names: dict[str, Any] = {"results": results, "epoch": epoch, "model": model, "os": os}
    exec(deed, names)  # noqa: S102 - the corpus is ours


def main() -> None:
    spec, results = json.loads(Path(sys.argv[1]).read_text()), Path(sys.argv[2])
    for epoch in range(1, spec["epochs"] + 1):
        model = results / f"model_{epoch}"
        model.mkdir(parents=True)
        (model / "weights.bin").write_text(str(epoch))
        do(spec["faults"].get(str(spec["seed"]), ""), results, epoch)
        line = json.dumps({"epoch": epoch, "kpi": {"loss": 1 / epoch}}) + "\n"
        with suppress(OSError):  # the deed may have put something else in the place of the file
            handle = os.open(results / "status.json", os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK)
            os.write(handle, line.encode())
            os.close(handle)


if __name__ == "__main__":
    main()
