"""The options of a study file with their types and bounds. What they mean together is decided in definition.py."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from automl.networks.metric_rules import METRICS, MOST_METRICS, MetricRule, check_metrics
from automl.search.algorithms import ALGORITHMS, SAMPLERS
from automl.search.early_end import Limit
from automl.search.plan import MAX_EXPERIMENTS, StopRule
from automl.search.race import Judgement
from automl.search.ranking import Among
from automl.study.cluster_options import ClusterSettings, Options
from automl.study.objectives import Choose, ConstraintRule
from automl.text.table_names import KeyOf

TAO_NAMES = {  # TAO's names of our options, accepted in their place
    "model_name": "network",
    "automl_algorithm": "algorithm",
    "automl_R": "R",
    "automl_nu": "nu",
    "automl_max_recommendations": "max_recommendations",
    "automl_additional_parameters": "additional_automl_parameters",
    "automl_remove_default_parameters": "remove_default_automl_parameters",
}
UNSAID = {"best_among": Among.ALL.value}  # what it means that a stored study lacks an option: it is older than that
MAY_FOLLOW = ("best_among", "final")  # where a study file leaves them out, a study that was begun keeps its own
IN_THE_STUDY_FILE = "in the study file"  # what 'network' is in a record when the study file describes it
NOT_DECISIVE = ("cluster", "costs", "run")  # the options that no decision depends on
MOST_EPOCHS = 1_000_000  # of epochs or units: beyond it is a typing error
AUTO = "auto"  # the algorithm of a study file that leaves the choice to budget.py
USUAL_RACE = {"candidates": 3, "repeats": 4}  # with less than four of each side a gain is seldom told from noise


class Final(Options):
    """The judgement at the end: a race of the best values and the defaults, which are trained again with fresh seeds.

    `repeats` alone is no race, as in every study before there were races: the best and the defaults meet at once.
    """

    candidates: int | None = Field(
        None,
        ge=1,
        le=20,
        description="the best of the search that race against the defaults, at most; default: 3, and with repeats "
        "alone there is no race: the best and the defaults train so often, all at once",
    )
    repeats: int = Field(
        4, ge=0, le=20, description="fresh trainings of whoever stays to the end, at most; 0 leaves the judgement out"
    )
    share: float | None = Field(
        None,
        gt=0,
        le=100,
        allow_inf_nan=False,
        description="the most epochs that a race takes, in epochs of the search; default: a third of them",
    )

    @model_validator(mode="before")
    @classmethod
    def _is_a_race(cls, options: Any) -> Any:
        """All but `repeats` alone is a race; what it does not say is usual."""
        return options if not isinstance(options, dict) or set(options) == {"repeats"} else {**USUAL_RACE, **options}

    @property
    def judgement(self) -> Judgement:
        return Judgement(self.repeats, self.candidates, self.share)


class Until(Options):
    """When a search ends before its plan does: at the first limit that is reached. Limits count the search alone."""

    target: float | None = Field(None, allow_inf_nan=False, description="the best of the search is as good as this")
    no_improvement: int | None = Field(
        None, ge=1, le=MAX_EXPERIMENTS, description="full trainings in a row that are not better than the best before"
    )
    epochs: int | None = Field(None, ge=1, le=1_000_000_000, description="trained, or still to train by what has begun")
    hours: float | None = Field(None, gt=0, allow_inf_nan=False, description="in which something trained")
    gpu_hours: float | None = Field(None, gt=0, allow_inf_nan=False, description="of all trainings, lost ones too")
    price: float | None = Field(None, gt=0, allow_inf_nan=False, description="of the GPU hours")
    price_per_gpu_hour: float | None = Field(
        None, gt=0, allow_inf_nan=False, description="for 'price'; default: that of 'costs' when the study begins"
    )
    gpus: int | None = Field(
        None, ge=1, le=1024, description="for GPU hours and price; default: those of 'costs' when the study begins"
    )
    then: Literal["finish", "stop"] = Field(
        "finish", description="what becomes of the trainings that are under way: finish (default) or stop"
    )

    @model_validator(mode="after")
    def _has_a_limit(self) -> Until:
        if not self.limits:
            raise ValueError(f"no limit, and one is needed of {', '.join(Limit)}")
        return self

    @property
    def limits(self) -> dict[Limit, float]:
        """The limits that are given."""
        given = {limit: getattr(self, limit.value) for limit in Limit}
        return {limit: most for limit, most in given.items() if most is not None}


class BudgetOf(StrEnum):
    """What a budget is counted in."""

    TRAININGS = "trainings"
    HOURS = "hours"
    GPU_HOURS = "gpu_hours"
    PRICE = "price"


class Budget(Options):
    """What a whole study may take by its plan, its judgement included: one number, of one kind."""

    trainings: float | None = Field(None, gt=0, allow_inf_nan=False, description="full trainings' worth of epochs")
    hours: float | None = Field(None, gt=0, allow_inf_nan=False, description="with 'run: jobs' trainings at a time")
    gpu_hours: float | None = Field(None, gt=0, allow_inf_nan=False, description="by 'costs'")
    price: float | None = Field(None, gt=0, allow_inf_nan=False, description="of the GPU hours, by 'costs'")

    @model_validator(mode="after")
    def _is_one(self) -> Budget:
        names = [unit.value for unit in BudgetOf if getattr(self, unit.value) is not None]
        if len(names) != 1:
            raise ValueError(
                f"{' and '.join(names) or 'nothing'} given, and one is needed of {', '.join(BudgetOf)}; "
                "'until' ends a search at the first of several limits"
            )
        return self

    @property
    def given(self) -> tuple[BudgetOf, float]:
        """What it is counted in, and how much of that."""
        ((unit, most),) = ((unit, getattr(self, unit.value)) for unit in BudgetOf if getattr(self, unit.value))
        return unit, most


class CostSettings(Options):
    """What one experiment takes; what is not given is the network's usual."""

    minutes_per_epoch: float | None = Field(None, gt=0, allow_inf_nan=False)
    start_minutes: float | None = Field(None, ge=0, allow_inf_nan=False)
    gpus: int | None = Field(None, ge=0, le=1024, description="GPUs of one experiment")
    price_per_gpu_hour: float | None = Field(None, ge=0, allow_inf_nan=False)
    checkpoint_megabytes: float | None = Field(None, gt=0, allow_inf_nan=False)


class RunSettings(Options):
    """How a study is carried out. These may change between starts: no decision depends on them."""

    store: str | None = Field(
        None,
        description="where the study lies: a folder (relative to this file) or s3://bucket/prefix; default: ./NAME",
    )
    jobs: int | None = Field(
        None,
        ge=1,
        le=1024,
        description="experiments side by side; default: as many as there are GPUs for, or one for each CPU core",
    )
    gpus: (
        list[Annotated[int, Field(ge=0)] | Annotated[str, Field(min_length=1, pattern=r"^[A-Za-z0-9/-]+$")]] | None
    ) = Field(
        None,
        max_length=1024,
        description="GPUs of this machine to use, by index or UUID; [] hides them; default: all",
    )
    timeout_minutes: float | None = Field(None, gt=0, allow_inf_nan=False, description="longest run of one experiment")
    failures_in_a_row: int | None = Field(
        5,
        ge=0,
        le=1000,
        description="equal failures, one after the other and before an epoch, that pause it; null: never",
    )
    preemptions: int = Field(100, ge=0, description="restarts of one run after exit code 75 before it counts as failed")


class StudyFile(Options):
    """What a user writes. All but `run`, `costs` and `cluster` decides, and is fixed once a study has begun."""

    name: str = Field(
        pattern=r"^[a-z0-9]([a-z0-9-]{0,38}[a-z0-9])?$",
        description="letters a-z, digits and, between them, '-'; at most 40",
        examples=["my-study"],
    )
    network: (
        Annotated[str, Field(min_length=1, description="a network of the catalogue, or the path of a network file")]
        | dict[str, Any]
    ) = Field(description="a network of the catalogue, or the path of a network file, or what such a file says")
    dataset: str | None = Field(None, min_length=1, description="path or URI of the data; default: the network's own")
    train_spec: dict[str, Any] = Field({}, description="other settings of the training, nested or by dotted path")
    automl_enabled: bool = Field(True, description="false trains the defaults once")
    algorithm: Annotated[str, KeyOf(ALGORITHMS, (AUTO,))] = Field(
        "hyperband", description="how it is searched; auto: by what the network allows and 'budget' pays for"
    )
    budget: Budget | None = Field(
        None, description="of algorithm: auto, what the whole study may take, the judgement included"
    )
    max_recommendations: int | None = Field(
        None,
        ge=1,
        le=MAX_EXPERIMENTS,
        description="experiments; default: 20, of successive_halving and asha as many as R and nu give",
    )
    parallel: int | None = Field(
        None, ge=1, le=MAX_EXPERIMENTS, description="experiments in one step of bayesian; default: 1"
    )
    overlap: bool | None = Field(
        None, description="bayesian: no steps, the next is proposed when one of 'parallel' has ended; default: false"
    )
    R: int | None = Field(
        None,
        ge=2,
        le=MOST_EPOCHS,
        description="largest resource of one experiment, in units; default: 27, or max_epochs if less",
    )
    nu: int | None = Field(None, ge=2, le=MOST_EPOCHS, description="one of nu experiments is promoted; default: 3")
    epoch_multiplier: Annotated[int, Field(ge=1, le=MOST_EPOCHS)] | Literal["auto", "budget"] | None = Field(
        None,
        description="epochs of one unit of R; auto: TAO's rule from max_epochs, which overshoots; "
        "budget (default): the longest training gets exactly max_epochs",
    )
    max_epochs: int | None = Field(
        None, ge=1, le=MOST_EPOCHS, description="epochs of a full training; default: the network's"
    )
    random_stage: bool | None = Field(None, description="hyperband with the paper's stage s = 0; default: false")
    floor_multiplier: bool | None = Field(None, description="with auto: whole epochs a unit; default: true")
    lower_R: bool | None = Field(  # noqa: N815
        None, description="with auto: R falls until a unit is 3 epochs; default: true"
    )
    resume: Literal["checkpoint", "none", "stop"] | None = Field(
        None,
        description="how an experiment comes to its next rung: checkpoint, from the one that it left; none, from epoch "
        "0, each rung trained anew; stop, by training on: it is started once, for all epochs, and stopped at a rung "
        "where it falls behind; default: checkpoint where the network can, otherwise none",
    )
    stop_rule: Annotated[str, KeyOf({rule.value: rule for rule in StopRule})] | None = Field(
        None,
        description="with resume: stop, who trains on: asha, the best 1/nu of the rung's results so far (default); "
        "median, who was at best no worse than the median of what the others were on average",
    )
    population: int | None = Field(
        None, ge=2, le=1000, description="pbt: members, all of which train max_epochs epochs; default: 8"
    )
    interval: int | None = Field(
        None,
        ge=1,
        le=MOST_EPOCHS,
        description="pbt: epochs after which the worst take over from the best; default: a tenth of max_epochs",
    )
    perturbed: list[str] | None = Field(
        None,
        max_length=1000,
        description="pbt: the parameters that may change during a training; default: those of which the network "
        "says changes_at_resume: true, and all real numbers of which it does not say false",
    )
    sampler: Annotated[str, KeyOf(SAMPLERS)] | None = Field(
        None, description="which values; default: the algorithm's own"
    )
    repeat_configurations: bool | None = Field(
        None,
        description="true: when all configurations of the space were tried, they are trained again with other seeds; "
        "default: false, and the search ends",
    )
    seed: int = Field(42, ge=0, lt=2**31, description="the only source of chance")
    additional_automl_parameters: list[str] = Field([], description="parameters to search that are not by default")
    remove_default_automl_parameters: list[str] = Field([], description="parameters not to search that are by default")
    parameters: dict[str, dict[str, Any]] = Field({}, description="other ranges and options, by parameter")
    metric: MetricRule | None = Field(None, description="what is searched for; default: the network's")
    metrics: list[MetricRule] | None = Field(None, min_length=1, max_length=MOST_METRICS, description=METRICS)
    constraints: list[ConstraintRule] | None = Field(
        None,
        min_length=1,
        max_length=20,
        description="bounds on what is measured: an experiment that breaks one is never the winner",
    )
    choose: Choose | None = Field(
        None,
        description="of several metrics, the point of the front that is judged and kept: knee (default), which counts "
        "all alike on the front's ranges, or weights",
    )
    enqueue: list[dict[str, Any]] | None = Field(
        None, max_length=1000, description="values to try first, after the defaults; what one does not name is default"
    )
    warm_start: list[Annotated[str, Field(min_length=1, max_length=1000)]] | None = Field(
        None,
        min_length=1,
        max_length=10,
        description="earlier searches that the sampler learns from as far as they rank what is measured now: the "
        "folder or s3:// address of a study, a table NAME.csv, or a storage of Optuna, NAME.log or NAME.db, with "
        "'#STUDY' behind it where it has several",
    )
    best_among: Literal["longest", "all"] = Field(
        Among.LONGEST.value,
        description="the results among which the best is chosen: longest, those with the most epochs that any "
        "experiment has reached; all, those of any number of epochs",
    )
    until: Until | None = Field(None, description="ends the search early; what began may finish, the judgement follows")
    final: Final = Final(**USUAL_RACE)
    costs: CostSettings = CostSettings()
    run: RunSettings = RunSettings()
    cluster: ClusterSettings = ClusterSettings()

    @model_validator(mode="after")
    def _metrics_once(self) -> StudyFile:
        check_metrics(self.metric, self.metrics or ())
        return self
