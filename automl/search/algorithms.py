"""The tables of algorithms and of samplers: what depends on the name of one is in its row, and nowhere else.

To add an algorithm, write a file in schedules/ and a row in `ALGORITHMS`; to add a sampler, a file in samplers/ and a
row in `SAMPLERS`. An algorithm takes every sampler of its kind: those that learn from results, or those that ignore
them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from importlib import import_module
from typing import TYPE_CHECKING, Any

from automl.search.extension import GrowsBy, Growth
from automl.search.rules import ALL_RUNGS_TEACH, ASHA_LEARNS, FAILURES_TEACH, HYPERBAND_LEARNS, NAMED_SAMPLERS, RULES
from automl.search.schedules.asynchronous import ASHA, AsynchronousHyperband, OneByOne
from automl.search.schedules.base import Schedule
from automl.search.schedules.hyperband import Hyperband
from automl.search.schedules.population import MEMBERS, PopulationBased
from automl.search.schedules.sequential import Sequential
from automl.search.schedules.successive_halving import SuccessiveHalving

if TYPE_CHECKING:  # numpy takes a while, and the command's help is made from these tables
    from automl.problem.search_space import SearchSpace
    from automl.search.samplers.base import Proposal, Request, Sampler, Trial

USUAL_R, USUAL_NU = 27, 3


@dataclass(frozen=True)
class SamplerRow:
    """Where a sampler is: its module, its class, its settings. `learns` is true where it looks at results.

    `knows_epochs` is true where it compares results after different numbers of epochs itself.
    `several` is true where it learns from several metrics at once; those that ignore results take any number.
    `starts` is how many proposals fill the space before its first model; None where that is not so.
    `warms` is true where it can learn from earlier searches (`warm_start`).
    `checks` is true where its module has a function `check`, which refuses a space that it cannot search with so many
    experiments. `before` are settings that differ in studies that were begun before failures taught anything.

    The module is imported when the sampler is used, because importing scikit-optimize takes two seconds.
    """

    module: str
    kind: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    learns: bool = False
    knows_epochs: bool = False
    several: bool = False
    starts: int | None = None
    warms: bool = False
    checks: bool = False
    before: Mapping[str, Any] = field(default_factory=dict)


_SCIKIT_OPTIMIZE = SamplerRow(
    "automl.search.samplers.gaussian_process", "GaussianProcess", learns=True, before={"failed_are_worst": True}
)

SAMPLERS: dict[str, SamplerRow] = {
    "uniform": SamplerRow("automl.search.samplers.uniform", "Uniform"),
    "sobol": SamplerRow("automl.search.samplers.low_discrepancy", "LowDiscrepancy", {"method": "sobol"}),
    "lhs": SamplerRow("automl.search.samplers.low_discrepancy", "LowDiscrepancy", {"method": "lhs"}),
    "grid": SamplerRow("automl.search.samplers.grid", "Grid", checks=True),
    "scikit_optimize": _SCIKIT_OPTIMIZE,
    "gaussian_process": _SCIKIT_OPTIMIZE,  # its name before there was a process of our own; studies are stored with it
    "process": SamplerRow(
        "automl.search.samplers.process", "OwnProcess", learns=True, several=True, starts=4, warms=True
    ),
    "joint_process": SamplerRow(
        "automl.search.samplers.joint", "JointProcess", learns=True, knows_epochs=True, starts=4, warms=True
    ),
    "tpe": SamplerRow(
        "automl.search.samplers.tree_parzen", "TreeParzen", learns=True, several=True, starts=4, warms=True
    ),
    "portfolio": SamplerRow(
        "automl.search.samplers.portfolio", "Portfolio", learns=True, several=True, starts=4, warms=True
    ),
    "neighbours": SamplerRow("automl.search.samplers.neighbours", "Neighbours", learns=True, several=True, starts=8),
    "differential_evolution": SamplerRow(
        "automl.search.samplers.differential_evolution", "DifferentialEvolution", learns=True, knows_epochs=True
    ),
    "nsga2": SamplerRow("automl.search.samplers.nsga2", "NSGA2", learns=True, several=True),
    "cma_es": SamplerRow("automl.search.samplers.evolution", "Evolution", learns=True, warms=True),
}


@dataclass(frozen=True)
class Algorithm:
    """An algorithm: a schedule, the samplers that fit it, and all else that follows from its name.

    `options` are those of a study file that it takes, besides max_epochs and those of every study. `schedule` makes the
    schedule from the options that the study file sets, of which max_epochs is always one; it knows the defaults of the
    others. `sampler` is the one that it has unless the study file names another, and `unnamed` the one of studies that
    were begun by rules before `named_from`, where that is another. `learns` is true where its samplers look at
    results, false where they do not, and None where they may. `resumes` is true where its experiments go on from
    checkpoints, and `overlaps` where every stage of it asks for one training at a time, whatever the sampler. `changes`
    is true where a training goes on with other values, so that it can do nothing without checkpoints. `growth`
    says how a search that is over can be extended; None means that it cannot. `template` holds the parameters of its
    WorkflowTemplate, with a description of each. `lines` describes its options in a new study file.
    """

    title: str
    options: tuple[str, ...]
    schedule: Callable[[Mapping[str, Any]], Schedule]
    sampler: str
    template: Mapping[str, str]
    lines: str
    learns: bool | None = False
    resumes: bool = False
    overlaps: bool = False
    changes: bool = False
    growth: Growth | None = None
    unnamed: str = ""
    named_from: int = NAMED_SAMPLERS

    @property
    def unnamed_sampler(self) -> str:
        """The sampler of a stored study that names none."""
        return self.unnamed or self.sampler

    @property
    def may_overlap(self) -> bool:
        """Whether a stage of it may ask for one training at a time: always, by its sampler, or by an option."""
        return self.overlaps or self.learns is None or "overlap" in self.options

    @property
    def samplers(self) -> tuple[str, ...]:
        """The samplers that it can use, its own first."""
        fitting = (name for name, row in SAMPLERS.items() if self.learns in {None, row.learns})
        return (self.sampler, *(name for name in fitting if name != self.sampler))

    def schedule_with(self, sampler: str, options: Mapping[str, Any]) -> Schedule:
        """Its schedule from the options that the study file sets; one by one where the sampler learns from each."""
        schedule = self.schedule(options)
        if SAMPLERS[sampler].learns and isinstance(schedule, Hyperband | SuccessiveHalving):
            return OneByOne(schedule)
        return schedule


def _halving(options: Mapping[str, Any]) -> dict[str, Any]:
    """Settings of Hyperband. The default R is at most max_epochs, and the longest training gets all of these epochs."""
    usual = max(options.get("nu", USUAL_NU), min(USUAL_R, options["max_epochs"]))
    return {"epoch_multiplier": "budget", "R": usual, **options}


def _hyperband(options: Mapping[str, Any]) -> Hyperband:
    return Hyperband(**_halving(options))


def _successive_halving(options: Mapping[str, Any]) -> SuccessiveHalving:
    settings = _halving(options)
    experiments = settings.pop("max_recommendations", None)
    return SuccessiveHalving(Hyperband(**settings), experiments)


def _larger(schedule: Any, R: int) -> Schedule:  # noqa: N803
    larger: Schedule = schedule.larger(R)
    return larger


def _asha(options: Mapping[str, Any]) -> ASHA:
    return ASHA(_successive_halving(options))


def _asynchronous_hyperband(options: Mapping[str, Any]) -> AsynchronousHyperband:
    return AsynchronousHyperband(_hyperband(options))


def _sequential(options: Mapping[str, Any]) -> Sequential:
    names = {"max_recommendations": "experiments", "max_epochs": "epochs"}
    return Sequential(**{names.get(name, name): value for name, value in options.items()})


def _all_at_once(options: Mapping[str, Any]) -> Sequential:
    return _sequential({**options, "parallel": None})


def _population(options: Mapping[str, Any]) -> PopulationBased:
    return PopulationBased(**{name: value for name, value in options.items() if name != "perturbed"})


_HALVING = ("R", "nu", "epoch_multiplier", "max_epochs", "floor_multiplier", "lower_R")
_OF_EVERY_TEMPLATE = {"max_epochs": "epochs of a full training", "seed": "the only source of chance"}
_HALVING_TEMPLATE = {
    "R": "largest resource of one experiment, in units",
    "nu": "one of nu experiments is promoted",
    "epoch_multiplier": "epochs of a unit: a number, auto or budget",
    **_OF_EVERY_TEMPLATE,
}
_EXPERIMENTS = {"max_recommendations": "experiments in total"}
_NU_LINE = "nu: 3                     # of nu experiments, one is promoted, to nu times the epochs\n"
_MULTIPLIER_LINE = (
    "epoch_multiplier: budget  # epochs of one unit: a number, auto (TAO's rule), or budget "
    "(the longest gets max_epochs)"
)

ALGORITHMS: dict[str, Algorithm] = {
    "hyperband": Algorithm(
        title="many short trainings, the best are promoted (Li et al. 2018)",
        options=(*_HALVING, "random_stage"),
        schedule=_hyperband,
        sampler="neighbours",
        unnamed="uniform",
        named_from=HYPERBAND_LEARNS,
        template=_HALVING_TEMPLATE,
        lines="R: {R:<22} # the longest training gets R units; with nu it fixes stages and rungs\n"
        f"{_NU_LINE}{_MULTIPLIER_LINE}",
        learns=None,
        resumes=True,
        growth=Growth(GrowsBy.RESOURCE, _larger),
    ),
    "bayesian": Algorithm(
        title="full trainings, each proposed from the results of those before",
        options=("max_recommendations", "max_epochs", "parallel", "overlap"),
        schedule=_sequential,
        sampler="portfolio",
        unnamed="gaussian_process",
        template={**_EXPERIMENTS, "parallel": "experiments in one step", **_OF_EVERY_TEMPLATE},
        lines="max_recommendations: 20   # full trainings, each proposed from the results of those before\n"
        "parallel: 1               # how many of them are proposed at a time\n"
        "overlap: false            # true: the next one is proposed as soon as one of 'parallel' has ended",
        learns=True,
        growth=Growth(GrowsBy.EXPERIMENTS, Sequential.more),
    ),
    "random": Algorithm(
        title="full trainings of random values",
        options=("max_recommendations", "max_epochs"),
        schedule=_all_at_once,
        sampler="uniform",
        template={**_EXPERIMENTS, **_OF_EVERY_TEMPLATE},
        lines="max_recommendations: 20   # full trainings",
        growth=Growth(GrowsBy.EXPERIMENTS, Sequential.more),
    ),
    "successive_halving": Algorithm(
        title="one stage of Hyperband",
        options=(*_HALVING, "max_recommendations"),
        schedule=_successive_halving,
        sampler="uniform",
        template=_HALVING_TEMPLATE,
        lines="R: {R:<22} # the longest training gets R units\n"
        f"{_NU_LINE}max_recommendations: {{R:<4}} # experiments at the start\n{_MULTIPLIER_LINE}",
        learns=None,
        resumes=True,
        growth=Growth(GrowsBy.RESOURCE, _larger),
    ),
    "asha": Algorithm(
        title="successive halving without a barrier (ASHA, Li et al. 2020)",
        options=(*_HALVING, "max_recommendations"),
        schedule=_asha,
        sampler="neighbours",
        unnamed="uniform",
        named_from=ASHA_LEARNS,
        template={**_EXPERIMENTS, **_HALVING_TEMPLATE},
        lines="R: {R:<22} # the longest training gets R units, the shortest one\n"
        f"{_NU_LINE}max_recommendations: {{R:<4}} # experiments in total\n{_MULTIPLIER_LINE}",
        learns=None,
        resumes=True,
        overlaps=True,
        growth=Growth(GrowsBy.RESOURCE, _larger),
    ),
    "asynchronous_hyperband": Algorithm(
        title="Hyperband without a barrier: no worker waits for a rung (Li et al. 2020)",
        options=(*_HALVING, "random_stage"),
        schedule=_asynchronous_hyperband,
        sampler="neighbours",
        unnamed="uniform",
        named_from=HYPERBAND_LEARNS,
        template=_HALVING_TEMPLATE,
        lines="R: {R:<22} # the longest training gets R units; with nu it fixes the brackets\n"
        f"{_NU_LINE}{_MULTIPLIER_LINE}",
        learns=None,
        resumes=True,
        overlaps=True,
        growth=Growth(GrowsBy.RESOURCE, _larger),
    ),
    "pbt": Algorithm(
        title="a population whose worst take over from its best on the way (PBT, Jaderberg et al. 2017)",
        options=("population", "interval", "perturbed", "max_epochs"),
        schedule=_population,
        sampler="uniform",
        template={
            "population": "members, all of which train to the end",
            "interval": "epochs after which the worst take over from the best",
            **_OF_EVERY_TEMPLATE,
        },
        lines=f"population: {MEMBERS:<13} # members, all of which train max_epochs epochs\n"
        "interval: {interval:<15} # epochs after which the worst take over from the best\n"
        "# perturbed: [train.lr]   # what changes then; default: all real numbers that are searched",
        resumes=True,
        changes=True,
    ),
}


def single_training(epochs: int) -> Schedule:
    """The schedule of a study without a search: the defaults, trained once."""
    return Sequential(experiments=1, epochs=epochs, parallel=None)


def grown_by(by: GrowsBy) -> tuple[str, ...]:
    """The names of the algorithms whose searches can be extended by `by`."""
    return tuple(name for name, row in ALGORITHMS.items() if row.growth is not None and row.growth.by is by)


def with_option(option: str) -> tuple[str, ...]:
    """The names of the algorithms that take this option."""
    return tuple(name for name, row in ALGORITHMS.items() if option in row.options)


@dataclass(frozen=True)
class NamedSampler:
    """The sampler called `name` in `SAMPLERS`; its module is imported when it first proposes.

    It proposes by these rules (rules.py), whatever those of the request are. `settings` are those that differ from its
    row's; a study has none.
    """

    name: str
    rules: int = RULES
    settings: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def check(self, space: SearchSpace, experiments: int) -> None:
        """Raises InvalidInput where the sampler cannot search this space with so many experiments."""
        row = SAMPLERS[self.name]
        if row.checks:
            import_module(row.module).check(space, experiments)

    def propose(self, space: SearchSpace, trials: Sequence[Trial], request: Request) -> tuple[Proposal, ...]:
        """What the sampler proposes."""
        from automl.search.samplers.rungs import compared, explores, lesson  # noqa: PLC0415 - numpy takes a while

        row = SAMPLERS[self.name]
        request = replace(request, rules=self.rules)
        sampler: Sampler = getattr(import_module(row.module), row.kind)(
            **{**row.settings, **(row.before if self.rules < FAILURES_TEACH else {}), **self.settings}
        )
        if not row.learns or row.knows_epochs:
            return sampler.propose(space, trials, request)
        one_rung = self.rules < ALL_RUNGS_TEACH
        if not one_rung and explores(trials, request):
            drawn = NamedSampler("uniform").propose(space, trials, request)
            return tuple(replace(each, reason=f"{each.reason}, as a share of the proposals is") for each in drawn)
        one_rung = one_rung or (row.several and any(trial.scores for trial in trials))
        learned = (lesson if one_rung else compared)(space, trials, request)
        proposals = sampler.propose(space, learned.trials, learned.request)
        return tuple(replace(proposal, reason=proposal.reason + learned.words) for proposal in proposals)
