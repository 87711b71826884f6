"""A search ends early on this machine, at every limit: nothing more is tried, the judgement follows, all replays."""

from __future__ import annotations

import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from automl.analysis.status import status
from automl.errors import InvalidInput, RecordError, StudyFailed
from automl.operations.extend import extend
from automl.operations.replay import Replay
from automl.operations.verify import verify
from automl.search.extension import Extension
from automl.search.history import Failure, Status
from automl.stores.memory import MemoryStore
from automl.study import ending, summary
from automl.study.opened_study import OpenedStudy
from automl.study.record import Record
from automl.text import strict_json
from tests.simulation.studies import ASHA, BAYESIAN, HALVING, HYPERBAND_9, OVERLAPPING, RANDOM, study
from tests.simulation.world import World

pytestmark = pytest.mark.usefixtures("quick_simulation")
LONG_CHAIN = BAYESIAN | {"max_recommendations": 12}
GPUS: dict[str, Any] = {"costs": {"gpus": 2, "price_per_gpu_hour": 4.0}}
LIMITS: dict[str, dict[str, Any]] = {
    "target": {"target": 1000.0},  # of a loss: the first result reaches it
    "no_improvement": {"no_improvement": 1},
    "epochs": {"epochs": 10},
    "hours": {"hours": 1e-9},
    "gpu_hours": {"gpu_hours": 1e-9},
    "price": {"price": 1e-9},
}
SEARCHES = {
    "chain": LONG_CHAIN,
    "overlapping": OVERLAPPING | {"max_recommendations": 12},
    "random": RANDOM | {"max_recommendations": 12},
    "halving": HALVING,
    "hyperband": HYPERBAND_9,
    "asha": ASHA,
}


def opened(world: World) -> OpenedStudy:
    return OpenedStudy.read(Record(world.objects))


def check_whole(world: World) -> OpenedStudy:
    """The study is done, replays, and nothing in its record is wrong."""
    found = opened(world)
    assert summary.state(found.definition, found.history()) == "done"
    assert [compared for compared in Replay(found.record, found.definition) if compared.difference] == []
    findings = verify(found, lambda _part: None).findings
    assert (findings.problems, findings.notes) == ([], [])
    return found


def check_nothing_succeeded(world: World, then: str, error: str) -> None:
    assert then == "stop"
    assert "the search ended early before any of its" in error
    assert opened(world).definition.end is not None


@pytest.mark.parametrize("then", ["finish", "stop"])
@pytest.mark.parametrize("limit", LIMITS)
@pytest.mark.parametrize("search", SEARCHES)
def test_every_limit_ends_every_search_before_its_plan_does(search: str, limit: str, then: str, folder: Path) -> None:
    if limit == "no_improvement" and search in {"halving", "asha", "hyperband"}:
        pytest.skip("it has one or two full trainings, after which nothing is left to end")
    world = World(study(SEARCHES[search], until={**LIMITS[limit], "then": then}, **GPUS), folder / "world")
    try:
        world.walk()
    except StudyFailed as error:  # the very first epoch reached the limit, and no training came to its end
        check_nothing_succeeded(world, then, str(error))
        return
    found = check_whole(world)
    definition, history, end = found.definition, found.history(), found.definition.end
    assert end is not None
    assert end.limit == limit
    planned = study(SEARCHES[search]).plan
    assert sum(len(decision.issued) for decision in history.decisions if decision.stage < 2) <= planned.runs
    left_out = [result for result in history.results.values() if result.failure is Failure.ENDED]
    fewer = definition.plan.searched < planned.searched or len(history.decisions) < sum(
        stage.most_decisions for stage in planned.stages
    )
    assert left_out or fewer, "nothing was left undone"
    assert all(result.message == end.why for result in left_out)
    told = status(found.record, definition)
    assert told.state == "done"
    assert told.early_end is not None
    assert (told.early_end.limit, told.early_end.why) == (limit, end.why)
    assert told.progress.epochs_pending == 0
    assert told.progress.counts[Status.FAILURE] == 0


def test_what_trains_finishes_or_is_stopped_and_what_waits_never_begins(folder: Path) -> None:
    for then in ("finish", "stop"):
        settings = RANDOM | {"max_recommendations": 8, "max_epochs": 9, "until": {"target": 1000.0, "then": then}}
        faults = {1: "hang@5"} if then == "stop" else {}  # it has four epochs when the first one ends
        world = World(study(settings, faults), folder / then)
        world.walk()
        results = {number: one for (number, _), one in check_whole(world).history().results.items() if number < 8}
        epochs = Counter(number for number, _ in world.trained if number < 8)
        never = [number for number in results if number not in epochs]
        cut = [number for number in epochs if epochs[number] < 9]
        assert len(never) >= 5
        assert bool(cut) is (then == "stop")
        assert {number for number, one in results.items() if one.failure is Failure.ENDED} == {*never, *cut}
        assert all(results[number].epochs == epochs[number] for number in results)


def test_a_study_that_comes_to_the_end_of_its_plan_says_so_before_it_is_judged(folder: Path) -> None:
    world = World(study(BAYESIAN, until={"epochs": 1000}), folder / "world")
    keys: list[str] = []
    world.look = lambda _walker: keys.append(world.points[-1].key)
    world.walk()
    found = check_whole(world)
    assert found.definition.end is not None
    assert not found.definition.end.is_early
    assert keys.index("ends/0.json") < keys.index("decisions/1/0.json")


def test_without_limits_nothing_of_an_end_is_stored(folder: Path) -> None:
    world = World(study(BAYESIAN), folder / "world")
    world.walk()
    assert world.objects.list("ends/") == []
    assert opened(world).definition.ends == ()


def test_the_judgement_is_that_of_what_was_trained(folder: Path) -> None:
    """A third of the epochs that the search had, as long as its longest training was."""
    world = World(study(HYPERBAND_9, until={"epochs": 9}), folder / "world")
    world.walk()
    plan = check_whole(world).definition.plan
    (judgement,) = plan.finals
    assert judgement.schedule_epochs == max(stage.ended.longest for stage in plan.search if stage.ended) < 9
    assert judgement.first == study(HYPERBAND_9).plan.search[-1].first + study(HYPERBAND_9).plan.search[-1].experiments


@pytest.mark.parametrize(("settings", "to"), [(LONG_CHAIN, Extension(9)), (HYPERBAND_9, Extension(R=27))])
def test_a_search_that_ended_early_is_extended_without_the_limit_that_ended_it(
    settings: dict[str, Any], to: Extension, folder: Path
) -> None:
    until = {"epochs": 7, "hours": 5}
    world = World(study(settings, until=until), folder / "world")
    world.walk()
    before = check_whole(world)
    held = {key: world.objects.get(key) for key in world.objects.list("") if key.startswith(("decisions/", "ends/"))}
    extended = extend(before.record, before.definition, to, "line")
    assert extended.lifted == ("epochs",)
    world.definition = opened(world).definition
    assert world.definition.limits == {"hours": 5}
    world.walk()
    after = check_whole(world)
    assert {key: world.objects.get(key) for key in held} == held
    assert [end.limit for end in after.definition.ends] == ["epochs", None]
    if to.max_recommendations:
        assert after.definition.plan.searched == 9
        assert sum(len(decision.issued) for decision in after.history().decisions if decision.stage in {0, 2}) == 9


def test_no_more_experiments_than_it_has_is_refused_by_what_was_begun(folder: Path) -> None:
    world = World(study(LONG_CHAIN, until={"epochs": 7}), folder / "world")
    world.walk()
    found = opened(world)
    begun = found.definition.plan.searched
    assert begun < 12
    with pytest.raises(InvalidInput, match=f"--to {begun}: the search has {begun} experiments"):
        extend(found.record, found.definition, Extension(begun), "line")


def test_an_end_whose_facts_were_changed_does_not_replay(folder: Path) -> None:
    world = World(study(LONG_CHAIN, until={"epochs": 7}), folder / "world")
    world.walk()
    for change, field in (({"limit": "target"}, "limit"), ({"limits": {"epochs": 700.0}}, "limit")):
        copy = MemoryStore()
        for key in world.objects.list(""):
            copy.put(key, world.objects.get(key) or b"")
        stored = strict_json.load(copy.get("ends/0.json") or b"", "it")
        copy.put("ends/0.json", strict_json.dump({**stored, **change}))
        found = OpenedStudy.read(Record(copy))
        first = next(compared for compared in Replay(found.record, found.definition) if compared.difference)
        assert (first.key, first.difference and first.difference.field) == ("ends/0.json", field)
    outcome = strict_json.load(world.objects.get("ends/0.json") or b"", "it")
    outcome["facts"]["endings"][0]["outcome"]["value"] = 0.0
    world.objects.put("ends/0.json", strict_json.dump(outcome))
    found = opened(world)
    first = next(compared for compared in Replay(found.record, found.definition) if compared.difference)
    assert first.difference is not None
    assert first.difference.field == "facts.endings: experiment 0, rung 0"


def test_a_damaged_end_is_named(folder: Path) -> None:
    world = World(study(LONG_CHAIN, until={"epochs": 7}), folder / "world")
    world.walk()
    world.objects.put("ends/0.json", strict_json.dump({"format": 1, "limit": "epochs"}))
    with pytest.raises(RecordError, match=r"ends/0\.json does not hold what it should"):
        opened(world)


def test_what_was_decided_at_the_moment_of_the_end_is_no_part_of_the_study(folder: Path) -> None:
    """Two brains at once: one ends the search, the other has looked before that and decides."""
    world = World(study(LONG_CHAIN, until={"epochs": 7}), folder / "world")
    world.walk()
    found = opened(world)
    index = found.definition.plan.stages[0].most_decisions
    last = found.record.decision(0, index - 1)
    assert last is not None
    late = strict_json.load(world.objects.get(f"decisions/0/{index - 1}.json") or b"", "it")
    world.objects.create(f"decisions/0/{index}.json", strict_json.dump({**late, "index": index}))
    shutil.rmtree(folder / "world", ignore_errors=True)
    found = opened(world)
    assert len(found.history().of_stage(0)) == index
    assert [compared for compared in Replay(found.record, found.definition) if compared.difference] == []
    findings = verify(found, lambda _part: None).findings
    assert findings.problems == []
    assert (f"decisions/0/{index}.json", "was made when the search ended early, and is no part of it") in findings.notes


def test_a_failed_training_can_be_tried_again_after_the_end(folder: Path) -> None:
    from automl.operations.retry import retry

    world = World(study(LONG_CHAIN, {1: "error@1"}, until={"epochs": 9}), folder / "world")
    world.walk()
    found = opened(world)
    assert retry(found, []).experiments == (1,)
    world.walk()
    assert len(Record(world.objects).results(1, 1)) == 2
    assert summary.state(opened(world).definition, opened(world).history()) == "done"


def test_progress_of_the_limits_is_told_while_it_goes_on(folder: Path) -> None:
    world = World(study(BAYESIAN, until={"epochs": 1000, "no_improvement": 50}), folder / "world")
    told: list[dict[str, float | None]] = []

    def look(_walker: object) -> None:
        if world.points[-1].key.startswith("results/"):
            found = opened(world)
            limits = ending.progress(found.record, found.definition, found.history())
            told.append({limit.limit.value: limit.now for limit in limits})

    world.look = look
    world.walk()
    assert [each["epochs"] for each in told[:3]] == [3, 6, 9]
    assert {each["no_improvement"] for each in told} <= {0, 1, 2, 3}
