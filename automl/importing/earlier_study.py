"""The finished trials of a study of ours, in any store."""

from __future__ import annotations

from collections.abc import Sequence

from automl.errors import InvalidInput
from automl.importing.finished import Finished, Reading, scored_trials
from automl.networks.spec_formats import flatten
from automl.opening import open_study
from automl.problem.metric import Metric


def finished_in_study(place: str, metrics: Sequence[Metric]) -> Finished:
    """The experiments of its search that have a result; the judgement trains some of them again and is left out.

    The first of the metrics is one that it measures too. Their goals there count for it. Raises InvalidInput where it
    searches for another metric, RecordError where `place` holds no study.
    """
    opened = open_study(place)
    definition, history = opened.definition, opened.history()
    aim, first = definition.aim, definition.metric_rule.name
    if metrics[0].name not in aim.names:
        theirs = ", ".join(rule.name for rule in definition.metric_rules)
        raise InvalidInput(
            f"the study {definition.file.name} searches for {theirs}",
            allowed=f"a study that searches for {metrics[0].name}",
            advice="leave it out, or export it as CSV and name the column of the metric as this study does",
        )
    goals = {rule.name: rule.metric() for rule in definition.metric_rules}
    stages = {stage.index for stage in definition.plan.search}
    searched = {one.number: one for one in opened.experiments() if one.stage in stages}
    readings = []
    for (number, _), result in sorted(history.results.items()):
        outcome = result.outcome()
        if number in searched and outcome.best_value is not None:
            readings.append(Reading(number, result.epochs, {**outcome.best_measured, first: outcome.best_value}))
    values = {number: experiment.values for number, experiment in searched.items()}
    return Finished(
        kind="a study",
        trials=scored_trials(values, readings, [goals.get(metric.name, metric) for metric in metrics]),
        total=len(searched),
        settings={
            **flatten(definition.base_spec),
            **{parameter.name: parameter.default for parameter in definition.space.parameters},
        },
    )
