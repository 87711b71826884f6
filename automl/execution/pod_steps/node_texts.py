"""What Argo's pages show of a training: its name, which carries the values that it tries, and what came of it.

A name is one text, the number of its experiment and then its values, because Argo makes the name of a node of it; the
workflow takes the number out of it again (workflows/shape.py).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from automl.search.history import Decision, History, Origin, Recommendation, Result
from automl.search.plan import Resume, Stage, StageKind
from automl.search.race import DEFAULTS
from automl.search.ranking import further_words
from automl.study.definition import Definition
from automl.study.summary import Best, best_of_search
from automl.study.train_spec import epochs_to_reach
from automl.text.formatting import number, setting, shortened

_LONGEST = 100  # characters of the values in a name; Argo repeats it in every node of the training
_WHOLE = 10_000  # characters: all values
_REFUSED = re.compile(r"[^A-Za-z0-9 .,:=+_/()-]+")  # in a name: Argo would take some of it for a tag


def trainings(definition: Definition, decision: Decision) -> list[str]:
    """The name of each training that a decision asks for: '5 lr=2.4e-4 batch_size=64'."""
    return [f"{issued.number} {_REFUSED.sub('_', _values(definition, issued))}" for issued in decision.issued]


def _values(definition: Definition, issued: Recommendation) -> str:
    if issued.source is not None:
        return "defaults again" if issued.source == DEFAULTS else f"experiment {issued.source} again"
    if issued.origin is Origin.DEFAULT:
        return "defaults"
    return " ".join(_that_fit(definition, issued.values)) or "defaults"


def _that_fit(definition: Definition, values: Mapping[str, Any], longest: int = _LONGEST) -> Iterator[str]:
    names = [parameter.name for parameter in definition.space.parameters]
    left = longest
    for name, value in values.items():
        text = f"{shortened(name, names)}={setting(value).replace(' ', '_')}"
        left -= len(text) + 1
        if left < 0:
            yield "..."
            return
        yield text


def stage_title(definition: Definition, stage: Stage) -> str:
    """The name of a stage's node, in the letters that Argo takes: 'bracket-1.5-experiments'."""
    if stage.kind is StageKind.FINAL:
        return "final-judgement"
    is_bracket = len(definition.plan.search) > 1 and not definition.is_chain
    return f"{f'bracket-{stage.index}' if is_bracket else 'search'}.{stage.experiments}-experiments"


def part(definition: Definition, stage: Stage) -> str:
    """What a stage consists of: rungs, or the steps of a chain."""
    return "step" if definition.has_steps(stage) else "rung"


def epochs(definition: Definition, decision: Decision) -> str:
    """The epochs that its trainings reach, if they are not stopped; the most, should they differ."""
    return str(max((epochs_to_reach(definition, issued) for issued in decision.issued), default=0))


def epochs_to_train(definition: Definition, decision: Decision) -> str:
    """How many of these each still has to train; the most, should they differ. Argo's progress is counted by it."""
    left = (epochs_to_reach(definition, issued) - issued.resume_epoch for issued in decision.issued)
    return str(max(left, default=0))


def outcome(definition: Definition, history: History | None, result: Result) -> str:
    """What came of a training, in a line: 'val_acc 0.9130 at epoch 9, the best so far', or why it failed.

    Without `history` nothing is said of what is the best.
    """
    if result.failure is not None:
        return f"{result.failure}: {result.message}".rstrip(": ").replace("\n", " ")
    epoch, value = result.history[-1]
    text = f"{definition.metric_rule.name} {number(value)}{further(definition, result)} at epoch {epoch}"
    if result.best is not None and result.best.epoch != epoch:
        text += f", {number(result.best_value)} at epoch {result.best.epoch}"
    best = None if history is None else best_of_search(definition, history)
    if definition.resume is Resume.STOP and history is not None:
        stopped = (one for decision in history.decisions for one in decision.stopped)
        text += "".join(f", stopped: {one.reason}" for one in stopped if one.number == result.experiment)
    is_best = best is not None and (best.experiment, best.rung) == (result.experiment, result.rung)
    return f"{text}, the best so far" if is_best else text


def further(definition: Definition, result: Result) -> str:
    """The further metrics behind the value of a result, and what they break; empty in a study of one metric."""
    return further_words(definition.aim, result.value, result.last_measured)


def summary(definition: Definition, best: Best, values: Mapping[str, Any], best_model: str) -> str:
    """What a study has found, in a line. `values` are those of the best, `best_model` is where its checkpoint lies."""
    tried = ", ".join(_that_fit(definition, values, _WHOLE)).replace("=", " ")
    named = f"{definition.metric_rule.name} {number(best.value)}"
    return f"{named} by experiment {best.experiment} ({tried}): {best.why}; best model: {best_model}"
