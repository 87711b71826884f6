"""Makes the studies of `rules_5/` with the code of today: `python -m tests.studies_of_before.rules_5`.

They are whole, one JSON object a study: the text of every object of its record, by key. Commit e116af8 made them, the
last one before rules 6; run again it would make studies of later rules.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from automl.importing.finished import Finished, ScoredTrial
from automl.importing.fitting import fitted
from automl.search.history import Recommendation
from automl.stores.memory import MemoryStore
from automl.study.definition import Definition
from automl.text import strict_json
from tests.recorded_studies import recorded
from tests.simulation.studies import study

HERE = Path(__file__).parent / "rules_5"
CHAIN: dict[str, Any] = {"algorithm": "bayesian", "max_recommendations": 9, "max_epochs": 2, "final": {"repeats": 0}}
PARAMETERS: dict[str, Any] = {  # few values each, so that the last bits of a processor decide nothing
    "train.lr": {"type": "ordered", "options": [0.001, 0.003, 0.01, 0.03, 0.1, 0.3], "default": 0.03},
    "train.width": {"type": "int", "low": 8, "high": 64, "step": 8, "default": 16},
    "train.kind": {"type": "categorical", "options": ["a", "b", "c"], "default": "b"},
}
TWO = [{"name": name, "goal": "minimize"} for name in ("loss", "size")]
STUDIES: dict[str, dict[str, Any]] = {
    "two_metrics_process": {**CHAIN, "sampler": "process", "metrics": TWO},
    "two_metrics_portfolio": {**CHAIN, "metrics": TWO, "constraints": [{"metric": "size", "below": 50}]},
    "three_metrics_process": {**CHAIN, "sampler": "process", "metrics": [*TWO, {"name": "speed", "goal": "maximize"}]},
    "one_metric_constrained": {**CHAIN, "constraints": [{"metric": "size", "below": 40}]},
    "warm": {**CHAIN, "warm_start": ["before"]},
    "warm_constrained": {**CHAIN, "constraints": [{"metric": "size", "below": 40}], "warm_start": ["before"]},
    "warm_misleading": {**CHAIN, "sampler": "process", "warm_start": ["before"]},
    "warm_tpe_in_pairs": {**CHAIN, "sampler": "tpe", "parallel": 2, "warm_start": ["before"]},
}


def loss(asked: Recommendation, epoch: int) -> float:
    """Least at a learning rate of 0.1 and a width of 40."""
    values = asked.values
    rate = PARAMETERS["train.lr"]["options"].index(values["train.lr"])
    off = abs(rate - 4) / 5 + abs(values["train.width"] - 40) / 56
    return float(off + {"a": 0.0, "b": 0.25, "c": 0.5}[values["train.kind"]] + 1 / (epoch + 1))


def size(asked: Recommendation) -> dict[str, float]:
    """Grows with the width, and one kind is small; the speed falls with it, and with the learning rate."""
    wide = asked.values["train.width"] * {"a": 1.0, "b": 0.75, "c": 1.25}[asked.values["train.kind"]]
    return {"size": wide, "speed": 100 / wide - 10 * asked.values["train.lr"]}


def definition_of(name: str) -> Definition:
    """A study by its name, with what it begins with."""
    rows = {key: {**row, "automl_enabled": True} for key, row in PARAMETERS.items()}
    network = {"parameters": rows, "command": ["python", "train.py", "--spec", "{spec}", "--results", "{results}"]}
    definition = study(STUDIES[name], network=network)
    if "warm_start" not in STUDIES[name]:
        return definition
    sign = -1.0 if "misleading" in name else 1.0
    trials = []
    for step in range(16):
        values = {"train.lr": PARAMETERS["train.lr"]["options"][step * 5 % 6], "train.width": 8 + step * 24 % 64}
        asked = Recommendation(0, {**values, "train.kind": "abc"[step * 2 % 3]}, 2, 2, 1, "")
        value = sign * loss(asked, 2)
        trials.append(ScoredTrial(asked.values, -value, value))
    return replace(definition, earlier=(fitted(Finished("a table", tuple(trials), 16), definition, "before"),))


def main() -> None:
    """Makes all."""
    HERE.mkdir(exist_ok=True)
    for name in STUDIES:
        record, history = recorded(MemoryStore(), definition_of(name), loss=loss, further=size)
        store = record.store
        objects = {key: (store.get(key) or b"").decode() for key in sorted(store.list(""))}
        (HERE / f"{name}.json").write_bytes(strict_json.dump(objects))
        print(name, len(history.decisions), sum(map(len, objects.values())))


if __name__ == "__main__":
    main()
