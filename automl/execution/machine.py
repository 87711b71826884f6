"""What a study uses of this machine: how many trainings run at the same time, and the folder for those under way."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def default_jobs() -> int:
    """How many trainings run at the same time unless the user says: one for each CPU core that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def work_folder(uri: str) -> Path:
    """The folder for what is under way: inside a study that is stored in a folder, otherwise in the user's cache."""
    if "://" not in uri:
        return Path(uri) / ".work"
    return Path.home() / ".cache" / "argo-automl" / hashlib.sha256(uri.encode()).hexdigest()[:16]
