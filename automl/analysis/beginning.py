"""How a chain begins: with the defaults and points that fill the space, before its sampler has a model."""

from __future__ import annotations

from automl.search.algorithms import SAMPLERS
from automl.study.definition import Definition


def beginning_in_words(definition: Definition) -> str:
    """'the defaults, 4 to fill the space, then 15 by the model'; empty where that is not known before the search."""
    if not definition.file.automl_enabled or not definition.is_chain or definition.earlier or definition.enqueued:
        return ""
    starts = SAMPLERS[definition.sampler_name].starts
    left = sum(stage.experiments for stage in definition.plan.search) - 1
    if starts is None or left < 1:
        return ""
    fill = min(starts, left)
    then = f", then {left - fill} by the model" if left > fill else "; none is left for the model"
    return f"the defaults, {fill} to fill the space{then}"
