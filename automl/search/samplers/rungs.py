"""From which rung a sampler learns that knows nothing of epochs: the longest that enough experiments have reached.

Results after different numbers of epochs cannot be compared, so a model sees one rung at a time (BOHB: Falkner, Klein &
Hutter, ICML 2018, section 4.2). Rungs of brackets that are equally long are one rung here. What failed is learned from
wherever it failed.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

from automl.problem.search_space import SearchSpace
from automl.search.samplers.base import Request, Trial

_FEWEST = 8  # results that a rung needs before a model learns from it and not from a shorter one


class Lesson(NamedTuple):
    """The trials that a sampler learns from, the request that goes with them, and from which rung they are, in words.

    `words` is empty where there is only one rung.
    """

    trials: Sequence[Trial]
    request: Request
    words: str


def lesson(space: SearchSpace, trials: Sequence[Trial], request: Request) -> Lesson:
    """What a sampler learns that knows nothing of epochs. Where all trials are equally long, all of them.

    A rung has enough results with 8, or with two more than the space has coordinates. Where none has enough, the one
    that has the most is learned from.
    """
    counts = Counter(trial.epochs for trial in trials if trial.score is not None)
    if len(counts) < 2:
        return Lesson(trials, request, "")
    enough = max(_FEWEST, space.size + 2)
    ripe = [epochs for epochs, count in counts.items() if count >= enough]
    chosen = max(ripe) if ripe else max(counts, key=lambda epochs: (counts[epochs], epochs))
    kept = [trial for trial in trials if trial.score is None or trial.epochs == chosen]
    elsewhere = tuple(trial.values for trial in trials if trial.score is not None and trial.epochs != chosen)
    request = replace(request, elsewhere=elsewhere)
    which = f"the longest rung with {enough} or more" if ripe else "the rung with the most"
    return Lesson(
        kept, request, f"; learned from the {counts[chosen]} results after {epochs_in_words(chosen)}, {which}"
    )


def epochs_in_words(epochs: int) -> str:
    """A number of epochs with its noun."""
    return "1 epoch" if epochs == 1 else f"{epochs} epochs"
