"""Where the values of an experiment come from, also in records that do not say it."""

from __future__ import annotations

import re

from automl.search.history import Origin, Recommendation

# How reasons began when a record stored no origins: old records hold these words.
_OLD_REASONS = {
    "the network's defaults": Origin.DEFAULT,
    "values of the user": Origin.REQUESTED,
    "the best values of the search before": Origin.CARRIED_OVER,
    "the defaults, trained again": Origin.FINAL,
}
_OLD_FINAL = re.compile(r"experiment \d+, the best of the search, trained again")
_OLD_PROMOTED = re.compile(r"rank \d+ of \d+ at epoch ")


def origin_of(recommendation: Recommendation) -> Origin | None:
    """Where the values of an experiment come from; None for a promoted one in a record that stores no origins."""
    if recommendation.origin is not None:
        return recommendation.origin
    if recommendation.source is not None:
        return Origin.FINAL
    reason = recommendation.reason
    for beginning, origin in _OLD_REASONS.items():
        if reason.startswith(beginning):
            return origin
    if _OLD_FINAL.match(reason):
        return Origin.FINAL
    return None if _OLD_PROMOTED.match(reason) else Origin.SAMPLER
