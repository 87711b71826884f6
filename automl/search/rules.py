"""The rules by which a study decides, as numbers. It keeps those that it was begun with, so that it can be replayed."""

from __future__ import annotations

RULES = 9  # grows when an unchanged study file would be decided in another way
# The rules from which on
NO_REPEATS = 2  # no configuration is trained twice unless the study asks for it
NAMED_SAMPLERS = 3  # a study is stored with the name of a sampler that is not `unnamed`
FAILURES_TEACH = 4  # a failed experiment is no number to a sampler that learns
ALL_RUNGS_TEACH = 5  # a sampler that knows nothing of epochs learns from all rungs
NULL_IS_A_DEFAULT = 6  # a search begins at null where null is an option and the default
EVIDENCE_FIRST = 7  # earlier searches wait for results, and several metrics are not bent
ASHA_LEARNS = 8  # `asha` has a sampler that learns
PENDING_AS_EXPECTED = 9  # a process supposes of what has no result a little less than it expects, and no worse
FARTHER_REFERENCE = 9  # of two metrics, hypervolume is counted from behind the front by a part of all trials' range
HYPERBAND_LEARNS = 9  # `hyperband` and `asynchronous_hyperband` have a sampler that learns
