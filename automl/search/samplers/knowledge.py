"""What a sampler that learns knows: finished trials as rows and targets, and what was issued and has no result yet.

The samplers that learn share the rest too: even starts before there is something to learn, no configuration twice.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import Enum, auto
from functools import cache
from typing import Any, Protocol

import numpy as np

from automl.problem.aim import Scores
from automl.problem.search_space import Cube, SearchSpace
from automl.search.earlier_search import EarlierSearch
from automl.search.rules import EVIDENCE_FIRST, RULES
from automl.search.samplers.base import Proposal, Request, Trial
from automl.search.surrogates.earlier import Earlier
from automl.search.surrogates.feasibility import Feasibility, fails_by_itself, has_score, rows_of
from automl.search.surrogates.features import Features, Rows
from automl.search.surrogates.warp import Array, Warp

_FEWEST = 2  # successes that a model needs: one gives a level and no slope
_DRAWS = 2000  # in search of an untried configuration: finds the last of 200 equally likely ones, all but surely
_FROM_EARLIER = 3  # proposals that are configurations of earlier searches, before there are results
_ALONE = 0.4  # of the turns, which ignore earlier searches
_INSTEAD = 64  # draws that may take the place of an even point where trials fail
_DIGITS = 30  # binary ones, of a coordinate of the even starts
_EVEN, _MEMBER, _UNTRIED = 11, 12, 13  # streams of chance; low_discrepancy.py and gaussian_process.py have 1 to 4


@dataclass(frozen=True)
class Knowledge:
    """The trials of a study, in one order whatever order they came in.

    `rows`, `targets` and `epochs` are of the trials that gave a score; targets are warped losses (smaller is better).
    What failed is in `feasibility` alone. `pending` are rows without a result. `unfit` says why there is nothing to
    learn, and is empty where there is something. `earlier` is None where the study has no earlier searches.
    """

    features: Features
    rows: Rows
    targets: Array
    epochs: Array
    warp: Warp | None
    pending: Rows
    tried: frozenset[Cube]
    failures: int
    best: float
    unfit: str
    feasibility: Feasibility
    scores: tuple[Scores, ...] = ()  # of all metrics, of the same trials, where there are several or constraints
    excesses: tuple[Scores, ...] = ()
    earlier: Earlier | None = None
    searches: tuple[EarlierSearch, ...] = ()  # those of `earlier`, each with all its metrics, where there are several
    rules: int = RULES

    @classmethod
    def of(cls, space: SearchSpace, trials: Sequence[Trial], request: Request, tail: float) -> Knowledge:
        """`tail` is how many interquartile ranges below the median a score is clipped."""
        features, encode = Features(space), _encoding_once(space)
        read = [(encode(trial.values), trial) for trial in trials]
        # Sums depend on the order of their parts: one order, in whatever order the trials came.
        read.sort(key=lambda pair: (pair[0], _loss(pair[1]), pair[1].epochs))
        losses = np.array([_loss(trial) for _, trial in read])
        succeeded = np.isfinite(losses)
        tried = {cube for cube, _ in read} | {encode(values) for values in request.elsewhere}
        issued = (*request.chosen, *request.pending)
        pending = {cube: values for values in issued if (cube := encode(values)) not in tried}
        warp, unfit = None, ""
        if not features.axes:
            unfit = "the space has one configuration"
        elif succeeded.sum() < _FEWEST:
            unfit = f"{succeeded.sum()} of {len(read)} trials gave a score"
        else:
            warp = Warp.fit(losses[succeeded], tail)
            unfit = "" if warp else f"all scores are equal ({-losses[succeeded][0]:.6g})"
        scored = [(trial.values, cube) for cube, trial in read if has_score(trial)]
        failed = [(trial.values, cube) for cube, trial in read if not has_score(trial) and fails_by_itself(trial)]
        rows = rows_of(features, scored)
        targets = warp.targets(losses[succeeded]) if warp else np.zeros(len(rows))
        compared = len(rows) if warp else 0  # where all are equal nothing can be compared
        return cls(
            features,
            rows,
            targets,
            np.array([float(trial.epochs) for _, trial in read if has_score(trial)]),
            warp,
            rows_of(features, [(pending[cube], cube) for cube in sorted(pending)]),
            frozenset(tried | set(pending)),
            len(read) - int(succeeded.sum()),
            -float(losses[succeeded].min()) if succeeded.any() else math.nan,
            unfit,
            Feasibility(features, rows, rows_of(features, failed)),
            tuple(trial.scores for _, trial in read if has_score(trial)),
            tuple(trial.excesses for _, trial in read if has_score(trial)),
            earlier_of(features, request, rows[:compared], targets[:compared]),
            rules=request.rules,
        )

    @property
    def words(self) -> str:
        """What a model was told, for a reason."""
        text = f"{len(self.rows) + self.failures} trials"
        return text + (f", {self.failures} of them failed" if self.failures else "") + self.feasibility.words

    @property
    def earlier_words(self) -> str:
        """Whether earlier searches had a say, for the end of a reason; empty where there are none."""
        return "" if self.earlier is None else self.earlier.words


def earlier_of(features: Features, request: Request, rows: Rows, targets: Array) -> Earlier | None:
    """What the study's earlier searches say beside these results; None where it has none."""
    if not request.earlier:
        return None
    return Earlier.of(features, request.earlier, rows, targets, rules=request.rules)


def _encoding_once(space: SearchSpace) -> Callable[[Mapping[str, Any]], Cube]:
    """The encoding of the space, which reads each mapping of values once: an experiment has results at many rungs."""
    cubes: dict[int, tuple[Mapping[str, Any], Cube]] = {}  # the mapping is held, so that no other gets its id

    def encode(values: Mapping[str, Any]) -> Cube:
        if id(values) not in cubes:
            cubes[id(values)] = (values, space.encode(values))
        return cubes[id(values)][1]

    return encode


class Member(Protocol):
    """One way to propose from knowledge."""

    def choose(self, pending: Rows, rng: np.random.Generator) -> tuple[Rows, str]:
        """Rows in the order of preference, and why. `pending` have no result yet."""
        ...


Turn = Callable[[int, np.random.Generator], Member]  # whose turn it is at a place of the sequence


def propose(
    knowledge: Knowledge, request: Request, starts: int, turns: Callable[[Knowledge], Turn]
) -> tuple[Proposal, ...]:
    """The first `starts` proposals of a stage fill the space evenly; the others are chosen by who has the turn.

    Where earlier searches have a say, their best configurations take the places of some of these, and a share of the
    turns is taken as if there were none: what they say of another task is never right everywhere.
    """
    space, features = knowledge.features.space, knowledge.features
    turn, alone = turns(knowledge), cache(lambda: turns(replace(knowledge, earlier=None)))
    pending, tried = knowledge.pending, set(knowledge.tried)
    proposals: list[Proposal] = []
    for index in range(request.first, request.first + request.count):
        rng = np.random.default_rng(np.random.SeedSequence(request.seed, spawn_key=(_MEMBER, index)))
        informed = knowledge.earlier is not None and knowledge.earlier.trust > 0
        begun = _begun(knowledge, request, starts)
        begins = _begins(knowledge, request, index, starts)
        if begins is _Begins.WITH_THE_BEST_OF_EARLIER:
            cubes, reason = _from_earlier(knowledge)
        elif begins is _Begins.EVENLY:
            place = index - begun if index >= begun else starts  # the best of an earlier search takes no point's place
            cubes = _even_points(knowledge, place, request, rng)
            reason = f"point {place + 1} of a sequence that fills the space evenly"
            reason += f"; no model yet: {knowledge.unfit}" if index >= starts + begun else ""
        else:
            ignores = informed and starts > 0 and rng.random() < _ALONE
            rows, reason = (alone() if ignores else turn)(index, rng).choose(pending, rng)
            reason += "; in this turn earlier searches are ignored, as in a share of all" if ignores else ""
            cubes = [features.cube(row) for row in rows]
        cube, values, addition = _first_untried(space, cubes, tried, request, index)
        tried.add(cube)
        pending = np.vstack([pending, [features.row(values, cube)]])
        proposals.append(Proposal(values, reason + addition + knowledge.earlier_words))
    return tuple(proposals)


class _Begins(Enum):
    """How a proposal comes about that no model makes."""

    EVENLY = auto()
    WITH_THE_BEST_OF_EARLIER = auto()
    NOT = auto()  # the model makes it


def _begins(knowledge: Knowledge, request: Request, index: int, starts: int) -> _Begins:
    """How proposal `index` of a stage comes about.

    Every other one of the even starts gives its place to the best of an earlier search that agrees with the results so
    far, of which one comes first. So one that misleads costs nothing unless the first results agree with it by chance.
    """
    earlier = knowledge.earlier
    trusted = earlier is not None and earlier.trust > 0
    if request.rules < EVIDENCE_FIRST:
        if trusted and starts and (knowledge.unfit or index < 1) and index < _FROM_EARLIER:
            return _Begins.WITH_THE_BEST_OF_EARLIER
        is_even = index < starts + _begun(knowledge, request, starts) and not trusted
        return _Begins.EVENLY if is_even or knowledge.unfit else _Begins.NOT
    if index < starts and index % 2 == 1 and earlier is not None and any(earlier.agreeing):
        return _Begins.NOT if index > 1 and trusted and not knowledge.unfit else _Begins.WITH_THE_BEST_OF_EARLIER
    return _Begins.EVENLY if index < starts or knowledge.unfit else _Begins.NOT


def _begun(knowledge: Knowledge, request: Request, starts: int) -> int:
    """How many proposals come before the even ones: in studies of before the best of an earlier search."""
    return int(
        request.rules < EVIDENCE_FIRST and knowledge.earlier is not None and knowledge.earlier.begins and starts > 0
    )


def _from_earlier(knowledge: Knowledge) -> tuple[list[Cube], str]:
    """The best configurations of earlier searches, the best of each first."""
    assert knowledge.earlier is not None, "asked only where there are some"
    best = knowledge.earlier.best_first()
    return [knowledge.features.cube(row) for row in best], "among the best of an earlier search"


def _even_points(knowledge: Knowledge, index: int, request: Request, rng: np.random.Generator) -> list[Cube]:
    """The point of the sequence, or a draw in its place that is more likely to be trained."""
    features = knowledge.features
    cube = even_point(features.space.size, index, request.seed)
    if not knowledge.feasibility.words:
        return [cube]
    drawn = [features.space.encode(features.space.decode(cube))]
    drawn += [features.space.encode(features.space.sample(rng)) for _ in range(_INSTEAD)]
    rows = rows_of(features, [(features.space.decode(point), point) for point in drawn])
    return [drawn[knowledge.feasibility.preferred(rows)]]


def even_point(size: int, index: int, seed: tuple[int, int, int]) -> Cube:
    """Point `index` of the Halton sequence of the study's seed and stage, its digits permuted (Owen 2017).

    Each coordinate is even in every number of its first points, and no two go together.
    """
    rng = np.random.default_rng(np.random.SeedSequence(seed[:2], spawn_key=(_EVEN,)))
    return tuple(_permuted_digits(index, base, rng) for base in _primes(size))


def _permuted_digits(index: int, base: int, rng: np.random.Generator) -> float:
    """The digits of `index` behind the point, each permuted; the permutations are the same for every index."""
    value, share = 0.0, 1.0
    for _ in range(math.ceil(_DIGITS / math.log2(base))):
        share /= base
        value += share * float(rng.permutation(base)[index % base])
        index //= base
    return value + share / 2


def _primes(count: int) -> list[int]:
    primes: list[int] = []
    number = 2
    while len(primes) < count:
        if all(number % prime for prime in primes):
            primes.append(number)
        number += 1
    return primes


def _first_untried(
    space: SearchSpace, cubes: Sequence[Cube], tried: set[Cube], request: Request, index: int
) -> tuple[Cube, dict[str, Any], str]:
    """The first of the cubes that is no configuration tried before; else an untried draw; else a repeat."""
    for place, point in enumerate(cubes):
        values = space.decode(point)
        cube = space.encode(values)  # one configuration, one cube: the centre of its cell
        if cube not in tried:
            return cube, values, "" if place == 0 else f" (choice {place + 1}: those before were tried)"
    rng = np.random.default_rng(np.random.SeedSequence(request.seed, spawn_key=(_UNTRIED, index)))
    for _ in range(_DRAWS):
        values = space.sample(rng)
        cube = space.encode(values)
        if cube not in tried:
            return cube, values, "; drawn uniformly, because that was tried before"
    return cube, values, f"; drawn uniformly, and a repeat: no configuration in {_DRAWS} draws was untried"


def _loss(trial: Trial) -> float:
    """The loss of a trial, infinite where it failed; a score that is not finite is a failure (state rule 8)."""
    return -trial.score if trial.score is not None and math.isfinite(trial.score) else math.inf
