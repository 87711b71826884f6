"""The status of a study as text for Prometheus: its textfile collector, a Pushgateway, anything that reads OpenMetrics.

https://prometheus.io/docs/specs/om/open_metrics_spec/: families of gauges, each with TYPE and HELP, and EOF at the end.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from automl.analysis.status import StudyStatus

Sample = tuple[Mapping[str, str], float]


def text(status: StudyStatus) -> str:
    """The gauges of a study."""
    lines = [line for name, help_text, samples in _families(status) for line in _family(name, help_text, samples)]
    return "".join(f"{line}\n" for line in [*lines, "# EOF"])


def _families(status: StudyStatus) -> Iterator[tuple[str, str, Sequence[Sample]]]:
    study = {"study": status.study}
    progress, left, best = status.progress, status.time_left, status.best
    states = [({**study, "state": kind.value}, float(count)) for kind, count in progress.counts.items()]
    yield "automl_study_state", "1 for the state in which the study is.", [({**study, "state": status.state}, 1.0)]
    yield "automl_experiments", "Experiments that were proposed, by state.", states
    yield "automl_experiments_planned", "Experiments of the whole plan.", [(study, status.planned)]
    text = "Epochs of the plan that are trained, by trainings that did not fail."
    yield "automl_epochs_done", text, [(study, progress.epochs_done)]
    yield (
        "automl_epochs_pending",
        "Epochs of the plan that are still to be trained.",
        [(study, progress.epochs_pending)],
    )
    yield "automl_epochs_planned", "Epochs of the whole plan.", [(study, progress.epochs_planned)]
    if left is not None:
        yield "automl_seconds_left", "Seconds until the end, estimated.", [(study, 60 * left.middle)]
        ends = [({**study, "end": "low"}, 60 * left.low), ({**study, "end": "high"}, 60 * left.high)]
        yield "automl_seconds_left_80", "Ends of the interval of 80 % of the seconds left.", ends
    if best is not None and best.value is not None:
        labels = {**study, "metric": status.metric.name, "goal": status.metric.goal}
        values = [(labels, best.value), *_further(status, best.measured, study)]
        yield "automl_best_value", "The best value of the metric so far.", values
    if (front := status.trade_off) is not None:
        yield "automl_front_experiments", "Experiments on the front of all metrics.", [(study, float(len(front.front)))]
        counted = [(study, float(len(front.infeasible)))]
        yield "automl_infeasible_experiments", "Experiments that break a constraint.", counted
        if front.hypervolume is not None:
            text = "The share of the range of all metrics that the front dominates."
            yield "automl_hypervolume", text, [(study, front.hypervolume)]


def _further(status: StudyStatus, measured: Mapping[str, float], study: Mapping[str, str]) -> Iterator[Sample]:
    """The further metrics of the best; the goal of one that is only constrained is empty."""
    goals = {metric.name: metric.goal for metric in status.trade_off.aim.others} if status.trade_off else {}
    for name, value in measured.items():
        yield {**study, "metric": name, "goal": goals.get(name, "")}, value


def _family(name: str, help_text: str, samples: Sequence[Sample]) -> Iterator[str]:
    yield f"# TYPE {name} gauge"
    yield f"# HELP {name} {help_text}"
    for labels, value in samples:
        inside = ",".join(f'{label}="{_escaped(label_value)}"' for label, label_value in labels.items())
        yield f"{name}{{{inside}}} {value!r}"


def _escaped(value: str) -> str:
    return value.replace("\\", "\\\\").replace("\n", "\\n").replace('"', '\\"')
