"""What the final judgement found: the gain of the best candidate over the defaults, its interval, and what is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from automl.problem.aim import Aim
from automl.problem.metric import Metric, difference, mean_of
from automl.search.history import History, Outcome
from automl.search.plan import Stage
from automl.search.race import DEFAULTS, Entrant, entrants, placed
from automl.search.ranking import best_outcome, judged_aim
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
    """The ended trainings of one side of the final judgement; the value of a failed one is None.

    `further` are the means of further metrics over those that reported them, by name.
    """

    experiments: tuple[int, ...]
    values: tuple[float | None, ...]
    further: Mapping[str, float] = field(default_factory=dict)

    @property
    def mean(self) -> float | None:
        """The mean of the values that exist."""
        values = [value for value in self.values if value is not None]
        return mean_of(values) if values else None

    def to_json(self) -> dict[str, Any]:
        mean = {} if self.mean is None else {"mean": self.mean}
        further = {"further": dict(self.further)} if self.further else {}
        return {"experiments": list(self.experiments), "values": list(self.values), **mean, **further}


@dataclass(frozen=True)
class Broken:
    """What the means of each side break of the constraints, in words; empty where nothing is broken."""

    default: str = ""
    best: str = ""


@dataclass(frozen=True)
class Verdict:
    """What the final judgement found: the values of the defaults and of the best candidate, trained again.

    `candidate` is the experiment of the search that has the values of the best; None where no candidate is left.
    `gains` holds the best minus the defaults for each seed where both have a value, and `gain` is their mean, signed so
    that positive is better; None while a side has no value. `fresh_seeds` is false where the training takes no seed.
    `left` says who left a race, by the number of its last training there, and why.
    """

    judged_on: str  # of the values: "held-out data" where the network has any, otherwise "validation data"
    gain: float | None
    default: JudgedSide
    best: JudgedSide
    candidate: int | None
    gains: tuple[float, ...]
    interval: Interval | None
    fresh_seeds: bool
    left: Mapping[int, str]
    of: str = ""  # what is compared where that is not the metric: the weighted sum of several
    gained_on: str = ""  # on which data the gain was measured, where that differs from metric to metric
    broken: Broken = Broken()

    @property
    def gain_judged_on(self) -> str:
        """On which data the gain was measured."""
        return self.gained_on or self.judged_on

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
        each += f", in {self.of}" if self.of else ""
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
            **({"gain_judged_on": self.gained_on} if self.gained_on else {}),
            "gain": self.gain,
            "interval": self.interval and self.interval.to_json(),
            "candidate": self.candidate,
            "fresh_seeds": self.fresh_seeds,
            "default": self.default.to_json(),
            "best": self.best.to_json(),
            **({"of": self.of} if self.of else {}),
            **({"infeasible": vars(self.broken)} if self.broken != Broken() else {}),
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
    return next(iter([*placed(racing, compared_by(definition, study)), *racing]), None)


def compared_by(definition: Definition, study: History) -> Metric:
    """What the judgement compares by; of several metrics their weighted sum on the ranges of the search's front."""
    searched = outcomes_of(study, definition.plan.search)
    return judged_aim(searched, definition.brain.metric, definition.brain.best_among)


def verdict(definition: Definition, study: History) -> Verdict | None:
    """The verdict of the final judgement so far; None before it has a result of the defaults."""
    held_out = definition.network.held_out_metric is not None
    defaults = next((entrant for entrant in judged_entrants(definition, study) if entrant.is_defaults), None)
    if defaults is None or all(outcome is None for _, outcome in defaults.runs):
        return None
    best = leading(definition, study)
    default_side, best_side = _side(defaults, held_out), _side(best, held_out)
    aim = compared_by(definition, study)
    default_scores, best_scores = _scores(defaults, aim, held_out), _scores(best, aim, held_out)
    pairs = _pairs(default_scores, best_scores)
    gain = None
    if pairs:
        gain = difference(mean_of([score for _, score in pairs]), mean_of([score for score, _ in pairs]))
    elif default_scores and best_scores:
        gain = difference(mean_of(_second(best_scores)), mean_of(_second(default_scores)))
    gains = tuple(difference(score, default) for default, score in pairs)
    seeded = definition.brain.seeded
    interval = paired(gains) if seeded else welch(_second(best_scores), _second(default_scores))
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
        of=_weighted_sum(aim),
        gained_on=_data_of_each(aim, held_out),
        broken=Broken(_broken(defaults, aim), "" if best is None else _broken(best, aim)),
    )


def _weighted_sum(aim: Metric) -> str:
    if not aim.is_several:
        return ""
    return f"the weighted sum of {', '.join(metric.name for metric in aim.objectives)} on the front's ranges"


def _data_of_each(aim: Metric, held_out: bool) -> str:
    """On which data each of several metrics counts; empty where all count on the same.

    A training reports one value on held-out data, that of the first metric. The others count as they were reported.
    """
    if not held_out or not aim.is_several:
        return ""
    others = ", ".join(metric.name for metric in aim.objectives[1:])
    return f"held-out data ({aim.name}) and as reported while it trained ({others})"


def _broken(entrant: Entrant, aim: Metric) -> str:
    """What the means of an entrant break; empty before it has a value, and where all holds."""
    return "" if not isinstance(aim, Aim) or entrant.mean is None else aim.why_infeasible(*entrant.reading)


def _value(outcome: Outcome, held_out: bool) -> float | None:
    return outcome.held_out if held_out else outcome.value


def _side(entrant: Entrant | None, held_out: bool) -> JudgedSide:
    outcomes = [outcome for _, outcome in entrant.runs if outcome is not None] if entrant else []
    return JudgedSide(
        tuple(outcome.experiment for outcome in outcomes),
        tuple(_value(outcome, held_out) for outcome in outcomes),
        {} if entrant is None else entrant.reading[1],
    )


Scored = list[tuple[int, float]]  # the seed of a training, and its score


def _scores(entrant: Entrant | None, aim: Metric, held_out: bool) -> Scored:
    """The score of each training of an entrant that has one, with its seed."""
    runs = () if entrant is None else entrant.runs
    scores = [(issued.seed, _score(outcome, aim, held_out)) for issued, outcome in runs if outcome is not None]
    return [(seed, score) for seed, score in scores if score is not None]


def _score(outcome: Outcome, aim: Metric, held_out: bool) -> float | None:
    value = _value(outcome, held_out)
    if value is None:
        return None
    if not isinstance(aim, Aim):
        return aim.score(value)
    scores = aim.scores(value, outcome.measured)
    return None if scores is None else aim.utility(scores)


def _pairs(defaults: Scored, best: Scored) -> list[tuple[float, float]]:
    """The scores of the defaults and of the best for each seed for which both have one."""
    by_seed = dict(defaults)
    return [(by_seed[seed], score) for seed, score in best if seed in by_seed]


def _second(scored: Scored) -> list[float]:
    return [score for _, score in scored]


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
    if found.broken.best and found.best.mean is not None:
        return Standing.FAILED if found.broken.default else Standing.DEFAULTS
    if found.broken.default:
        return Standing.UNPROVEN if found.best.mean is not None else Standing.FAILED
    if found.best.mean is None:
        return Standing.FAILED if found.default.mean is None else Standing.DEFAULTS
    if found.default.mean is None:
        return Standing.UNPROVEN  # the defaults cannot even be trained
    if found.interval is not None:
        return Standing.CONFIRMED if found.interval.low > 0 else Standing.DEFAULTS
    return Standing.UNPROVEN if found.gain is not None and found.gain > 0 else Standing.DEFAULTS
