"""A study in a notebook: the calls of the command line, with results that show themselves as tables.

    from automl.notebook import Study

    study = Study.write("fashion.yaml", network="fashion_mnist", algorithm="hyperband", R=9)
    study.plan()
    study.start(jobs=2)
    study.wait()
    study.best()

Training goes on in a process of its own: a kernel that is restarted or dies stops nothing, and `Study.read` of the same
file finds the study again. Everything shown comes from the study's record.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from html import escape
from pathlib import Path
from typing import Any

from rich.console import Console

from automl import report, strict_yaml, study_file, tables, wording
from automl.errors import InvalidInput, RecordError, StudyFailed
from automl.record import Record
from automl.stores import open_store
from automl.study_file import Definition

__all__ = ["Shown", "Study"]

_ENDED = {"done": "Done", "failed": "Error"}
_STYLE = "border-collapse:collapse;font-variant-numeric:tabular-nums"
_CELL = "padding:2px 10px;text-align:left;border-bottom:1px solid #8884"


@dataclass(frozen=True)
class Shown:
    """Data that shows itself: a table in a notebook, text anywhere else. data: what `-o json` of the command prints."""

    data: Any
    draw: Callable[[Console], None]
    rows: Sequence[tuple[str, ...]]  # the first one is the head

    def _repr_html_(self) -> str:
        head, *body = self.rows
        heads = "".join(f'<th style="{_CELL}">{escape(cell)}</th>' for cell in head)
        lines = ["".join(f'<td style="{_CELL}">{escape(cell)}</td>' for cell in row) for row in body]
        return f'<table style="{_STYLE}"><tr>{heads}</tr>{"".join(f"<tr>{line}</tr>" for line in lines)}</table>'

    def __repr__(self) -> str:
        console = Console(width=120, color_system=None, force_jupyter=False)  # there it would show what it captures
        with console.capture() as captured:
            self.draw(console)
        return captured.get().rstrip()


@dataclass
class Study:
    """A study file and what has come of it. Make one with `Study.write` or `Study.read`."""

    path: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @classmethod
    def write(cls, path: str | Path, **options: Any) -> Study:
        """Writes a study file from its options, checked. One that says the same is kept, any other is not overwritten.

        Option names are those of the study file; TAO's (model_name, automl_algorithm, ...) are taken too. Raises
        InvalidInput.
        """
        path = Path(path)
        text = strict_yaml.dump({"name": path.stem.replace("_", "-").lower(), **options})
        study_file.parse(text, str(path), path.parent)
        if path.exists() and path.read_text(encoding="utf-8") != text:
            raise InvalidInput(
                f"{path} is there already and says something else", advice="give another name, or remove it first"
            )
        path.write_text(text, encoding="utf-8")
        return cls(path)

    @classmethod
    def read(cls, path: str | Path) -> Study:
        """The study of a file that is there. Raises InvalidInput."""
        study_file.read(Path(path))
        return cls(Path(path))

    @property
    def definition(self) -> Definition:
        """The file, checked, and all that follows from it."""
        return study_file.read(self.path)

    @property
    def store(self) -> str:
        """Where the study lies: a folder, or s3://bucket/prefix."""
        return study_file.place_of(self.definition, self.path)

    @property
    def log(self) -> Path:
        """What the search prints while it runs on this machine."""
        return self.path.with_suffix(".log")

    def plan(self, jobs: Sequence[int] = (1, 2, 4, 8)) -> Shown:
        """What the study will do and what that takes, before anything is trained."""
        data = report.plan_data(self.definition, tuple(jobs))
        rows = [("stage", "rung", "experiments", "from epoch", "to epoch")]
        rows += [
            (stage["stage"], *(str(rung[key]) for key in ("rung", "experiments", "from_epoch", "epochs")))
            for stage in data["stages"]
            for rung in stage["rungs"]
        ]
        return Shown(data, lambda console: tables.plan(console, data), rows)

    def start(self, jobs: int | None = None) -> None:
        """Begins the search on this machine, or goes on with it, in a process of its own; does not wait for it."""
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

    def status(self) -> Shown:
        """Where the study stands: the experiments now, epochs pending, time left, the best so far."""
        record, definition = self._open()
        data = report.status(record, definition)
        return Shown(data, lambda console: tables.status(console, data), [("", ""), *_indicators(data)])

    def wait(self, every: float = 15.0) -> str:
        """Shows the status until the search has ended: 'Done' or 'Error'. every: seconds between two looks.

        Raises StudyFailed when the process that `start` began has ended without an end of the search.
        """
        show = _display()
        while True:
            ended = self._process.poll() if self._process is not None else None
            try:
                found = self.status()
            except RecordError:  # not begun yet
                found = None
            if found is not None:
                show(found)
                state = _ENDED.get(found.data["state"])
                if state is not None and not self._is_running:
                    return state
            if ended is not None and (found is None or found.data["state"] not in _ENDED):
                raise StudyFailed(f"the search ended with exit code {ended}", advice=f"see {self.log}")
            time.sleep(min(every, 0.5) if self._process is not None and found is None else every)

    def best(self) -> Shown:
        """The best experiment so far. Raises RecordError before the first success."""
        record, definition = self._open()
        found = report.best(definition, record.study(definition.brain.metric, definition.plan.stages))
        if found is None:
            raise RecordError("no experiment has succeeded yet", advice="wait, or look at experiments()")
        rows = [
            ("best", f"experiment {found['experiment']}"),
            (definition.metric_rule.name, wording.number(found["value"])),
        ]
        rows += [(name, wording.setting(value)) for name, value in found["values"].items()]
        return Shown(found, lambda console: tables.best(console, definition, found), rows)

    def experiments(self) -> Shown:
        """Every experiment: status, epochs, value, the values that it tried."""
        record, definition = self._open()
        data = report.status(record, definition)
        names = list(data["experiments_table"][0]["values"]) if data["experiments_table"] else []
        rows = [("experiment", "stage", "status", "epochs", definition.metric_rule.name, *names)]
        for each in data["experiments_table"]:
            settings = (wording.setting(each["values"].get(name, "-")) for name in names)
            first = (str(each["experiment"]), each["stage"], each["status"], str(each["epochs"]))
            rows.append((*first, wording.number(each["best"]), *settings))
        return Shown(data["experiments_table"], lambda console: tables.report(console, definition, data), rows)

    @property
    def _is_running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    def _open(self) -> tuple[Record, Definition]:
        definition = self.definition
        record = Record(open_store(study_file.place_of(definition, self.path)))
        return record, Definition.from_json(record.metadata(), definition.file)


def _indicators(data: Mapping[str, Any]) -> list[tuple[str, str]]:
    """The four things that one looks at while a search runs, after where it stands."""
    running = ", ".join(f"{each['experiment']} (epoch {each['epoch']})" for each in data["running"]) or "none"
    best = data["best"]
    return [
        ("state", data["state"]),
        ("experiments now", running),
        ("epochs pending", f"{data['epochs']['pending']:,}"),
        ("time left (training)", wording.duration(data["minutes_left"])),
        ("best so far", f"{wording.number(best['value'])} (experiment {best['experiment']})" if best else "none"),
    ]


def _display() -> Callable[[Shown], None]:
    """Shows each status in the place of the one before in a notebook, and as a line of text anywhere else."""
    try:
        from IPython.core.getipython import get_ipython  # noqa: PLC0415 - only there in a notebook
        from IPython.display import display  # noqa: PLC0415
    except ImportError:
        return _Lines()
    if get_ipython() is None:
        return _Lines()
    handles: list[Any] = []

    def show(shown: Shown) -> None:
        if handles:
            handles[0].update(shown)
        else:
            handles.append(display(shown, display_id=True))  # type: ignore[no-untyped-call]

    return show


class _Lines:
    """Prints a status when it is another than the last one."""

    last = ""

    def __call__(self, shown: Shown) -> None:
        text = "; ".join(f"{name}: {value}" for name, value in shown.rows[1:])
        if text != self.last:
            sys.stdout.write(f"{text}\n")
            sys.stdout.flush()
        self.last = text
