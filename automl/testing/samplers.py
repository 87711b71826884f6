"""What every sampler must do: make feasible proposals that depend on space, trials and request alone."""

from __future__ import annotations

import os
import subprocess
import sys
from abc import ABC, abstractmethod
from dataclasses import replace

import numpy as np
import pytest

from automl.problem.search_space import SearchSpace
from automl.search.samplers.base import Request, Sampler, Trial
from automl.testing.spaces import CATEGORICAL, MIXED, random_space

__all__ = ["SamplerSuite"]


class SamplerSuite(ABC):
    """The tests that a sampler must pass. Subclass it as `Test...` at the top of a file, with `make_sampler`."""

    @abstractmethod
    def make_sampler(self) -> Sampler:
        """The sampler. Other processes call this too, so it must return an equal one every time."""

    def test_processes_propose_the_same_bytes_whatever_their_hash_seeds_and_threads(self) -> None:
        suite = type(self)
        command = [sys.executable, "-m", "automl.testing.sampler_process", suite.__module__, suite.__qualname__]
        running = []
        for hash_seed, threads in (("0", "1"), ("4242", "2")):
            set_threads = dict.fromkeys(("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS", "MKL_NUM_THREADS"), threads)
            path = os.pathsep.join(sys.path)  # pytest has added the folder of the test
            environment = {**os.environ, **set_threads, "PYTHONHASHSEED": hash_seed, "PYTHONPATH": path}
            running.append(subprocess.Popen(command, env=environment, stdout=subprocess.PIPE))
        first, second = (process.communicate()[0] for process in running)
        assert [process.returncode for process in running] == [0, 0]
        assert first == second

    @pytest.mark.parametrize("seed", range(6))
    def test_all_proposals_are_feasible_in_random_spaces(self, seed: int) -> None:
        sampler, space = self.make_sampler(), random_space(seed)
        for trials in ([], _trials(space, 6, seed)):
            request = Request(
                count=3, first=len(trials), total=19, seed=(seed, 0, len(trials)), chosen=(space.defaults(),)
            )
            proposals = sampler.propose(space, trials, request)
            assert len(proposals) == 3
            assert [space.check(proposal.values) for proposal in proposals] == [()] * 3
            assert all(proposal.reason for proposal in proposals)

    def test_a_proposal_does_not_depend_on_how_many_are_asked_for(self) -> None:
        sampler, trials = self.make_sampler(), _trials(MIXED, 6)
        few, many = (
            sampler.propose(
                MIXED, trials, Request(count, first=5, total=19, seed=(1, 0, 6), chosen=(MIXED.defaults(),))
            )
            for count in (2, 4)
        )
        assert few == many[:2]

    def test_the_same_request_has_the_same_answer(self) -> None:
        sampler, trials = self.make_sampler(), _trials(MIXED, 6)
        request = Request(2, first=5, total=19, seed=(1, 0, 6), chosen=(MIXED.defaults(),))
        assert sampler.propose(MIXED, trials, request) == sampler.propose(MIXED, trials, request)
        assert sampler.propose(MIXED, trials, request) == self.make_sampler().propose(MIXED, trials, request)

    def test_a_proposal_depends_on_the_study_seed(self) -> None:
        sampler, trials = self.make_sampler(), _trials(MIXED, 6)
        first, second = (
            sampler.propose(MIXED, trials, Request(1, first=6, total=20, seed=(study_seed, 0, 6)))
            for study_seed in (1, 2)
        )
        assert first[0].values != second[0].values

    def test_a_request_for_nothing_has_no_proposal(self) -> None:
        request = Request(0, first=0, total=19, seed=(0, 0, 0), chosen=(MIXED.defaults(),))
        assert self.make_sampler().propose(MIXED, (), request) == ()

    def test_a_space_of_one_configuration_works(self) -> None:
        sampler = self.make_sampler()
        fixed = tuple(parameter for parameter in random_space(0).parameters if parameter.name == "only")
        for parameters in ((), fixed):
            space = SearchSpace(parameters=parameters, constants={})
            trials = [Trial(space.defaults(), score) for score in (0.1, 0.4, 0.2)]
            proposals = sampler.propose(space, trials, Request(2, first=3, total=5, seed=(0, 0, 3)))
            assert [proposal.values for proposal in proposals] == [space.defaults()] * 2

    def test_failed_trials_alone_are_no_obstacle(self) -> None:
        trials = [Trial(trial.values, None) for trial in _trials(MIXED, 6)]
        proposals = self.make_sampler().propose(MIXED, trials, Request(2, first=6, total=20, seed=(0, 0, 6)))
        assert [MIXED.check(proposal.values) for proposal in proposals] == [()] * 2

    def test_trials_of_two_metrics_and_a_constraint_are_no_obstacle(self) -> None:
        """A sampler may look at all metrics, at the first alone, or at none; the order of the trials says nothing."""
        sampler, trials = self.make_sampler(), _trials_of_two(MIXED, 12)
        request = Request(2, first=11, total=30, seed=(1, 0, 12), chosen=(MIXED.defaults(),))
        proposals = sampler.propose(MIXED, trials, request)
        assert [MIXED.check(proposal.values) for proposal in proposals] == [()] * 2
        assert sampler.propose(MIXED, trials, request) == proposals

    def test_trials_that_all_break_a_constraint_are_no_obstacle(self) -> None:
        trials = [replace(trial, score=None, excesses=(0.5,)) for trial in _trials_of_two(MIXED, 8)]
        proposals = self.make_sampler().propose(MIXED, trials, Request(2, first=8, total=30, seed=(0, 0, 8)))
        assert [MIXED.check(proposal.values) for proposal in proposals] == [()] * 2

    def test_an_all_categorical_space_works(self) -> None:
        request = Request(3, first=5, total=9, seed=(0, 0, 5))
        proposals = self.make_sampler().propose(CATEGORICAL, _trials(CATEGORICAL, 5), request)
        assert [CATEGORICAL.check(proposal.values) for proposal in proposals] == [()] * 3


def _trials(space: SearchSpace, count: int, seed: int = 0) -> list[Trial]:
    """Trials of random values with random scores."""
    rng = np.random.default_rng(seed)
    return [Trial(space.sample(rng), float(rng.normal())) for _ in range(count)]


def _trials_of_two(space: SearchSpace, count: int) -> list[Trial]:
    """Trials with two random scores each; every third breaks a constraint, and has no single score."""
    rng = np.random.default_rng(3)
    trials = []
    for place, trial in enumerate(_trials(space, count, 3)):
        excess = 0.1 * place if place % 3 == 2 else -0.2
        scores = (float(trial.score or 0.0), float(rng.normal()))
        trials.append(replace(trial, score=None if excess > 0 else scores[0], scores=scores, excesses=(excess,)))
    return trials
