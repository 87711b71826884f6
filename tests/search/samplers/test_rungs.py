"""A sampler that knows nothing of epochs learns from one rung: the longest with enough results."""

from __future__ import annotations

from dataclasses import replace

import pytest

from automl.search.history import Failure
from automl.search.samplers.base import Request, Trial
from automl.search.samplers.knowledge import Knowledge
from automl.search.samplers.rungs import lesson
from automl.testing.spaces import space_of

LINE = space_of(x={"type": "float", "low": 0.0, "high": 1.0})
WIDE = space_of(**{f"x{index}": {"type": "float", "low": 0.0, "high": 1.0} for index in range(9)})
REQUEST = Request(1, first=1, total=40, seed=(0, 0, 0), chosen=({"x": 0.0}, {"x": 0.99}), pending=({"x": 0.98},))


def rung(epochs: int, count: int) -> list[Trial]:
    return [Trial({"x": number / 100}, -1.0, epochs) for number in range(count)]


@pytest.mark.parametrize(
    ("trials", "epochs", "words"),
    [
        ([], None, ""),
        (rung(9, 3), 9, ""),  # one rung: a chain, and a search that has just begun
        (rung(1, 9) + rung(3, 7), 1, "; learned from the 9 results after 1 epoch, the longest rung with 8 or more"),
        (rung(1, 9) + rung(3, 8), 3, "; learned from the 8 results after 3 epochs, the longest rung with 8 or more"),
        (
            rung(1, 27) + rung(3, 9) + rung(9, 3),
            3,
            "; learned from the 9 results after 3 epochs, the longest rung with 8 or more",
        ),
        (rung(1, 4) + rung(3, 2), 1, "; learned from the 4 results after 1 epoch, the rung with the most"),
        (rung(1, 3) + rung(3, 3), 3, "; learned from the 3 results after 3 epochs, the rung with the most"),
    ],
)
def test_the_longest_rung_with_enough_results_is_learned_from(
    trials: list[Trial], epochs: int | None, words: str
) -> None:
    learned = lesson(LINE, trials, REQUEST)
    assert {trial.epochs for trial in learned.trials} == ({epochs} if epochs else set())
    assert learned.words == words


def test_a_wide_space_needs_more_results() -> None:
    for count, epochs in ((10, 1), (11, 3)):
        assert {trial.epochs for trial in lesson(WIDE, rung(1, 20) + rung(3, count), REQUEST).trials} == {epochs}


def test_failures_of_every_rung_are_learned_from() -> None:
    failed = [Trial({"x": 0.5}, None, epochs, failure=Failure.ERROR) for epochs in (0, 2)]
    learned = lesson(LINE, [*rung(1, 9), *rung(3, 8), *failed], REQUEST)
    assert [trial for trial in learned.trials if trial.score is None] == failed


def test_what_has_a_result_at_another_rung_is_not_pending_and_is_not_proposed_again() -> None:
    learned = lesson(LINE, rung(1, 9) + rung(3, 8), replace(REQUEST, chosen=({"x": 0.08}, {"x": 0.99})))
    knowledge = Knowledge.of(LINE, learned.trials, learned.request, 1.5)
    assert sorted(knowledge.pending.ravel().tolist()) == [0.98, 0.99]  # 0.08 has a result after one epoch
    assert (0.08,) in knowledge.tried
    assert len(knowledge.rows) == 8
