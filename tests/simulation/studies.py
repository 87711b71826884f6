"""Small studies of the tiny training program `least_squares.py`."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from automl.networks import Network
from automl.search import algorithms
from automl.search.judging import training_seed
from automl.study.definition import Definition
from automl.study.options import StudyFile

PROGRAM = Path(__file__).with_name("least_squares.py")
NETWORK: dict[str, Any] = {
    "name": "least_squares",
    "title": "A line through 24 points",
    "task": "regression",
    "image": "localhost/none",
    "command": [sys.executable, str(PROGRAM), "--spec", "{spec}", "--results", "{results}"],
    "spec_format": "json",
    "fields": {
        "epochs": "train.epochs",
        "schedule_epochs": "train.schedule_epochs",
        "seed": "train.seed",
        "resume_from": "train.resume_from",
    },
    "metric": {"name": "loss", "goal": "minimize"},
    "checkpoints": {"pattern": "line_{epoch}.json"},
    "epochs": 9,
    "spec": {
        "train": {
            "epochs": 9,
            "schedule_epochs": 9,
            "seed": 1,
            "lr": 0.02,
            "resume_from": None,
            "pause": 0.0,
        },
        "faults": {},
    },
    "parameters": {
        "train.lr": {"type": "float", "low": 0.001, "high": 0.4, "log": True, "automl_enabled": True},
    },
}
HYPERBAND_9: dict[str, Any] = {"algorithm": "hyperband", "R": 9, "nu": 3, "sampler": "uniform"}  # rung by rung
HALVING: dict[str, Any] = {"algorithm": "successive_halving", "R": 9, "nu": 3, "max_recommendations": 9}
ASHA: dict[str, Any] = {"algorithm": "asha", "R": 9, "nu": 3, "max_recommendations": 9}
POPULATION: dict[str, Any] = {"algorithm": "pbt", "population": 6, "interval": 2, "max_epochs": 7}
RANDOM: dict[str, Any] = {"algorithm": "random", "max_recommendations": 4, "max_epochs": 4}
# what a Bayesian search asks of the runner, a step after the other, without the second that its sampler takes
BAYESIAN: dict[str, Any] = {"algorithm": "bayesian", "max_recommendations": 4, "max_epochs": 3}


OVERLAPPING: dict[str, Any] = {**BAYESIAN, "max_recommendations": 6, "parallel": 2, "overlap": True}


def study(
    settings: Mapping[str, Any] = HYPERBAND_9,
    faults: Mapping[int, str] | None = None,
    network: Mapping[str, Any] | None = None,
    **more: Any,
) -> Definition:
    """The study. faults: by experiment, see least_squares.py. network, more: other settings of either file."""
    seed = int(more.pop("seed", 1))
    told = {str(training_seed(seed, number)): fault for number, fault in (faults or {}).items()}
    own = more.pop("train_spec", {})
    if {**settings, **more}.get("resume") == "stop":  # which is for programs that leave no checkpoint
        network = {"checkpoints": None, **(network or {})}
    file = StudyFile.model_validate(
        {
            "name": "line",
            "network": "least_squares",
            "seed": seed,
            "train_spec": {"faults": told, **own},
            **settings,
            **more,
        }
    )
    return Definition(file, Network.model_validate({**NETWORK, **(network or {})}))


def uniform_instead_of_a_model(patch: pytest.MonkeyPatch) -> None:
    """A Bayesian search draws uniformly: what is tested is the walk, and the model takes a second a step."""
    patch.setitem(algorithms.SAMPLERS, "portfolio", replace(algorithms.SAMPLERS["uniform"], learns=True))
