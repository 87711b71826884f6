"""The rules by which a study decides. It keeps those that it was begun with, so that its decisions can be made again.

NAMED_SAMPLERS (3) and those from which on `asha` has a sampler that learns (8) are in search/algorithms.py.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automl.errors import RecordError
from automl.text.formatting import shown

RULES = 8  # grows when an unchanged study file would be decided in another way
# The rules from which on
NO_REPEATS = 2  # no configuration is trained twice unless the study asks for it
FAILURES_TEACH = 4  # a failed experiment is no number to a sampler that learns
ALL_RUNGS_TEACH = 5  # a sampler that knows nothing of epochs learns from all rungs
NULL_IS_A_DEFAULT = 6  # a search begins at null where null is an option and the default
EVIDENCE_FIRST = 7  # earlier searches wait for results, and several metrics are not bent


def rules_of(data: Mapping[str, Any]) -> int:
    """The rules of a stored study. Raises RecordError for those that this version does not know."""
    rules = data.get("rules", 1)
    if type(rules) is not int or not 1 <= rules <= RULES:
        raise RecordError(
            f"the study's record: rules: {shown(rules)}",
            allowed=f"1 to {RULES}",
            advice="use the version of argo-automl that began the study",
        )
    return rules
