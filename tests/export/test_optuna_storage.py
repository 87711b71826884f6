"""A storage of Optuna, opened again by Optuna: trials, states, distributions, and that it finds the same best."""

from __future__ import annotations

from pathlib import Path

import optuna
import pytest
from optuna.distributions import CategoricalDistribution, FloatDistribution, IntDistribution
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import TrialState

from automl.export import export
from automl.search.history import Recommendation, Status
from automl.stores.memory import MemoryStore
from automl.study.experiments import experiments
from automl.study.summary import best_of_search
from tests.recorded_studies import mixed, recorded
from tests.simulation.studies import HYPERBAND_9, RANDOM


def opened(path: Path) -> BaseStorage:
    return RDBStorage(f"sqlite:///{path}") if path.suffix == ".db" else JournalStorage(JournalFileBackend(str(path)))


@pytest.mark.parametrize("name", ["a.db", "a.log"])
def test_optuna_opens_what_was_exported_and_agrees_on_the_best(name: str, tmp_path: Path) -> None:
    definition = mixed(HYPERBAND_9)
    _, study = recorded(MemoryStore(), definition, failing=(3, 4))
    path = tmp_path / name
    count = export(definition, study, "optuna", path)
    assert list(tmp_path.iterdir()) == [path]

    loaded = optuna.load_study(study_name="line", storage=opened(path))
    search = [each for each in experiments(study, definition.plan) if each.stage < len(definition.plan.search)]
    assert len(loaded.trials) == count == len(search)
    best = best_of_search(definition, study)
    assert best is not None
    assert (loaded.best_trial.number, loaded.best_value) == (best.experiment, best.best_value)
    assert loaded.user_attrs["argo-automl verdict"]["gain"] is not None
    for trial, each in zip(loaded.trials, search, strict=True):
        assert trial.user_attrs["experiment"] == each.number
        assert trial.intermediate_values == dict(each.history)
        wanted = {name: value for name, value in each.values.items() if name != "train.betas"}
        assert wanted.items() <= trial.params.items()
        assert [trial.params[f"train.betas[{place}]"] for place in range(2)] == each.values["train.betas"]
        wanted_state = {Status.FAILURE: TrialState.FAIL, Status.STOPPED: TrialState.PRUNED}
        assert trial.state is wanted_state.get(each.status, TrialState.COMPLETE)
        assert ("train.momentum" in trial.params) is (each.values["train.optimizer"] == "sgd")


def test_every_kind_of_parameter_has_its_distribution(tmp_path: Path) -> None:
    definition = mixed(HYPERBAND_9)
    _, study = recorded(MemoryStore(), definition)
    export(definition, study, "optuna", tmp_path / "a.log")
    trials = optuna.load_study(study_name="line", storage=opened(tmp_path / "a.log")).trials
    found = {name: each for trial in trials for name, each in trial.distributions.items()}
    assert found == {
        "train.lr": FloatDistribution(0.001, 0.4, log=True),
        "train.momentum": FloatDistribution(0.1, 0.95),
        "train.decay": FloatDistribution(0.0, 0.9, step=0.3),
        "train.width": IntDistribution(8, 64, step=8),
        "train.depth": IntDistribution(1, 100, log=True),
        "train.optimizer": CategoricalDistribution(("adamw", "sgd", None)),
        "train.batch": CategoricalDistribution((16, 32, 64)),
        "train.flip": CategoricalDistribution((False, True)),
        "train.betas[0]": FloatDistribution(0.5, 1.0),
        "train.betas[1]": FloatDistribution(0.5, 1.0),
    }


def test_optuna_finds_the_parameter_that_matters(tmp_path: Path) -> None:
    definition = mixed({**RANDOM, "max_recommendations": 60, "max_epochs": 1})
    _, study = recorded(MemoryStore(), definition)
    export(definition, study, "optuna", tmp_path / "a.log")
    loaded = optuna.load_study(study_name="line", storage=opened(tmp_path / "a.log"))
    importance = optuna.importance.get_param_importances(loaded)
    assert max(importance, key=lambda name: importance[name]) == "train.lr"
    assert importance["train.lr"] > 0.5


def test_the_best_is_complete_although_it_was_stopped(tmp_path: Path) -> None:
    """Its first epoch was the best of all, and then it was the worst; the study wants such a short training, too."""

    def loss(asked: Recommendation, epoch: int) -> float:
        if asked.number == 2:
            return 0.01 if epoch == 1 else 5.0
        return asked.number + 1 / epoch

    halving = {"algorithm": "successive_halving", "R": 9, "nu": 3, "max_recommendations": 9, "best_among": "all"}
    definition = mixed(halving, max_epochs=18)
    _, study = recorded(MemoryStore(), definition, loss=loss)
    export(definition, study, "optuna", tmp_path / "a.log")
    loaded = optuna.load_study(study_name="line", storage=opened(tmp_path / "a.log"))
    assert experiments(study, definition.plan)[2].status is Status.STOPPED
    assert (loaded.best_trial.number, loaded.best_value) == (2, 0.01)
    assert loaded.best_trial.user_attrs["status"] == "stopped"


def test_a_study_that_is_under_way_has_running_trials(tmp_path: Path) -> None:
    definition = mixed(HYPERBAND_9)
    _, study = recorded(MemoryStore(), definition, decisions=4)  # the first stage, and the first rung of the second
    export(definition, study, "optuna", tmp_path / "a.db")
    loaded = optuna.load_study(study_name="line", storage=opened(tmp_path / "a.db"))
    states = [each.state for each in loaded.trials]
    assert set(states[:9]) == {TrialState.COMPLETE, TrialState.PRUNED}
    assert set(states[9:]) == {TrialState.RUNNING}
