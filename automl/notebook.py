"""A study in a notebook: the calls of the command line, with results that show themselves as tables.

    from automl.notebook import Study

    study = Study.write("fashion.yaml", network="fashion_mnist", algorithm="hyperband", R=9)
    study.plan()
    study.start(jobs=2)
    study.wait()
    study.best()

Training runs in its own process, so a kernel that is restarted or dies stops nothing, and `Study.read` of the same file
opens the study again. Everything shown comes from the study's record.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from typing import TYPE_CHECKING, Any

from automl.analysis import status
from automl.analysis.explain import explain
from automl.analysis.planned import planned
from automl.analysis.status import StudyStatus
from automl.analysis.trade_off import as_only_metric
from automl.drafting.function import draft, program_text
from automl.errors import AutoMLError, RecordError, StudyFailed
from automl.importing.earlier_searches import with_earlier
from automl.operations.download import fetch_best_model
from automl.operations.replay import Replay, summary
from automl.reporting.best_shown import best_shown
from automl.reporting.notebook.html import ExperimentResult, NotebookResult, PlanResult, curve, table
from automl.reporting.notebook.progress import progress_display
from automl.reporting.rows import (
    experiment_cells,
    indicators,
    plan_parameters,
    plan_title,
    plan_totals,
    setting_rows,
)
from automl.reporting.terminal import plan_tables, record_tables, tables
from automl.stores import open_store
from automl.study import study_file
from automl.study.definition import Definition
from automl.study.experiments import experiments
from automl.study.opened_study import OpenedStudy
from automl.study.record import Record
from automl.study.study_file import study_name
from automl.study.verdict import verdict
from automl.text import formatting, strict_yaml
from automl.text.extras import not_installed
from automl.text.new_files import already_exists

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["NotebookResult", "Study"]

_ENDED = {"done": "Done", "failed": "Error"}


@dataclass
class Study:
    """A study file and the results of its search. Make one with `Study.write` or `Study.read`."""

    path: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @classmethod
    def write(cls, path: str | Path, **options: Any) -> Study:
        """Checks the options and writes them as a study file. Never overwrites a file with other options.

        Option names are those of the study file; TAO's (model_name, automl_algorithm, ...) work too. Raises
        InvalidInput.
        """
        path = Path(path)
        text = strict_yaml.dump({"name": path.stem.replace("_", "-").lower(), **options})
        study_file.parse(text, str(path), path.parent)
        _check_same(path, text)
        path.write_text(text, encoding="utf-8")
        return cls(path)

    @classmethod
    def of_function(
        cls,
        function: Callable[..., Any],
        *,
        space: Mapping[str, Any],
        metric: str,
        goal: str | None = None,
        path: str | Path | None = None,
        epochs: int = 10,
        keep: Sequence[str] = (),
        image: str | None = None,
        **options: Any,
    ) -> Study:
        """Writes the study file of a function that trains, and its source as a program beside it.

        `space` has a row for each parameter to search: {low, high, log}, [options], or (low, high); the function gets
        them by keyword, and `epochs` and `seed` where it has such parameters. Inside, `report(epoch=1, val_acc=0.9)`
        says how it does after each epoch; nothing needs to be imported for it. `metric` is one of those names, and
        `goal`, minimize or maximize, is only needed where the name does not say. `keep` are files that it leaves in its
        folder. With `image` the study file carries the program, for a cluster; without it, the file is beside it.
        `path` is the study file, NAME.yaml unless said; `options` are those of the study file. Existing files with
        other content stay. Raises InvalidInput, also for names from outside of the function that it needs.
        """
        name = getattr(function, "__name__", "study")
        path = Path(path if path is not None else f"{name}.yaml")
        program = path.with_name(f"{path.stem}_program.py")
        text = program_text(function)
        network = {"image": image, **({"keep": list(keep)} if keep else {}), "epochs": epochs}
        options = {"algorithm": "bayesian", **options}
        of_program: dict[str, Any] = {"program": program.name, "network": network, "options": options}
        drafted = draft(function, study_name(path.stem), space=space, metric=(metric, goal), **of_program)
        written = drafted.text
        study_file.parse(written, str(path), path.parent)
        files = {path: written} | ({} if image is not None else {program: text})
        for file, content in files.items():
            _check_same(file, content)
        for file, content in files.items():
            file.write_text(content, encoding="utf-8")
        return cls(path)

    @classmethod
    def read(cls, path: str | Path) -> Study:
        """The study of an existing file. Raises InvalidInput."""
        study_file.read(Path(path))
        return cls(Path(path))

    @property
    def definition(self) -> Definition:
        """The checked file and all that follows from it."""
        return study_file.read(self.path)

    @property
    def store(self) -> str:
        """Where the study is stored: a folder, or s3://bucket/prefix."""
        return study_file.store_uri(self.definition, self.path)

    @property
    def log(self) -> Path:
        """What the search prints while it runs on this machine."""
        return self.path.with_suffix(".log")

    def plan(self, jobs: Sequence[int] = (1, 2, 4, 8)) -> PlanResult:
        """What the study will do and what that takes, before anything is trained."""
        plan = planned(with_earlier(self.definition, self.path.parent, str(self.path)), tuple(jobs))
        rows: list[tuple[str, ...]] = [("stage", "rung", "experiments", "from epoch", "to epoch")]
        rows += [
            (stage.stage, *map(str, (rung.rung, rung.experiments, rung.from_epoch, rung.epochs)))
            for stage in plan.stages
            for rung in stage.rungs
        ]
        totals = [f"{name}: {value}" for name, value in plan_totals(plan.totals)]
        return PlanResult(
            plan.to_json(),
            lambda console: plan_tables.plan(console, plan),
            rows,
            title=f"{plan.study}: {plan_title(plan)}",
            lines=[f"searched: {plan_parameters(plan)}", *plan.notes, *totals],
        )

    def start(self, jobs: int | None = None) -> None:
        """Begins the search on this machine, or goes on with it, in its own process; does not wait for it."""
        if self._is_running:
            return
        words = [sys.executable, "-m", "automl.cli", "run", str(self.path)]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                [*words, *(["--jobs", str(jobs)] if jobs else [])],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )

    def stop(self) -> None:
        """Stops a search that `start` began, as Ctrl-C would; `start` goes on with it."""
        if self._process is not None and self._is_running:
            self._process.terminate()
            self._process.wait()

    def status(self) -> NotebookResult:
        """Where the study stands: the experiments now, epochs pending, time left, the best so far."""
        return _shown_status(self.read_status())

    def read_status(self) -> StudyStatus:
        """Where the study stands, as a value. Raises RecordError before it has begun."""
        opened = self._open()
        return status.status(opened.record, opened.definition)

    def wait(self, every: float = 15.0) -> str:
        """Shows the status every `every` seconds until the search ends. Returns 'Done' or 'Error'.

        Raises StudyPaused when the study is paused and nothing of it runs here, and StudyFailed when the process that
        `start` began exits before the search ends.
        """
        with progress_display() as display:
            while True:
                exit_code = self._process.poll() if self._process is not None else None
                try:
                    current = self.read_status()
                except RecordError:  # not begun yet
                    current = None
                if current is not None:
                    display.show(_shown_status(current), current.progress.share_done)
                    end = _ENDED.get(current.state)
                    if end is not None and not self._is_running:
                        return end
                    if current.paused is not None and not self._is_running:
                        raise current.paused.error()
                if exit_code is not None and (current is None or current.state not in _ENDED):
                    raise StudyFailed(f"the search ended with exit code {exit_code}", advice=f"see {self.log}")
                time.sleep(min(every, 0.5) if self._process is not None and current is None else every)

    def best(self) -> NotebookResult:
        """The best experiment so far. Raises RecordError before the first success."""
        opened = self._open()
        shown = best_shown(opened)
        if shown is None:
            raise RecordError("no experiment has succeeded yet", advice="wait, or look at experiments()")
        rows = [("best", f"experiment {shown.best.experiment}"), (shown.metric, formatting.number(shown.best.value))]
        rows += [(name, formatting.number(value)) for name, value in shown.best.measured.items()]
        rows += setting_rows(shown.best.values)
        lines = [shown.verdict.sentence] if shown.verdict is not None and shown.verdict.sentence else []
        return NotebookResult(shown.to_json(), lambda console: tables.best(console, shown), rows, lines=lines)

    def verdict(self) -> NotebookResult:
        """The verdict of the final judgement in a sentence, and the value of every training in it.

        Raises RecordError before both the defaults and a candidate have a value there.
        """
        opened = self._open()
        found = verdict(opened.definition, opened.history())
        if found is None or not found.sentence:
            raise RecordError("there is no verdict yet", advice="wait for the end of the search, or look at status()")
        sides = (("defaults", found.default), (f"experiment {found.candidate}", found.best))
        rows = [("", "trained again as", f"{opened.definition.metric_rule.name}, {found.judged_on}")]
        rows += [
            (name, str(again), formatting.number(value))
            for name, side in sides
            for again, value in zip(side.experiments, side.values, strict=True)
        ]
        return NotebookResult(
            found.to_json(), lambda console: console.print(found.sentence, markup=False), rows, title=found.sentence
        )

    def experiment(self, number: int) -> ExperimentResult:
        """An experiment's values, its curve, and why it was proposed, promoted, stopped or failed, as in `automl why`.

        Raises InvalidInput when it was not proposed.
        """
        opened = self._open()
        definition, study = opened.definition, opened.history()
        explanation = explain(definition, study, number)
        trained = next(each for each in experiments(study, definition.plan) if each.number == number)
        courses = {definition.metric_rule.name: trained.history}
        courses |= {name: as_only_metric(trained, name).history for name in definition.aim.further}
        defaults = " (the defaults)" if explanation.is_defaults else ""
        return ExperimentResult(
            {**explanation.to_json(), **_as_data(courses)},
            lambda console: record_tables.why(console, explanation),
            [("", ""), *setting_rows(explanation.values)],
            title=f"experiment {number}{defaults}, stage {explanation.stage}: {explanation.status}",
            lines=[f"{index}. {line}" for index, line in enumerate(explanation.story, 1)],
            picture="".join(curve(course, name) for name, course in courses.items()),
        )

    def experiments(self) -> NotebookResult:
        """Every experiment with its status, epochs, value, and the values that it tried."""
        opened = self._open()
        current = status.status(opened.record, opened.definition)
        names = list(current.experiments[0].values) if current.experiments else []
        further = opened.definition.aim.further
        metrics = (current.metric.name, *further)
        rows: list[tuple[str, ...]] = [("experiment", "stage", "status", "epochs", *metrics, *names)]
        for row in current.experiments:
            settings = (formatting.setting(row.values.get(name, "-")) for name in names)
            values = (row.best, *(row.measured.get(name) for name in further))
            rows.append((*experiment_cells(row), *map(formatting.number, values), *settings))
        table = [row.to_json() for row in current.experiments]
        return NotebookResult(table, lambda console: tables.report(console, opened.definition, current), rows)

    def replay(self) -> NotebookResult:
        """Computes every decision again from the record, and shows the first that differs, as `automl replay` does."""
        opened = self._open()
        compared = Replay(opened.record, opened.definition)
        first = next((comparison for comparison in compared if comparison.difference is not None), None)
        replayed = summary(opened, len(compared), first)
        data = replayed.to_json()
        verdict = "all the same, computed again" if replayed.first is None else f"{replayed.first.key} differs"
        rows = [("", ""), ("decisions", str(len(compared))), ("found", verdict)]
        return NotebookResult(data, lambda console: record_tables.replay(console, data), rows)

    def frame(self) -> pd.DataFrame:
        """A data frame with a row for every run of an experiment; needs the extra 'export'. Raises RecordError."""
        try:
            frame: pd.DataFrame = import_module("automl.frames").experiments_frame(str(self.path))
        except ModuleNotFoundError as error:
            raise not_installed(str(error.name), "export") from error
        return frame

    def best_model(self, folder: str | Path) -> NotebookResult:
        """Copies best_model/ from the study's store into a new folder, and checks every file by its sha256.

        Raises RecordError while there is no best model, InvalidInput when the folder already exists.
        """
        model = fetch_best_model(self._open().record, Path(folder))
        data = model.to_json()
        rows = [("file", "bytes"), *((file.name, f"{file.size:,}") for file in model.files)]
        title = f"experiment {model.experiment}, epoch {model.epoch}, in {model.folder}"
        return NotebookResult(data, lambda console: tables.files(console, data), rows, title=title)

    def _repr_html_(self) -> str:
        """The status of the study, or why it cannot be read; a repr raises nothing."""
        try:
            definition = self.definition
            about = [
                ("search", f"{definition.file.algorithm} on {definition.network.name}"),
                ("experiments", str(definition.plan.experiments)),
                ("metric", "; ".join(f"{rule.name}, {rule.goal}" for rule in definition.metric_rules)),
                ("lies in", self.store),
            ]
        except AutoMLError as error:
            return table([("study", str(self.path)), ("cannot be read", str(error))])
        try:
            about += indicators(self.read_status())
        except RecordError:
            about.append(("state", "not begun"))
        except AutoMLError as error:
            about.append(("state", f"unknown: {error}"))
        return table([("study", definition.file.name), *about])

    @property
    def _is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _open(self) -> OpenedStudy:
        definition = self.definition
        record = Record(open_store(study_file.store_uri(definition, self.path)))
        return OpenedStudy.read(record, definition.file)


def _check_same(path: Path, text: str) -> None:
    """Raises InvalidInput when the file exists and holds something else."""
    if path.exists() and path.read_text(encoding="utf-8") != text:
        what, advice = " with other options", "give another name, or remove it first"
        raise already_exists(path, what=what, advice=advice)


def _as_data(courses: Mapping[str, Sequence[tuple[int, float]]]) -> dict[str, Any]:
    """The courses of an experiment by metric, the first one first, as pairs of epoch and value."""
    pairs = {name: [list(point) for point in course] for name, course in courses.items()}
    first = next(iter(pairs.values()))
    return {"history": first, "histories": pairs} if len(pairs) > 1 else {"history": first}


def _shown_status(current: StudyStatus) -> NotebookResult:
    return NotebookResult(
        current.to_json(), lambda console: tables.status(console, current), [("", ""), *indicators(current)]
    )
