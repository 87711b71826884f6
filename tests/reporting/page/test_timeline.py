"""The timeline: who trained when, from the times that attempts leave; nothing where there are none."""

from __future__ import annotations

import re
from dataclasses import replace
from itertools import pairwise

import pytest

from automl import plots
from automl.errors import RecordError
from automl.reporting.figures.facts import read_facts, with_times
from automl.reporting.figures.timeline import Timeline, timeline_notes, timeline_of
from automl.reporting.page import page
from automl.study.attempt_times import AttemptTimes
from automl.study.opened_study import OpenedStudy
from automl.study.record import Record
from automl.text import strict_json
from tests.reporting.page.made_records import made
from tests.reporting.page.made_records import with_times as timed

HEAD = "name: fashion\nnetwork: fashion_mnist\n"
NOON = 1_800_000_000.0


@pytest.fixture
def record() -> Record:
    return made(f"{HEAD}R: 9\nfinal: {{repeats: 1}}\n")


def found(record: Record) -> Timeline:
    timeline = timeline_of(with_times(read_facts(OpenedStudy.read(record)), record))
    assert timeline is not None
    return timeline


def put(record: Record, *attempts: AttemptTimes) -> None:
    for each in attempts:
        record.store.put(each.key, strict_json.dump(each.to_json()))


def test_a_record_without_times_has_no_timeline(record: Record) -> None:
    assert "Worker timeline" not in page.render(OpenedStudy.read(record))
    with pytest.raises(RecordError, match="no times"):
        plots.draw("timeline", plots.facts_in(OpenedStudy.read(record)))


def test_every_run_is_a_bar_in_as_many_lanes_as_trained_at_a_time(record: Record) -> None:
    timed(record, jobs=3)
    timeline = found(record)
    assert len(timeline.spans) == len(record.store.list("results/"))
    assert timeline.lanes == 3
    for lane in range(3):
        spans = [span for span in timeline.spans if span.lane == lane]
        assert all(one.right <= next_.left for one, next_ in pairwise(spans))
    kinds = {span.kind for span in timeline.spans}
    assert kinds == {"best", "on", "ended", "stopped", "failed"}
    text = page.render(OpenedStudy.read(record))
    assert text.count("<rect") >= len(timeline.spans)  # what a pointer over a bar shows
    assert "from 2027-01-15 08:00 to 2027-01-15 08:0" in text


def test_the_step_of_a_brain_asks_for_no_times(record: Record) -> None:
    timed(record, jobs=2)
    facts = read_facts(OpenedStudy.read(record))
    assert facts.attempts == ()
    assert "Worker timeline" not in page.page(facts, record)


def test_a_pause_over_night_is_cut_out(record: Record) -> None:
    night = 40_000.0
    put(
        record,
        AttemptTimes(0, 0, "a", 0, NOON, ((1, NOON + 50),), NOON + 60),
        AttemptTimes(1, 0, "a", 0, NOON + 60 + night, ((1, NOON + 110 + night),), NOON + 120 + night),
    )
    timeline = found(record)
    assert len(timeline.cuts) == 1
    assert timeline.cuts[0] == pytest.approx(60)
    assert timeline.length < 130
    assert "a pause of 11 h 7 min was cut out" in timeline_notes(timeline)


def test_an_attempt_that_was_broken_off_is_told_from_the_one_that_won_and_from_one_that_trains(record: Record) -> None:
    put(
        record,
        AttemptTimes(0, 0, "preempted", 0, NOON, (), NOON + 5),
        AttemptTimes(0, 0, "a", 0, NOON + 10, ((1, NOON + 15),), NOON + 20),
        AttemptTimes(999, 0, "killed", 0, NOON + 1),
        AttemptTimes(999, 0, "now", 0, NOON + 30, ((1, NOON + 40),)),
    )
    kinds = {span.times.attempt: span.kind for span in found(record).spans}
    assert (kinds["preempted"], kinds["killed"], kinds["now"]) == ("cut", "cut", "open")
    assert kinds["a"] in {"best", "on", "ended", "stopped"}


def test_a_thousand_experiments_stay_small() -> None:
    record = timed(made(f"{HEAD}algorithm: random\nmax_recommendations: 1000\nmax_epochs: 2\n"), jobs=40)
    facts = with_times(read_facts(OpenedStudy.read(record)), record)
    text = page.page(facts, record)
    without = page.page(replace(facts, attempts=()), record)
    assert len(text) < 1_000_000
    assert len(text) - len(without) < 60_000
    assert len(re.findall(r'class="span ended"', text)) == 1  # bars of a kind are one path


def test_the_plot_is_of_the_same_attempts(record: Record) -> None:
    timed(record, jobs=2)
    figure = plots.draw("timeline", plots.facts_in(OpenedStudy.read(record)))
    (axes,) = figure.axes
    assert sum(len(bars.get_paths()) for bars in axes.collections) == len(record.store.list("results/"))
