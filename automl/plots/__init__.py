"""Pictures of a study, each a matplotlib figure: for notebooks, papers and slides.

    from automl import plots

    plots.history("./fashion").savefig("history.svg")

`metric` names the metric that a picture shows, where a study has several; without it, the first is shown.

A study is given as its folder, s3://bucket/prefix, its study file, an `automl.notebook.Study`, or as `Facts`. The
numbers are those of report.html, from the same `automl.reporting.figures`. matplotlib draws them and not plotly, so a
picture is a file without JavaScript (SVG, PNG, PDF) that can be shown in a notebook, on paper and in a mail. This needs
the extra 'plots'; it never opens a window.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Protocol, cast

from automl.errors import InvalidInput, nearest
from automl.opening import open_study
from automl.reporting.figures.facts import Facts, read_facts, with_times
from automl.study.opened_study import OpenedStudy
from automl.text.extras import not_installed

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "contour",
    "curves",
    "draw",
    "failures",
    "history",
    "importance",
    "ledger",
    "parallel_coordinates",
    "pareto",
    "slices",
    "timeline",
    "write",
]


class HasStore(Protocol):
    """A study that knows its store, such as `automl.notebook.Study`."""

    @property
    def store(self) -> str: ...


Source = str | Path | HasStore | Facts


@dataclass(frozen=True)
class Kind:
    """A kind of picture. `module` has the function of the same name that draws it from `Facts`.

    `times` says that it shows when attempts trained, and `of_metric` that it shows one metric, of several any.
    """

    title: str
    module: str
    times: bool = False
    of_metric: bool = False


KINDS = {
    "history": Kind("the value of every experiment, and the best up to each", "automl.plots.courses", of_metric=True),
    "curves": Kind("learning curves, with the ends of the rungs", "automl.plots.courses", of_metric=True),
    "parallel_coordinates": Kind(
        "every experiment as a line through its values", "automl.plots.parameters", of_metric=True
    ),
    "slices": Kind("the values of each parameter and what came of them", "automl.plots.parameters", of_metric=True),
    "importance": Kind("which parameters matter, and what chance reaches", "automl.plots.surface", of_metric=True),
    "contour": Kind("the two most important parameters together", "automl.plots.surface", of_metric=True),
    "pareto": Kind("two metrics, or the metric and the training time, and the front of the two", "automl.plots.effort"),
    "failures": Kind("what went wrong, by kind", "automl.plots.effort"),
    "ledger": Kind("the epochs of each rung: trained, to come, fallen away", "automl.plots.effort"),
    "timeline": Kind("when each experiment trained, in lanes side by side", "automl.plots.effort", times=True),
}


def history(study: Source, metric: str = "") -> Figure:
    """The best value of every experiment of the search by its number, with the best so far. Raises RecordError."""
    return draw("history", study, metric=metric)


def curves(study: Source, metric: str = "") -> Figure:
    """The metric by epoch, a line for each experiment; a vertical line is the end of a rung. Raises RecordError."""
    return draw("curves", study, metric=metric)


def parallel_coordinates(study: Source, metric: str = "") -> Figure:
    """Every experiment as a line through its values; a better one is darker. Raises RecordError."""
    return draw("parallel_coordinates", study, metric=metric)


def slices(study: Source, metric: str = "") -> Figure:
    """The metric by the value of each parameter, in a picture for each. Raises RecordError."""
    return draw("slices", study, metric=metric)


def importance(study: Source, metric: str = "") -> Figure:
    """Each parameter's share of the variance of the results. Raises RecordError when there are too few results."""
    return draw("importance", study, metric=metric)


def contour(study: Source, metric: str = "") -> Figure:
    """How experiments ranked by the two most important parameters. Raises RecordError for too few results."""
    return draw("contour", study, metric=metric)


def pareto(study: Source, metrics: Sequence[str] = ()) -> Figure:
    """Two metrics of a study that has several, the first of `metrics` from left to right; with two, these.

    In a study of one metric: value against training time (seconds, minutes, hours or days, as the axis says), a dot for
    every rung's result, and stairs along the best value within each time. Raises RecordError for fewer than two
    results, InvalidInput for metrics that the study has not, and for one of three or more where none are named.
    """
    return draw("pareto", study, metrics)


def failures(study: Source) -> Figure:
    """How many experiments failed, by kind. Raises RecordError when none has."""
    return draw("failures", study)


def ledger(study: Source) -> Figure:
    """The planned epochs of each rung: trained, to come, no longer needed."""
    return draw("ledger", study)


def timeline(study: Source) -> Figure:
    """A bar for every attempt, from its start to its end. Raises RecordError for a study without times."""
    return draw("timeline", study)


def draw(kind: str, study: Source, metrics: Sequence[str] = (), metric: str = "") -> Figure:
    """The picture of this kind; `metrics` are the two of pareto, and `metric` is the one of a picture that shows one.

    Raises InvalidInput for an unknown kind or metric, RecordError when there is nothing to draw.
    """
    check_kind(kind)
    drawn = cast("Callable[..., Figure]", getattr(_loaded(KINDS[kind].module), kind))
    facts = facts_of(study, times=KINDS[kind].times)
    if metric:
        if not KINDS[kind].of_metric:
            allowed = f"with {', '.join(name for name, each in KINDS.items() if each.of_metric)}"
            advice = "name two: --metrics A,B" if kind == "pareto" else "leave it out"
            raise InvalidInput(f"metric {metric} with {kind}", allowed=allowed, advice=advice)
        facts = facts.showing(metric)
    if not metrics:
        return drawn(facts)
    if kind != "pareto":
        raise InvalidInput(f"metrics {', '.join(metrics)} with {kind}", allowed="with pareto", advice="leave them out")
    return drawn(facts, metrics)


def write(figure: Figure, path: Path) -> None:
    """Writes a picture to .svg, .png or .pdf, over an existing file; the same picture gives the same bytes.

    Raises InvalidInput.
    """
    _loaded("automl.plots.files").write(figure, path)


def _loaded(module: str) -> ModuleType:
    """A module that needs matplotlib. Raises AutoMLError when that is missing."""
    try:
        return import_module(module)
    except ModuleNotFoundError as error:
        name = (error.name or "").partition(".")[0]
        if name in {"", "automl"}:
            raise
        raise not_installed(name, "plots") from error


def check_kind(kind: str) -> None:
    """Raises InvalidInput for an unknown kind of picture."""
    if kind not in KINDS:
        name = kind.replace("-", "_")
        raise InvalidInput(f"no plot is called {kind!r}", allowed=", ".join(KINDS), advice=nearest(name, KINDS))


def facts_of(study: Source, *, times: bool = False) -> Facts:
    """The facts of a study, however it is given. `times` adds the times of its attempts, one request for each.

    Raises InvalidInput, RecordError, or what a store raises.
    """
    if isinstance(study, Facts):
        return study
    return facts_in(open_study(str(study) if isinstance(study, str | Path) else study.store), times=times)


def facts_in(opened: OpenedStudy, *, times: bool = True) -> Facts:
    """The facts of a study in a store. `times` adds the times of its attempts, one request for each."""
    facts = read_facts(opened)
    return with_times(facts, opened.record) if times else facts
