"""The names of all objects of a study, and nothing else: the only file that knows them."""

from __future__ import annotations

import re

METADATA = "automl_metadata.json"


STUDY_FILE = "study.yaml"


MANIFEST = "manifest.json"


REMOVED = "gc"  # what users add to a study: REMOVED/0.json, REMOVED/1.json ...


ENQUEUED = "enqueued"


EXTENSIONS = "extensions"


ADDED = (ENQUEUED, EXTENSIONS, REMOVED)


_TIMES_KEY = re.compile(r"experiment_(\d+)/rung_(\d+)/([^/]+)/times\.json")


_MANIFEST_KEY = re.compile(r"experiment_(\d+)/rung_(\d+)/([^/]+)/checkpoints/(\d+)/manifest\.json")


def decision_key(stage: int, index: int) -> str:
    return f"decisions/{stage}/{index}.json"


def result_key(experiment: int, rung: int) -> str:
    return f"results/{experiment}/{rung}.json"


def added_key(folder: str, number: int) -> str:
    return f"{folder}/{number}.json"


def attempt_prefix(experiment: int, rung: int, attempt: str) -> str:
    return f"experiment_{experiment}/rung_{rung}/{attempt}/"


def checkpoint_prefix(experiment: int, rung: int, attempt: str, epoch: int) -> str:
    return f"{attempt_prefix(experiment, rung, attempt)}checkpoints/{epoch}/"


def times_key(experiment: int, rung: int, attempt: str) -> str:
    return f"{attempt_prefix(experiment, rung, attempt)}times.json"


def attempt_of(key: str) -> tuple[int, int, str] | None:
    """The experiment, rung and attempt whose times lie under this key; None for a key of something else."""
    match = _TIMES_KEY.fullmatch(key)
    return None if match is None else (int(match[1]), int(match[2]), match[3])
