"""The process of a study beside its earlier searches."""

from __future__ import annotations

from typing import TYPE_CHECKING

from automl.search.samplers.knowledge import Knowledge
from automl.search.surrogates.earlier import Informed
from automl.search.surrogates.features import Features, Rows
from automl.search.surrogates.priors import Priors

if TYPE_CHECKING:  # takes half a second, which is needed only where there is something to learn
    from automl.search.surrogates.process import Process


def informed(knowledge: Knowledge, features: Features, rows: Rows, priors: Priors) -> Process | Informed:
    """A process on the study's trials, whose prior mean is what earlier searches expect, if there are any."""
    from automl.search.surrogates.process import Process  # noqa: PLC0415

    earlier = knowledge.earlier
    if earlier is None or earlier.trust == 0:
        return Process(features, rows, knowledge.targets, priors)
    rest = Process(features, rows, knowledge.targets - earlier.mean(knowledge.rows), priors)
    return Informed(rest, earlier, len(knowledge.features.axes))
