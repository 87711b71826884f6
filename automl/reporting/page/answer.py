"""The answer, first thing on the page: the best, its gain over the defaults with its uncertainty, and its values."""

from __future__ import annotations

import math
import re
import statistics

from automl.problem.metric import mean_of
from automl.reporting.figures.facts import Facts, Searched
from automl.reporting.figures.scales import Options, of_metric
from automl.reporting.page.drawing import Plot, diamond, figure, lines, star
from automl.reporting.page.markup import Child, Markup, joined, tag
from automl.search.brain import DEFAULTS
from automl.search.history import Status
from automl.search.plan import StageKind
from automl.text.formatting import counted, number, setting

# two-sided 95 % quantiles of Student's t for 1 ... 19 degrees of freedom; a study repeats 20 times at most
_STUDENT: tuple[float, ...] = (12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228)
_STUDENT += (2.201, 2.179, 2.160, 2.145, 2.131, 2.120, 2.110, 2.101, 2.093)


def answer(facts: Facts) -> Markup:
    """The section."""
    return tag(
        "section",
        tag("p", headline(facts), class_="headline"),
        tag("p", conclusion(facts), class_="lead"),
        _tiles(facts),
        tag("div", _judgement(facts), _values(facts), class_="pair") if facts.best else None,
        id="answer",
    )


def headline(facts: Facts) -> Markup:
    """A sentence with the best value and where it comes from."""
    best = facts.best
    if best is None:
        tried = len([candidate for candidate in facts.searched if candidate.experiment.results])
        words = {
            "not started": "The study has not begun.",
            "failed": f"None of the {counted(len(facts.searched), 'experiment')} succeeded.",
        }
        return joined(words.get(facts.state, f"No result yet: {counted(tried, 'experiment')} tried, none succeeded."))
    so_far = "" if facts.state in {"done", "judging"} else " so far"
    whose = "the defaults" if best.experiment == DEFAULTS else f"experiment {best.experiment}"
    value = tag("strong", f"{facts.metric} {number(best.best_value)}")
    return joined(f"The best{so_far} is ", value, f", {whose}.")


def conclusion(facts: Facts) -> str:
    """Whether the search was worth it, in words."""
    verdict = facts.verdict
    if facts.best is None:
        return "See the failures below." if any(candidate.failed for candidate in facts.searched) else ""
    if facts.best.experiment == DEFAULTS:
        return "The search found nothing above the network's defaults" + (
            "." if facts.state in {"done", "judging"} else " yet."
        )
    if verdict is None or (verdict.gain is None and facts.state != "done"):
        finals = len(facts.definition.plan.stages) > len(facts.definition.plan.search)
        if not finals:
            return "It was not trained again with a fresh seed ('final: {repeats: 0}'), so luck is part of this value."
        return "It is still to be judged against the defaults with fresh seeds; until then luck is part of this value."
    if verdict.gain is None:
        return "The final judgement has failed, so it is not known how much better than the defaults it is."
    gain, data_name = verdict.gain, verdict.judged_on
    sides = f"{number(verdict.default.mean)} to {number(verdict.best.mean)}"
    again = f"trained again with {'a fresh seed' if len(facts.gains) == 1 else 'fresh seeds'}"
    if gain == 0:
        return f"On {data_name}, {again}, it is as good as the defaults."
    return f"On {data_name}, {again}, it is {number(abs(gain))} {_better(gain)} than the defaults (from {sides})."


def uncertainty(gains: tuple[float, ...]) -> str:
    """The uncertainty of the gain, from the differences of trainings that share a seed."""
    if not gains:
        return ""
    if len(gains) == 1:
        return "one training each, so its uncertainty is not known; 'final: {repeats: 5}' would tell"
    error = statistics.stdev(gains) / math.sqrt(len(gains))
    mean, reach = mean_of(gains), _STUDENT[len(gains) - 2] * error
    clear = "" if abs(mean) > reach else "; the sign is not certain"
    return (
        f"± {number(error)} (standard error of {len(gains)} pairs); 95 % interval "
        f"{_signed(mean - reach)} to {_signed(mean + reach)}{clear}"
    )


def _signed(value: float) -> str:
    sign = "+" if value > 0 else "\N{MINUS SIGN}" if value < 0 else ""
    return f"{sign}{number(abs(value))}"


def _better(gain: float) -> str:
    return "better" if gain > 0 else "worse"


def _tiles(facts: Facts) -> Markup:
    tiles = []
    best, verdict = facts.best, facts.verdict
    if best is not None:
        result = facts.study.results[best.experiment, best.rung]
        epoch = result.best.epoch if result.best else result.epochs
        tiles.append(
            ("Best in the search", number(best.best_value), f"experiment {best.experiment}, after epoch {epoch}")
        )
    if verdict and verdict.gain is not None:
        gain = verdict.gain
        tiles.append((f"Gain on {verdict.judged_on}", _signed(gain), uncertainty(facts.gains) or "no pair of seeds"))
    counts = {status: sum(experiment.status is status for experiment in facts.experiments) for status in Status}
    ended = counts[Status.SUCCESS] + counts[Status.STOPPED]
    failed = f"{counts[Status.FAILURE]} failed" if counts[Status.FAILURE] else "none failed"
    rest = counts[Status.PENDING] + counts[Status.WAITING]
    under_way = f", {rest} under way" if rest else ""
    needed = facts.definition.plan.experiments - not_needed(facts)
    tiles.append(("Experiments", f"{ended:,} of {needed:,}", f"ended well; {failed}{under_way}{_spared(facts)}"))
    seconds = sum(result.seconds for result in facts.study.results.values())
    trained = sum(facts.trained.values())
    tiles.append(("Epochs trained", f"{trained:,}", f"in {_hours(seconds)} of training, side by side or not"))
    return tag(
        "div",
        *(
            tag("div", tag("div", name, class_="what"), tag("div", value, class_="value"), tag("div", more))
            for name, value, more in tiles
        ),
        class_="tiles",
    )


def not_needed(facts: Facts) -> int:
    """The planned experiments that the final judgement does not need, as the defaults are the best or nothing is."""
    spared = 0
    for stage in facts.definition.plan.stages:
        decisions = facts.study.of_stage(stage.index)
        if stage.kind is StageKind.FINAL and (decisions or facts.state == "failed"):
            spared += stage.experiments - sum(len(decision.issued) for decision in decisions)
    return spared


def _spared(facts: Facts) -> str:
    if not (count := not_needed(facts)):
        return ""
    why = "the defaults are the best" if facts.best else "there is nothing to judge"
    return f". {counted(count, 'training')} of the final judgement {'was' if count == 1 else 'were'} not needed: {why}"


def _hours(seconds: float) -> str:
    if seconds < 100:
        return f"{seconds:.0f} s"
    if seconds < 6000:
        return f"{seconds / 60:.0f} min"
    return f"{seconds / 3600:,.1f} h"


def _judgement(facts: Facts) -> Markup | None:
    """The trainings of the final judgement, defaults and best, with a line for each shared seed."""
    verdict = facts.verdict
    if verdict is None or not verdict.best.values:
        return None
    values = [value for value in (*verdict.default.values, *verdict.best.values) if value is not None]
    if not values:
        return None
    scale = of_metric(values, minimize=facts.minimize)
    plot = Plot(Options(("defaults", "best")), scale, "", f"{facts.metric}, {verdict.judged_on}", width=420, height=230)
    pairs = list(zip(verdict.default.values, verdict.best.values, strict=False))
    points = [
        [plot.point("defaults", default_point), plot.point("best", best_point)] for default_point, best_point in pairs
    ]
    courses = [[default_point, best_point] for default_point, best_point in points if default_point and best_point]
    marks = [diamond(default_point, "default") for default_point, _ in points if default_point] + [
        star(best_point, "best") for _, best_point in points if best_point
    ]
    drawing = plot.drawn(
        f"{facts.metric} of the defaults and of the best, trained again", lines(courses, "rule"), marks
    )
    return figure("Was the search worth it?", drawing, "A line joins two trainings with the same seed.")


def _values(facts: Facts) -> Markup | None:
    """The values of the best beside those of the defaults, and why it was tried."""
    winner, defaults = facts.winner, facts.defaults
    if winner is None:
        return None
    beside = None if defaults is None or winner.number == defaults.number else defaults
    sides = [side for side in (beside, winner) if side]
    names = dict.fromkeys(name for side in sides for name in side.experiment.values)
    rows: list[Markup] = []
    for name in names:
        *others, own = [_shown(side, name) for side in sides]
        cells: list[Child] = [*others, tag("strong", own) if others and others[0] != own else own]
        breakable = [[part, tag("wbr")] for part in re.split(r"(?<=\.)", name)]
        rows.append(tag("tr", tag("th", breakable, scope="row"), *(tag("td", cell, class_="number") for cell in cells)))
    rows.append(
        tag(
            "tr",
            tag("th", "in the search", scope="row"),
            *(tag("td", f"{number(side.value)}, {side.experiment.epochs} ep.", class_="number") for side in sides),
            class_="sum",
        )
    )
    heads = ["defaults" if side is not winner else f"experiment {winner.number}" for side in sides]
    table = tag(
        "table",
        tag("thead", tag("tr", tag("th", "value"), *(tag("th", head, class_="number") for head in heads))),
        tag("tbody", rows),
    )
    why = winner.experiment.recommendations[0].reason
    return figure("The values", tag("div", table, class_="scroll"), f"Proposed: {why}.", class_="values")


def _shown(side: Searched, name: str) -> str:
    return setting(side.experiment.values[name]) if name in side.experiment.values else "\N{EN DASH}"
