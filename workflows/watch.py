"""Follows a workflow to its end: its phase and pods from the cluster, its experiments from the record in the store.

It only looks: whoever stops watching stops nothing. A cluster or store that does not answer is reported and asked
again.
"""

from __future__ import annotations

import re
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from threading import Thread

from rich.console import Console, Group, RenderableType
from rich.live import Live
from rich.text import Text

from automl.errors import AutoMLError, ClusterAway, ClusterError, NotAllowed
from automl.reporting.terminal.live_view import WATCHED, LiveView
from automl.stores import open_store
from automl.study.events import EventKind
from automl.study.keys import METADATA
from automl.study.new_events import RecordEvents
from automl.study.opened_study import OpenedStudy
from automl.study.record import Record
from automl.text.formatting import counted
from workflows import cluster as on
from workflows.cluster import Cluster, Training, Workflow

POLL_SECONDS = 2.0
PATIENCE = 30.0  # at most, seconds between two requests to something that did not answer
_UNSEEN = 20.0  # seconds after which to say that no controller has taken up the workflow
_ARGOS = re.compile(r'time="?[^ ]+ level=\w+ .*argo=true')  # lines that Argo's executor writes among a training's
_NAMED = 4  # pods that are named of those that wait for the same


@dataclass
class Watch:
    """Follows one workflow. `logs` shows the lines of the trainings instead of the table."""

    cluster: Cluster
    name: str
    console: Console
    logs: bool = False
    _state: on.State | None = None
    _waits: Mapping[str, list[str]] = field(default_factory=dict)
    _record: _RecordView | None = None
    _reported: set[str] = field(default_factory=set)
    _streams: dict[str, Thread] = field(default_factory=dict)
    _copied: dict[str, int] = field(default_factory=dict)  # lines of a pod's log
    _live: Live | None = None

    def follow(self) -> Workflow:
        """The workflow after its end. Raises ClusterError when it is deleted before that."""
        began = time.monotonic()
        with self._shown():
            while True:
                workflow, waits = self._ask()
                self._show(workflow, waits)
                if on.ended(workflow):
                    break
                if on.state(workflow) is on.State.UNSEEN and time.monotonic() - began > _UNSEEN:
                    self._tell_once(
                        f"no controller has taken {self.name} up: does Argo's workflow-controller run, "
                        f"and does it watch namespace {self.cluster.namespace}?"
                    )
                time.sleep(POLL_SECONDS)
        for stream in self._streams.values():
            stream.join(timeout=PATIENCE)
        return workflow

    def _ask(self) -> tuple[Workflow, Mapping[str, str]]:
        """The workflow, and why its pods wait. Asks until the cluster answers."""
        pause = POLL_SECONDS
        while True:
            try:
                workflow = self.cluster.get(self.name)
                if workflow is None:
                    raise ClusterError(
                        f"the workflow {self.name} is gone: it was deleted",
                        advice="'automl resume STUDY.yaml' continues with what the store holds",
                    )
                waits = {} if on.ended(workflow) else self._pods()
            except ClusterAway as error:
                if pause == POLL_SECONDS:
                    self._say(f"{error.given}; the workflow continues; asking again", style="yellow")
                time.sleep(pause)
                pause = min(2 * pause, PATIENCE)
                continue
            if pause > POLL_SECONDS:
                self._say("it answers again", style="green")
            return workflow, waits

    def _pods(self) -> dict[str, str]:
        try:
            return self.cluster.waits(self.name)
        except NotAllowed as error:
            self._tell_once(str(error))
            return {}

    def _show(self, workflow: Workflow, reasons: Mapping[str, str]) -> None:
        state, waits = on.state(workflow), on.waiting(workflow, reasons)
        trainings = on.trainings(workflow)
        if self._live is None:
            if state != self._state:
                message = workflow.get("status", {}).get("message", "")
                self._say(f"{self.name} in namespace {self.cluster.namespace}: {state}{message and f' ({message})'}")
            for reason in waits.keys() - self._waits.keys():
                self._say(_waiting(reason, waits[reason]), style="yellow")
        self._state, self._waits = state, waits
        if self.logs:
            self._stream(trainings)
            return
        running = {
            int(training.experiment)
            for training in trainings
            if training.phase == "Running" and training.experiment.isdigit()
        }
        self._look(workflow, running)
        if self._live is not None:
            self._live.update(self._screen(trainings, on.gpus_of_a_training(workflow)), refresh=True)

    def _look(self, workflow: Workflow, running: set[int]) -> None:
        """Shows what is new in the record. When it cannot be read from here, only the pods are shown."""
        if self._record is None:
            if not on.store_of(workflow):
                return
            self._record = _RecordView(workflow, self.console)
        lines = self._record.look(running, self._state)
        if self._live is None or self._record.trouble:
            for line in lines:
                self._say(line)

    def _screen(self, trainings: list[Training], gpus: int) -> RenderableType:
        """The table. `gpus` is how many each training has requested; how busy they are is not known here."""
        active = sum(training.phase == "Running" for training in trainings)
        waiting = sum(map(len, self._waits.values()))
        starting = sum(training.phase == "Pending" for training in trainings) - waiting
        on_gpus = f" on {counted(active * gpus, 'GPU')}" if active and gpus else ""
        counts = [f"{active} training{on_gpus}", f"{max(0, starting)} starting", f"{waiting} waiting"]
        head = Text(f"{self.name} in {self.cluster.namespace}: {self._state}; pods: {', '.join(counts)}", style="bold")
        rows = [Text(_waiting(reason, pods), style="yellow") for reason, pods in self._waits.items()]
        experiments = [] if self._record is None else self._record.screen()
        return Group(head, *rows, *experiments)

    def _stream(self, trainings: list[Training]) -> None:
        """Copies the log of every pod that has begun to train in a thread; starts it again when it breaks off."""
        for training in trainings:
            stream = self._streams.get(training.node)
            again = stream is not None and not stream.is_alive() and training.phase == "Running"
            if again or (stream is None and training.phase not in {"", "Pending", "Omitted"}):
                thread = Thread(target=self._copy, args=(training,), daemon=True)
                self._streams[training.node] = thread
                thread.start()

    def _copy(self, training: Training) -> None:
        """Prints the lines of a log that are not printed yet."""
        done = self._copied.get(training.node, 0)
        try:
            for number, line in enumerate(self.cluster.log(self.name, training.pod, follow=True), start=1):
                if number > done and not _ARGOS.match(line):
                    self._say(f"{training.name} | {line}")
                    self._copied[training.node] = number
        except ClusterError as error:
            self._tell_once(f"{training.name} | its log cannot be read: {error.given}")

    @contextmanager
    def _shown(self) -> Iterator[None]:
        if self.logs or not self.console.is_terminal:
            yield
            return
        with Live(console=self.console, auto_refresh=False, transient=True) as live:
            self._live = live
            try:
                yield
            finally:
                self._live = None

    def _say(self, line: str, style: str = "") -> None:
        self.console.print(Text(line, style=style), highlight=False, soft_wrap=True)

    def _tell_once(self, line: str) -> None:
        if line not in self._reported:
            self._reported.add(line)
            self._say(line, style="yellow")


def _waiting(reason: str, pods: list[str]) -> str:
    more = f" and {len(pods) - _NAMED} more" if len(pods) > _NAMED else ""
    verb = "waits" if len(pods) == 1 else "wait"
    return f"{', '.join(pods[:_NAMED])}{more} {verb}: {reason}"


class _RecordView:
    """The experiments of a workflow, as its store has them."""

    def __init__(self, workflow: Workflow, console: Console) -> None:
        self.store = on.store_of(workflow)
        self.console = console
        self.trouble = ""
        self._ask_from = 0.0
        self._view: LiveView | None = None
        self._events: RecordEvents | None = None

    def look(self, running: set[int], state: on.State | None) -> list[str]:
        """What is new, in lines."""
        if time.monotonic() < self._ask_from:
            return []
        try:
            lines = list(self._read(running, state))
        except AutoMLError as error:
            self._ask_from = time.monotonic() + PATIENCE
            trouble = f"the record in {self.store} cannot be read from here: {error}; only pods are shown"
            lines = [] if trouble == self.trouble else [trouble]
            self.trouble = trouble
            return lines
        self.trouble = ""
        return lines

    def screen(self) -> list[RenderableType]:
        if self._view is None or self._events is None:
            return []
        return [self._view.screen()]

    def _read(self, running: set[int], state: on.State | None) -> Iterator[str]:
        if self._events is None:
            record = Record(open_store(self.store))
            if record.store.get(METADATA) is None:  # its first step has yet to run
                return
            opened = OpenedStudy.read(record)
            self._events = RecordEvents(opened.record, opened.definition)
        events = self._events.look(running)
        first = self._view is None
        if self._view is None:
            if not events:
                return
            self._view = LiveView(self._events.definition, self.console, None, self.store, WATCHED)
        stopped = state in {on.State.STOPPING, on.State.STOPPED}
        for event in events:
            self._view.take(event)
            if not first and not (event.kind is EventKind.PREEMPTED and stopped):
                yield from self._view.lines(event)
        if first:
            yield self._view.outlook(events[-1].study)


def why_it_failed(cluster: Cluster, workflow: Workflow) -> str:
    """What the step that failed the workflow said last, or else what Argo says."""
    step = on.failed_step(workflow)
    message = str(workflow.get("status", {}).get("message", ""))
    if step is None:
        return message
    try:
        lines = [line for line in cluster.log(on.name_of(workflow), on.pod_of(workflow, step), follow=False) if line]
    except ClusterError:  # its pod is gone; what Argo keeps of it is not
        lines = []
    ours = [line.removeprefix("automl: ") for line in lines if line.startswith("automl: ")]
    return ours[-1] if ours else f"{step['displayName']}: {step.get('message') or message}"
