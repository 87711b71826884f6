"""What a sampler learns from trainings of several lengths that knows nothing of epochs.

Results after different numbers of epochs cannot be compared. Two experiments can: by the longest trainings that both
have. From all these comparisons every experiment gets one score, whatever rungs it reached, so a model learns from all
of them (`compared`). Studies of before learn from one rung (BOHB: Falkner, Klein & Hutter, ICML 2018, section 4.2), the
longest that enough experiments have reached (`lesson`). Rungs of brackets that are equally long are one rung here. What
failed is learned from wherever it failed.

A share of the proposals is drawn uniformly (as in BOHB), for short trainings may mislead a model.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np

from automl.problem.search_space import SearchSpace
from automl.search.samplers.base import Request, Trial
from automl.search.surrogates.comparisons import strengths
from automl.search.surrogates.feasibility import has_score

_FEWEST = 8  # results that a rung needs before a model learns from it and not from a shorter one
_UNIFORM = 0.25  # of the proposals
_EXPLORING = 21  # a stream of chance; knowledge.py names the others


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
    counts = Counter(trial.epochs for trial in trials if _is_measured(trial))
    if len(counts) < 2:
        return Lesson(trials, request, "")
    enough = max(_FEWEST, space.size + 2)
    ripe = [epochs for epochs, count in counts.items() if count >= enough]
    chosen = max(ripe) if ripe else max(counts, key=lambda epochs: (counts[epochs], epochs))
    kept = [trial for trial in trials if not _is_measured(trial) or trial.epochs == chosen]
    elsewhere = tuple(trial.values for trial in trials if _is_measured(trial) and trial.epochs != chosen)
    request = replace(request, elsewhere=elsewhere)
    which = f"the longest rung with {enough} or more" if ripe else "the rung with the most"
    return Lesson(
        kept, request, f"; learned from the {counts[chosen]} results after {epochs_in_words(chosen)}, {which}"
    )


def _is_measured(trial: Trial) -> bool:
    """Whether a trial has numbers to learn from; one that breaks a constraint has them too."""
    return trial.score is not None or bool(trial.scores)


def compared(space: SearchSpace, trials: Sequence[Trial], request: Request) -> Lesson:
    """The trials, each experiment once: with its longest training, and scored by comparisons with the others.

    Where all trials are equally long they stay as they are.
    """
    scored = [trial for trial in trials if has_score(trial)]
    lengths = sorted({trial.epochs for trial in scored})
    if len(lengths) < 2:
        return Lesson(trials, request, "")
    cubes = {id(trial.values): space.encode(trial.values) for trial in scored}
    # Sums depend on the order of their parts: one order, in whatever order the trials came.
    places = {cube: place for place, cube in enumerate(sorted(set(cubes.values())))}
    losses = np.full((len(lengths), len(places)), np.nan)
    longest: dict[int, Trial] = {}
    for trial in scored:
        assert trial.score is not None, "those without a score are left out"
        place = places[cubes[id(trial.values)]]
        losses[lengths.index(trial.epochs), place] = -trial.score
        longest[place] = max(longest.get(place, trial), trial, key=lambda one: one.epochs)
    scores = strengths(losses)
    kept = [replace(trial, score=float(scores[place])) for place, trial in longest.items()]
    words = f"; learned from all rungs: each two of {len(kept)} experiments compared after the longest training of both"
    return Lesson([*kept, *(trial for trial in trials if not has_score(trial))], request, words)


def explores(trials: Sequence[Trial], request: Request) -> bool:
    """Whether the proposals of this request are drawn uniformly. Never where all trials are equally long."""
    if len({trial.epochs for trial in trials if has_score(trial)}) < 2:
        return False
    rng = np.random.default_rng(np.random.SeedSequence(request.seed, spawn_key=(_EXPLORING,)))
    return bool(rng.random() < _UNIFORM)


def epochs_in_words(epochs: int) -> str:
    """A number of epochs with its noun."""
    return "1 epoch" if epochs == 1 else f"{epochs} epochs"
