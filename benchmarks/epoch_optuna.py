"""Optuna's TPE with its pruners: a training reports after every epoch, and is stopped where the pruner says so."""

from __future__ import annotations

from typing import Any

from automl.problem.search_space import SearchSpace
from benchmarks.epoch_searches import NU, Asked
from benchmarks.peers import optuna_distribution
from benchmarks.problem import Array


class OptunaPruned:
    """TPE and a pruner of `optuna.pruners`, both as they come; a pruner with rungs gets those of the searches here.

    The loss that is reported is the best so far, as everywhere here.
    """

    def __init__(self, space: SearchSpace, epochs: int, seed: int, pruner: str) -> None:
        import optuna

        optuna.logging.set_verbosity(optuna.logging.ERROR)
        rungs: dict[str, dict[str, Any]] = {
            "SuccessiveHalvingPruner": {"min_resource": 1, "reduction_factor": NU},
            "HyperbandPruner": {"min_resource": 1, "max_resource": epochs, "reduction_factor": NU},
        }
        self._pruned = optuna.trial.TrialState.PRUNED
        self._study = optuna.create_study(
            study_name="search",  # by which the pruner of Hyperband assigns trials to brackets
            sampler=optuna.samplers.TPESampler(seed=seed),
            pruner=getattr(optuna.pruners, pruner)(**rungs.get(pruner, {})),
        )
        self._distributions = {parameter.name: optuna_distribution(parameter) for parameter in space.parameters}
        self._epochs, self._trained = epochs, 0
        self._trial: Any = None

    def ask(self) -> Asked:
        if self._trial is None:
            self._trial, self._trained = self._study.ask(self._distributions), 0
        return Asked(dict(self._trial.params), self._trained + 1)

    def tell(self, asked: Asked, curve: Array) -> None:
        self._trained, loss = asked.epochs, float(curve[: asked.epochs].min())
        self._trial.report(loss, self._trained)
        if self._trained == self._epochs:
            self._study.tell(self._trial, loss)
            self._trial = None
        elif self._trial.should_prune():
            self._study.tell(self._trial, state=self._pruned)
            self._trial = None
