"""The train spec of a recommendation: the settings that its training program reads."""

from __future__ import annotations

import math
from typing import Any

from automl.networks.checkpoints import Checkpoints
from automl.networks.spec_formats import get_path, only, set_paths
from automl.search.history import Recommendation
from automl.search.plan import Resume
from automl.study.definition import Definition


def train_spec(
    definition: Definition, recommendation: Recommendation, places: dict[str, str | None] | None = None
) -> dict[str, Any]:
    """What the training of a recommendation is handed: the whole spec, or of it what its network hands over.

    `places` are `results` and `resume_from`, known only where it trains.
    """
    spec, settings = _whole_spec(definition, recommendation, places or {})
    if definition.handed_over is None:
        return spec
    searched = map(definition.network.spec_path, recommendation.values)
    paths = {*definition.handed_over, *settings, *searched}
    own = definition.network.spec
    # a null in the place of nothing says nothing, and a program may refuse it
    silent = {path for path in paths if get_path(spec, path) is None and get_path(own, path) in (None, "")}
    return only(spec, paths - silent)


def checkpoint_rule(definition: Definition, recommendation: Recommendation) -> Checkpoints | None:
    """What a checkpoint of this training is; None where the network has none."""
    rule = definition.network.checkpoints
    return None if rule is None else rule.of_spec(definition.spec_with(recommendation.values))


def told_epochs(definition: Definition, recommendation: Recommendation) -> int:
    """The epochs that a program is told to train in total: those of its rung, or all when it is stopped there."""
    if definition.network.stop_at_rung:
        return recommendation.schedule_epochs
    return epochs_to_reach(definition, recommendation)


def epochs_to_reach(definition: Definition, recommendation: Recommendation) -> int:
    """The epochs that a training comes to: those of its rung, or where it trains on of its last one, if not stopped."""
    return recommendation.schedule_epochs if definition.resume is Resume.STOP else recommendation.epochs


def whole_spec(definition: Definition, recommendation: Recommendation) -> dict[str, Any]:
    """The whole spec of a recommendation, also what its training fills in itself."""
    return _whole_spec(definition, recommendation, {})[0]


def _whole_spec(
    definition: Definition, recommendation: Recommendation, places: dict[str, str | None]
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The whole spec of a recommendation, and what of it the study itself sets, by path."""
    network = definition.network
    fields = network.fields
    settings: dict[str | None, Any] = {
        fields.schedule_epochs: recommendation.schedule_epochs,
        fields.epochs: told_epochs(definition, recommendation),
        fields.seed: recommendation.seed,
        fields.held_out: recommendation.held_out,
    }
    for name, value in places.items():
        settings[getattr(fields, name)] = value
    spec = definition.spec_with(recommendation.values)
    if settings.get(fields.resume_from) is not None:
        settings[fields.pretrained] = settings.get(fields.pretrained)  # what it goes on from says it all
    elif fields.resume_from == fields.pretrained:
        settings.pop(fields.resume_from, None)
    epochs = _epochs_with_a_value(definition, recommendation)
    settings[fields.first_validation] = _interval(definition, spec, fields.validation_interval, epochs)
    for field in (fields.checkpoint_interval, fields.validation_interval):
        settings[field] = _interval(definition, spec, field, epochs)
    known = {path: value for path, value in settings.items() if path is not None}
    return set_paths(spec, known), known


def _epochs_with_a_value(definition: Definition, recommendation: Recommendation) -> int:
    """The epochs that a training must validate after: the last of its rung, or of all rungs that it trains through."""
    if definition.resume is not Resume.STOP:
        return recommendation.epochs
    return math.gcd(recommendation.epochs, *(rung.epochs for stage in definition.plan.search for rung in stage.rungs))


def _interval(definition: Definition, spec: dict[str, Any], field: str | None, epochs: int) -> int:
    """Epochs from one checkpoint or validation to the next: as in the spec, but so that the last epoch has one too.

    Where the network counts in steps, the steps of one epoch.
    """
    fields = definition.network.fields
    if fields.examples is not None and fields.batch_size is not None:
        return max(1, int(get_path(spec, fields.examples) / get_path(spec, fields.batch_size)))
    interval = None if field is None else get_path(definition.base_spec, field)
    return math.gcd(interval, epochs) if isinstance(interval, int) and interval > 0 else 1
