"""The time left: what it adds up to where all trainings are alike, and how wide its interval is where they are not."""

from __future__ import annotations

import numpy
import pytest

from automl.analysis import eta
from automl.analysis.eta import Seen, Task, TimeLeft, Waits
from automl.analysis.time_left import as_it_was, time_left
from automl.reporting.rows import time_left_text
from automl.study.attempt_times import AttemptTimes, times_of_study
from automl.study.definition import Definition
from automl.study.record import Record
from tests.reporting.page.made_records import made, opened, with_times

NOON = 1_800_000_000.0
HYPERBAND = "name: fashion\nnetwork: fashion_mnist\nR: 9\nfinal: {repeats: 1}\n"


def seen(number: int, epochs: int = 4, seconds: float = 10.0, start: float = 5.0) -> Seen:
    points = tuple((epoch, start + seconds * epoch) for epoch in range(1, epochs + 1))
    return Seen(number, 0, points, points[-1][1] + 1.0)


def middle(found: TimeLeft | None) -> float:
    """The middle of what was drawn, in seconds, without the shift of the calibration."""
    assert found is not None
    share = eta.LOW / (eta.LOW - eta.HIGH)  # where it lies between the ends, by the logarithm
    return float(60 * found.low ** (1 - share) * found.high**share)


def test_nothing_is_said_before_an_epoch_was_seen() -> None:
    assert eta.time_left([], [[[Task(0, 3)]]], [], 1) is None
    assert eta.time_left([Seen(0, 0, (), 3.0, failed=True)], [[[Task(0, 3)]]], [], 1) is None


def test_nothing_is_left_of_a_study_that_is_over() -> None:
    assert eta.time_left([seen(0)], [[]], [[]], 2) == TimeLeft(0.0, 0.0, 0.0, jobs=2)


@pytest.mark.parametrize(
    ("places", "waits", "seconds"),
    [(1, Waits(), 8 * 46.0), (2, Waits(), 4 * 46.0), (1, Waits(between=(4.0, 4.0)), 8 * 50.0)],
)
def test_starts_epochs_and_waits_of_alike_trainings_add_up(places: int, waits: Waits, seconds: float) -> None:
    """A training of 4 epochs takes 5 s to start, 10 s an epoch, 1 s to end."""
    found = eta.time_left([seen(n) for n in range(40)], [[[Task(0, 4)] * 8]], [], places, waits)
    assert middle(found) == pytest.approx(seconds, rel=0.12)
    assert found is not None
    assert 60 * found.low < seconds < 60 * found.high


def test_a_rung_that_goes_on_waits_for_the_pause_and_takes_its_own_speed() -> None:
    known = [seen(n, seconds=2.0) for n in range(20)] + [seen(n, seconds=40.0) for n in range(20, 40)]
    slow = eta.time_left(known, [[[Task(4, 8, experiment=25)]]], [], 1)
    quick = eta.time_left(known, [[[Task(4, 8, experiment=3)]]], [], 1)
    assert middle(slow) == pytest.approx(166, rel=0.12)
    assert middle(quick) == pytest.approx(14, rel=0.12)
    paused = eta.time_left(
        known, [[[Task(3, 4, experiment=3)], [Task(4, 8, candidates=(3, 4))]]], [], 1, Waits(rungs=(50.0,) * 9)
    )
    assert middle(paused) == pytest.approx(8 + 50 + 14, rel=0.12)


def test_a_pause_that_goes_on_is_left_as_far_as_it_has_not_passed() -> None:
    work = [[[Task(0, 4)]]]
    paused = [middle(eta.time_left([seen(0)], work, [], 1, Waits(rungs=(20.0, 20.0), since=since))) for since in
              (None, 0.0, 15.0, 500.0)]  # fmt: skip
    assert paused == pytest.approx([46.0, 66.0, 51.0, 46.0], rel=0.1)


def test_pods_are_taken_to_need_a_pause_before_one_was_seen() -> None:
    record = made(HYPERBAND, rungs=1)
    definition = opened(record)
    study = record.history(definition)
    (number, rung), result = next(iter(study.results.items()))
    outlooks = []
    for attempt in (result.attempts[-1], "0b0c2b1e-8d7a-4f43-9d0f-6a5d3c1f2e11"):
        known = [AttemptTimes(number, rung, attempt, 0, NOON, ((1, NOON + 2),), NOON + 2)]
        found = time_left(definition, study, known, NOON + 2, 1)
        assert found is not None
        outlooks.append(found.middle)
    assert outlooks[1] > outlooks[0] + 1, "minutes"


def test_what_a_training_has_behind_it_is_not_left() -> None:
    known = [seen(n) for n in range(20)]
    begun = Seen(50, 0, ((1, 15.0), (2, 25.0)))
    found = eta.time_left([*known, begun], [[[Task(0, 4, 50, begun=begun, elapsed=29.0)]]], [], 1)
    assert middle(found) == pytest.approx(16, rel=0.15)


def test_epochs_that_were_seen_at_one_look_do_not_make_it_infinitely_fast() -> None:
    at_once = [Seen(n, 0, tuple((epoch, 45.0) for epoch in range(1, 5)), 46.0) for n in range(30)]
    found = eta.time_left(at_once, [[[Task(0, 4)] * 3]], [], 1)
    assert middle(found) == pytest.approx(3 * 46, rel=0.15)


def test_few_trainings_give_a_wider_interval_than_many() -> None:
    def width(count: int) -> float:
        known = [seen(n, seconds=10.0 + n % 2) for n in range(count)]
        found = eta.time_left(known, [[[Task(0, 4)] * 8]], [], 1)
        assert found is not None
        return found.high / found.low

    assert width(2) > 1.2 * width(40)


def test_the_interval_holds_the_truth_of_studies_with_a_drift_that_it_does_not_know() -> None:
    """40 studies of 30 trainings, looked at after 10; the machine becomes faster or slower by a fifth or so."""
    inside = 0
    for number in range(40):
        rng = numpy.random.default_rng(number)
        took = rng.lognormal(3, 0.4, 30)
        drift = rng.lognormal(-0.1, 0.2)
        known = [Seen(n, 0, ((1, 2 + t), (2, 2 + 2 * t)), 2 + 2 * t) for n, t in enumerate(took[:10])]
        true = drift * sum(2 + 2 * t for t in took[10:])
        found = eta.time_left(known, [[[Task(0, 2)] * 20]], [], 1)
        assert found is not None
        inside += 60 * found.low < true < 60 * found.high
    assert 0.7 < inside / 40 < 0.99


# -- of a record ------------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def whole() -> Record:
    """Of one bracket, as its times are made: they know nothing of brackets that run side by side."""
    return with_times(made(f"{HYPERBAND}algorithm: successive_halving\n"), jobs=3)


def at(record: Record, share: float, jobs: int | None = None) -> tuple[TimeLeft | None, float]:
    """The time left after this share of the study, and what was left; the record is as it was then."""
    definition: Definition = opened(record)
    study = record.history(definition)
    times: tuple[AttemptTimes, ...] = times_of_study(record)
    end = max(each.seen for each in times)
    now = NOON + share * (end - NOON)
    return time_left(definition, *as_it_was(definition, study, times, now), now, jobs), (end - now) / 60


@pytest.mark.parametrize("share", [0.3, 0.6, 0.9])
def test_a_record_says_how_many_train_side_by_side_and_what_is_left(whole: Record, share: float) -> None:
    found, true = at(whole, share)
    assert found is not None
    assert found.jobs == 3
    assert found.low < true < found.high


def test_one_job_takes_longer_than_three(whole: Record) -> None:
    one, three = at(whole, 0.3, jobs=1)[0], at(whole, 0.3)[0]
    assert one is not None
    assert three is not None
    assert one.middle > 1.5 * three.middle


def test_a_record_without_times_has_an_outlook_by_the_seconds_of_its_results() -> None:
    record = made(HYPERBAND, rungs=3)
    definition = opened(record)
    study = record.history(definition)
    found = time_left(definition, study, (), NOON)
    assert found is not None
    assert found.jobs == 1
    assert 0 < found.low < found.middle < found.high


def test_the_words_are_short() -> None:
    assert time_left_text(TimeLeft(2.0, 4.0, 11.0, jobs=1)) == "about 4 min (2 to 11)"
    assert time_left_text(TimeLeft(0.5, 1.0, 62.0, jobs=1)) == "about 1 min (30 s to 1 h 2 min)"
    assert time_left_text(TimeLeft(120.0, 180.0, 300.0, jobs=1)) == "about 3 h (2 to 5)"
    assert time_left_text(None) == "unknown"
    assert time_left_text(TimeLeft(0.0, 0.0, 0.0, jobs=1)) == "0 s"
