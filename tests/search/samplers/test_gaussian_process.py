from __future__ import annotations

import math
import re
import warnings
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from scipy.stats import qmc
from skopt import Optimizer

from automl.errors import InvalidInput
from automl.problem.search_space import SearchSpace
from automl.search.samplers.base import Proposal, Request, Sampler, Trial
from automl.search.samplers.gaussian_process import GaussianProcess
from automl.search.samplers.low_discrepancy import LowDiscrepancy
from automl.search.samplers.uniform import Uniform
from automl.search.surrogates import gaussian_process
from automl.search.surrogates.observations import Axes
from automl.testing.sampler_process import SHARP, trials_on_sharp
from automl.testing.spaces import CATEGORICAL, MIXED, space_of, unit

QUICK = GaussianProcess(candidates=500)
Score = Callable[[Mapping[str, Any]], float | None]


def search(
    sampler: Sampler, space: SearchSpace, score: Score, count: int, seed: int = 0
) -> tuple[list[Trial], list[Proposal]]:
    """A study of `count` experiments, one at a time, the defaults first."""
    trials = [Trial(space.defaults(), score(space.defaults()))]
    proposals: list[Proposal] = []
    while len(trials) < count:
        request = Request(
            1, first=len(trials) - 1, total=count - 1, seed=(seed, 0, len(trials)), chosen=(space.defaults(),)
        )
        proposals += sampler.propose(space, trials, request)
        trials.append(Trial(proposals[-1].values, score(proposals[-1].values)))
    return trials, proposals


def ask(space: SearchSpace, trials: list[Trial], count: int = 1, sampler: GaussianProcess = QUICK) -> list[Proposal]:
    request = Request(count, first=len(trials), total=99, seed=(0, 0, len(trials)))
    return list(sampler.propose(space, trials, request))


def bowl(values: Mapping[str, Any]) -> float:
    return -math.fsum((value - goal) ** 2 for value, goal in zip(values.values(), (0.8, 0.15, 0.6), strict=True))


def test_it_beats_random_search_on_a_smooth_function() -> None:
    space = unit("xyz")
    gaps: dict[str, list[float]] = {"model": [], "random": []}
    for seed in range(3):
        for name, sampler in (("model", QUICK), ("random", Uniform())):
            trials, _ = search(sampler, space, bowl, 20, seed)
            gaps[name].append(-max(trial.score for trial in trials if trial.score is not None))
    assert np.mean(gaps["model"]) < np.mean(gaps["random"]) / 10


def test_the_starts_are_the_sobol_points_of_the_stage() -> None:
    space = unit("abcd")
    request = Request(16, first=0, total=39, seed=(2, 0, 1), chosen=(space.defaults(),))
    starts = GaussianProcess(starts=16).propose(space, [Trial(space.defaults(), 0.5)], request)
    assert starts == LowDiscrepancy("sobol").propose(space, (), request)
    drawn = Uniform().propose(space, (), request)
    discrepancies = [qmc.discrepancy(np.array([space.encode(p.values) for p in each])) for each in (starts, drawn)]
    assert discrepancies[0] < 0.7 * discrepancies[1]


def test_the_model_takes_over_after_the_starts() -> None:
    _, proposals = search(QUICK, unit("xyz"), bowl, 9)
    assert ["Sobol" in each.reason for each in proposals] == [True] * 5 + [False] * 3


def test_the_order_of_the_trials_makes_no_difference() -> None:
    trials = trials_on_sharp()[:24]
    assert ask(SHARP, trials) == ask(SHARP, trials[::-1])


def test_the_region_of_failed_trials_is_avoided() -> None:
    space = unit("xy")
    grid = [{"x": x, "y": y} for x in (0.1, 0.2, 0.3, 0.4, 0.6, 0.7, 0.8, 0.9) for y in (0.2, 0.5, 0.8)]
    trials = [Trial(v, v["x"] if v["x"] < 0.5 else None) for v in grid]  # better and better towards the cliff
    successes = [each for each in trials if each.score is not None]
    assert all(each.values["x"] < 0.5 for each in ask(space, trials, count=3))
    assert ask(space, successes)[0].values["x"] > 0.6, "without the failures it would go there"


@pytest.mark.parametrize("failed", [None, math.nan, math.inf, -math.inf])
def test_only_moderate_numbers_reach_scikit_optimize(failed: float | None, monkeypatch: pytest.MonkeyPatch) -> None:
    told: list[float] = []

    class Listening(Optimizer):  # type: ignore[misc]  # scikit-optimize ships no types
        def tell(self, x: Any, y: Any, fit: bool = True) -> Any:
            told.extend(y)
            return super().tell(x, y, fit)

    monkeypatch.setattr(gaussian_process, "Optimizer", Listening)
    space = unit("xy")
    rng = np.random.default_rng(1)
    scores = [0.5, 0.6, -1e30, 0.7, failed, 0.65, failed, 0.4]
    proposals = ask(space, [Trial(space.sample(rng), score) for score in scores], count=2)
    assert len(told) == 7  # the trials but the failed ones, and the first proposal as the second is sought
    assert np.abs(told).max() < 4
    assert "Gaussian process on 8 trials, 2 of them failed" in proposals[0].reason
    told.clear()
    trials = [Trial(space.sample(rng), score) for score in scores]
    ask(space, trials, count=2, sampler=replace(QUICK, failed_are_worst=True))  # as studies of before do
    assert len(told) == 9
    assert sorted(told)[-4] < sorted(told)[-3] == max(told), "both failures are told as the worst, which is clipped"


@pytest.mark.parametrize(
    ("scores", "why"),
    [
        ([0.5] * 8, "all scores are equal (0.5)"),
        ([None] * 8, "0 of 8 trials gave a score"),
        ([0.5], "1 of 1 trials gave a score"),
    ],
)
def test_where_there_is_nothing_to_learn_it_goes_on_filling_the_space(scores: list[float | None], why: str) -> None:
    space = unit("xy")
    rng = np.random.default_rng(0)
    trials = [Trial(space.sample(rng), score) for score in scores]
    sampler = replace(QUICK, starts=1)
    proposals = ask(space, trials, count=2, sampler=sampler)
    sobol = LowDiscrepancy("sobol").propose(space, (), Request(2, first=len(scores), total=99, seed=(0, 0, 8)))
    assert [each.values for each in proposals] == [each.values for each in sobol]
    assert proposals[0].reason == f"{sobol[0].reason}; no model yet: {why}"


def test_a_small_discrete_space_is_exhausted_without_repeats() -> None:
    space = space_of(
        kind={"type": "categorical", "options": ["a", "b", "c"], "weights": [0.6, 0.3, 0.1]},
        size={"type": "int", "low": 1, "high": 4},
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trials, proposals = search(QUICK, space, lambda v: v["size"] - (v["kind"] == "b"), 14)
    distinct = {tuple(trial.values.values()) for trial in trials[:12]}
    assert len(distinct) == 12
    assert any("untried draws" in each.reason for each in proposals[5:11])
    assert all("a repeat" in each.reason for each in proposals[11:])


def test_an_all_categorical_space_finds_its_best() -> None:
    trials, _ = search(QUICK, CATEGORICAL, lambda v: (v["a"] == "r") + 0.5 * v["b"] + 0.2 * (v["c"] == "t"), 10)
    assert len({tuple(trial.values.values()) for trial in trials}) == 10
    assert max(trial.score for trial in trials if trial.score is not None) == 1.7


def test_the_proposals_of_one_request_are_distinct_and_apart() -> None:
    trials, _ = search(Uniform(), unit("xy"), lambda v: -((v["x"] - 0.4) ** 2) - (v["y"] - 0.4) ** 2, 8)
    proposals = ask(unit("xy"), trials, count=4)
    points = np.array([list(each.values.values()) for each in proposals])
    distances = [float(np.linalg.norm(points[i] - points[j])) for i in range(4) for j in range(i)]
    assert min(distances) > 0.01
    assert proposals[3].reason.endswith("(Gaussian process on 8 trials, and 3 without a result)")


def test_the_defaults_are_not_proposed_again_while_they_are_in_training() -> None:
    space = space_of(kind={"type": "categorical", "options": ["a", "b"], "default": "a"})
    for seed in range(8):
        (proposal,) = QUICK.propose(
            space, (), Request(1, first=0, total=2, seed=(seed, 0, 0), chosen=(space.defaults(),))
        )
        assert proposal.values == {"kind": "b"}


def test_the_reason_predicts_the_score_on_its_own_scale() -> None:
    space = unit("x")
    trials = [Trial({"x": x}, 90 + 5 * math.sin(3 * x)) for x in np.linspace(0, 1, 12).round(3).tolist()]
    trials.append(Trial({"x": 0.99}, -1e6))  # clipped, or no number of the reason would mean anything
    (proposal,) = ask(space, trials)
    found = re.fullmatch(
        r"expected improvement (\S+) over the best score 94\.9\d* seen; "
        r"predicted (\S+) ± (\S+) \(Gaussian process on 13 trials\)",
        proposal.reason,
    )
    assert found, proposal.reason
    gain, middle, spread = map(float, found.groups())
    assert abs(middle - (90 + 5 * math.sin(3 * proposal.values["x"]))) < 0.5
    assert 0 <= gain < 0.5
    assert 0 <= spread < 2


@pytest.mark.parametrize(
    ("acquisition", "words"), [("LCB", "could reach"), ("PI", "a chance of"), ("EI", "expected improvement")]
)
def test_each_acquisition_says_what_it_measures(acquisition: Any, words: str) -> None:
    trials, _ = search(Uniform(), CATEGORICAL, lambda v: (v["a"] == "r") + 0.5 * v["b"], 7)
    (proposal,) = ask(CATEGORICAL, trials, sampler=GaussianProcess(acquisition=acquisition, candidates=200))
    assert proposal.reason.startswith(words)


def test_options_and_cells_of_the_cube_belong_together_whatever_their_weights() -> None:
    axes = Axes(MIXED)
    for option, name in enumerate(["adam", "sgd", "lion"]):
        values = {**MIXED.decode((0.5,) * MIXED.size), "optimizer": name}
        if name == "sgd":
            values |= {"momentum": 0.9, "nesterov": True}
        else:
            values = {key: value for key, value in values.items() if key not in {"momentum", "nesterov"}}
        point = axes.point(MIXED.encode(values))
        assert point[3] == option
        assert MIXED.decode(axes.cube(point)) == values


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"starts": 0}, "starts: 0; allowed: whole numbers from 1"),
        ({"starts": True}, "starts: True"),
        ({"starts": 2.0}, r"starts: 2\.0"),
        ({"candidates": 10}, "candidates: 10; allowed: whole numbers from 100"),
        ({"xi": -0.1}, r"xi: -0\.1; allowed: finite numbers from 0"),
        ({"kappa": math.nan}, "kappa: nan"),
        ({"tail": math.inf}, "tail: inf"),
        ({"acquisition": "ei"}, r"'ei'; did you mean 'EI'\?; allowed: EI, LCB, PI"),
    ],
)
def test_unusable_settings_are_refused(settings: dict[str, Any], message: str) -> None:
    with pytest.raises(InvalidInput, match=message):
        GaussianProcess(**settings)
