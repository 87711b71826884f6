"""The rules by which a stored study decides."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from automl.errors import RecordError
from automl.search.rules import RULES
from automl.text.formatting import shown


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
