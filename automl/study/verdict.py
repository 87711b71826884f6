"""What the final judgement found: the gain of the best candidate over the defaults, its interval, and what is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from automl.problem.metric import mean_of
from automl.search.history import History, Outcome
from automl.search.plan import Stage
from automl.search.race import DEFAULTS, Entrant, entrants, placed
from automl.search.ranking import best_outcome
from automl.study.definition import Definition
from automl.study.experiments import outcomes_of
from automl.study.interval import Interval, paired, welch
from automl.text.formatting import counted, signed, signed_alike


class Standing(StrEnum):
    """How far the best of a study is known to be better than the defaults."""

    SEARCHED = "searched"  # the best of the search: its judgement is not over, or nobody asked for one
    CONFIRMED = "confirmed"  # the whole interval of its gain is above zero
    UNPROVEN = "unproven"  # better in one pair of trainings, which says nothing about noise; or nothing to compare with
    DEFAULTS = "defaults"  # nothing beats the defaults beyond noise
    FAILED = "failed"  # no training of the judgement succeeded: the best of the search, as if there were none


@dataclass(frozen=True)
class JudgedSide:
    """The ended trainings of one side of the final judgement; the value of a failed one is None."""

    experiments: tuple[int, ...]
    values: tuple[float | None, ...]

    @property
    def mean(self) -> float | None:
        """The mean of the values that exist."""
        values = [value for value in self.values if value is not None]
        return mean_of(values) if values else None

    def to_json(self) -> dict[str, Any]:
        mean = {} if self.mean is None else {"mean": self.mean}
        return {"experiments": list(self.experiments), "values": list(self.values), **mean}


@dataclass(frozen=True)
class Verdict:
    """What the final judgement found: the values of the defaults and of the best candidate, trained again.

    `candidate` is the experiment of the search that has the values of the best; None where no candidate is left.
    `gains` holds the best minus the defaults for each seed where both have a value, and `gain` is their mean, signed so
    that positive is better; None while a side has no value. `fresh_seeds` is false where the training takes no seed.
    `left` says who left a race, by the number of its last training there, and why.
    """

    judged_on: str  # "held-out data" where the network has any, otherwise "validation data"
    gain: float | None
    default: JudgedSide
    best: JudgedSide
    candidate: int | None
    gains: tuple[float, ...]
    interval: Interval | None
    fresh_seeds: bool
    left: Mapping[int, str]

    @property
    def seeds_text(self) -> str:
        """How the sides were trained again."""
        if not self.fresh_seeds:
            return "trained again"
        return f"trained again with {'a fresh seed' if len(self.gains) == 1 else 'fresh seeds'}"

    @property
    def gain_text(self) -> str:
        """The gain with its interval; empty while there is no gain."""
        if self.gain is None:
            return ""
        if self.interval is None:
            return f"gain {signed(self.gain)}, without an interval: one training each does not show noise"
        return f"gain {signed(self.gain)}, 95 % interval {signed(self.interval.low)} to {signed(self.interval.high)}"

    @property
    def sentence(self) -> str:
        """The verdict: 'Probably better than the defaults: +0.030 (95 %: -0.009 to +0.068), 2 seeds each'.

        'Probably' where the interval holds zero. Empty while there is no gain.
        """
        if self.gain is None:
            return ""
        count = max(len(self.gains), 1) if self.fresh_seeds else min(len(self.default.values), len(self.best.values))
        each = f"{counted(count, 'seed' if self.fresh_seeds else 'training')} each"
        if self.interval is None:
            word = "Perhaps better" if self.gain > 0 else "Not better"
            return f"{word} than the defaults: {signed(self.gain)} (no interval), {each}"
        low, high = self.interval.low, self.interval.high
        sure = low > 0 or high < 0
        word = (
            ("Better" if self.gain > 0 else "Worse") if sure else "Probably better" if self.gain > 0 else "Not better"
        )
        gain, low_text, high_text = signed_alike(self.gain, low, high)
        return f"{word} than the defaults: {gain} (95 %: {low_text} to {high_text}), {each}"

    def to_json(self) -> dict[str, Any]:
        return {
            "sentence": self.sentence,
            "judged_on": self.judged_on,
            "gain": self.gain,
            "interval": self.interval and self.interval.to_json(),
            "candidate": self.candidate,
            "fresh_seeds": self.fresh_seeds,
            "default": self.default.to_json(),
            "best": self.best.to_json(),
            "left": [{"experiment": number, "reason": reason} for number, reason in self.left.items()],
        }


def judged_entrants(definition: Definition, study: History) -> tuple[Entrant, ...]:
    """Everybody in the last judgement of the plan, the defaults first; nobody before it has begun."""
    for stage in definition.plan.finals[-1:]:
        decisions = study.of_stage(stage.index)
        outcomes = {outcome.experiment: outcome for outcome in outcomes_of(study, (stage,))}
        if stage.entrants:
            return entrants(decisions, outcomes)
        if decisions:
            return _two_sides(definition, stage, study, outcomes)
    return ()


def _two_sides(
    definition: Definition, stage: Stage, study: History, outcomes: Mapping[int, Outcome]
) -> tuple[Entrant, ...]:
    """The sides of a judgement that is no race: the trainings of the defaults have the lower numbers."""
    (decision,) = study.of_stage(stage.index)
    best = best_outcome(decision.consumed, definition.brain.metric, definition.brain.best_among)
    sides: dict[int, Entrant] = {}
    for issued in decision.issued:
        source = DEFAULTS if issued.number < stage.first + stage.repeats(0) or best is None else best.experiment
        runs = sides[source].runs if source in sides else ()
        sides[source] = Entrant(source, issued.values, (*runs, (issued, outcomes.get(issued.number))))
    return tuple(sides.values())


def leading(definition: Definition, study: History) -> Entrant | None:
    """The candidate that the judgement is about: of those that are left in it the best; None when none is left."""
    everybody = judged_entrants(definition, study)
    candidates = [entrant for entrant in everybody if not entrant.is_defaults]
    if not any(stage.entrants for stage in definition.plan.finals[-1:]):
        return next(iter(candidates), None)
    last = max((entrant.trainings for entrant in candidates), default=0)
    racing = [entrant for entrant in candidates if entrant.trainings == last and not entrant.is_out]
    return next(iter([*placed(racing, definition.brain.metric), *racing]), None)


def verdict(definition: Definition, study: History) -> Verdict | None:
    """The verdict of the final judgement so far; None before it has a result of the defaults."""
    held_out = definition.network.held_out_metric is not None
    defaults = next((entrant for entrant in judged_entrants(definition, study) if entrant.is_defaults), None)
    if defaults is None or all(outcome is None for _, outcome in defaults.runs):
        return None
    best = leading(definition, study)
    default_side, best_side = _side(defaults, held_out), _side(best, held_out)
    score, gain_over = definition.brain.metric.score, definition.brain.metric.gain
    pairs = _pairs(defaults, best, held_out)
    gain = None
    if pairs:
        gain = gain_over(mean_of([value for _, value in pairs]), mean_of([value for value, _ in pairs]))
    elif default_side.mean is not None and best_side.mean is not None:
        gain = gain_over(best_side.mean, default_side.mean)
    gains = tuple(gain_over(value, default) for default, value in pairs)
    seeded = definition.brain.seeded
    if seeded:
        interval = paired(gains)
    else:
        scores = [[score(value) for value in side.values if value is not None] for side in (best_side, default_side)]
        interval = welch(*scores)
    return Verdict(
        judged_on="held-out data" if held_out else "validation data",
        gain=gain,
        default=default_side,
        best=best_side,
        candidate=None if best is None else best.source,
        gains=gains,
        interval=interval,
        fresh_seeds=seeded,
        left=_left(definition, study),
    )


def _value(outcome: Outcome, held_out: bool) -> float | None:
    return outcome.held_out if held_out else outcome.value


def _side(entrant: Entrant | None, held_out: bool) -> JudgedSide:
    outcomes = [outcome for _, outcome in entrant.runs if outcome is not None] if entrant else []
    return JudgedSide(
        tuple(outcome.experiment for outcome in outcomes), tuple(_value(outcome, held_out) for outcome in outcomes)
    )


def _pairs(defaults: Entrant, best: Entrant | None, held_out: bool) -> list[tuple[float, float]]:
    """The values of the defaults and of the best for each seed for which both have one."""
    if best is None:
        return []
    by_seed = {issued.seed: _value(outcome, held_out) for issued, outcome in defaults.runs if outcome is not None}
    both = [
        (by_seed.get(issued.seed), _value(outcome, held_out)) for issued, outcome in best.runs if outcome is not None
    ]
    return [(default, value) for default, value in both if default is not None and value is not None]


def _left(definition: Definition, study: History) -> dict[int, str]:
    """Who left the last race, by the number of its last training there, and why."""
    return {
        stopped.number: stopped.reason
        for stage in definition.plan.finals[-1:]
        for decision in study.of_stage(stage.index)
        for stopped in decision.stopped
    }


def standing(found: Verdict) -> Standing:
    """What a judgement that is over says. Only an interval that is above zero as a whole confirms a candidate."""
    if found.best.mean is None:
        return Standing.FAILED if found.default.mean is None else Standing.DEFAULTS
    if found.default.mean is None:
        return Standing.UNPROVEN  # the defaults cannot even be trained
    if found.interval is not None:
        return Standing.CONFIRMED if found.interval.low > 0 else Standing.DEFAULTS
    return Standing.UNPROVEN if found.gain is not None and found.gain > 0 else Standing.DEFAULTS
