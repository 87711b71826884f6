"""A decision is a pure function: the same bytes in any process, in whatever order the results came."""

from __future__ import annotations

import hashlib
import os
import random
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from automl.errors import RecordError, StudyFailed
from automl.problem.metric import Metric
from automl.problem.search_space import SearchSpace
from automl.search.history import Decision, Failure, History, Outcome, Recommendation
from automl.search.judging import training_seed
from automl.search.plan import StageKind
from automl.search.promotion import Promotion, promote
from automl.search.race import DEFAULTS
from automl.search.ranking import Among, best_outcome
from automl.search.samplers.base import Proposal, Request, Trial
from automl.stores.memory import MemoryStore
from automl.study import study_file
from automl.study.definition import Definition
from automl.study.template import template
from automl.text import strict_json
from tests.recorded_studies import recorded
from tests.simulation.studies import BAYESIAN, HALVING, HYPERBAND_9, RANDOM, study

GOLDENS = Path(__file__).parents[1] / "goldens"
LOSS, ACCURACY = Metric("loss", "minimize"), Metric("accuracy", "maximize")


def outcome(experiment: int, value: float | None, rung: int = 0, epochs: int = 1) -> Outcome:
    failure = Failure.ERROR if value is None else None
    return Outcome(experiment, rung, epochs, value, best_value=value, failure=failure)


def answer(asked: Recommendation, rung: int) -> Outcome:
    """What a made-up training answers: a number from the digest of what was asked; some fail."""
    text = strict_json.dump([asked.values, asked.epochs, asked.seed])
    number = int.from_bytes(hashlib.sha256(text).digest()[:4], "big") / 2**32
    value = None if number < 0.15 else round(number, 6)
    return outcome(asked.number, value, rung, asked.epochs)


def walk(definition: Definition, shuffled: random.Random | None = None) -> list[Decision]:
    """All decisions of a study whose trainings are made up."""
    made: list[Decision] = []
    outcomes: dict[int, list[Outcome]] = {}
    for stage in definition.plan.stages:
        earlier: list[Decision] = []
        for rung in stage.rungs:
            if stage.kind is StageKind.FINAL and rung.index == 0:
                seen, known = [each for found in outcomes.values() for each in found], list(made)
            else:
                seen, known = outcomes.get(stage.index, [])[-len(earlier[-1].issued) :] if earlier else [], earlier
            if shuffled:
                seen = shuffled.sample(seen, len(seen))
            digest = [hashlib.sha256(strict_json.dump(each.to_json())).hexdigest() for each in known[-1:]]
            decision = definition.brain.decide(stage.index, rung.index, known, seen, digest)
            decision = Decision.from_json(strict_json.load(strict_json.dump(decision.to_json()), "it"), "it")
            earlier.append(decision)
            made.append(decision)
            outcomes.setdefault(stage.index, []).extend(answer(each, rung.index) for each in decision.issued)
    return made


def written(decisions: Sequence[Decision]) -> bytes:
    return strict_json.dump([decision.to_json() for decision in decisions])


def default_study(more: str = "") -> Definition:
    return study_file.parse(template("fashion_mnist", "hyperband", Path("golden.yaml")) + more, "golden", Path())


def plain_hyperband() -> Definition:
    """As TAO runs it."""
    return default_study("sampler: uniform\n")


STUDIES: dict[str, Callable[[], Definition]] = {
    "plain": plain_hyperband,
    "hyperband": lambda: study(HYPERBAND_9, random_stage=True),
    "halving": lambda: study(HALVING),
    "random": lambda: study(RANDOM),
    "sobol": lambda: study(RANDOM, sampler="sobol"),
    "bayesian": lambda: study(BAYESIAN | {"max_recommendations": 6}),
}

# -- purity -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", STUDIES)
def test_decisions_do_not_hang_on_the_order_in_which_results_came(name: str) -> None:
    expected = written(walk(STUDIES[name]()))
    for seed in range(3):
        assert written(walk(STUDIES[name](), random.Random(seed))) == expected  # noqa: S311 - chance, not a secret


def test_decisions_are_the_same_bytes_in_another_process_with_another_hash_seed() -> None:
    names = [name for name in STUDIES if name != "bayesian"]  # its sampler has a test of its own; it takes 10 s
    program = (
        "import sys; from tests.search.test_brain import STUDIES, walk, written; "
        "sys.stdout.buffer.write(b''.join(written(walk(STUDIES[name]())) for name in sys.argv[1:]))"
    )
    expected = b"".join(written(walk(STUDIES[name]())) for name in names)
    found = subprocess.run(
        [sys.executable, "-c", program, *names],
        cwd=Path(__file__).parents[2],
        env={**os.environ, "PYTHONHASHSEED": "12345"},
        capture_output=True,
        check=True,
    )
    assert found.stdout == expected


def default_decisions() -> Sequence[Decision]:
    """Those of the study that `automl init` writes, whose trainings are made up one after the other; some fail."""

    def loss(asked: Recommendation, epoch: int) -> float:
        return (answer(replace(asked, epochs=epoch), 0).value or 0) + 1 / (epoch + 1)

    _, history = recorded(MemoryStore(), default_study(), loss=loss, failing=range(4, 50, 7))
    return history.decisions


@pytest.mark.parametrize(
    ("name", "decided"), [("plain_hyperband", lambda: walk(plain_hyperband())), ("default_study", default_decisions)]
)
def test_the_default_study_and_that_of_tao_decide_as_they_always_did(
    name: str, decided: Callable[[], Sequence[Decision]]
) -> None:
    """Values, seeds, numbers and reasons of every decision; `make goldens` writes the file anew."""
    path = GOLDENS / f"{name}_decisions.json"
    found = written(decided())
    if os.environ.get("AUTOML_GOLDENS") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(found)
    assert found == path.read_bytes()


@pytest.mark.parametrize("name", STUDIES)
def test_a_decision_survives_its_json(name: str) -> None:
    for decision in walk(STUDIES[name]()):
        data = strict_json.dump(decision.to_json())
        again = Decision.from_json(strict_json.load(data, "it"), "it")
        assert again == decision
        assert strict_json.dump(again.to_json()) == data


@pytest.mark.parametrize("name", STUDIES)
def test_numbers_are_the_plans_and_seeds_are_distinct(name: str) -> None:
    definition = STUDIES[name]()
    decisions = walk(definition)
    for decision in decisions:
        stage = definition.plan.stages[decision.stage]
        rung = stage.rungs[decision.index]
        numbers = [each.number for each in decision.issued]
        assert numbers == sorted(numbers)
        if rung.new and stage.kind is StageKind.SEARCH:
            assert numbers == list(range(stage.first_of(rung.index), stage.first_of(rung.index) + rung.size))
        assert set(numbers) <= set(range(stage.first, stage.first + stage.experiments))
        assert all(each.epochs == rung.epochs for each in decision.issued)
        assert all(each.schedule_epochs == stage.schedule_epochs for each in decision.issued)
        assert all((each.resume_epoch == 0) == rung.new for each in decision.issued)
    seeds = {each.number: each.seed for decision in decisions for each in decision.issued}
    search = [seed for number, seed in seeds.items() if number < definition.plan.stages[-1].first]
    assert len(set(search)) == len(search)
    assert all(0 <= seed < 2**31 for seed in seeds.values())


def test_another_study_seed_decides_otherwise() -> None:
    assert written(walk(study(RANDOM))) != written(walk(study(RANDOM, seed=2)))
    assert training_seed(1, 11) != training_seed(11, 1)
    assert len({training_seed(seed, number) for seed in range(30) for number in range(300)}) > 8_990


@pytest.mark.parametrize("name", STUDIES)
def test_experiment_0_trains_the_defaults(name: str) -> None:
    definition = STUDIES[name]()
    first = walk(definition)[0].issued[0]
    assert (first.number, first.values) == (DEFAULTS, definition.space.defaults())
    assert "defaults" in first.reason


# -- promotion --------------------------------------------------------------------------------------------------------


def numbers(promotion: Promotion) -> list[int]:
    return [each.outcome.experiment for each in promotion.promoted]


def test_the_best_go_on_in_the_sense_of_the_metric() -> None:
    outcomes = [outcome(0, 0.3), outcome(1, 0.1), outcome(2, 0.2)]
    assert numbers(promote(outcomes, 2, LOSS)) == [1, 2]
    assert numbers(promote(outcomes, 2, ACCURACY)) == [0, 2]


def test_the_lower_number_wins_a_tie() -> None:
    outcomes = [outcome(number, 0.5) for number in (7, 3, 5, 1)]
    promotion = promote(outcomes, 2, LOSS)
    assert numbers(promotion) == [1, 3]
    assert [each.number for each in promotion.stopped] == [5, 7]


def test_a_failed_experiment_is_never_promoted() -> None:
    outcomes = [outcome(0, None), outcome(1, 5.0), outcome(2, None), outcome(3, -1e9)]
    for metric in (LOSS, ACCURACY):
        promotion = promote(outcomes, 3, metric)
        assert sorted(numbers(promotion)) == [1, 3]
        assert [(each.number, each.reason) for each in promotion.stopped] == [
            (0, "failed: error"),
            (2, "failed: error"),
        ]


def test_where_all_failed_nobody_goes_on_and_the_stage_runs_to_its_end() -> None:
    definition = study(HALVING)
    first = definition.brain.decide(0, 0, [], [], [])
    second = definition.brain.decide(0, 1, [first], [outcome(each.number, None) for each in first.issued], [])
    assert (second.issued, len(second.stopped)) == ((), 9)
    third = definition.brain.decide(0, 2, [first, second], [], [])
    assert (third.issued, third.stopped) == ((), ())


def test_promotion_looks_at_the_last_epoch_and_not_at_the_best() -> None:
    late = replace(outcome(0, 0.2), best_value=0.2)
    lucky = replace(outcome(1, 0.3), best_value=0.01)
    assert numbers(promote([late, lucky], 1, LOSS)) == [0]


def test_every_reason_says_rank_epoch_and_value() -> None:
    promotion = promote([outcome(0, 0.25), outcome(1, 0.5)], 1, LOSS)
    assert promotion.promoted[0].reason == "rank 1 of 2 at epoch 1 by loss = 0.25; the best 1 go on"
    assert promotion.stopped[0].reason == "rank 2 of 2 at epoch 1 by loss = 0.5"


def test_a_promoted_experiment_keeps_its_values_and_seed() -> None:
    definition = study(HALVING)
    first = definition.brain.decide(0, 0, [], [], [])
    outcomes = [outcome(each.number, each.number / 10) for each in first.issued]
    second = definition.brain.decide(0, 1, [first], outcomes, ["d"])
    assert [each.number for each in second.issued] == [0, 1, 2]
    for before, after in zip(first.issued, second.issued, strict=False):
        assert (after.values, after.seed, after.resume_epoch, after.epochs) == (before.values, before.seed, 1, 3)
    assert second.previous == ("d",)
    assert second.consumed == tuple(outcomes)


# -- the final judgement ----------------------------------------------------------------------------------------------


def final(definition: Definition, best: int) -> Decision:
    first = definition.brain.decide(0, 0, [], [], [])
    outcomes = [outcome(each.number, 0.1 if each.number == best else 0.5) for each in first.issued]
    return definition.brain.decide(1, 0, [first], outcomes, [])


def test_the_final_stage_trains_defaults_and_best_with_the_same_fresh_seeds() -> None:
    definition = study(RANDOM, final={"repeats": 2})
    decision = final(definition, best=2)
    first = definition.brain.decide(0, 0, [], [], [])
    assert [each.number for each in decision.issued] == [4, 5, 6, 7]
    assert [each.values for each in decision.issued] == [first.issued[source].values for source in (0, 0, 2, 2)]
    seeds = [each.seed for each in decision.issued]
    assert seeds[:2] == seeds[2:]
    assert not set(seeds) & {each.seed for each in first.issued}
    assert seeds[0] != seeds[1]
    assert [each.epochs for each in decision.issued] == [4] * 4


def test_where_the_defaults_are_the_best_they_are_trained_once_a_repeat() -> None:
    decision = final(study(RANDOM, final={"repeats": 2}), best=DEFAULTS)
    assert [each.number for each in decision.issued] == [4, 5]


def test_without_repeats_there_is_no_final_stage() -> None:
    assert [stage.kind for stage in study(RANDOM, final={"repeats": 0}).plan.stages] == ["search"]


def test_a_search_without_a_success_has_failed_and_says_how() -> None:
    definition = study(RANDOM)
    first = definition.brain.decide(0, 0, [], [], [])
    outcomes = [replace(outcome(each.number, None), failure=Failure.KILLED) for each in first.issued]
    outcomes[0] = outcome(0, None)
    with pytest.raises(StudyFailed, match=r"none of the 4 experiments succeeded \(error, killed\)"):
        definition.brain.decide(1, 0, [first], outcomes, [])


def test_best_outcome_takes_the_lower_experiment_and_the_earlier_rung_in_a_tie() -> None:
    outcomes = [outcome(2, 0.1), outcome(1, 0.1, rung=1), outcome(1, 0.1), outcome(0, None), outcome(3, 0.2)]
    found = best_outcome(outcomes, LOSS, Among.ALL)
    assert found is not None
    assert (found.experiment, found.rung) == (1, 0)
    assert best_outcome([outcome(0, None)], LOSS, Among.ALL) is None
    assert best_outcome([], LOSS, Among.ALL) is None


# -- values -----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("number", [float("nan"), float("inf"), float("-inf")])
def test_an_outcome_holds_no_number_that_is_none(number: float) -> None:
    for told in ((number,), (1.0, number), (1.0, 1.0, number)):  # value, best_value, held_out
        with pytest.raises(RecordError, match="not a number"):
            Outcome(0, 0, 1, *told)


def test_an_outcome_has_a_value_or_a_failure_and_not_both() -> None:
    with pytest.raises(RecordError, match="both or neither"):
        replace(outcome(0, 1.0), failure=Failure.ERROR)
    with pytest.raises(RecordError, match="both or neither"):
        replace(outcome(0, None), failure=None)


def test_a_study_keeps_its_decisions_in_the_order_of_stages_and_rungs() -> None:
    made = walk(study(HYPERBAND_9))
    found = History(LOSS)
    for decision in random.Random(1).sample(made, len(made)):  # noqa: S311 - chance, not a secret
        found = found.with_decision(decision)
    assert list(found.decisions) == made


def test_a_sampler_sees_how_far_each_trial_came_and_how_it_failed() -> None:
    definition = study({"algorithm": "bayesian", "max_recommendations": 3, "max_epochs": 2})
    seen: list[Trial] = []

    class Looking:
        def propose(self, space: SearchSpace, trials: Sequence[Trial], request: Request) -> tuple[Proposal, ...]:
            seen[:] = trials
            return (Proposal(space.defaults(), f"of {request.count}"),)

    brain = replace(definition.brain, sampler=Looking())
    first = brain.decide(0, 0, [], [], [])
    second = brain.decide(0, 1, [first], [outcome(0, 0.5)], [])
    brain.decide(0, 2, [first, second], [outcome(1, None)], [])
    assert [(each.score, each.value, each.epochs, each.failure) for each in seen] == [
        (-0.5, 0.5, 1, None),
        (None, None, seen[1].epochs, Failure.ERROR),
    ]
