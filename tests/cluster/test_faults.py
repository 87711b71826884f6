"""Everything that can die on a real Argo dies, and every study goes on as if it had not.

The studies of `DISTURBED` run side by side, each with a fault of its own, and are looked at one after the other. What
hits every study at once is in test_outages.py.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from automl.search.history import Failure
from automl.stores import Store, open_store
from automl.study.keys import METADATA
from tests.cluster.clusters import Cluster, Images, command, decisions, outputs
from tests.cluster.disturbed import HALVING, WAITING, Disturbed, assert_same, compiled, until
from tests.cluster.held_answers import Front
from tests.cluster.test_without_barrier import SHORT, check

EPOCHS = list(range(2, 28))
OFTEN = f"{HALVING.replace('9', '27')}train_spec: {{train.waits_at: {EPOCHS}}}\n"  # 3 to epoch 9, 1 to epoch 27
FORCE = ("--force", "--grace-period=0")


def a_brain_step_that_fails_for_good_then_retry(study: Disturbed) -> None:
    study.store.put("decisions/0/1.json", b"damaged")
    study.submit()
    assert study.ended() == "Failed"
    study.store.delete("decisions/0/1.json")
    study.argo("retry")


def suspend_then_resume(study: Disturbed) -> None:
    study.submit()
    attempts = study.all_in_training(0)
    study.argo("suspend")
    for attempt in attempts:
        study.release(attempt)
    until(
        "Argo to see that the trainings are over", lambda: study.succeeded() == {"start": 1, "propose": 1, "train": 3}
    )
    assert study.record.decision(0, 1) is None
    study.argo("resume")
    study.release(study.in_training(0, 1))


def stop_then_retry_and_terminate_then_retry(study: Disturbed) -> None:
    def retry() -> None:
        until("the end of its pods", study.is_at_rest)  # see there
        study.argo("retry")

    _stop_and_terminate(study, retry)


def stop_then_submit_and_terminate_then_submit(study: Disturbed) -> None:
    _stop_and_terminate(study, study.submit)


def _stop_and_terminate(study: Disturbed, go_on: Callable[[], None]) -> None:
    """Stopped in its first rung and terminated in its second, and each time gone on with."""
    study.submit()
    for rung, word in enumerate(("stop", "terminate")):
        study.struck += study.all_in_training(rung)
        study.argo(word)
        assert study.ended() == "Failed"
        go_on()


def delete_then_submit(study: Disturbed) -> None:
    study.submit()
    for rung in (0, 1):
        study.struck += study.all_in_training(rung)
        study.argo("delete")
        study.submit()


def training_pods_killed(study: Disturbed) -> None:
    study.submit()
    for attempt, how in zip(study.all_in_training(0), ((), FORCE, ()), strict=True):
        study.delete(attempt, *how)
    study.delete(study.in_training(0, 1), *FORCE)


def observers_killed(study: Disturbed) -> None:
    study.submit()
    for rung in (0, 1):
        for attempt in study.all_in_training(rung):
            study.kill(attempt, "observe")


def brain_pods_killed_between_write_and_exit(study: Disturbed, front: Front) -> None:
    for key in (METADATA, "decisions/0/1.json", "best_model/manifest.json"):
        front.hold(key)
        if not study.workflow:
            study.submit()
        until(f"the write of {key}", front.landed.is_set)
        running = [uid for uid, pod in study.pods().items() if pod["status"]["phase"] == "Running"]
        assert len(running) == 1, "only the brain runs here"
        study.delete(running[0], *FORCE)
        front.release()


def brain_pods_without_a_barrier_killed_after_their_write(study: Disturbed, front: Front) -> None:
    """As above; here the brain of each lane may run, and all of them are killed but those that are about to end."""
    for key in ("decisions/0/1.json", "decisions/0/3.json", "best_model/manifest.json"):
        front.hold(key)
        if not study.workflow:
            study.submit()
        until(f"the write of {key}", front.landed.is_set)
        brains = [uid for uid, pod in study.pods().items() if pod["status"]["phase"] == "Running" and not trains(pod)]
        killed = [uid for uid in brains if study.delete_unless_ended(uid, *FORCE)]
        assert killed, "that of the write waits for its answer"
        front.release()


def trains(pod: Mapping[str, Any]) -> bool:
    return "observe" in {container["name"] for container in pod["spec"]["containers"]}


def pods_killed_more_often_than_they_are_tried_again(study: Disturbed) -> None:
    study.submit()
    first, _, third = study.all_in_training(0)
    study.release(first)
    study.release(third)
    study.lose(1, 0)
    study.lose(0, 1)  # in the last rung, so that the last step gives it up


def processes_killed(study: Disturbed) -> None:
    study.submit()
    first, second, third = study.all_in_training(0)
    study.kill(second, only_training=True)
    study.kill(third)
    study.release(first)
    study.release(study.in_training(0, 1))


def stop_then_retry_beside_red_trainings(study: Disturbed) -> None:
    """Two of the first three trainings fail by themselves; stopped while the third trains, and once more later."""
    study.submit()
    for rung in (0, 1):
        study.struck.append(study.in_training(0, rung))
        until("two failures", lambda: len(study.store.list("results/")) == 2 + rung)  # noqa: B023 - asked at once
        study.argo("stop")
        assert study.ended() == "Failed"
        until("the end of its pods", study.is_at_rest)  # see there
        study.argo("retry")


def memory_used_up(study: Disturbed) -> None:
    study.submit()


DISTURBED: Mapping[str, Callable[[Disturbed], None]] = {  # nobody must be able to tell that it was
    each.__name__: each
    for each in (
        a_brain_step_that_fails_for_good_then_retry,
        suspend_then_resume,
        stop_then_retry_and_terminate_then_retry,
        stop_then_submit_and_terminate_then_submit,
        delete_then_submit,
        training_pods_killed,
        observers_killed,
    )
}


SIDE_BY_SIDE = 4  # studies: as many as two cores can take


def _made(run: Callable[[Disturbed], None], study: Disturbed) -> Disturbed:
    run(study)
    assert study.ended() == "Succeeded", command("argo", "get", study.workflow)
    return study


@pytest.fixture(scope="session")
def made(
    images: Images, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Mapping[str, Future[Disturbed] | Future[Store]]]:
    """All that is under way, by name: every disturbed study, and the same ones undisturbed on this machine."""
    uri = os.environ.get("AUTOML_TEST_S3")
    if not uri:
        pytest.skip("AUTOML_TEST_S3 names no bucket of an S3 server")
    folder, bucket = tmp_path_factory.mktemp("faults"), f"{uri}/faults-{time.time_ns()}"
    front, of_lanes = (Front(os.environ["AWS_ENDPOINT_URL"]) for _ in range(2))
    found: dict[str, Future[Disturbed] | Future[Store]] = {}
    with ThreadPoolExecutor(SIDE_BY_SIDE) as pool, ThreadPoolExecutor(1) as here:

        def begin(run: Callable[[Disturbed], None], workflow: Path) -> None:
            name = run.__name__
            study = Disturbed(workflow, open_store(f"{bucket}/{name.replace('_', '-')}"))
            found[name] = pool.submit(_made, run, study)

        def brain_pods(study: Disturbed) -> None:
            brain_pods_killed_between_write_and_exit(study, front)

        def lanes(study: Disturbed) -> None:
            brain_pods_without_a_barrier_killed_after_their_write(study, of_lanes)

        quick, waiting = compiled(folder / "quick", HALVING), compiled(folder / "waiting", WAITING)
        for run in DISTURBED.values():
            begin(run, quick if run is a_brain_step_that_fails_for_good_then_retry else waiting)
        begin(processes_killed, waiting)
        begin(brain_pods, compiled(folder / "front", HALVING, endpoint=front.url))
        begin(lanes, compiled(folder / "lanes", SHORT, endpoint=of_lanes.url))
        often = compiled(folder / "often", OFTEN, run="preemptions: 1, ")
        begin(pods_killed_more_often_than_they_are_tried_again, often)
        memory = f"{HALVING}train_spec: {{train.fault: memory}}\n"
        red = f"{HALVING}train_spec: {{train.fault: crash, train.waits_at: [2, 5]}}\n"
        begin(stop_then_retry_beside_red_trainings, compiled(folder / "red", red))
        begin(memory_used_up, compiled(folder / "memory", memory))
        faults = {fault: f"{HALVING}train_spec: {{train.fault: {fault}}}\n" for fault in ("kill", "crash")}
        for name, text in {"undisturbed": HALVING, **faults}.items():
            (folder / f"{name}-here").mkdir()
            found[name] = here.submit(Cluster(folder / f"{name}-here", "").run_here, text)
        yield found
    front.close()
    of_lanes.close()


Made = Mapping[str, Future]  # type: ignore[type-arg]  # of a Disturbed on the cluster, of a Store here


def assert_nothing_twice(study: Disturbed) -> None:
    """Every attempt but the last repeats at most the epoch that it was in."""
    attempts, twice = study.attempts(), study.trained_twice()
    assert {run: times for run, times in twice.items() if times > attempts[run] - 1} == {}


@pytest.mark.parametrize("name", DISTURBED)
def test_it_ends_as_undisturbed_and_trains_nothing_twice(made: Made, name: str) -> None:
    study = made[name].result()
    assert_same(study, made["undisturbed"].result())
    assert_nothing_twice(study)
    for attempt in study.struck:  # each went on from the checkpoint of the one before
        keys = [key for key in study.store.list("results/") if attempt.encode() in (study.store.get(key) or b"")]
        assert len(keys) == 1, attempt


def test_brain_pods_killed_between_write_and_exit_decide_nothing_anew(made: Made) -> None:
    study = made["brain_pods"].result()
    assert len(study.struck) == 3
    assert_same(study, made["undisturbed"].result())
    assert set(study.attempts().values()) == {1}


def test_brains_of_lanes_killed_between_write_and_exit_leave_a_whole_study(made: Made) -> None:
    study = made["lanes"].result()
    assert len(study.struck) >= 3
    check(study.store, [3, 1])
    assert set(study.attempts().values()) == {1}


def test_a_pod_that_is_given_up_is_lost_and_the_study_goes_on_also_in_the_last_rung(made: Made) -> None:
    study = made["pods_killed_more_often_than_they_are_tried_again"].result()
    failures = {key: json.loads(study.store.get(key) or b"")["failure"] for key in study.store.list("results/")}
    lost = {key for key, failure in failures.items() if failure}
    assert lost == {"results/1/0.json", "results/0/1.json"}
    assert {failures[key] for key in lost} == {Failure.LOST}
    best = json.loads(study.store.get("best_model/manifest.json") or b"")
    assert (best["experiment"], best["epoch"]) == (0, 9)
    assert json.loads(outputs(study.state())["best"])["experiment"] == 0


def test_a_training_that_is_killed_is_data(made: Made) -> None:
    study = made["processes_killed"].result()
    for experiment in (1, 2):
        result = study.record.result(experiment, 0)
        assert result is not None
        assert (result.failure, result.attempts) == (Failure.KILLED, (study.struck[experiment - 1],))
    assert study.attempts() == {("experiment_0", "rung_0"): 1, ("experiment_0", "rung_1"): 1} | {
        (f"experiment_{n}", "rung_0"): 1 for n in (1, 2)
    }
    assert study.store.list("best_model/") == made["undisturbed"].result().list("best_model/")


def test_argo_retry_leaves_red_trainings_as_they_are(made: Made) -> None:
    study = made["stop_then_retry_beside_red_trainings"].result()
    assert decisions(study.store) == decisions(made["crash"].result())
    assert_nothing_twice(study)
    assert {study.attempts()[f"experiment_{n}", "rung_0"] for n in (1, 2)} == {1}


def test_a_training_that_uses_up_its_memory_is_killed_once_and_is_data(made: Made) -> None:
    study = made["memory_used_up"].result()
    assert decisions(study.store) == decisions(made["kill"].result())
    assert set(study.attempts().values()) == {1}
    result = study.record.result(1, 0)
    assert result is not None
    assert result.failure == Failure.KILLED
