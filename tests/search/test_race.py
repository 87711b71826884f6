"""The race of the final judgement: its size, its price, who leaves it and with which words."""

from __future__ import annotations

import pytest

from automl.problem.metric import Metric
from automl.search.extension import with_final
from automl.search.history import Failure, Outcome, Recommendation
from automl.search.plan import StageKind
from automl.search.race import DEFAULTS, Entrant, Judgement, fitted, halved, heats, trainings
from automl.search.schedules.base import Schedule
from automl.search.schedules.hyperband import Hyperband
from automl.search.schedules.sequential import Sequential

LOSS = Metric("loss", "minimize")

HEATS = {  # (candidates, repeats): (entrants, trainings of each) in every rung
    (3, 4): [(4, 1), (2, 3)],
    (7, 4): [(8, 1), (4, 1), (2, 2)],
    (2, 4): [(3, 1), (2, 3)],
    (4, 3): [(5, 1), (3, 1), (2, 1)],
    (1, 4): [(2, 4)],
    (1, 1): [(2, 1)],
    (3, 1): [(4, 1)],
    (20, 2): [(21, 1), (11, 1)],
}


@pytest.mark.parametrize("size", HEATS)
def test_the_worse_half_leaves_and_the_last_rung_takes_all_that_is_left(size: tuple[int, int]) -> None:
    found = heats(*size)
    assert [(heat.entrants, heat.trainings) for heat in found] == HEATS[size]
    assert sum(heat.trainings for heat in found) == size[1], "whoever stays to the end trains so often"
    assert trainings(*size) == sum(entrants * each for entrants, each in HEATS[size])


@pytest.mark.parametrize(
    ("share", "epochs", "longest", "size"),
    [
        (None, 180, 9, (1, 3)),  # 20 trainings: 6 of them
        (None, 234, 27, (1, 1)),  # Hyperband, R = 27: 2 of them, and three were 81 epochs
        (None, 270, 9, (3, 4)),  # exactly a third
        (None, 269, 9, (2, 4)),  # one epoch less
        (None, 36, 9, (1, 1)),  # the least, although it takes half of the search
        (1, 90, 9, (3, 4)),
        (0.1, 900, 9, (3, 4)),  # a tenth, exactly
        (0.3, 300, 9, (3, 4)),  # 90 of 300: not a hair less in floating point
        (100, 1, 9, (3, 4)),
    ],
)
def test_the_race_is_the_largest_that_the_search_allows(
    share: float | None, epochs: int, longest: int, size: tuple[int, int]
) -> None:
    wanted = Judgement(4, 3, share)
    assert fitted(wanted, 3, epochs, longest) == size
    if size != (1, 1):
        assert trainings(*size) * longest <= wanted.most * epochs


SCHEDULES: dict[str, Schedule] = {
    "bayesian": Sequential(20, 9, 1),
    "random": Sequential(40, 9, None),
    "hyperband": Hyperband(27, 3, "budget", 27),
    "hyperband R=3": Hyperband(3, 3, "budget", 3),
}


@pytest.mark.parametrize("name", SCHEDULES)
@pytest.mark.parametrize("share", [None, 0.5, 3.0])
def test_a_race_is_planned_counted_and_announced(name: str, share: float | None) -> None:
    search = SCHEDULES[name].plan()
    plan = with_final(search, Judgement(4, 3, share))
    stage, searched = plan.stages[-1], search.trained(search.stages, resume=True)
    assert (stage.kind, stage.first) == (StageKind.FINAL, search.experiments)
    assert [rung.size for rung in stage.rungs] == [
        entrants * stage.repeats(rung) for rung, entrants in enumerate(stage.entrants)
    ]
    assert all(rung.new and rung.epochs == plan.longest for rung in stage.rungs)
    assert plan.final_epochs <= max(2 * plan.longest, (share or 1 / 3) * searched)
    assert plan.experiments == search.experiments + sum(rung.size for rung in stage.rungs)
    (note,) = [note for note in plan.notes if note.startswith("final judgement: ")]
    assert f"{plan.final_epochs:,} epochs, {100 * plan.final_epochs / searched:.0f} % of the search's" in note


def test_the_share_that_a_note_names_allows_what_was_asked_for() -> None:
    notes = {name: with_final(schedule.plan(), Judgement(4, 3)).notes[-1] for name, schedule in SCHEDULES.items()}
    assert any("share: " in note for note in notes.values())
    for name, note in notes.items():
        search = SCHEDULES[name].plan()
        if "share: " in note:
            share = float(note.partition("share: ")[2].partition("}")[0])
            wanted = max(1, min(3, search.searched - 1))
            assert with_final(search, Judgement(4, 3, share)).stages[-1].entrants[0] == wanted + 1


# -- who leaves -------------------------------------------------------------------------------------------------------


def entrant(source: int, *values: float | None) -> Entrant:
    runs = []
    for index, value in enumerate(values):
        number = 100 + 10 * index + source
        issued = Recommendation(number, {}, 9, 9, index, "", source=source)
        failure = Failure.ERROR if value is None else None
        runs.append((issued, Outcome(number, index, 9, value, failure=failure)))
    return Entrant(source, {}, tuple(runs))


RACES = {  # entrants, how many may stay: who stays, and what is said of those who leave
    "the worse half": (
        [entrant(0, 0.5), entrant(4, 0.1), entrant(5, 0.3), entrant(6, 0.2)],
        2,
        [0, 4],
        ["3 of 4", "2 of 4"],
    ),
    "the defaults stay although they are the worst": (
        [entrant(0, 0.9), entrant(4, 0.1), entrant(5, 0.3)],
        2,
        [0, 4],
        ["rank 2 of 3"],
    ),
    "the defaults stay although they are the best": (
        [entrant(0, 0.0), entrant(4, 0.1), entrant(5, 0.3)],
        2,
        [0, 4],
        ["rank 3 of 3"],
    ),
    "of equal ones the earlier stays": (
        [entrant(0, 0.5), entrant(7, 0.1), entrant(5, 0.1)],
        2,
        [0, 5],
        ["rank 2 of 3"],
    ),
    "one that failed leaves, and the next one stays": (
        [entrant(0, 0.5), entrant(4, None), entrant(5, 0.3)],
        2,
        [0, 5],
        ["failed (error)"],
    ),
    "one failure of two is enough": (
        [entrant(0, 0.5, 0.5), entrant(4, 0.1, None), entrant(5, 0.3, 0.3)],
        3,
        [0, 5],
        ["failed (error)"],
    ),
    "all candidates failed": ([entrant(0, 0.5), entrant(4, None)], 2, [], ["no candidate is left", "failed (error)"]),
    "the defaults failed": (
        [entrant(0, None), entrant(4, 0.1), entrant(5, 0.3), entrant(6, 0.2)],
        2,
        [4, 6],
        ["the defaults leave", "rank 3 of 3"],
    ),
    "the defaults failed once of twice": ([entrant(0, None, 0.5), entrant(4, 0.1, 0.1)], 2, [0, 4], []),
    "everything failed": ([entrant(0, None), entrant(4, None)], 2, [], ["failed", "failed"]),
    "huge values": (
        [entrant(0, 1e308, 1e308), entrant(4, 1.7e308, 1.7e308), entrant(5, 1e-300, 5e-324)],
        2,
        [0, 5],
        ["rank 3 of 3"],
    ),
}


@pytest.mark.parametrize("name", RACES)
def test_who_stays_and_why_the_others_leave(name: str) -> None:
    racing, size, stay, texts = RACES[name]
    found, stopped = halved(racing, size, LOSS)
    assert [each.source for each in found] == stay
    assert len(stopped) == len(racing) - len(stay) == len(texts)
    for left, text in zip(stopped, texts, strict=True):
        assert text in left.reason
        assert "leave the race: " in left.reason
    assert DEFAULTS == 0
