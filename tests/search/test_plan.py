"""The epochs of a plan: the estimates of the TAO page to the printed digit, and sums over stages and rungs."""

from __future__ import annotations

import math

import pytest

from automl.search.extension import with_final
from automl.search.plan import with_before
from automl.search.race import Judgement
from automl.search.schedules.base import Schedule
from automl.search.schedules.hyperband import Hyperband
from automl.search.schedules.sequential import Sequential
from automl.search.schedules.successive_halving import SuccessiveHalving

# -- table 1 of the TAO page ------------------------------------------------------------------------------------------


def hyperband_minutes(epochs: int, single: float, *, resume: bool = True, as_written: bool = True) -> float:
    """The page's estimate of Hyperband, R = 27, by our plan. as_written: m floored and R lowered, as its rule says."""
    schedule = Hyperband(27, 3, "auto", epochs, floor_multiplier=as_written, lower_R=as_written)
    return schedule.plan().epochs(resume=resume) * single / epochs


TABLE_1 = {  # network -> (epochs, minutes of one training, Bayesian, Hyperband), as printed
    "detectnet_v2": (80, 45.66, 913.2, 534.2),
    "faster_rcnn": (80, 252, 5040, 2948.4),
    "retinanet": (100, 75, 1500, 702),
    "ssd": (80, 174, 3480, 2035),
    "yolo3": (80, 60, 1200, 702),
    "yolo4": (80, 110, 2200, 1287),
    "yolo4_tiny": (80, 87, 1740, 1017.9),
    "multiclass_classification": (80, 80, 1600, 1279.7),
    "multitask_classification": (10, 12.5, 250, 799.8),
}
ANEW = ("multiclass_classification", "multitask_classification")  # printed without resume, floor and lowering


@pytest.mark.parametrize("network", TABLE_1)
def test_table_1_of_the_tao_page_to_the_printed_digit(network: str) -> None:
    epochs, single, bayesian, hyperband = TABLE_1[network]
    assert Sequential(20, epochs).plan().epochs(resume=True) * single / epochs == pytest.approx(bayesian)
    found = hyperband_minutes(epochs, single, resume=network not in ANEW, as_written=network not in ANEW)
    if network == "ssd":
        assert round(found, 1) == 2035.8  # printed without its decimals
        found = math.floor(found)
    assert round(found, 1) == hyperband


@pytest.mark.parametrize("network", ANEW)
def test_two_rows_follow_from_the_exception_alone(network: str) -> None:
    epochs, single, _, hyperband = TABLE_1[network]
    for resume, as_written in ((True, True), (False, True), (True, False)):
        assert round(hyperband_minutes(epochs, single, resume=resume, as_written=as_written), 1) != hyperband


FURTHER = {  # network -> (epochs, R after lowering, stages as (experiments, epochs), units from scratch, resumed)
    "efficientdet": (6, 6, [[(3, 6), (1, 18)]], 12, 10),
    "mask_rcnn": (5, 5, [[(3, 3), (1, 9)]], 6, 5),
    "lprnet": (24, 24, [[(9, 6), (3, 18), (1, 54)], [(3, 24), (1, 72)]], 102, 82),
    "unet": (
        50,
        27,
        [[(27, 3), (9, 9), (3, 27), (1, 81)], [(9, 9), (3, 27), (1, 81)], [(6, 27), (2, 81)]],
        297,
        234,
    ),
}


@pytest.mark.parametrize("network", FURTHER)
def test_four_further_networks_by_the_documented_rule(network: str) -> None:
    """R falls with the epochs until a unit of resource is three of them. mask_rcnn is printed without resume."""
    epochs, lowered, stages, scratch, resumed = FURTHER[network]
    plan = Hyperband(27, 3, "auto", epochs).plan()
    assert plan.multiplier == 3
    assert [[(rung.size, rung.epochs) for rung in stage.rungs] for stage in plan.stages] == stages
    assert (plan.units(resume=False), plan.units(resume=True)) == (scratch, resumed)
    for resume in (True, False):
        assert plan.epochs(resume=resume) == 3 * plan.units(resume=resume)
        assert plan.epochs(resume=resume) == plan.trained(plan.stages, resume=resume)
    said = [f"R lowered from 27 to {lowered} for max_epochs = {epochs}"] if lowered < 27 else []
    assert [note for note in plan.notes if "lowered" in note] == said


# -- sums -------------------------------------------------------------------------------------------------------------

SHIPPED: dict[str, Schedule] = {
    "hyperband R=9": Hyperband(9, 3, "budget", 9),
    "hyperband R=27": Hyperband(27, 3, "auto", 80),
    "hyperband R=81": Hyperband(81, 3, "budget", 81),
    "hyperband R=16 nu=2": Hyperband(16, 2, "budget", 16),
    "hyperband with random stage": Hyperband(27, 3, "budget", 27, random_stage=True),
    "successive halving": SuccessiveHalving(Hyperband(27, 3, "budget", 27)),
    "bayesian": Sequential(20, 80, 1),
    "bayesian 4 a step": Sequential(20, 80, 4),
    "random": Sequential(20, 80, None),
}


@pytest.mark.parametrize("name", SHIPPED)
def test_the_final_judgement_is_counted_apart(name: str) -> None:
    search = SHIPPED[name].plan()
    plan = with_final(search, Judgement(3))
    longest = max(stage.schedule_epochs for stage in search.stages)
    assert plan.search == search.stages
    assert plan.epochs(resume=True) == search.epochs(resume=True)
    assert plan.final_epochs == 6 * longest
    assert (plan.experiments, plan.runs) == (search.experiments + 6, search.runs + 6)
    assert (plan.stages[-1].first, plan.stages[-1].index) == (search.experiments, len(search.stages))
    assert with_final(search, Judgement(0)) == search


def test_epochs_resumed_are_the_sum_over_what_each_rung_adds() -> None:
    plan = Hyperband(27, 3, "budget", 54).plan()
    total = sum(
        rung.size * (rung.epochs - before) for stage in plan.stages for rung, before in with_before(stage, "epochs")
    )
    assert plan.epochs(resume=True) == total == 234 * 2
    assert plan.epochs(resume=False) == 297 * 2
