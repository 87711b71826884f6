"""A sweep of Weights & Biases, from its YAML: program, command, parameters, method, metric.

Source: docs.wandb.ai, "Sweep configuration options" (2025).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping
from typing import Any

from automl.drafting.draft import Draft, Searched
from automl.errors import InvalidInput
from automl.importing.imported import Imported, leftovers
from automl.study.study_file import study_name
from automl.text.formatting import shown

_KEYS = ("program", "method", "metric", "parameters", "command", "run_cap", "name", "description")
_METHODS = {"grid": ("random", {"sampler": "grid"}), "random": ("random", {}), "bayes": ("bayesian", {})}
_FORMS: Mapping[str, dict[str, str]] = {
    "${args}": {"arguments": "flags_equals", "booleans": "true_false"},
    "${args_no_boolean_flags}": {"arguments": "flags_equals", "booleans": "present"},
    "${args_no_hyphens}": {"arguments": "hydra"},
    "${args_json}": {"arguments": "json"},
}
_USUAL_COMMAND = ["${env}", "${interpreter}", "${program}", "${args}"]
_USUAL_RUNS = 20
Row = tuple[str, dict[str, Any], str]


def imported(sweep: Mapping[str, Any], where: str) -> Imported:
    """The study of a sweep's configuration. Raises InvalidInput when it is none."""
    if not isinstance(sweep.get("parameters"), Mapping) or "method" not in sweep:
        raise InvalidInput(
            f"{where} is no sweep of W&B: {'method' if 'method' not in sweep else 'parameters'} is missing",
            allowed="a sweep configuration with method and parameters",
        )
    left_out = leftovers(sweep, _KEYS)
    searched, spec = [], {}
    for name, given in _flat(sweep["parameters"], where):
        if "value" in given or given.get("distribution") == "constant":
            spec[name] = given.get("value")
            continue
        row, why = _row(name, given, left_out)
        searched.append(Searched(name, row, why))
    metric = sweep.get("metric") or {}
    name = str(metric.get("name", "loss"))
    if "name" not in metric:
        left_out.append("metric: the sweep names none; 'loss' is a guess")
    left_out += leftovers(metric, ("name", "goal"), "metric.")
    words, form = _command(sweep, left_out)
    algorithm, more = _METHODS.get(str(sweep["method"]), ("bayesian", {}))
    if sweep["method"] not in _METHODS:
        left_out.append(f"method: {sweep['method']}; bayesian stands in its place")
    group = re.sub(r"\W+", "_", name)
    network = {
        "command": words,
        **form,
        "metric": {"name": group, "goal": metric.get("goal", "minimize")},
        "status": {
            "reader": "regex",
            "patterns": [rf"\b{re.escape(name)}\W{{1,6}}(?P<{group}>{{number}})"],
            "without_epoch": "one",
            "of_epoch": "last",
        },
        "epochs": 1,
        "fixed_epochs": True,
        **({"spec": spec} if spec else {}),
    }
    comments = {
        "status": "wandb.log prints nothing, but wandb's summary does at the end: this reads it, or what you print",
        "fixed_epochs": "a whole training is one epoch; with {epochs} in the command more algorithms can be used",
    }
    runs = sweep.get("run_cap", _USUAL_RUNS)
    options = {"algorithm": algorithm, **more, "max_recommendations": runs}
    head = [f"From the W&B sweep {where}.", *([str(sweep["description"])] if sweep.get("description") else [])]
    title = study_name(str(sweep.get("name") or "sweep"))
    return Imported(Draft(title, network, tuple(searched), options, comments, head=tuple(head)), tuple(left_out))


def _flat(parameters: Mapping[str, Any], where: str, before: str = "") -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Every parameter with its dotted path."""
    for name, given in parameters.items():
        if not isinstance(given, Mapping):
            raise InvalidInput(
                f"{where}: parameters.{before}{name}: {shown(given)}", allowed="a mapping such as {value: 1}"
            )
        if isinstance(given.get("parameters"), Mapping):
            yield from _flat(given["parameters"], where, f"{before}{name}.")
        else:
            yield f"{before}{name}", given


def _row(name: str, given: Mapping[str, Any], left_out: list[str]) -> tuple[dict[str, Any], str]:
    """The row of a parameter, and its comment."""
    if "values" in given:
        row: dict[str, Any] = {"options": given["values"]}
        if "probabilities" in given:
            row |= {"type": "categorical", "weights": given["probabilities"]}
        left_out += leftovers(given, ("values", "probabilities", "distribution"), f"{name}.")
        return row, ""
    kind = str(given.get("distribution") or _kind_of_bounds(given))
    known = ("min", "max", "distribution", "q", "mu", "sigma")
    left_out += leftovers(given, known, f"{name}.")
    if "normal" in kind:
        return _of_normal(name, given, kind, left_out)
    low, high = given.get("min", 0), given.get("max", 1)
    is_log = "log" in kind
    if is_log and not kind.endswith("_values"):  # the bounds of these are exponents
        low, high = math.exp(low), math.exp(high)
    if kind in {"int_uniform", "q_uniform", "q_log_uniform", "q_log_uniform_values"} and given.get("q", 1) == 1:
        return {"low": round(low), "high": round(high), **({"log": True} if is_log else {})}, ""
    row = {"low": float(low), "high": float(high)}
    if is_log:
        row["log"] = True
        if "q" in given:
            left_out.append(f"{name}.q: {given['q']}; a range over magnitudes has no steps here")
    elif "q" in given:
        row["step"] = float(given["q"])
    if kind.startswith("inv_"):
        left_out.append(f"{name}: {kind} is searched as log_uniform over the same range")
    return row, ""


def _of_normal(name: str, given: Mapping[str, Any], kind: str, left_out: list[str]) -> tuple[dict[str, Any], str]:
    mean, width = float(given.get("mu", 0)), float(given.get("sigma", 1))
    low, high = mean - 2 * width, mean + 2 * width
    left_out.append(f"{name}: {kind} with mu {mean:g} and sigma {width:g} is searched evenly within two sigma")
    if "log" in kind:
        return {"low": math.exp(low), "high": math.exp(high), "log": True}, "two sigma each way"
    return {"low": low, "high": high}, "two sigma each way"


def _kind_of_bounds(given: Mapping[str, Any]) -> str:
    """What W&B takes two bounds for: whole numbers when both are."""
    return "int_uniform" if all(type(given.get(key)) is int for key in ("min", "max")) else "uniform"


def _command(sweep: Mapping[str, Any], left_out: list[str]) -> tuple[list[str], dict[str, str]]:
    """The words of the command, and how {args} is written."""
    words: list[str] = []
    form: dict[str, str] = {}
    if "program" not in sweep and "command" not in sweep:
        left_out.append("program: the sweep names none; train.py is a guess")
    for word in sweep.get("command") or _USUAL_COMMAND:
        macro = str(word)
        if macro == "${env}":
            continue
        if macro in _FORMS:
            form = _FORMS[macro]
            words.append("{args}")
        elif macro == "${args_json_file}":
            form = {"spec_format": "json"}
            words.append("{spec}")
        elif macro == "${interpreter}":
            words.append("python")
        else:
            filled = macro.replace("${program}", str(sweep.get("program", "train.py")))
            filled = filled.replace("${args_json_file}", "{spec}").replace("${args_json}", "{args}")
            form = {"arguments": "json"} if "{args}" in filled else form
            form = {"spec_format": "json"} if "{spec}" in filled else form
            if "${" in filled:
                left_out.append(f"command: {macro} is not known here; correct this word")
                filled = filled.replace("${", "$(").replace("}", ")")
            words.append(filled)
    return words, dict(form)
