"""What has happened in a study that others carry out: the events between two looks at its record."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from automl.search.history import Decision, History, Recommendation, Result
from automl.study import ending
from automl.study.attempt_times import times_of_newest, times_of_run
from automl.study.definition import Definition
from automl.study.events import Event, EventKind
from automl.study.experiments import runs_of
from automl.study.outages import open_pause
from automl.study.record import Record


@dataclass
class RecordEvents:
    """Reads a record again and again; what is created once is read once."""

    record: Record
    definition: Definition
    _decisions: dict[int, list[Decision]] = field(default_factory=dict)
    _results: dict[tuple[int, int], Result] = field(default_factory=dict)
    _retried: Mapping[tuple[int, int], list[int]] = field(default_factory=dict)
    _training: dict[int, tuple[Recommendation, int, int]] = field(default_factory=dict)  # and rung, epoch

    def look(self, running: Collection[int]) -> list[Event]:
        """What happened since the last look, in order. `running` are the experiments that a pod trains now."""
        self._forget_retried()
        ended = self._read_end()
        decided = self._read_decisions()
        study = History(self.definition.brain.metric, self._all_decisions(), self._results)
        settled = self._read_results(study)
        study = History(study.metric, study.decisions, dict(self._results))
        newest = times_of_newest(self.record, [result for *_, result in settled])
        times_of = {(attempt.experiment, attempt.rung, attempt.attempt): attempt for attempt in newest}
        events = [Event(EventKind.ENDED, study, text=text, definition=self.definition) for text in ended]
        events += [Event(EventKind.DECIDED, study, decision=decision) for decision in decided]
        for recommendation, rung, result in settled:
            self._training.pop(recommendation.number, None)
            times = times_of.get((recommendation.number, rung, result.attempts[-1]))
            events.append(
                Event(EventKind.SETTLED, study, recommendation=recommendation, rung=rung, result=result, times=times)
            )
        events += self._read_trainings(study, running)
        has_failures = any(result.failure is not None for result in self._results.values())
        paused = open_pause(self.record) if events and has_failures else None
        return [replace(event, paused=paused) for event in events]

    def _forget_retried(self) -> None:
        """What is trained again has no result any more."""
        before, self._retried = self._retried, self.record.retries()
        for run, numbers in self._retried.items():
            if numbers != before.get(run):
                self._results.pop(run, None)

    def _read_end(self) -> list[str]:
        """Why the search ended early, when it did since the last look; what was decided after that is left out."""
        before, self.definition = self.definition, ending.refreshed(self.record, self.definition)
        if self.definition is before:
            return []
        for stage in self.definition.plan.stages:
            del self._decisions.get(stage.index, [])[stage.most_decisions :]
        end = self.definition.end
        return [end.why] if end is not None and end.is_early else []

    def _all_decisions(self) -> tuple[Decision, ...]:
        return tuple(decision for stage in self.definition.plan.stages for decision in self._decisions[stage.index])

    def _read_decisions(self) -> list[Decision]:
        new = []
        for stage in self.definition.plan.stages:
            decisions = self._decisions.setdefault(stage.index, [])
            while len(decisions) < stage.most_decisions:
                stored = self.record.decision(stage.index, len(decisions))
                if stored is None:
                    break
                decisions.append(stored[0])
                new.append(stored[0])
        return new

    def _read_results(self, study: History) -> list[tuple[Recommendation, int, Result]]:
        new = []
        for recommendation, rung in runs_of(study, self.definition.plan.stages):
            if (recommendation.number, rung) not in self._results:
                result = self.record.result(recommendation.number, rung)
                if result is not None:
                    self._results[recommendation.number, rung] = result
                    new.append((recommendation, rung, result))
        return new

    def _read_trainings(self, study: History, running: Collection[int]) -> Iterator[Event]:
        """The events started, epoch and preempted: the newest checkpoint of a run says how far it is."""
        for number in [number for number in self._training if number not in running]:
            recommendation, rung, _ = self._training.pop(number)
            yield Event(EventKind.PREEMPTED, study, recommendation=recommendation, rung=rung)
        for recommendation, rung in runs_of(study, self.definition.plan.stages):
            if recommendation.number not in running or (recommendation.number, rung) in self._results:
                continue
            stored = self.record.checkpoints(recommendation.number, rung)
            epoch = stored[0].epoch if stored else recommendation.resume_epoch
            attempts = times_of_run(self.record, recommendation.number, rung)
            times = attempts[-1] if attempts else None
            if recommendation.number not in self._training:
                self._training[recommendation.number] = recommendation, rung, epoch
                yield Event(
                    EventKind.STARTED, study, recommendation=recommendation, rung=rung, epoch=epoch, times=times
                )
            elif epoch > self._training[recommendation.number][2]:
                self._training[recommendation.number] = recommendation, rung, epoch
                manifest = self.record.manifest(stored[0].manifest)
                value = manifest.history[-1][1] if manifest is not None and manifest.history else None
                yield Event(
                    EventKind.EPOCH,
                    study,
                    recommendation=recommendation,
                    rung=rung,
                    epoch=epoch,
                    value=value,
                    times=times,
                )
