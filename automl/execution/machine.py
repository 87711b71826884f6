"""What a study takes of this machine: how many trainings side by side, and a folder for what is under way."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path


def default_jobs() -> int:
    """The trainings side by side where the user does not say: one for each CPU core that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def work_folder(uri: str) -> Path:
    """The folder for what is under way: inside a study that is stored in a folder, otherwise in the user's cache."""
    if "://" not in uri:
        return Path(uri) / ".work"
    return Path.home() / ".cache" / "argo-automl" / hashlib.sha256(uri.encode()).hexdigest()[:16]
