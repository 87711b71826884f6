"""Studies without a barrier on a real Argo, left alone and disturbed: each ends whole, and replays.

The order of ends is chance and decides who goes on, so there is no other study to compare with: what must hold is that
the record is whole, that every decision is made again from what it says that it saw, and that all of the plan is
trained, each training once.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from automl.operations.verify import verify
from automl.stores import Store, open_store
from tests.cluster.clusters import Cluster, replayed, trainings
from tests.cluster.disturbed import Disturbed, compiled, until

pytestmark = pytest.mark.usefixtures("images")
ASHA = "algorithm: asha\nR: 9\nmax_recommendations: 9\nmax_epochs: 9\nfinal: {repeats: 0}\n"
OVERLAPPING = (
    "algorithm: bayesian\nsampler: process\nmax_recommendations: 8\nparallel: 3\noverlap: true\nmax_epochs: 2\n"
)
SHORT = "algorithm: asha\nR: 3\nmax_epochs: 9\nfinal: {repeats: 0}\n"  # 3 to epoch 3, 1 to epoch 9
WAITING = f"{SHORT}train_spec: {{train.waits_at: [2, 5]}}\n"  # once in each rung


def check(store: Store, sizes: list[int]) -> None:
    """The study is whole, its decisions are made again, and each rung of the search has trained so many."""
    opened = replayed(store)
    assert verify(opened, lambda _part: None).findings.problems == []
    runs = [run for decision in opened.history().of_stage(0) for run in decision.runs()]
    assert [sum(at == rung for _, at in runs) for rung in range(len(sizes))] == sizes


@pytest.mark.parametrize(("text", "sizes"), [(ASHA, [9, 3, 1]), (OVERLAPPING, [8])], ids=["asha", "overlapping"])
def test_a_study_without_a_barrier_ends_whole(tmp_path: Path, bucket: str, text: str, sizes: list[int]) -> None:
    workflow, store = Cluster(tmp_path, bucket).submit(text)
    assert workflow["status"]["phase"] == "Succeeded"
    check(store, sizes)
    assert len(trainings(store)) == len(store.list("results/"))  # no training was started twice


def training_pods_killed(study: Disturbed) -> None:
    study.submit()
    for attempt in [study.in_training(experiment, 0) for experiment in range(3)]:
        study.delete(attempt)
    study.delete(study.in_training(promoted(study), 1), "--force", "--grace-period=0")


def promoted(study: Disturbed) -> int:
    """Waits for the fourth decision, which promotes, and gives its experiment."""
    until("a promotion", lambda: study.record.decision(0, 3) is not None)
    stored = study.record.decision(0, 3)
    assert stored is not None
    return stored[0].issued[0].number


def stop_then_retry(study: Disturbed) -> None:
    study.submit()
    study.struck += [study.in_training(experiment, 0) for experiment in range(3)]
    study.argo("stop")
    assert study.ended() == "Failed"
    until("the end of its pods", study.is_at_rest)  # see there
    study.argo("retry")
    study.release(study.in_training(promoted(study), 1))


@pytest.mark.parametrize("disturb", [training_pods_killed, stop_then_retry], ids=lambda each: each.__name__)
def test_disturbed_it_ends_as_whole_and_trains_nothing_twice(
    tmp_path: Path, bucket: str, disturb: Callable[[Disturbed], None]
) -> None:
    study = Disturbed(compiled(tmp_path / "there", WAITING), open_store(bucket))
    disturb(study)
    assert study.ended() == "Succeeded"
    check(study.store, [3, 1])
    attempts, twice = study.attempts(), study.trained_twice()
    assert {run: times for run, times in twice.items() if times > attempts[run] - 1} == {}
