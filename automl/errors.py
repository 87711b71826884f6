"""The errors that a user can meet, and the exit code of each.

    AutoMLError                 1   anything below; catch this one
    ├── InvalidInput            2   what the user gave cannot be used as it is
    │   ├── StudyFileError          the study file
    │   │   └── StudyFileErrors         several things in it
    │   ├── SpaceError              a search space or one of its parameters
    │   │   └── DefaultsContradict      the defaults are not a point of the space
    │   ├── NetworkError            a network file, or a network's name
    │   └── SpecError               a train spec, or a path into it
    ├── StoreError              2   the store cannot be reached, or refuses
    │   ├── StoreRefused            it answers, and waiting changes nothing: no such bucket, wrong keys, no permission
    │   └── UnsafeStore             the store ignores create-once conditions
    ├── RecordError             2   the study's record is damaged or contradicts itself
    │   ├── UnknownFormat           a newer version wrote it
    │   ├── CheckpointError         a checkpoint is missing or does not match its manifest
    │   └── NotReady                a decision is due only after results that do not exist yet
    ├── ClusterError            2   the cluster cannot be reached, or refuses
    │   ├── ClusterAway             nothing answers just now
    │   └── NotAllowed              the user's permissions there do not suffice
    ├── AlreadyRunning          2   another process on this machine runs the study
    ├── StudyFailed             5   the study ran to its end and nothing succeeded
    ├── StudyPaused             5   trainings fail alike in a row: it waits until the cause is gone
    ├── Interrupted           130   the user stopped the run; the same command goes on
    ├── CheckpointFileError     1   a training program cannot read a checkpoint file
    ├── Diverged                1   the loss of a training program's epoch is not finite
    └── OutOfMemory             1   the memory does not hold a training program

The last three stand in `automl.trainers.failures`, for they are raised inside of a training alone.

Every message says what was given, what is allowed, and what to do. One exit code, 2, says that the user has something
to fix, be it a file, a store, a record or a cluster; the message says which.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence

_NEAR = "did you mean"  # how advice begins that names what is near
_MOST_NAMES, _NAMES_SHOWN = 24, 8  # of a list of what is allowed
_MOST_ERRORS = 12  # of one file that are printed


class AutoMLError(Exception):
    """The root of all errors that this package raises on purpose.

    `given` is what was found, and where; `allowed` is what may stand there; `advice` is what to do now. The message is
    those three on one line, without the empty ones. A near name comes first, and a long list of names is cut.
    """

    exit_code = 1

    def __init__(self, given: str, *, allowed: str = "", advice: str = "") -> None:
        self.given, self.allowed, self.advice = given, allowed, advice
        parts = [given, f"allowed: {_cut(allowed)}" if allowed else "", advice]
        if advice.startswith(_NEAR):
            parts = [given, advice, parts[1]]
        super().__init__("; ".join(part for part in parts if part))

    @property
    def lines(self) -> tuple[str, ...]:
        """The message, one line for each thing that is wrong."""
        return (str(self),)


class InvalidInput(AutoMLError):
    """What the user gave cannot be used as it is."""

    exit_code = 2


class StudyFileError(InvalidInput):
    """The study file is wrong."""


class StudyFileErrors(StudyFileError):
    """Several things are wrong with the study file. `errors` are all of them; the first is also this error's own."""

    def __init__(self, errors: Sequence[AutoMLError]) -> None:
        self.errors = tuple(errors)
        super().__init__(errors[0].given, allowed=errors[0].allowed, advice=errors[0].advice)

    def __str__(self) -> str:
        return "\n".join(self.lines)

    @property
    def lines(self) -> tuple[str, ...]:
        """The message, one line for each thing that is wrong."""
        shown = tuple(str(error) for error in self.errors[:_MOST_ERRORS])
        more = len(self.errors) - _MOST_ERRORS
        return (*shown, f"and {more} more; fix these first") if more > 0 else shown


class SpaceError(InvalidInput):
    """A search space, or one of its parameters, is wrong."""


class DefaultsContradict(SpaceError):
    """The defaults of a search space contradict its conditions; `contradiction` says how."""

    def __init__(self, contradiction: str, *, allowed: str = "", advice: str = "") -> None:
        self.contradiction = contradiction
        super().__init__(f"the defaults contradict the conditions: {contradiction}", allowed=allowed, advice=advice)


class NetworkError(InvalidInput):
    """A network file, or the name of a network, is wrong."""


class SpecError(InvalidInput):
    """A train spec, or a dotted path into one, is wrong."""


class StoreError(AutoMLError):
    """The store cannot be reached, or it refuses."""

    exit_code = 2


class StoreRefused(StoreError):
    """The store answers, and answers the same until somebody fixes the cause: no bucket, wrong keys, no permission."""


class UnsafeStore(StoreError):
    """The store answers a create-once write by overwriting."""


class RecordError(AutoMLError):
    """The study's record is damaged, or contradicts itself."""

    exit_code = 2


class UnknownFormat(RecordError):
    """A newer version of this package wrote the object."""


class CheckpointError(RecordError):
    """A checkpoint is missing, or does not match its manifest."""


class NotReady(RecordError):
    """A decision is due only after results that do not exist yet."""


class ClusterError(AutoMLError):
    """The cluster cannot be reached, or it refuses."""

    exit_code = 2


class ClusterAway(ClusterError):
    """Nothing answers just now; the same may succeed in a moment."""


class NotAllowed(ClusterError):
    """The user's permissions on the cluster do not suffice."""


class StudyFailed(AutoMLError):
    """The study ran to its end and no experiment succeeded."""

    exit_code = 5


class StudyPaused(AutoMLError):
    """Trainings failed alike in a row; the same command goes on and trains them again."""

    exit_code = 5


class Interrupted(AutoMLError):
    """The user stopped the run; the same command goes on with the study."""

    exit_code = 130


class AlreadyRunning(AutoMLError):
    """Another process on this machine runs the study."""

    exit_code = 2


def _cut(allowed: str) -> str:
    """A list of more than `_MOST_NAMES` names with the first few and their number; what follows the names stays."""
    parts = allowed.split(", ")
    count = next((index for index, part in enumerate(parts) if " " in part), len(parts))
    if count <= _MOST_NAMES:
        return allowed
    return ", ".join([*parts[:_NAMES_SHOWN], f"... ({count} in total)", *parts[count:]])


def nearest(given: str, options: Iterable[str]) -> str:
    """Advice that names the option most like what was given, or nothing when none is near."""
    names = {option.casefold(): option for option in options}
    matches = difflib.get_close_matches(given.casefold(), list(names), n=1, cutoff=0.6)
    return f"{_NEAR} {names[matches[0]]!r}?" if matches else ""
