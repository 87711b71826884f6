"""House section 3, proved by crashes: a study that is killed, cut off, paused or doubled at any operation ends as one
that was left alone, byte for byte, and trains no epoch twice that was whole when it was killed.

A state is what a kill leaves behind: the store and the machine's files. AUTOML_TEST_DEEP=1 tries every state of every
study, every live fault at every point and thousands of random schedules; without it a part of them, some 20 s.
"""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from automl.search.earlier_search import EarlierSearch
from tests.simulation.campaigns import LIVE, burn_machine, kill_in_states, one_fault, random_faults, two_walkers
from tests.simulation.crashes import State
from tests.simulation.studies import ASHA, BAYESIAN, HALVING, HYPERBAND_9, OVERLAPPING, POPULATION, RANDOM, study
from tests.simulation.world import World

pytestmark = pytest.mark.usefixtures("quick_simulation")
DEEP = bool(os.environ.get("AUTOML_TEST_DEEP"))
SEEDS = int(os.environ.get("AUTOML_TEST_SEEDS", "2000" if DEEP else "24"))
BRIEF = {"final": {"repeats": 0}}
RACE = {**RANDOM, "max_epochs": 2, "final": {"candidates": 2, "repeats": 2, "share": 9}}
TWO = [{"name": "loss", "goal": "minimize"}, {"name": "slope", "goal": "minimize"}]
BELOW = [{"metric": "slope", "below": 3.0}]
STUDIES = {  # name -> (settings, failures of its experiments, one of how many states is tried)
    "hyperband": (HYPERBAND_9, {}, 39),
    "halving_with_failures": (HALVING | BRIEF, {2: "error@1", 5: "nan@3", 4: "nan@1", 8: "short@1"}, 11),
    "halving_preempted": (HALVING | BRIEF, {0: "preempt@2", 2: "preempt@2", 7: "preempt@4"}, 11),
    "random": (RANDOM, {}, 11),
    "bayesian": (BAYESIAN, {}, 11),
    "asha": (ASHA, {2: "error@1", 5: "preempt@1"}, 40),
    "overlapping": (OVERLAPPING, {3: "error@2"}, 20),
    "asynchronous_hyperband": (HYPERBAND_9 | BRIEF | {"algorithm": "asynchronous_hyperband"}, {}, 80),
    "hyperband_that_learns": (HYPERBAND_9 | BRIEF | {"sampler": "tpe"}, {1: "error@1"}, 200),
    "hyperband_that_evolves": (HYPERBAND_9 | BRIEF | {"sampler": "differential_evolution"}, {1: "error@1"}, 400),
    "anew": (HALVING | BRIEF | {"resume": "none"}, {2: "error@1", 5: "preempt@2"}, 20),
    "asha_anew": (ASHA | BRIEF | {"resume": "none"}, {2: "error@1"}, 60),
    "asha_that_stops": (ASHA | BRIEF | {"resume": "stop"}, {2: "error@1", 4: "preempt@1"}, 40),
    "median_that_stops": (ASHA | BRIEF | {"resume": "stop", "stop_rule": "median", "until": {"epochs": 40}}, {}, 80),
    "chain_that_ends_early": (BAYESIAN | {"max_recommendations": 8, "until": {"epochs": 12}}, {1: "error@2"}, 8),
    "halving_that_ends_early": (HALVING | {"until": {"epochs": 12}}, {}, 31),
    "asha_that_ends_early": (ASHA | {"until": {"epochs": 14}}, {2: "error@1", 5: "preempt@1"}, 50),
    "two_metrics": (HALVING | BRIEF | {"metrics": TWO}, {2: "error@1", 5: "preempt@2"}, 12),
    "two_metrics_without_a_barrier": (ASHA | BRIEF | {"metrics": TWO, "constraints": BELOW}, {2: "error@1"}, 60),
    "population": (POPULATION | BRIEF, {2: "error@3", 5: "preempt@1"}, 30),
    "population_judged": (POPULATION | {"population": 3, "final": {"candidates": 1, "repeats": 1}}, {}, 40),
    "population_that_ends_early": (POPULATION | {"until": {"epochs": 20}}, {}, 40),
    "race": (RACE, {1: "error@1"}, 30),
}


@pytest.mark.parametrize("name", STUDIES)
def test_a_study_killed_in_any_state_ends_as_one_left_alone(name: str, folder: Path) -> None:
    settings, faults, step = STUDIES[name]

    def chosen(state: State) -> bool:
        creations = min(4, step // 40 + 1)  # long studies create much; one of so many is tried
        return DEEP or state.number % (creations if state.after.operation == "create" else step) == 0

    tried = kill_in_states(study(settings, faults), folder, chosen)
    print(f"{tried} states")
    assert tried > 9


def test_a_study_with_an_earlier_search_killed_in_any_state_ends_as_one_left_alone(folder: Path) -> None:
    values = tuple({"train.lr": rate} for rate in (0.1, 0.05, 0.3))
    search = EarlierSearch("before", "a table", 3, ("train.lr",), (), values, (1.0, 0.5, 0.0), (1.0, 2.0, 3.0))
    definition = study(BAYESIAN | BRIEF | {"warm_start": ["before"], "sampler": "tpe"})
    definition = replace(definition, earlier=(search,))

    def chosen(state: State) -> bool:
        return DEEP or state.number < 4 or state.number % 8 == 0

    assert kill_in_states(definition, folder, chosen) > 9


def test_a_study_whose_machine_burned_trains_again_only_what_was_not_stored(folder: Path) -> None:
    assert burn_machine(study(HALVING, final={"repeats": 0}), folder, 1 if DEEP else 12) > 20


@pytest.mark.parametrize("kind", LIVE)
@pytest.mark.parametrize(("name", "step"), [("bayesian", 29), ("halving_preempted", 29), ("asha", 89)])
def test_one_fault_at_any_point_changes_nothing(name: str, step: int, kind: str, folder: Path) -> None:
    """refused: a store that answers 503. lost: it did what was asked, and the answer never came. pause: a zombie."""
    settings, faults, _ = STUDIES[name]
    runs = one_fault(study(settings, faults), folder, kind, 1 if DEEP else step)
    print(f"{runs} runs")
    assert runs > 10


@pytest.mark.parametrize("part", range(2))
def test_random_faults_change_nothing(part: int, folder: Path) -> None:
    seen: Counter[str] = Counter()
    names = sorted(STUDIES)
    definitions = {name: study(*STUDIES[name][:2]) for name in names}
    undisturbed = {name: World(definitions[name], folder / name) for name in names}
    for world in undisturbed.values():
        world.walk()
    for seed in range(part, SEEDS, 2):
        name = names[seed // 2 % len(names)]
        seen += random_faults(definitions[name], undisturbed[name], folder, seed)
    print(f"faults: {dict(seen)}")
    assert set(seen) == set(LIVE)


@pytest.mark.parametrize("name", ["halving_with_failures", "bayesian", "asha", "asha_that_ends_early"])
def test_two_walkers_that_take_turns_at_every_operation_make_one_study(name: str, folder: Path) -> None:
    settings, faults, _ = STUDIES[name]
    two_walkers(study(settings, faults), folder, SEEDS // 4)
