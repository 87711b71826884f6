"""The tests have teeth: every state rule of docs/architecture.md is broken on purpose, and each break is caught.

By the crash simulator where the break shows in what a crashed study becomes, otherwise by the test that names the rule.
"""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from automl.errors import AutoMLError, NotReady
from automl.execution import local_runner
from automl.execution.steps import observe, stage_in
from automl.execution.steps.checkpoint_upload import CheckpointUpload
from automl.execution.steps.diagnosis import Ended
from automl.execution.steps.observe import Observer
from automl.execution.steps.stage_in import Launch
from automl.operations import replay
from automl.problem.search_space import SearchSpace
from automl.reporting import views
from automl.search import brain, promotion
from automl.search.asynchronous import Standing
from automl.search.history import Decision, Failure, Outcome, Recommendation, Result
from automl.search.samplers.base import Proposal, Request, Trial
from automl.search.samplers.uniform import Uniform
from automl.stores.memory import MemoryStore
from automl.study import deciding, keys
from automl.study.deciding import Decisions, Results
from automl.study.definition import Definition
from automl.study.record import Record
from automl.text import strict_json
from tests.execution.steps import test_observe, test_observed_checkpoints, test_propose, test_stage_in
from tests.execution.steps.attempts import Attempt
from tests.search import test_brain
from tests.simulation.campaigns import burn_machine, kill_in_states, one_fault, two_walkers
from tests.simulation.studies import ASHA, BAYESIAN, HALVING, study
from tests.simulation.world import WalkerStore

pytestmark = pytest.mark.usefixtures("quick_simulation")
Patch = pytest.MonkeyPatch
Detector = Callable[[Path], object]
BRIEF = {"max_recommendations": 3, "max_epochs": 2, "final": {"repeats": 0}}


# -- who notices ------------------------------------------------------------------------------------------------------


def bayesian() -> Definition:
    return study(BAYESIAN | BRIEF)


def halving() -> Definition:
    return study(HALVING | {"final": {"repeats": 0}}, {2: "error@1"})


def kills(folder: Path) -> None:
    kill_in_states(bayesian(), folder, lambda state: state.number % 3 == 0)


def kills_while_halving(folder: Path) -> None:
    kill_in_states(halving(), folder, lambda state: state.number % 12 == 0)


def kills_without_barrier(folder: Path) -> None:
    definition = study(ASHA | {"max_recommendations": 4, "final": {"repeats": 0}})
    kill_in_states(definition, folder, lambda state: state.number % 60 == 0)


def pauses(folder: Path) -> None:
    one_fault(bayesian(), folder, "pause", 5)


def interrupts(folder: Path) -> None:
    one_fault(bayesian(), folder, "interrupt", 5)


def burns(folder: Path) -> None:
    burn_machine(halving(), folder, 9)


def doubles(folder: Path) -> None:
    two_walkers(bayesian(), folder, 12)


# -- what is broken ---------------------------------------------------------------------------------------------------


def put_decisions(patch: Patch) -> None:
    def commit(self: Record, decision: Decision) -> Decision:
        self.store.put(keys.decision_key(decision.stage, decision.index), strict_json.dump(decision.to_json()))
        return decision

    patch.setattr(Record, "commit", commit)


def put_results(patch: Patch) -> None:
    def store_result(self: Record, result: Result) -> Result:
        self.store.put(keys.result_key(result.experiment, result.rung), strict_json.dump(result.to_json()))
        return result

    patch.setattr(Record, "store_result", store_result)


def act_on_the_own_proposal(patch: Patch) -> None:
    def commit(self: Record, decision: Decision) -> Decision:
        self.store.create(keys.decision_key(decision.stage, decision.index), strict_json.dump(decision.to_json()))
        return decision

    patch.setattr(Record, "commit", commit)


def share_one_attempt_folder(patch: Patch) -> None:
    def prefix(experiment: int, rung: int, _attempt: str) -> str:
        return f"experiment_{experiment}/rung_{rung}/shared/"

    def checkpoint(experiment: int, rung: int, attempt: str, epoch: int) -> str:
        return f"{prefix(experiment, rung, attempt)}checkpoints/{epoch}/"

    patch.setattr(observe, "attempt_prefix", prefix)
    patch.setattr(observe, "checkpoint_prefix", checkpoint)


def resume_without_a_look_at_the_epoch(patch: Patch) -> None:
    def promoted(record: Record, asked: Recommendation, rung: int, folder: Path) -> Any:
        before = record.result(asked.number, rung - 1) if asked.resume_epoch else None
        return before and before.last and stage_in._fetch(record, before.last, folder)

    patch.setattr(stage_in, "_promoted", promoted)


def resume_without_a_look_at_the_bytes(patch: Patch) -> None:
    class AnyDigest(str):
        __slots__ = ()

        def __ne__(self, _other: object) -> bool:
            return False

        __hash__ = str.__hash__

    patch.setattr(stage_in, "sha256_of", lambda _path: AnyDigest())


def decide_before_all_results_are_there(patch: Patch) -> None:
    def hasty(
        definition: Definition, stage: int, index: int, decisions: Decisions, result: Results, **_: Any
    ) -> Decision:
        before = [decision for decision, _ in decisions(stage)][:index]
        found = results_after(definition, before, result)
        return definition.brain.decide(stage, index, before, [each.outcome() for each in found if each], [])

    patch.setattr(deciding, "_next_rung", hasty)


def build_on_decisions_that_came_later(patch: Patch) -> None:
    def confused(
        definition: Definition, stage: int, index: int, decisions: Decisions, result: Results, **_: Any
    ) -> Decision:
        before = [decision for decision, _ in decisions(stage)]
        found = results_after(definition, before, result)
        if None in found:
            raise NotReady("a result is missing")
        return definition.brain.decide(stage, index, before, [each.outcome() for each in found if each], [])

    patch.setattr(deciding, "_next_rung", confused)


def results_after(definition: Definition, before: Sequence[Decision], result: Results) -> list[Result | None]:
    last = before[-1:]
    return [result(each.number, decision.index) for decision in last for each in decision.issued]


def draw_from_the_hosts_entropy(patch: Patch) -> None:
    def draw(_self: Uniform, space: SearchSpace, _trials: Sequence[Trial], request: Request) -> tuple[Proposal, ...]:
        rng = np.random.default_rng()
        return tuple(Proposal(space.sample(rng), "drawn") for _ in range(request.count))

    patch.setattr(Uniform, "propose", draw)


def ask_the_clock(patch: Patch) -> None:
    patch.setattr(brain, "training_seed", lambda _seed, _number: int(os.urandom(3).hex(), 16))


def take_nan_for_zero(patch: Patch) -> None:
    take = Observer._take_metric

    def reads(self: Observer) -> list[tuple[int, float]]:
        found = take(self)
        for values in self.follower.readings.values.values():
            values.update({epoch: 0.0 for epoch, value in values.items() if math.isnan(value)})
        return found + take(self)

    patch.setattr(Observer, "_take_metric", reads)


def write_the_manifest_before_the_files(patch: Patch) -> None:
    put, held = WalkerStore.put, {}

    def late(self: WalkerStore, key: str, data: bytes | Path) -> None:
        folder = key.rpartition("/")[0]
        if "/checkpoints/" in key and key.endswith("/0"):
            held[folder] = data.read_bytes() if isinstance(data, Path) else data
            return
        put(self, key, data)
        if folder in held:
            put(self, f"{folder}/0", held.pop(folder))

    patch.setattr(WalkerStore, "put", late)


def drop_the_best_checkpoint(patch: Patch) -> None:
    drop = CheckpointUpload._drop_old

    def drops(self: CheckpointUpload, newest: int) -> None:
        best, self.best = self.best, None
        drop(self, newest)
        self.best = best

    patch.setattr(CheckpointUpload, "_drop_old", drops)


def drop_files_before_their_manifest(patch: Patch) -> None:
    drop = CheckpointUpload._drop_old

    def drops(self: CheckpointUpload, newest: int) -> None:
        for epoch, (_, manifest) in self._stored.items():
            if epoch != newest and manifest.files:
                self._store.delete(manifest.file_key(0))
        drop(self, newest)

    patch.setattr(CheckpointUpload, "_drop_old", drops)


def forget_the_history_on_resume(patch: Patch) -> None:
    init = Observer.__init__

    def forgets(self: Observer, *arguments: Any, **more: Any) -> None:
        init(self, *arguments, **more)
        self.history.clear()

    patch.setattr(Observer, "__init__", forgets)


def take_preemption_for_failure(patch: Patch) -> None:
    finish = Observer.finish

    def finishes(self: Observer, ended: Ended, seconds: float) -> Result | None:
        return finish(self, ended, seconds) or self.give_up(Failure.PREEMPTED, "")

    patch.setattr(Observer, "finish", finishes)


def leave_what_a_killed_runner_left(patch: Patch) -> None:
    patch.setattr(
        local_runner,
        "salvage",
        lambda _record, _definition, attempts, _alone: shutil.rmtree(attempts, ignore_errors=True),
    )


def start_each_rung_anew(patch: Patch) -> None:
    def anew(_record: Record, definition: Definition, asked: Recommendation, rung: int, folder: Path) -> Launch:
        return stage_in.stage_in(Record(MemoryStore()), definition, replace(asked, resume_epoch=0), rung, folder)

    patch.setattr(local_runner, "stage_in", anew)


def promote_the_failed(patch: Patch) -> None:
    promote = promotion.promote

    def promotes(outcomes: Sequence[Outcome], size: int, metric: Any) -> Any:
        return promote(
            [replace(each, value=-1.0, failure=None) if each.failure else each for each in outcomes], size, metric
        )

    patch.setattr(brain, "promote", promotes)


def store_what_may_be_torn(patch: Patch) -> None:
    patch.setattr(CheckpointUpload, "_untouched", lambda _self, _file: True)


def show_only_what_is_new(patch: Patch) -> None:
    write = views.write_decisions

    def writes(record: Record, definition: Definition, _known: Iterable[Decision], new: Sequence[Decision]) -> None:
        write(record, definition, new, new)

    patch.setattr(views, "write_decisions", writes)


def trust_the_name_of_a_checkpoint(patch: Patch) -> None:
    def newest(record: Record, asked: Recommendation, rung: int, _folder: Path) -> Any:
        found = record.checkpoints(asked.number, rung)
        return record.manifest(found[0].manifest) if found else None

    patch.setattr(stage_in, "_newest", newest)


def decide_again_from_all_results(patch: Patch) -> None:
    def decides(*arguments: Any, **more: Any) -> Decision:
        return deciding.next_decision(*arguments, **{**more, "consumed": None})

    patch.setattr(replay, "next_decision", decides)


def promote_whoever_is_best_so_far(patch: Patch) -> None:
    patch.setattr(Standing, "_promotable", lambda self, rung, *, closed: next(iter(self._candidates(rung)), None))  # noqa: ARG005


def call(test: Callable[..., None], *fixtures: str, **more: Any) -> Detector:
    """A test that names the rule, with its fixtures made as its own file makes them."""
    known: dict[str, Callable[[Path], Any]] = {
        "record": lambda _folder: Record(MemoryStore()),
        "attempt": lambda folder: Attempt(folder / "a1"),
        "tmp_path": lambda folder: folder,
        "definition": lambda _folder: study(HALVING),
        "promoted": lambda folder: test_stage_in.two_epochs_done(folder, study(HALVING)),
    }
    return lambda folder: test(*(known[each](folder) for each in fixtures), **more)


MUTANTS: dict[Callable[[Patch], None], Detector] = {
    put_decisions: kills,
    put_results: kills,
    act_on_the_own_proposal: call(
        test_propose.test_the_brain_acts_on_the_committed_decision_and_not_on_its_own, "record"
    ),
    decide_before_all_results_are_there: call(
        test_propose.test_a_rung_waits_for_every_result_of_the_one_before, "record"
    ),
    build_on_decisions_that_came_later: doubles,
    share_one_attempt_folder: pauses,
    resume_without_a_look_at_the_epoch: call(
        test_stage_in.test_a_checkpoint_of_another_epoch_than_promised_is_refused, "promoted", "definition", "tmp_path"
    ),
    resume_without_a_look_at_the_bytes: call(
        test_stage_in.test_a_flipped_bit_is_found_by_its_sha256, "promoted", "definition", "tmp_path"
    ),
    trust_the_name_of_a_checkpoint: burns,
    start_each_rung_anew: kills_while_halving,
    forget_the_history_on_resume: kills,
    draw_from_the_hosts_entropy: kills,
    ask_the_clock: kills,
    take_nan_for_zero: call(
        test_observe.test_every_way_to_fail_is_data_and_never_a_number,
        "attempt",
        does=test_observe.reports_nan_last,
        ended=Ended(0),
        failure=Failure.NOT_FINITE,
        message="loss = nan at epoch 3",
    ),
    promote_the_failed: call(test_brain.test_where_all_failed_nobody_goes_on_and_the_stage_runs_to_its_end),
    write_the_manifest_before_the_files: kills,
    drop_files_before_their_manifest: kills,
    drop_the_best_checkpoint: kills_while_halving,
    store_what_may_be_torn: call(
        test_observed_checkpoints.test_a_program_that_is_killed_while_it_saves_leaves_nothing_to_go_on_from_but_what_was_whole,
        "attempt",
    ),
    take_preemption_for_failure: interrupts,
    leave_what_a_killed_runner_left: kills,
    show_only_what_is_new: kills,
    decide_again_from_all_results: kills_without_barrier,
    promote_whoever_is_best_so_far: kills_without_barrier,
}


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
def test_a_broken_rule_is_caught(mutant: Callable[[Patch], None], folder: Path) -> None:
    detect = MUTANTS[mutant]
    with pytest.MonkeyPatch.context() as patch:
        mutant(patch)
        with pytest.raises((AssertionError, AutoMLError, pytest.fail.Exception)):
            detect(folder / "broken")


@pytest.mark.parametrize(
    "detect", [kills, kills_while_halving, kills_without_barrier, pauses, interrupts, burns, doubles]
)
def test_nothing_is_caught_where_no_rule_is_broken(detect: Detector, folder: Path) -> None:
    detect(folder)
