"""A sampler that knows nothing of epochs learns from all rungs; in studies of before from the longest that is ripe."""

from __future__ import annotations

from dataclasses import replace

import pytest

from automl.search.algorithms import NamedSampler
from automl.search.history import Failure
from automl.search.rules import RULES
from automl.search.samplers.base import Request, Trial
from automl.search.samplers.knowledge import Knowledge
from automl.search.samplers.rungs import compared, explores, lesson
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


def test_of_each_experiment_one_trial_is_learned_from_and_failures_too() -> None:
    failed = Trial({"x": 0.5}, None, 2, failure=Failure.ERROR)
    better = [Trial({"x": number / 100}, float(number), 3) for number in range(3)]
    trials = [*rung(1, 9), failed, *better]
    learned = compared(LINE, trials, REQUEST)
    succeeded = [trial for trial in learned.trials if trial.score is not None]
    assert [trial.values["x"] for trial in succeeded] == [number / 100 for number in range(9)]
    assert [trial.epochs for trial in succeeded] == [3] * 3 + [1] * 6
    scores = [trial.score or 0.0 for trial in succeeded]
    assert scores[2] > scores[1] > scores[0]  # after 3 epochs they differ
    assert failed in learned.trials
    assert learned.words.endswith("each two of 9 experiments compared after the longest training of both")
    knowledge = Knowledge.of(LINE, learned.trials, learned.request, 1.5)
    assert len(knowledge.rows) == 9
    assert sorted(knowledge.pending.ravel().tolist()) == [0.98, 0.99]


def test_the_order_of_trials_changes_no_score() -> None:
    trials = [*rung(1, 9), *(Trial({"x": number / 100}, number / 7, 3) for number in range(4))]
    scores = [
        {trial.values["x"]: trial.score for trial in compared(LINE, order, REQUEST).trials}
        for order in (trials, trials[::-1])
    ]
    assert scores[0] == scores[1]


def test_trials_of_one_length_stay_as_they_are() -> None:
    for trials in ([], rung(9, 30)):
        assert compared(LINE, trials, REQUEST) == (trials, REQUEST, "")
        assert not any(explores(trials, replace(REQUEST, seed=(0, 0, index))) for index in range(50))


def test_one_proposal_in_four_is_drawn_uniformly_and_in_studies_of_before_none() -> None:
    trials = [*rung(1, 12), *(Trial({"x": number / 100}, number / 7, 3) for number in range(4))]
    requests = [replace(REQUEST, first=20, seed=(0, 0, index)) for index in range(60)]
    exploring = [request for request in requests if explores(trials, request)]
    assert 6 <= len(exploring) <= 24
    for request in (exploring[0], next(each for each in requests if each not in exploring)):
        reasons = {
            one_rung: NamedSampler("tpe", 4 if one_rung else RULES).propose(LINE, trials, request)[0].reason
            for one_rung in (True, False)
        }
        assert ("drawn uniformly" in reasons[False]) is (request in exploring)
        assert ("learned from all rungs" in reasons[False]) is (request not in exploring)
        assert "learned from the 12 results after 1 epoch" in reasons[True]
