"""How many experiments and how long, known before anything is trained; and what that will cost.

A plan is made of stages, and a stage of rungs. All counting is by integers.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Literal

from automl.errors import InvalidInput

MAX_EXPERIMENTS = 100_000  # a plan beyond it is a typing error, or needs a cluster of its own


@dataclass(frozen=True)
class Rung:
    """One iteration inside a stage: `size` experiments trained until each has done `epochs` epochs in total.

    `new` is true where its experiments start here; otherwise they are promoted from the rung before. `units` is
    `epochs` in the algorithm's own unit of resource (r nu^i of Hyperband), or the same number where it has none.
    """

    index: int
    size: int
    epochs: int
    units: int
    new: bool


class Resume(StrEnum):
    """How an experiment that goes on to the next rung gets there."""

    CHECKPOINT = "checkpoint"  # from the checkpoint that it left in its rung
    NONE = "none"  # from epoch 0: each rung is trained anew
    STOP = "stop"  # it is not interrupted there: it trains on, unless it is stopped


class StopRule(StrEnum):
    """Which training is stopped at a rung, where none is interrupted there (see stopping.py)."""

    ASHA = "asha"
    MEDIAN = "median"


class StageKind(StrEnum):
    """What the experiments of a stage are for."""

    SEARCH = "search"
    FINAL = "final"  # the judgement of what a search found


@dataclass(frozen=True)
class Overlap:
    """How a stage without a barrier goes on: each of its decisions asks for one training.

    `nu`: of nu results of a rung, one goes on to the next rung; None where no rung follows another. `most` is how many
    trainings that were asked for may be without a result; None leaves that to whoever carries the study out. `whole`:
    nobody goes on before the whole rung has ended, and meanwhile the next bracket begins. `stops`: an experiment is
    trained once, as far as it can come; at the end of each rung a decision says whether it goes on or is stopped.
    """

    nu: int | None = None
    most: int | None = None
    whole: bool = False
    stops: StopRule | None = None


@dataclass(frozen=True)
class Ended:
    """What a stage has in place of what was planned for it, where its search ended early (early_end.py).

    `decisions` were made by then, and ask for `experiments`. `epochs` are those that its trainings have done or may
    still do, and `longest` is the most that one of them has; both are 0 where nothing trained. `why` is for people.
    """

    decisions: int
    experiments: int
    epochs: int
    longest: int
    why: str = ""


@dataclass(frozen=True)
class Stage:
    """One run of successive halving, the whole chain of a Bayesian search, or the final judgement.

    `first` is the number of its first experiment, so that stages that run in parallel never use the same number. Two
    are set where a study was extended: `continues` is the stage whose chain this one goes on with, and `retrains` the
    stage where the extension begins, if the first experiment here has the best values found before it. A stage with
    `overlap` has no barrier between its rungs, whose sizes are then the most trainings that it can ask for; a rung with
    new experiments begins a bracket, whose experiments go on in the rungs behind it. `entrants` says for each rung of a
    race how many sets of values train in it (see race.py); it is empty in any other stage. `anew`: who goes on
    begins at epoch 0 again. `population`: its experiments are the members of a population (population.py), all of
    which go on to the next rung. `ended` says how far it came where the search ended early; `rungs` are then still
    those that were planned, for its decisions were made by them.
    """

    index: int
    name: str
    kind: StageKind
    first: int
    rungs: tuple[Rung, ...]
    continues: int | None = None
    retrains: int | None = None
    overlap: Overlap | None = None
    entrants: tuple[int, ...] = ()
    anew: bool = False
    ended: Ended | None = None
    population: bool = False

    @property
    def runs(self) -> int:
        """The most trainings that are asked for, of which a rung has one for each experiment that reaches it."""
        return sum(rung.size for rung in self.rungs)

    @property
    def stops(self) -> bool:
        """Whether its experiments train through their rungs until they are stopped."""
        return self.overlap is not None and self.overlap.stops is not None

    @property
    def starts(self) -> int:
        """How often a program is started, at most."""
        return self.experiments if self.stops else self.runs

    @property
    def turns(self) -> int:
        """How many of its decisions begin a training, at most: not those by which an experiment trains on."""
        return self.most_experiments if self.stops else self.most_decisions

    @property
    def most_decisions(self) -> int:
        """How many decisions it has at most: one for each rung, or without a barrier one for each training.

        Where experiments are stopped that is one for each that begins, and one for each at a rung but the last.
        Where the search ended early it has those that were made by then.
        """
        if self.ended is not None:
            return self.ended.decisions
        return len(self.rungs) if self.overlap is None else self.runs

    @property
    def experiments(self) -> int:
        """How many experiments are planned, each of which has a number, also where the search ended before it."""
        return sum(rung.size for rung in self.rungs if rung.new)

    @property
    def most_experiments(self) -> int:
        """How many experiments it has at most, which are fewer than planned where the search ended early."""
        return self.experiments if self.ended is None else self.ended.experiments

    @property
    def schedule_epochs(self) -> int:
        """What its longest experiment is trained for, and so what a learning-rate schedule spans."""
        return max(rung.epochs for rung in self.rungs)

    def repeats(self, rung: int) -> int:
        """How often each set of values trains in a rung of a final judgement; without a race there are two of them."""
        return self.rungs[rung].size // (self.entrants[rung] if self.entrants else 2)

    def first_of(self, rung: int) -> int:
        """The number of the first experiment that starts in `rung`."""
        return self.first + sum(earlier.size for earlier in self.rungs[:rung] if earlier.new)

    def longest_from(self, rung: int) -> int:
        """The epochs that an experiment of this rung can reach."""
        while self.goes_on(rung):
            rung += 1
        return self.rungs[rung].epochs

    def goes_on(self, rung: int) -> bool:
        """Whether experiments of this rung can go on to the next one, which does not begin with new ones."""
        return rung + 1 < len(self.rungs) and not self.rungs[rung + 1].new


@dataclass(frozen=True)
class Plan:
    """The stages of a study.

    `multiplier` is the number of epochs in a unit of resource, where the algorithm has one; it may be a fraction where
    it was not floored. `notes` say what was adjusted, for people. `resource` is R, the largest resource, where the
    algorithm has one.
    """

    stages: tuple[Stage, ...]
    multiplier: float | None = None
    notes: tuple[str, ...] = ()
    resource: int | None = None

    def __post_init__(self) -> None:
        if self.experiments > MAX_EXPERIMENTS:
            raise InvalidInput(
                f"the plan has {self.experiments:,} experiments",
                allowed=f"up to {MAX_EXPERIMENTS:,}",
                advice="lower R or max_recommendations",
            )

    @property
    def experiments(self) -> int:
        return sum(stage.experiments for stage in self.stages)

    @property
    def searched(self) -> int:
        """The experiments of the search, without those of final judgements."""
        return sum(stage.most_experiments for stage in self.search)

    @property
    def longest(self) -> int:
        """The epochs of its longest training."""
        longest = max(stage.schedule_epochs if stage.ended is None else stage.ended.longest for stage in self.stages)
        return longest or max(stage.schedule_epochs for stage in self.stages)

    @property
    def runs(self) -> int:
        """How many trainings are asked for: one for every rung that an experiment reaches."""
        return sum(stage.runs for stage in self.stages)

    @property
    def starts(self) -> int:
        """How often a program is started."""
        return sum(stage.starts for stage in self.stages)

    @property
    def search(self) -> tuple[Stage, ...]:
        """The stages of the search, without the final judgements."""
        return tuple(stage for stage in self.stages if stage.kind is StageKind.SEARCH)

    @property
    def finals(self) -> tuple[Stage, ...]:
        """The final judgements: none, or one after the search and one after each extension of it."""
        return tuple(stage for stage in self.stages if stage.kind is StageKind.FINAL)

    def learned_from(self, stage: Stage, *, learns: bool) -> tuple[Stage, ...]:
        """The stages before `stage` whose results its sampler sees: those of its chain.

        One that `learns` also sees the whole search that was extended, behind which its own begins.
        """
        if learns and stage.retrains is not None:
            return tuple(searched for searched in self.search if searched.index < stage.retrains)
        return self.chain(stage)[:-1]

    def chain(self, stage: Stage) -> tuple[Stage, ...]:
        """The stages of the chain that ends with `stage`, in their order."""
        before = () if stage.continues is None else self.chain(self.stages[stage.continues])
        return (*before, stage)

    def sees_all(self, stage: int, index: int) -> bool:
        """Whether decision `index` of a stage looks at the whole search before it, and not only at its own chain."""
        planned = self.stages[stage]
        return index == 0 and (planned.kind is StageKind.FINAL or planned.retrains is not None)

    def before(self, stage: int, index: int) -> list[tuple[Stage, int | None]]:
        """The decisions that decision `index` of a stage builds on, by stage and index.

        It is the one before it in its chain, or the last one of every search stage where it looks at the whole search.
        The index is None for the last decision of a stage without a barrier, whose number no plan knows.
        """
        planned = self.stages[stage]
        if self.sees_all(stage, index):
            end = stage if planned.retrains is None else planned.retrains
            return [
                (searched, _last(searched)) for searched in self.search if searched.index < end and _has_any(searched)
            ]
        if index:
            return [(planned, index - 1)]
        return [(link, _last(link)) for link in self.chain(planned)[-2:-1] if _has_any(link)]

    def units(self, *, resume: bool) -> int:
        """Units of resource of the search. `resume`: promoted experiments go on from their checkpoints, if they can."""
        return sum(
            rung.size * (rung.units - (before if resume or stage.stops else 0))
            for stage in self.search
            for rung, before in with_before(stage, "units")
        )

    def epochs(self, *, resume: bool) -> float:
        """The total epochs of the search; a fraction only where the multiplier is one."""
        if self.multiplier is not None:
            return self.units(resume=resume) * self.multiplier
        return self.trained(self.search, resume=resume)

    @property
    def final_epochs(self) -> int:
        """The epochs of the final judgements, which `epochs` does not include."""
        return self.trained(self.finals, resume=True)

    def trained(self, stages: tuple[Stage, ...], *, resume: bool) -> int:
        """The total epochs of these stages, from the whole numbers of their rungs."""
        return sum(
            stage.ended.epochs
            if stage.ended is not None
            else sum(
                rung.size * (rung.epochs - (before if resume or stage.stops else 0))
                for rung, before in with_before(stage, "epochs")
            )
            for stage in stages
        )


def trained_by(plan: Plan, resume: Resume, rule: StopRule = StopRule.ASHA) -> Plan:
    """The plan of a search whose experiments come to their next rung like this; `rule` says who is stopped there."""
    stages = (replace(stage, anew=resume is Resume.NONE) for stage in plan.stages)
    if resume is Resume.STOP:
        stages = (_stopping(stage, rule) for stage in stages)
    return replace(plan, stages=tuple(stages))


def _stopping(stage: Stage, rule: StopRule) -> Stage:
    """The stage whose trainings are stopped: in each of its rungs there is room for all that began before it."""
    assert stage.overlap is not None, "of an algorithm without barriers only"
    rungs: list[Rung] = []
    for rung in stage.rungs:
        rungs.append(rung if rung.new else replace(rung, size=rungs[-1].size))
    return replace(stage, rungs=tuple(rungs), overlap=replace(stage.overlap, stops=rule))


def capped(plan: Plan, most: float, repeated: int = 0) -> Plan:
    """The plan with at most `most` experiments that start: a rung has fewer, and what would have none is left out.

    `repeated` is how many more the last stage may start, whose configurations were tried before.
    """
    stages: list[Stage] = []
    left, first = most, 0
    for stage in plan.stages:
        if stage is plan.stages[-1]:
            left += repeated
        rungs: list[Rung] = []
        before = 0
        for rung in stage.rungs:
            before = int(min(rung.size, left if rung.new else before))
            left -= before if rung.new else 0
            if before:
                rungs.append(replace(rung, index=len(rungs), size=before))
        if rungs:
            stages.append(replace(stage, index=len(stages), first=first, rungs=tuple(rungs)))
            first += stages[-1].experiments
    return replace(plan, stages=tuple(stages))


def _last(stage: Stage) -> int | None:
    return None if stage.overlap else stage.most_decisions - 1


def _has_any(stage: Stage) -> bool:
    """Whether it has a decision; only one whose search ended early may have none."""
    return stage.most_decisions > 0


def with_before(stage: Stage, what: Literal["epochs", "units"]) -> Iterator[tuple[Rung, int]]:
    """Every rung, with the epochs or units that its experiments have done when they enter it: none where they begin."""
    before = 0
    for rung in stage.rungs:
        yield rung, 0 if rung.new or stage.anew else before
        before = rung.epochs if what == "epochs" else rung.units
