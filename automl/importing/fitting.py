"""Finished trials of an earlier search, as configurations of the study's own search space.

A parameter that the source lacks, or whose values there mostly do not belong to its range here, is not used: it has the
setting that the source's trainings had, or else its default. A trial with a value outside of the ranges is left out.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from automl.errors import SpaceError, StudyFileError, nearest
from automl.importing.finished import Finished, ScoredTrial
from automl.problem.completion import completed
from automl.problem.parameter import Parameter
from automl.problem.parameter_mapping import thawed
from automl.problem.search_space import SearchSpace
from automl.search.earlier_search import EarlierSearch, FurtherMetric, ranks_of
from automl.study.definition import Definition
from automl.text.formatting import counted, shown

MOST_KEPT = 100  # trials of a source: a process is fitted to no more, and the record stays small
_MOSTLY = 0.5  # of the trials: where fewer fit, a parameter is left out, and not the trials
_FEWEST = 2  # trials that have an order
_MISSING = object()


@dataclass
class _Fit:
    """Which parameters of the space get their values from the source, and what stands in place of the others."""

    used: tuple[str, ...] = ()
    instead: dict[str, Any] = field(default_factory=dict)
    sentences: list[str] = field(default_factory=list)


def fitted(finished: Finished, definition: Definition, source: str) -> EarlierSearch:
    """The trials that fit, with the names of the parameters that are used. Raises StudyFileError where none does."""
    space = definition.space
    if not finished.trials:
        raise StudyFileError(
            f"warm_start: {source} has no finished trial: "
            f"{counted(finished.total, 'trial')}, none with a value of {definition.metric_rule.name}",
            allowed="a source with two or more",
            advice="leave it out",
        )
    fit = _fit(finished, space, definition)
    if not fit.used:
        theirs = dict.fromkeys(name for trial in finished.trials for name in trial.values)
        raise StudyFileError(
            f"warm_start: {source} has no parameter that fits: {'; '.join(fit.sentences)}",
            allowed=f"values of {', '.join(parameter.name for parameter in space.parameters)}",
            advice=_near_names(theirs, space),
        )
    problems: Counter[str] = Counter()
    kept: list[tuple[ScoredTrial, dict[str, Any]]] = []
    for trial in finished.trials:
        try:
            kept.append((trial, _configuration(trial, space, fit)))
        except SpaceError as error:
            problems[error.given] += 1
    left = sum(problems.values())
    if left:
        usual, _ = problems.most_common(1)[0]
        fit.sentences.append(f"{counted(left, 'trial')} outside of the ranges, such as: {usual}")
    if len({trial.score for trial, _ in kept}) < _FEWEST:
        raise StudyFileError(
            f"warm_start: {source} has {counted(len(kept), 'finished trial')} that fit, and no order among them"
            + "".join(f"; {sentence}" for sentence in fit.sentences),
            allowed="two or more with different values of the metric",
            advice="leave it out, or widen the ranges",
        )
    return _search(finished, source, fit, kept, [rule.name for rule in definition.metric_rules[1:]])


def _search(
    finished: Finished,
    source: str,
    fit: _Fit,
    kept: Sequence[tuple[ScoredTrial, dict[str, Any]]],
    further_names: Sequence[str],
) -> EarlierSearch:
    ranks = ranks_of([trial.score for trial, _ in kept])
    further = [_further(name, [trial for trial, _ in kept]) for name in further_names]
    chosen = _chosen(_joint_ranks(ranks, further))
    unvalued = finished.total - len(finished.trials)
    sentences = [
        *finished.notes,
        *([f"{counted(unvalued, 'trial')} without a value"] if unvalued else []),
        *fit.sentences,
    ]
    for one in further:
        if one.count < len(ranks):
            sentences.append(f"{one.name} is measured in {one.count or 'none'} of {len(ranks)} trials that fit")
    if dropped := len(ranks) - len(chosen):
        sentences.append(f"{dropped} of {len(ranks)} trials that fit, evenly from all but the best {MOST_KEPT // 2}")
    return EarlierSearch(
        source=source,
        kind=finished.kind,
        total=finished.total,
        parameters=fit.used,
        left_out=tuple(sentences),
        values=tuple(kept[position][1] for position in chosen),
        ranks=tuple(ranks[position] for position in chosen),
        measured=tuple(kept[position][0].measured for position in chosen),
        further=tuple(
            FurtherMetric(
                one.name,
                tuple(one.ranks[position] for position in chosen),
                tuple(one.measured[position] for position in chosen),
            )
            for one in further
        ),
    )


def _further(name: str, trials: Sequence[ScoredTrial]) -> FurtherMetric:
    """What these trials have of a further metric."""
    scored = [trial.further.get(name) for trial in trials]
    ranks = iter(ranks_of([one.score for one in scored if one is not None]))
    return FurtherMetric(
        name,
        tuple(None if one is None else next(ranks) for one in scored),
        tuple(None if one is None else one.measured for one in scored),
    )


def _joint_ranks(ranks: tuple[float, ...], further: Sequence[FurtherMetric]) -> tuple[float, ...]:
    """The ranks by all metrics: those of the first, where it is the only one."""
    if not further:
        return ranks
    from automl.search.samplers.several import joint_ranks  # noqa: PLC0415 - numpy takes a while

    return joint_ranks(ranks, further)


def _chosen(ranks: Sequence[float]) -> list[int]:
    """The positions of the trials that are kept, in order: all, or the best and evenly some of the rest."""
    if len(ranks) <= MOST_KEPT:
        return list(range(len(ranks)))
    order = sorted(range(len(ranks)), key=lambda position: (-ranks[position], position))
    half = MOST_KEPT // 2
    rest = order[half:]
    return sorted(order[:half] + [rest[step * (len(rest) - 1) // (half - 1)] for step in range(half)])


def _fit(finished: Finished, space: SearchSpace, definition: Definition) -> _Fit:
    fit, total = _Fit(), len(finished.trials)
    used: list[str] = []
    for parameter in space.parameters:
        name = parameter.name
        theirs = [trial.values[name] for trial in finished.trials if name in trial.values]
        fitting = sum(_typed(parameter, value) is not _MISSING for value in theirs)
        if theirs and fitting >= _MOSTLY * len(theirs):
            used.append(name)
            continue
        setting = _typed(parameter, finished.settings.get(definition.network.spec_path(name), _MISSING))
        instead = "its default" if setting is _MISSING else f"its setting there, {shown(setting)},"
        if setting is not _MISSING:
            fit.instead[name] = setting
        why = "was not searched there"
        if theirs:
            odd = next(value for value in theirs if _typed(parameter, value) is _MISSING)
            why = f"has values there that do not belong to it here, such as {shown(odd)} ({fitting} of {total} fit)"
        fit.sentences.append(f"{name} {why}: {instead} stands in its place")
    names = {parameter.name for parameter in space.parameters}
    strange = dict.fromkeys(name for trial in finished.trials for name in trial.values if name not in names)
    if strange and used:
        fit.sentences.append(f"not searched here: {', '.join(list(strange)[:8])}{' ...' if len(strange) > 8 else ''}")
    fit.used = tuple(used)
    return fit


def _configuration(trial: ScoredTrial, space: SearchSpace, fit: _Fit) -> dict[str, Any]:
    """The trial as a configuration of the space. Raises SpaceError where it is none."""
    values: dict[str, Any] = dict(fit.instead)
    parameters = {parameter.name: parameter for parameter in space.parameters}
    for name in fit.used:
        if name in trial.values:
            *_, meant = _readings(parameters[name], trial.values[name])
            value = _typed(parameters[name], trial.values[name])
            values[name] = meant if value is _MISSING else value
    present: dict[str, Any] = {}
    defaults = space.defaults()
    for parameter in space.in_order:  # what does not exist beside the others is no value of it
        if space.exists(parameter, present):
            usual = defaults.get(parameter.name, thawed(parameter.default))
            present[parameter.name] = values.get(parameter.name, usual)
    if not space.check(present):
        return {name: present[name] for name in parameters if name in present}
    return completed(space, {name: value for name, value in values.items() if name in present})


def _typed(parameter: Parameter, value: Any) -> Any:
    """The value in the parameter's own type; `_MISSING` where it does not belong to the parameter."""
    if value is _MISSING:
        return _MISSING
    return next((each for each in _readings(parameter, value) if not parameter.violations(each)), _MISSING)


def _readings(parameter: Parameter, value: Any) -> Iterator[Any]:
    """What a value may mean: itself, an option that is written like it, the number or JSON in a text."""
    yield value
    for option in parameter.options:
        if str(option) == str(value).strip():
            yield option
    if isinstance(value, str):
        text = value.strip()
        try:
            value = json.loads(text.lower() if text.lower() in {"true", "false"} else text, parse_constant=_no_number)
        except ValueError:
            return
        yield value
    numbers = value if isinstance(value, list | tuple) else [value]
    if all(isinstance(number, int | float) and not isinstance(number, bool) for number in numbers):
        if not all(math.isfinite(number) for number in numbers):
            return
        whole = [int(number) if number == int(number) else number for number in numbers]
        yield whole if isinstance(value, list | tuple) else whole[0]
        yield [float(number) for number in numbers] if isinstance(value, list | tuple) else float(value)


def _no_number(text: str) -> Any:
    raise ValueError(text)


def _near_names(theirs: Mapping[str, Any], space: SearchSpace) -> str:
    """Which of the source's names look like parameters of the study."""
    for parameter in space.parameters:
        if near := nearest(parameter.name, theirs):
            return f"{parameter.name} in the study: {near}"
        if parameter.name.rpartition(".")[2] in theirs:
            return f"name the column {parameter.name}, and not {parameter.name.rpartition('.')[2]}"
    return "name its columns as the parameters of this study are named"
