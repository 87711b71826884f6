"""The finished trials of a study of ours, in any store."""

from __future__ import annotations

from automl.errors import InvalidInput
from automl.importing.finished import Finished, Run, ScoredTrial, scores
from automl.networks.spec_formats import flatten
from automl.opening import open_study


def finished_in_study(place: str, metric: str) -> Finished:
    """The experiments of its search that have a result; the judgement trains some of them again and is left out.

    Raises InvalidInput where it searches for another metric, RecordError where `place` holds no study.
    """
    opened = open_study(place)
    definition, history = opened.definition, opened.history()
    if definition.metric_rule.name != metric:
        raise InvalidInput(
            f"the study {definition.file.name} searches for {definition.metric_rule.name}",
            allowed=f"a study that searches for {metric}",
            advice="leave it out, or export it as CSV and name the column of the metric as this study does",
        )
    goal = definition.metric_rule.metric()
    stages = {stage.index for stage in definition.plan.search}
    searched = {one.number: one for one in opened.experiments() if one.stage in stages}
    runs, measured = [], {}
    for (number, _), result in sorted(history.results.items()):
        value = result.outcome().best_value
        if number in searched and value is not None:
            runs.append(Run(number, result.epochs, goal.score(value)))
            measured[number] = value
    by_number = scores(runs) if runs else {}
    return Finished(
        kind="a study",
        trials=tuple(
            ScoredTrial(searched[number].values, by_number[number], measured[number]) for number in sorted(measured)
        ),
        total=len(searched),
        settings={
            **flatten(definition.base_spec),
            **{parameter.name: parameter.default for parameter in definition.space.parameters},
        },
    )
