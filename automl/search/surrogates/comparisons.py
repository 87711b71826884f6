"""How good configurations are, from comparisons of every two that have results which can be compared.

The model of Bradley & Terry (1952): i beats j with the odds of their strengths. Not every two need a comparison, as
those of different brackets of Hyperband have none; who beat the strong is stronger. Found by the iteration of Hunter
(2004, algorithm MM). Everyone has a draw against a rival of strength 1 too, which keeps strengths finite. Where all are
compared with all, who won more is stronger, and the odds of that are the strengths.
"""

from __future__ import annotations

import numpy as np

from automl.search.surrogates.warp import Array

_ROUNDS = 30  # of the iteration


def strengths(losses: Array) -> Array:
    """The logarithms of the strengths; larger is better, 0 is as good as the rival.

    `losses` has shape (lengths, configurations), the longest trainings last, NaN where there is no result. Two are
    compared by the longest trainings that both have.
    """
    count = losses.shape[1]
    won, compared = np.zeros((count, count)), np.zeros((count, count))
    for row in losses:
        have = ~np.isnan(row)
        both = have[:, None] & have
        compared[both] = 1.0
        won[both] = np.where(row[:, None] < row, 1.0, np.where(row[:, None] == row, 0.5, 0.0))[both]
    np.fill_diagonal(compared, 0.0)
    np.fill_diagonal(won, 0.0)
    wins, contests = won.sum(axis=1) + 0.5, compared.sum(axis=1) + 1.0
    strength = wins / (contests - wins)
    everyone = compared.sum() == count * (count - 1)
    for _ in range(0 if everyone else _ROUNDS):
        rivals = (compared / (strength[:, None] + strength)).sum(axis=1) + 1.0 / (strength + 1.0)
        strength = wins / rivals
    return np.asarray(np.log(strength))
