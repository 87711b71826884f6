"""The best of a study for people: the verdict, where its model is, its values as a user copies them, exactly."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from automl.analysis.findings import BestSoFar, findings
from automl.analysis.planned import NOTHING_KEPT
from automl.analysis.trade_off import TradeOff
from automl.networks import argument_forms
from automl.networks.definition import Network
from automl.networks.spec_formats import only
from automl.reporting.rows import model_text
from automl.study.best_model import BestModel
from automl.study.definition import Definition
from automl.study.keys import BEST_MODEL
from automl.study.opened_study import OpenedStudy
from automl.study.verdict import Verdict
from automl.text import strict_yaml


def usual_form(network: Network) -> str:
    """The form in which the network's own program takes its settings: words, or the part of a file in YAML."""
    return "flags" if any("{args" in word for word in network.command) else "yaml"


def text(definition: Definition, values: Mapping[str, Any], form: str) -> str:
    """The values by the paths of the train spec, with a line's end: `form` is flags, yaml or json.

    Flags are in the network's own form, quoted for a shell. Raises SpecError for a value that this cannot express.
    """
    network = definition.network
    paths = [network.spec_path(name) for name in values]
    if form == "flags":
        words = argument_forms.words(
            dict(zip(paths, values.values(), strict=True)), network.arguments, network.booleans
        )
        return f"{shlex.join(words)}\n"
    nested = only(definition.spec_with(values), paths)
    return strict_yaml.dump(nested) if form == "yaml" else f"{json.dumps(nested, allow_nan=False)}\n"


@dataclass(frozen=True)
class WhereModel:
    """Where the model of the best is: a folder or an address; None while there is none, and why in words."""

    path: str | None
    in_words: str


def model_of(opened: OpenedStudy, best: BestSoFar) -> WhereModel:
    """Where the model of the best is, or why there is none."""
    if not opened.definition.network.keeps_a_model:
        return WhereModel(None, NOTHING_KEPT)
    stored = BestModel.read(opened.record)
    if stored is None or stored.trained != best.training:
        return WhereModel(None, "written when the search is over")
    path = f"{opened.record.store.uri}/{BEST_MODEL.rstrip('/')}"
    own = best.training == best.experiment
    return WhereModel(
        path, path if own else f"{path}, {model_text(best.experiment, best.training, keeps_a_model=True)}"
    )


@dataclass(frozen=True)
class BestShown:
    """What `automl best` shows: the best, its verdict, where its model is, the values as its network takes them.

    `study` is its name on a command line; empty where there is none.
    """

    metric: str
    best: BestSoFar
    verdict: Verdict | None
    model: WhereModel
    copied: str
    study: str
    trade_off: TradeOff | None = None  # of a study with several metrics or constraints

    def to_json(self) -> dict[str, Any]:
        return {
            **self.best.to_json(),
            "verdict": self.verdict and self.verdict.to_json(),
            "model": self.model.path,
            **({"trade_off": self.trade_off.to_json()} if self.trade_off is not None else {}),
        }


def best_shown(opened: OpenedStudy, study: str = "") -> BestShown | None:
    """The best of a study with all that is said about it; None while no experiment has succeeded."""
    definition = opened.definition
    found = findings(definition, opened.history())
    if found.best is None:
        return None
    return BestShown(
        definition.metric_rule.name,
        found.best,
        found.verdict,
        model_of(opened, found.best),
        text(definition, found.best.values, usual_form(definition.network)),
        study,
        found.trade_off,
    )
