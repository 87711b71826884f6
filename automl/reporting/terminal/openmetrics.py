"""Where a study stands, as text that Prometheus reads: its textfile collector, a Pushgateway, anything of OpenMetrics.

https://prometheus.io/docs/specs/om/open_metrics_spec/: families of gauges, each with TYPE and HELP, and EOF at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

Sample = tuple[Mapping[str, str], float]


def text(data: Mapping[str, Any]) -> str:
    """The gauges of a study. data: as `analysis.status.status` gives it."""
    lines = [line for name, said, samples in _families(data) for line in _family(name, said, samples)]
    return "".join(f"{line}\n" for line in [*lines, "# EOF"])


def _families(data: Mapping[str, Any]) -> Iterator[tuple[str, str, Sequence[Sample]]]:
    study = {"study": data["study"]}
    counts, epochs, best = data["experiments"], data["epochs"], data["best"]
    states = [({**study, "state": name}, float(count)) for name, count in counts.items() if name != "planned"]
    yield "automl_study_state", "1 for the state in which the study is.", [({**study, "state": data["state"]}, 1.0)]
    yield "automl_experiments", "Experiments that were proposed, by state.", states
    yield "automl_experiments_planned", "Experiments of the whole plan.", [(study, counts["planned"])]
    yield "automl_epochs_done", "Epochs of the plan that are trained or not needed any more.", [(study, epochs["done"])]
    yield "automl_epochs_planned", "Epochs of the whole plan.", [(study, epochs["done"] + epochs["pending"])]
    if data["minutes_left"] is not None:
        low, high = data["minutes_left_80"]
        yield "automl_seconds_left", "Seconds until the end, estimated.", [(study, 60 * data["minutes_left"])]
        ends = [({**study, "end": "low"}, 60 * low), ({**study, "end": "high"}, 60 * high)]
        yield "automl_seconds_left_80", "Ends of the interval of 80 % of the seconds left.", ends
    if best is not None:
        labels = {**study, "metric": data["metric"]["name"], "goal": data["metric"]["goal"]}
        yield "automl_best_value", "The best value of the metric so far.", [(labels, best["value"])]


def _family(name: str, said: str, samples: Sequence[Sample]) -> Iterator[str]:
    yield f"# TYPE {name} gauge"
    yield f"# HELP {name} {said}"
    for labels, value in samples:
        inside = ",".join(f'{label}="{_escaped(each)}"' for label, each in labels.items())
        yield f"{name}{{{inside}}} {value!r}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
