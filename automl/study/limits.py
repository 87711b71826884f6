"""The limits of a study file with what measures them: a price needs that of an hour, and GPU hours need GPUs."""

from __future__ import annotations

from automl.errors import StudyFileError
from automl.networks.costs import Costs
from automl.search.early_end import Limit
from automl.study.options import StudyFile, Until


def with_costs(until: Until, costs: Costs) -> Until:
    """The limits with the GPUs and the price that they are measured by, which a study keeps as it was begun."""
    limits, known = until.limits, dict[str, float | None]()
    if {Limit.GPU_HOURS, Limit.PRICE} & set(limits):
        known["gpus"] = until.gpus or costs.gpus or None
    if Limit.PRICE in limits:
        known["price_per_gpu_hour"] = until.price_per_gpu_hour or costs.price_per_gpu_hour or None
    return until.model_copy(update=known)


def check_limits(file: StudyFile, costs: Costs) -> None:
    """Raises StudyFileError for a limit that could never be reached with these costs."""
    if file.until is None:
        return
    limits, until = file.until.limits, with_costs(file.until, costs)
    if not file.automl_enabled:
        raise StudyFileError(
            "until: it ends a search, and 'automl_enabled: false' trains once",
            advice="leave it out, or set 'automl_enabled: true'",
        )
    if Limit.PRICE in limits and until.price_per_gpu_hour is None:
        raise StudyFileError(
            f"until: price: {limits[Limit.PRICE]:g}, and the price of a GPU hour is not known",
            advice="set 'costs: {price_per_gpu_hour: ...}', or limit gpu_hours",
        )
    for limit in (Limit.GPU_HOURS, Limit.PRICE):
        if limit in limits and until.gpus is None:
            raise StudyFileError(
                f"until: {limit}: {limits[limit]:g}, and an experiment takes no GPU ('costs: gpus')",
                allowed="with one GPU or more for an experiment",
                advice="limit hours or epochs",
            )
