"""What holds for every sampler."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from automl.problem.search_space import SearchSpace
from automl.search.samplers.base import Request, Sampler, Trial
from automl.search.samplers.gaussian_process import GaussianProcess
from tests.search.samplers.proposals import SAMPLERS
from tests.search.samplers.spaces import CATEGORICAL, MIXED, random_space

ROOT = Path(__file__).parents[3]
QUICK = {**SAMPLERS, "gaussian_process": GaussianProcess(starts=2, candidates=200)}
every_sampler = pytest.mark.parametrize("sampler", QUICK.values(), ids=list(QUICK))


def scored(space: SearchSpace, count: int, seed: int = 0) -> list[Trial]:
    rng = np.random.default_rng(seed)
    return [Trial(space.sample(rng), float(rng.normal())) for _ in range(count)]


def test_processes_propose_the_same_bytes_whatever_their_hash_seeds_and_threads() -> None:
    running = []
    for hash_seed, threads in (("0", "1"), ("4242", "2")):
        set_threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), threads)
        environment = {**os.environ, **set_threads, "PYTHONHASHSEED": hash_seed}
        command = [sys.executable, "-W", "error", "-m", "tests.search.samplers.proposals"]
        running.append(subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE))
    one, other = (process.communicate()[0] for process in running)
    assert [process.returncode for process in running] == [0, 0]
    assert one == other
    assert one.count(b"Gaussian process on") == 3


@every_sampler
@pytest.mark.parametrize("seed", range(6))
def test_all_proposals_are_feasible_in_random_spaces(sampler: Sampler, seed: int) -> None:
    space = random_space(seed)
    for trials in ([], scored(space, 6, seed)):
        request = Request(count=3, done=1 + len(trials), total=20, seed=(seed, 0, len(trials)), defaults_taken=1)
        proposals = sampler.propose(space, trials, request)
        assert len(proposals) == 3
        assert [space.check(each.values) for each in proposals] == [()] * 3
        assert all(each.reason for each in proposals)


@every_sampler
def test_a_proposal_does_not_depend_on_how_many_are_asked(sampler: Sampler) -> None:
    trials = scored(MIXED, 6)
    few, many = (
        sampler.propose(MIXED, trials, Request(count, done=6, total=20, seed=(1, 0, 6), defaults_taken=1))
        for count in (2, 4)
    )
    assert few == many[:2]


@every_sampler
def test_a_proposal_depends_on_the_study_seed(sampler: Sampler) -> None:
    trials = scored(MIXED, 6)
    one, other = (sampler.propose(MIXED, trials, Request(1, done=6, total=20, seed=(s, 0, 6))) for s in (1, 2))
    assert one[0].values != other[0].values


@every_sampler
def test_nothing_asked_is_nothing_proposed(sampler: Sampler) -> None:
    assert sampler.propose(MIXED, (), Request(0, done=1, total=20, seed=(0, 0, 0), defaults_taken=1)) == ()


@every_sampler
def test_a_space_of_one_configuration_works(sampler: Sampler) -> None:
    for space in (SearchSpace(parameters=(), constants={}), random_space(0)):
        only = SearchSpace(parameters=tuple(p for p in space.parameters if p.name == "only"), constants={})
        trials = [Trial(only.defaults(), score) for score in (0.1, 0.4, 0.2)]
        proposals = sampler.propose(only, trials, Request(2, done=3, total=5, seed=(0, 0, 3)))
        assert [each.values for each in proposals] == [only.defaults()] * 2


@every_sampler
def test_an_all_categorical_space_works(sampler: Sampler) -> None:
    proposals = sampler.propose(CATEGORICAL, scored(CATEGORICAL, 5), Request(3, done=5, total=9, seed=(0, 0, 5)))
    assert [CATEGORICAL.check(each.values) for each in proposals] == [()] * 3
