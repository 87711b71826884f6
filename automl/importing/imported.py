"""What an import gives: the draft of a study, its finished trials, and what has no counterpart here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from automl.drafting.draft import Draft
from automl.drafting.metrics import by_name
from automl.export.rows import VALUES, csv_text
from automl.search.measurements import Measurements
from automl.text.formatting import counted

USUAL_TRIALS = 20  # of a search that does not say how many
NO_PROGRAM = ("python", "train.py", "{args}")  # of a search whose tool does not store how the program is started
TO_CORRECT = {  # comments of a network of `without_program`
    "command": "correct this: how your program is started",
    "status": "what your program prints: the last number after this name counts",
    "fixed_epochs": "a whole training is one epoch; with {epochs} in the command more algorithms can be used",
}
_OF_PROGRAM = "command:"  # how the sentence about that begins


@dataclass(frozen=True)
class FinishedTrial:
    """A trial of the other tool. `status` is success, stopped or failure; `value` is the metric, None of a failure.

    `further` are the values of its further metrics, by name. `courses` are the values on the way by metric, the first
    one too: (epoch, value) in the order of epochs.
    """

    values: Mapping[str, Any]
    status: str
    value: float | None
    epochs: int | None = None
    further: Mapping[str, float] = field(default_factory=dict)
    courses: Measurements = field(default_factory=dict)


@dataclass(frozen=True)
class Imported:
    """`left_out` says in a sentence each what of the other tool has no counterpart here, or was guessed."""

    draft: Draft
    left_out: tuple[str, ...]
    trials: tuple[FinishedTrial, ...] = ()

    def text(self, trials_file: str) -> str:
        """The text of the study file, which names all that was left out, and the file of the finished trials."""
        head = list(self.draft.head)
        if self.trials:
            head.append(f"{counted(len(self.trials), 'finished trial')} of the search before: {trials_file}")
        if self.left_out:
            head += ["Not taken over:", *(f"  {sentence}" for sentence in self.left_out)]
        return replace(self.draft, head=tuple(head)).text

    def of_program(self, draft: Draft) -> Imported:
        """The same with a draft that knows the program."""
        left_out = tuple(sentence for sentence in self.left_out if not sentence.startswith(_OF_PROGRAM))
        return replace(self, draft=draft, left_out=left_out)

    def history(self) -> str:
        """The finished trials as CSV, with the names that `automl export --to csv` has.

        course.NAME, where any trial has values of this metric on the way, holds them as a list of [epoch, value].
        """
        names = list(dict.fromkeys(name for trial in self.trials for name in trial.values))
        further = list(dict.fromkeys(name for trial in self.trials for name in trial.further))
        courses = list(dict.fromkeys(name for trial in self.trials for name in trial.courses))
        return csv_text(
            [
                {
                    "experiment": number,
                    "status": trial.status,
                    "epochs": trial.epochs,
                    "value": trial.value,
                    "best_value": trial.value,
                    **{
                        f"{kind}.{name}": trial.further.get(name)
                        for kind in ("value", "best_value")
                        for name in further
                    },
                    **{
                        f"course.{name}": [list(point) for point in trial.courses[name]]
                        if name in trial.courses
                        else None
                        for name in courses
                    },
                    **{f"{VALUES}{name}": trial.values.get(name) for name in names},
                }
                for number, trial in enumerate(self.trials)
            ]
        )


def without_program(metric: str, goal: str) -> dict[str, Any]:
    """The network of a search whose tool does not store how the program is started, nor what it prints."""
    found = by_name(metric)
    return {
        "command": list(NO_PROGRAM),
        "metric": {"name": found.name, "goal": goal},
        "status": {
            "reader": "regex",
            "patterns": [found.status["patterns"][1]],
            "without_epoch": "one",
            "of_epoch": "last",
        },
        "epochs": 1,
        "fixed_epochs": True,
    }


def leftovers(given: Mapping[str, Any], known: Sequence[str], where: str = "") -> list[str]:
    """A sentence for every key that is not known."""
    return [f"{where}{key}: {_short(value)}" for key, value in given.items() if key not in known]


def _short(value: Any) -> str:
    text = " ".join(str(value).split())
    return text if len(text) <= 80 else f"{text[:77]}..."
