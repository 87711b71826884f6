"""Why an experiment was proposed, promoted, stopped or failed."""

from __future__ import annotations

import pytest

from automl.analysis.explain import explain
from automl.errors import InvalidInput
from automl.search.history import MEANINGS, Failure, Recommendation
from automl.stores.memory import MemoryStore
from tests.recorded_studies import recorded
from tests.simulation.studies import HALVING, study

BAYESIAN = {"algorithm": "bayesian", "max_recommendations": 8, "max_epochs": 2}


def loss_by_number(asked: Recommendation, epoch: int) -> float:
    """Experiment 8 of 9 is the best, 7 the second, and so on."""
    return (10 - asked.number) + 1 / epoch


def test_every_failure_has_words() -> None:
    assert set(MEANINGS) == set(Failure)


def test_the_story_of_promotion_and_stop() -> None:
    definition = study(HALVING, final={"repeats": 1})
    _, found = recorded(MemoryStore(), definition, loss=loss_by_number, failing=(2,))

    defaults = explain(definition, found, 0)
    assert defaults.story[0] == "proposed: the network's defaults, which every search is measured against"
    assert [each.end for each in defaults.rungs] == ["stopped"]
    assert (defaults.rungs[0].rank, defaults.rungs[0].size, defaults.rungs[0].cut) == (8, 9, 5.0)

    second = explain(definition, found, 7)
    assert [each.end for each in second.rungs] == ["promoted", "stopped"]
    assert "place 2 of 9; promoted: the best 3 are promoted, the last of them with 5.0000" in second.story[1]
    assert "place 2 of 3; stopped: only the best one is promoted, with 2.3333" in second.story[2]

    failed = explain(definition, found, 2)
    assert "(killed): it was killed from outside" in failed.story[1]
    assert "experiment_2/log.txt" in failed.story[1]

    best = explain(definition, found, 8)
    assert [each.end for each in best.rungs] == ["promoted", "promoted", "finished"]
    assert best.story[-2].startswith("the best of the search: loss 2.1111; judged by training it again as experiment")

    judged = explain(definition, found, 10)
    assert judged.story[0] == "proposed: experiment 8, the best of the search, trained again with a fresh seed"


def test_a_rung_that_is_not_decided_is_waiting() -> None:
    definition = study(HALVING)
    _, found = recorded(MemoryStore(), definition, loss=loss_by_number, decisions=1)
    (rung,) = explain(definition, found, 8).rungs
    assert rung.end == "waiting"
    assert "place 1 of 9 so far; the best 3 are promoted when all results have arrived" in rung.text


def test_a_model_says_what_it_had_seen() -> None:
    definition = study(BAYESIAN)
    _, found = recorded(MemoryStore(), definition, failing=(1,))
    first, last = explain(definition, found, 1), explain(definition, found, 7)
    assert first.proposed.results == 1
    assert (last.proposed.results, last.proposed.failed) == (7, 1)
    assert last.proposed.best is not None
    assert last.proposed.best.value == pytest.approx(0.4, abs=0.2)
    place = "as number 8 of 8 (the defaults, 4 to fill the space, then 3 by the model)"
    seen = "which had seen 7 results, 1 of them failed, the best"
    assert last.story[0].startswith(f"proposed by portfolio {place}, {seen}")
    assert "Gaussian process on 7 trials" in last.story[0]


@pytest.mark.parametrize(("number", "says"), [(5, "planned and not proposed yet"), (99, "there is no experiment 99")])
def test_an_experiment_that_was_not_proposed_is_refused(number: int, says: str) -> None:
    definition = study(BAYESIAN)
    _, found = recorded(MemoryStore(), definition, decisions=2)
    with pytest.raises(InvalidInput, match=says):
        explain(definition, found, number)
