"""The answer, first thing on the page: the best, its gain over the defaults with its uncertainty, and its values."""

from __future__ import annotations

import re

from automl.reporting.figures.facts import Facts, Searched
from automl.reporting.figures.scales import Options, of_metric
from automl.reporting.figures.what_next import what_next
from automl.reporting.page.drawing import Plot, diamond, figure, lines, star
from automl.reporting.page.markup import Child, Markup, joined, tag
from automl.reporting.rows import model_text
from automl.study.keys import BEST_MODEL, INTERACTIVE_REPORT, LOG, experiment_key
from automl.study.lineage import in_words, parts
from automl.study.states import State, counted_states, state_of
from automl.study.summary import Best
from automl.study.verdict import JudgedSide, Standing, Verdict
from automl.text.formatting import counted, number, setting, signed


def answer(facts: Facts) -> Markup:
    """The section."""
    return tag(
        "section",
        tag("p", headline(facts), class_="headline"),
        tag("p", str(facts.paused.error()), class_="lead") if facts.paused else None,
        tag("p", conclusion(facts), class_="lead"),
        tag("p", _early_end(facts)) if _early_end(facts) else None,
        tag("p", _rungs(facts)) if _rungs(facts) else None,
        _tiles(facts),
        tag("div", _judgement(facts), _values(facts), class_="pair") if facts.best else None,
        _next(facts),
        id="answer",
    )


def _next(facts: Facts) -> Markup | None:
    """What to do next, where something suggests itself."""
    suggestions = what_next(facts)
    if not suggestions:
        return None
    return joined(tag("h3", "What next"), tag("ul", *(tag("li", minus(text)) for text in suggestions)))


def headline(facts: Facts) -> Markup:
    """The verdict in a sentence with its interval; before there is one, the best value and where it comes from."""
    best, verdict = facts.best, facts.verdict
    if best is not None and best.standing is not Standing.SEARCHED and verdict is not None and verdict.sentence:
        first, colon, rest = verdict.sentence.partition(":")
        of = "" if facts.metric in rest else f" ({facts.metric})"  # of several metrics the sentence names them
        return joined(tag("strong", first), colon, minus(rest), f"{of}.")
    if best is None:
        tried = len([candidate for candidate in facts.searched if candidate.experiment.results])
        words = {
            "not started": "The study has not started.",
            "failed": f"None of the {counted(len(facts.searched), 'experiment')} succeeded.",
        }
        return joined(words.get(facts.state, f"No result yet: {counted(tried, 'experiment')} tried, none succeeded."))
    so_far = "" if facts.state in {"done", "judging"} else " so far"
    whose = "the defaults" if best.is_defaults else f"experiment {best.experiment}"
    value = tag("strong", f"{facts.metric} {number(best.value)}")
    return joined(f"The best{so_far} is ", value, f", {whose}.")


def _early_end(facts: Facts) -> str:
    """Which limit has ended the search; empty where none has."""
    why = next((end.why for end in reversed(facts.definition.ends) if end.is_early), "")
    return f"{why[:1].upper()}{why[1:]}." if why else ""


def _rungs(facts: Facts) -> str:
    """That short trainings mislead; empty where they do not."""
    return f"Warning: {facts.rungs.text}." if facts.rungs and facts.rungs.warning else ""


def conclusion(facts: Facts) -> str:
    """Whether the search was worth it, in words."""
    best, verdict = facts.best, facts.verdict
    if best is None:
        return "See the failures below." if any(candidate.failed for candidate in facts.searched) else ""
    if best.standing is Standing.SEARCHED:
        return _not_judged(facts)
    if verdict is None or verdict.gain is None:
        return f"{best.why[0].upper()}{best.why[1:]}. {_kept(facts, best)}"
    gain = verdict.gain
    text = f"Experiment {verdict.candidate} has a mean {facts.metric} of {_means(verdict.best)} on "
    text += f"{verdict.judged_on}, the defaults {_means(verdict.default)}; both were {verdict.seeds_text}."
    chance = {
        Standing.DEFAULTS: " The difference may be chance, so the defaults are kept." if gain > 0 else "",
        Standing.UNPROVEN: " One training each cannot show how much of it is chance.",
    }
    return f"{text}{chance.get(best.standing, '')} {_kept(facts, best)}"


def _means(side: JudgedSide) -> str:
    """The mean of the metric, and in brackets those of further metrics: '0.913 (latency_ms 12)'."""
    further = ", ".join(f"{name} {number(value)}" for name, value in side.further.items())
    return number(side.mean) + (f" ({further})" if further else "")


def _not_judged(facts: Facts) -> str:
    if facts.best is not None and facts.best.is_defaults:
        return "The search found nothing better than the network's defaults" + (
            "." if facts.state in {"done", "judging"} else " yet."
        )
    if not facts.definition.plan.finals:
        return "It was not compared with the defaults ('final: {repeats: 0}'), so part of this value is luck."
    return "It has not been compared with the defaults yet; until then, part of this value is luck."


def _kept(facts: Facts, best: Best) -> str:
    keeps = facts.definition.network.keeps_a_model
    return f"best_model holds {model_text(best.experiment, best.training.experiment, keeps_a_model=keeps)}."


def uncertainty(verdict: Verdict) -> str:
    """The uncertainty of the gain, in words."""
    if verdict.interval is None:
        return "one training each, so its uncertainty is unknown; 'final: {repeats: 4, share: 2}' would measure it"
    low, high = verdict.interval.low, verdict.interval.high
    method = {"paired": "Student's t of {} pairs of trainings", "welch": "Welch's t"}[verdict.interval.method]
    clear = "" if low > 0 or high < 0 else "; the sign is not certain"
    return f"95 % interval {_signed(low)} to {_signed(high)} ({method.format(len(verdict.gains))}){clear}"


def minus(text: str) -> str:
    """The text with minus signs before its numbers in place of hyphens."""
    return re.sub(r"(?<![\w.])-(?=\d)", "\N{MINUS SIGN}", text)


def _signed(value: float) -> str:
    return minus(signed(value))


def _tiles(facts: Facts) -> Markup:
    tiles = []
    best, verdict = facts.best, facts.verdict
    if best is not None:
        result = facts.study.results[best.training.experiment, best.training.rung]
        epoch = result.best.epoch if result.best else result.epochs
        whose = "the defaults" if best.is_defaults else f"experiment {best.experiment}"
        again = "" if best.is_own_training else f" trained again, experiment {best.training.experiment}"
        tiles.append(("The best", number(best.value), f"{whose}{again}, after epoch {epoch}"))
    if verdict and verdict.gain is not None:
        tiles.append((f"Gain on {verdict.gain_judged_on}", _signed(verdict.gain), uncertainty(verdict)))
    counts = counted_states(map(state_of, facts.experiments))
    ended = counts[State.SUCCEEDED] + counts[State.STOPPED]
    failed = f"{counts[State.FAILED]} failed" if counts[State.FAILED] else "none failed"
    open_ones = "".join(
        f", {counts[state]} {state}" for state in (State.RUNNING, State.PROMOTED, State.QUEUED) if counts[state]
    )
    needed = sum(stage.most_experiments for stage in facts.definition.plan.stages) - not_needed(facts)
    tiles.append(("Experiments", f"{ended:,} of {needed:,}", f"ended; {failed}{open_ones}{_spared(facts)}"))
    seconds = sum(result.seconds for result in facts.study.results.values())
    trained = sum(facts.trained.values())
    tiles.append(("Epochs trained", f"{trained:,}", f"in {_hours(seconds)} of training time"))
    return tag(
        "div",
        *(
            tag("div", tag("div", name, class_="what"), tag("div", value, class_="value"), tag("div", more))
            for name, value, more in tiles
        ),
        class_="tiles",
    )


def not_needed(facts: Facts) -> int:
    """The planned experiments that the final judgement does not need, with few candidates or nothing to judge."""
    spared = 0
    for stage in facts.definition.plan.finals:
        decisions = facts.study.of_stage(stage.index)
        decided = stage.rungs if facts.state == "failed" else stage.rungs[: len(decisions)]
        spared += sum(rung.size for rung in decided) - sum(len(decision.issued) for decision in decisions)
    return spared


def _spared(facts: Facts) -> str:
    if not (count := not_needed(facts)):
        return ""
    why = "there were fewer candidates" if facts.best else "there is nothing to judge"
    if not any(stage.entrants for stage in facts.definition.plan.finals) and facts.best:
        why = "the defaults are the best"
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
    return figure("Defaults and best, trained again", drawing, _about_pairs(verdict))


def _about_pairs(verdict: Verdict) -> str:
    """The note of the picture: what a line joins, and who left the race before."""
    text = "A line connects two trainings with the same seed." if verdict.fresh_seeds else ""
    left = [f"Experiment {number}: {reason}." for number, reason in verdict.left.items()]
    return " ".join([text, *left]).strip()


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
    note = f"Proposed: {winner.experiment.recommendations[0].reason}."
    if facts.best is not None:
        best = facts.best.training
        if len(trained := parts(facts.definition.plan, facts.study, best.experiment, best.rung)) > 1:
            note = f"These are its last values. The model was trained in {in_words(trained)}."
    return figure("Best values", tag("div", table, class_="scroll"), note, _links(facts), class_="values")


def _links(facts: Facts) -> Markup | None:
    """Where the files of the best lie beside this page."""
    if facts.best is None or facts.state not in {"done", "judging"}:
        return None
    log = experiment_key(facts.best.training.experiment, LOG)
    interactive = tag("a", "interactive report", href=INTERACTIVE_REPORT)
    model = tag("a", BEST_MODEL.rstrip("/"), href=BEST_MODEL)
    return tag("p", "Files: ", model, ", ", tag("a", "log", href=log), ", ", interactive)


def _shown(side: Searched, name: str) -> str:
    return setting(side.experiment.values[name]) if name in side.experiment.values else "\N{EN DASH}"
