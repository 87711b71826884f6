"""The names of all objects of a study: the only file that knows them. See record.py for who writes which of them."""

from __future__ import annotations

import re
from typing import NamedTuple

METADATA = "automl_metadata.json"
METADATA_FORMAT = 3  # the newest of metadata
RULES_FORMAT = 2  # of metadata that name the rules of a study; before, it was that of all other objects
WARM_FORMAT = 3  # of metadata that hold earlier searches
STUDY_FILE = "study.yaml"
DECISIONS = "decisions/"
RESULTS = "results/"
EXPERIMENTS = "experiment_"  # how the names of all that experiments leave begin
MANIFEST = "manifest.json"
LOG, STATUS_LINES = "log.txt", "status.json"  # of an attempt, of an experiment, and of the best model

ENQUEUED = "enqueued"  # what users add to a study: enqueued/0.json, enqueued/1.json ...
EXTENSIONS = "extensions"
REMOVED = "gc"
RETRIES = "retries"  # runs that failed and are trained again, by number
PAUSES = "pauses"  # rows of failures at which the study paused
ENDS = "ends"  # how the search ended, and each of its extensions, where a study has limits
USER_CHANGES = (ENQUEUED, EXTENSIONS, REMOVED, RETRIES, PAUSES, ENDS)

BRAIN, CONTROLLER = "brain.json", "controller.json"  # views
REPORT, INTERACTIVE_REPORT = "report.html", "report-interactive.html"
VIEWS = "views.json"  # the sha256 of all of them
BEST_MODEL = "best_model/"
SCHEDULE = "schedule.json"  # in it, of a training whose values changed on the way

_CREATED_ONCE = (DECISIONS, RESULTS, *(f"{folder}/" for folder in USER_CHANGES))
_NUMBER = r"(0|[1-9]\d*)"
_DECISION = re.compile(rf"{DECISIONS}{_NUMBER}/{_NUMBER}\.json")
_RESULT = re.compile(rf"{RESULTS}{_NUMBER}/{_NUMBER}(?:\.{_NUMBER})?\.json")
_OF_ATTEMPT = re.compile(r"experiment_(\d+)/rung_(\d+)/([^/]+)/(.+)")
_OF_CHECKPOINT = re.compile(r"checkpoints/(\d+)/([^/]+)")


class CheckpointObject(NamedTuple):
    """A manifest or a file of a checkpoint. `folder` is the prefix of all objects of that checkpoint."""

    folder: str
    experiment: int
    rung: int
    epoch: int
    name: str


# -- what is created once ---------------------------------------------------------------------------------------------


def is_created_once(key: str) -> bool:
    """Whether this object of the record never changes after it was created."""
    return key in {METADATA, STUDY_FILE} or key.startswith(_CREATED_ONCE)


def decision_key(stage: int, index: int) -> str:
    return f"{DECISIONS}{stage}/{index}.json"


def decision_of(key: str) -> tuple[int, int] | None:
    """The stage and index of the decision under this key; None for a key of something else."""
    return _numbers(_DECISION, key)


def result_key(experiment: int, rung: int, retry: int | None = None) -> str:
    """`retry` is the number of the object of `RETRIES` that had the run trained again, None for its first result."""
    return f"{RESULTS}{experiment}/{rung}.json" if retry is None else f"{RESULTS}{experiment}/{rung}.{retry}.json"


def result_of(key: str) -> tuple[int, int] | None:
    """The experiment and rung of the result under this key; None for a key of something else."""
    return _numbers(_RESULT, key)


def retry_of(key: str) -> int | None:
    """The number of the retry that the result under this key is of; None for a first result."""
    match = _RESULT.fullmatch(key)
    return None if match is None or match[3] is None else int(match[3])


def user_change_key(folder: str, number: int) -> str:
    """`folder` is one of `USER_CHANGES`."""
    return f"{folder}/{number}.json"


# -- what an attempt writes -------------------------------------------------------------------------------------------


def run_prefix(experiment: int, rung: int) -> str:
    """The prefix of the names of everything that attempts at this rung leave."""
    return f"{EXPERIMENTS}{experiment}/rung_{rung}/"


def run_of(key: str) -> tuple[int, int] | None:
    """The experiment and rung of an object that an attempt wrote; None for a key of something else."""
    return _numbers(_OF_ATTEMPT, key)


def attempt_of(key: str) -> tuple[int, int, str] | None:
    """The experiment, rung and attempt that wrote an object; None for a key of something else."""
    match = _OF_ATTEMPT.fullmatch(key)
    return None if match is None else (int(match[1]), int(match[2]), match[3])


def attempt_prefix(experiment: int, rung: int, attempt: str) -> str:
    return f"{run_prefix(experiment, rung)}{attempt}/"


def is_of_rung(key: str, rung: int) -> bool:
    """Whether an attempt at this rung, of whatever experiment, wrote this object."""
    run = run_of(key)
    return run is not None and run[1] == rung


def is_pod_attempt(attempt: str) -> bool:
    """Whether an attempt of this name trained in a pod, whose uid it is: the names of a local runner have no dashes."""
    return "-" in attempt


def times_key(experiment: int, rung: int, attempt: str) -> str:
    return f"{attempt_prefix(experiment, rung, attempt)}times.json"


def attempt_of_times(key: str) -> tuple[int, int, str] | None:
    """The experiment, rung and attempt whose times are stored under this key; None for a key of something else."""
    match = _OF_ATTEMPT.fullmatch(key)
    return None if match is None or match[4] != "times.json" else (int(match[1]), int(match[2]), match[3])


def checkpoint_prefix(experiment: int, rung: int, attempt: str, epoch: int) -> str:
    return f"{attempt_prefix(experiment, rung, attempt)}checkpoints/{epoch}/"


def checkpoint_object(key: str) -> CheckpointObject | None:
    """The part of a checkpoint that is stored under this key; None for a key of something else."""
    match = _OF_ATTEMPT.fullmatch(key)
    inside = match and _OF_CHECKPOINT.fullmatch(match[4])
    if match is None or inside is None:
        return None
    return CheckpointObject(key.removesuffix(inside[2]), int(match[1]), int(match[2]), int(inside[1]), inside[2])


# -- views ------------------------------------------------------------------------------------------------------------


def experiment_key(experiment: int, name: str) -> str:
    """`name` is LOG or STATUS_LINES, joined from the attempts that won."""
    return f"{EXPERIMENTS}{experiment}/{name}"


def recommendation_key(number: int, ending: str) -> str:
    return f"recommendation_{number}.{ending}"


def best_model_key(name: str) -> str:
    """`name` is that of an object below best_model/; best_model.py gives those of a checkpoint's files."""
    return f"{BEST_MODEL}{name}"


def _numbers(pattern: re.Pattern[str], key: str) -> tuple[int, int] | None:
    match = pattern.fullmatch(key)
    return None if match is None else (int(match[1]), int(match[2]))
