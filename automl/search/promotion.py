"""Who goes on to the next rung, and why the others stop."""

from __future__ import annotations

from collections.abc import Sequence

from automl.problem.metric import Metric
from automl.search.history import Outcome, Stopped
from automl.search.ranking import ranked


def promote(
    outcomes: Sequence[Outcome], size: int, metric: Metric
) -> tuple[tuple[tuple[Outcome, str], ...], tuple[Stopped, ...]]:
    """The best `size` outcomes of a rung, and those that are stopped, each with its reason.

    Successive halving (Jamieson & Talwalkar 2016, algorithm 1): the rung's best go on. Compared are the values after
    the rung's last epoch; the lower experiment number wins a tie. A failed experiment is never promoted, so fewer than
    `size` go on when more failed.
    """
    failed = [each for each in outcomes if each.value is None]
    order = ranked(outcomes, metric)

    def place(rank: int, outcome: Outcome) -> str:
        return f"rank {rank} of {len(outcomes)} at epoch {outcome.epochs} by {metric.name} = {outcome.value:.6g}"

    kept = tuple((each, f"{place(rank, each)}; the best {size} go on") for rank, each in enumerate(order[:size], 1))
    dropped = [Stopped(each.experiment, place(rank, each)) for rank, each in enumerate(order[size:], size + 1)]
    dropped += [Stopped(each.experiment, f"failed: {each.failure}") for each in failed]
    return kept, tuple(sorted(dropped, key=lambda each: each.number))
