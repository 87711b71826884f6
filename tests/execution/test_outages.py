"""An outage pauses a study: nothing is judged by its failures, and what failed is trained again when it is over."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from automl.errors import StudyPaused
from automl.notebook import Study
from automl.opening import open_study
from automl.reporting.figures.facts import read_facts
from automl.reporting.figures.ledger import entries
from automl.reporting.plain_console import plain_console
from automl.reporting.terminal.live_view import LiveView
from automl.search.history import Status
from automl.study import outages
from automl.study.new_events import RecordEvents
from tests.command_line import Ran, as_json, automl
from tests.small_network import PROGRAM, write_small_network

pytestmark = pytest.mark.usefixtures("quick_runner")

OUTAGE = """
import pathlib
away = pathlib.Path(__file__).parent / "outage"
if away.exists() and json.loads(pathlib.Path(sys.argv[1]).read_text())["train"]["x"] != 0.5:
    sys.exit(away.read_text())
"""
BAYESIAN = "name: study\nnetwork: small.yaml\nalgorithm: bayesian\nsampler: tpe\nmax_recommendations: 10\nseed: 3\n"
RANDOM = "name: study\nnetwork: small.yaml\nalgorithm: random\nmax_recommendations: 12\nseed: 3\n"
HYPERBAND = "name: study\nnetwork: small.yaml\nalgorithm: hyperband\nR: 9\nmax_epochs: 9\nseed: 3\n"
ASHA = "name: study\nnetwork: small.yaml\nalgorithm: asha\nR: 9\nmax_epochs: 9\nseed: 3\n"
STUDIES = {"asha": ASHA, "bayesian": BAYESIAN, "random": RANDOM, "hyperband": HYPERBAND}


def begin(folder: Path, study: str) -> None:
    folder.mkdir(exist_ok=True)
    write_small_network(folder)
    first, rest = PROGRAM.split("\n\n", 1)
    (folder / "small.py").write_text(f"{first}\n{OUTAGE}\n{rest}")
    (folder / "study.yaml").write_text(study)


def run(folder: Path, jobs: int = 1) -> Ran:
    return automl("run", "study.yaml", "-j", str(jobs), cwd=folder)


def created_once(folder: Path, room: str) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes() for path in sorted((folder / "study" / room).rglob("*.json"))
    }


def paused_then_mended(folder: Path, study: str, jobs: int = 1) -> Ran:
    begin(folder, study)
    (folder / "outage").write_text("the disk is away [/data]")
    ran = run(folder, jobs)
    assert ran.code == 5, ran.err
    (folder / "outage").unlink()
    return ran


# with two jobs, promotions of the defaults, which succeed, may end every row of so small an asha
@pytest.mark.parametrize(
    ("kind", "jobs"), [*((kind, 1) for kind in STUDIES), *((kind, 2) for kind in STUDIES if kind != "asha")]
)
def test_a_row_of_failures_pauses_and_the_same_command_trains_them_again(tmp_path: Path, kind: str, jobs: int) -> None:
    ran = paused_then_mended(tmp_path, STUDIES[kind], jobs)
    assert "the study is paused: 5 trainings in a row failed alike before their first epoch" in ran.err
    assert "exit code 1: the disk is away [/data]" in ran.err
    pause = json.loads((tmp_path / "study/pauses/0.json").read_text())
    results = created_once(tmp_path, "results")
    decisions = created_once(tmp_path, "decisions")
    if jobs == 1 and kind != "asha":  # elsewhere a success of the defaults may end a row
        assert len(results) == len(pause["runs"]) + 1
    assert not (tmp_path / "study/best_model").exists()
    assert run(tmp_path, jobs).code == 0
    for key, data in {**results, **decisions}.items():
        assert (tmp_path / key).read_bytes() == data, "an object that is created once has changed"
    retried = json.loads((tmp_path / "study/retries/0.json").read_text())
    assert retried["pause"] == 0
    assert {tuple(pair) for pair in retried["runs"]} >= {tuple(pair) for pair in pause["runs"]}
    for experiment, rung in retried["runs"]:
        again = json.loads((tmp_path / f"study/results/{experiment}/{rung}.0.json").read_text())
        assert again["failure"] is None
        assert (
            again["attempts"]
            != json.loads((tmp_path / f"study/results/{experiment}/{rung}.json").read_text())["attempts"]
        )
    experiments = open_study(str(tmp_path / "study")).experiments()
    again = {experiment for experiment, _ in retried["runs"]}  # without those before a success, which ended their row
    assert not [one for one in experiments if one.status is Status.FAILURE and one.number in again]
    for command in ("replay", "verify"):
        checked = automl(command, "study", cwd=tmp_path)
        assert checked.code == 0, checked.out
    before = created_once(tmp_path, "")
    assert run(tmp_path, jobs).code == 0
    assert created_once(tmp_path, "") == before


def test_within_a_rung_the_decisions_are_byte_for_byte_those_without_an_outage(tmp_path: Path) -> None:
    paused_then_mended(tmp_path / "one", RANDOM)
    assert run(tmp_path / "one").code == 0
    begin(tmp_path / "two", RANDOM)
    assert run(tmp_path / "two").code == 0
    assert created_once(tmp_path / "one", "decisions") == created_once(tmp_path / "two", "decisions")


def test_a_chain_learns_what_became_of_those_that_it_took_for_failures(tmp_path: Path) -> None:
    paused_then_mended(tmp_path, BAYESIAN)
    assert run(tmp_path).code == 0
    consumed = [
        (outcome["experiment"], outcome["failure"])
        for path in sorted((tmp_path / "study/decisions/0").iterdir(), key=lambda path: int(path.stem))
        for outcome in json.loads(path.read_text())["consumed"]
    ]
    assert consumed == [
        (0, None),
        *((number, "error") for number in range(1, 5)),  # each seen by the decision after it
        *((number, None) for number in range(1, 6)),  # the fifth for the first time, the others again
        *((number, None) for number in range(6, 9)),
    ]


@pytest.mark.parametrize(("setting", "pauses"), [("null", 0), ("0", 0), ("12", 0), ("5", 1), ("3", 1), ("1", 1)])
def test_the_setting_says_how_long_a_row_is_and_whether_one_counts(tmp_path: Path, setting: str, pauses: int) -> None:
    begin(tmp_path, f"{RANDOM}run: {{failures_in_a_row: {setting}}}\nfinal: {{repeats: 0}}\n")
    (tmp_path / "outage").write_text("away")
    ran = run(tmp_path)
    assert ran.code == (5 if pauses else 0), ran.err
    assert len(created_once(tmp_path, "pauses")) == pauses
    assert len(created_once(tmp_path, "results")) == (1 + int(setting) if pauses else 12)


def test_a_row_that_is_not_to_count_any_more_is_accepted_as_it_is(tmp_path: Path) -> None:
    begin(tmp_path, RANDOM)
    (tmp_path / "outage").write_text("away")
    assert [run(tmp_path).code, run(tmp_path).code] == [5, 5]  # trained again, and failed again
    assert len(created_once(tmp_path, "pauses")) == 2
    (tmp_path / "study.yaml").write_text(f"{RANDOM}run: {{failures_in_a_row: null}}\n")
    assert run(tmp_path).code == 0
    assert json.loads((tmp_path / "study/retries/1.json").read_text()) == {"format": 1, "pause": 1, "runs": []}
    assert automl("verify", "study", cwd=tmp_path).code == 0


def test_failures_of_other_kinds_and_those_after_an_epoch_make_no_row(tmp_path: Path) -> None:
    begin(tmp_path, f"{RANDOM}train_spec: {{train.fault: nan}}\n")
    assert run(tmp_path).code == 0  # all but the defaults diverge
    assert not created_once(tmp_path, "pauses")


def test_retry_trains_failed_ones_again_at_any_time(tmp_path: Path) -> None:
    begin(tmp_path, f"{RANDOM}run: {{failures_in_a_row: null}}\n")
    (tmp_path / "outage").write_text("away")
    assert run(tmp_path).code == 0
    (tmp_path / "outage").unlink()
    some = automl("retry", "study.yaml", "4", "5", cwd=tmp_path)
    assert (some.code, some.out) == (0, "experiments 4 and 5 will be trained again; next: automl run study.yaml\n")
    assert run(tmp_path).code == 0
    assert len(list((tmp_path / "study/results/4").iterdir())) == 2
    assert len(list((tmp_path / "study/results/6").iterdir())) == 1
    rest = as_json(automl("retry", "study.yaml", "-o", "json", cwd=tmp_path))
    assert (rest["object"], set(rest["experiments"]) >= {1, 2, 3, 6, 7, 8, 9, 10, 11}) == ("retries/1.json", True)
    assert run(tmp_path).code == 0
    nothing = automl("retry", "study.yaml", cwd=tmp_path)
    assert (nothing.code, nothing.out) == (0, "nothing has failed: there is nothing to train again\n")
    for command in ("replay", "verify"):
        checked = automl(command, "study", cwd=tmp_path)
        assert checked.code == 0, checked.out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["0"], "experiment 0 has not failed: its status is success; allowed: those that have: 1"),
        (["77"], "experiment 77 does not exist; allowed: 0 to"),
        (["one"], "EXPERIMENT: 'one'; allowed: a whole number from 0"),
        (["-1"], "-1"),
    ],
)
def test_retry_refuses_what_cannot_be_trained_again(tmp_path: Path, words: list[str], says: str) -> None:
    begin(tmp_path, f"{RANDOM}run: {{failures_in_a_row: null}}\nfinal: {{repeats: 0}}\n")
    (tmp_path / "outage").write_text("away")
    assert run(tmp_path).code == 0
    refused = automl("retry", "study.yaml", *words, cwd=tmp_path)
    assert (refused.code, says in refused.err) == (2, True), refused.err
    assert not created_once(tmp_path, "retries")


def test_a_study_in_which_nothing_succeeded_goes_on_after_retry(tmp_path: Path) -> None:
    begin(
        tmp_path,
        "name: study\nnetwork: small.yaml\nalgorithm: random\nmax_recommendations: 3\nparameters: "
        "{train.x: {default: 0.1}}\n",
    )
    (tmp_path / "outage").write_text("away")
    failed = run(tmp_path)
    assert (failed.code, "'automl retry' has them trained again" in failed.err) == (5, True)
    (tmp_path / "outage").unlink()
    assert automl("retry", "study.yaml", cwd=tmp_path).code == 0
    assert run(tmp_path).code == 0


def test_a_pause_is_the_same_for_all_who_see_it(tmp_path: Path) -> None:
    """As pods do: whoever sees a row first stores the pause, the others find it."""
    paused_then_mended(tmp_path, RANDOM)
    opened = open_study(str(tmp_path / "study"))
    row = outages.row_of(opened.history(), opened.definition.plan, 5)
    assert row is not None
    assert row.runs == [(number, 0) for number in range(1, 6)]
    assert outages.pause(opened.record, row).number == 0
    assert len(created_once(tmp_path, "pauses")) == 1


def test_what_will_be_trained_again_is_still_to_come(tmp_path: Path) -> None:
    """As in the ledger, for everybody who shows it."""
    begin(tmp_path, f"{RANDOM}final: {{repeats: 0}}\n")
    (tmp_path / "outage").write_text("away")
    assert run(tmp_path).code == 5
    told = as_json(automl("status", "study.yaml", "-o", "json", cwd=tmp_path))
    epochs = {"done": 3, "pending": 11 * 3, "dropped": 0}  # the defaults succeeded, five failed, six are not asked for
    ledger = told["ledger"]
    assert told["epochs"] == epochs
    assert (ledger["planned"], ledger["trained"], ledger["to_come"], ledger["away"]) == (36, 3, 33, 0)
    gauges = automl("status", "study.yaml", "-o", "openmetrics", cwd=tmp_path).out
    for name, count in {"done": 3, "pending": 33, "planned": 36}.items():
        assert f'automl_epochs_{name}{{study="study"}} {count}\n' in gauges
    assert "3 done, 33 to go\n" in automl("status", "study.yaml", cwd=tmp_path).out
    opened = open_study(str(tmp_path / "study"))
    assert sum(line.to_come for line in entries(read_facts(opened))) == 33  # as the report shows it
    view = LiveView(opened.definition, plain_console(), None)
    for event in RecordEvents(opened.record, opened.definition).look([]):
        view.take(event)
    assert "33 epochs pending" in view.outlook(opened.history())
    (tmp_path / "study.yaml").write_text(f"{RANDOM}final: {{repeats: 0}}\nrun: {{failures_in_a_row: null}}\n")
    told = as_json(automl("status", "study.yaml", "-o", "json", cwd=tmp_path))
    assert told["epochs"] == {"done": 3, "pending": 6 * 3, "dropped": 5 * 3}  # these failures are accepted
    assert (told["ledger"]["to_come"], told["ledger"]["away"]) == (18, 15)


def test_whoever_asks_sees_that_a_study_is_paused_why_and_what_to_do(tmp_path: Path) -> None:
    begin(tmp_path, RANDOM)
    (tmp_path / "outage").write_text("the disk is away [/data]")
    ran = run(tmp_path)
    assert ran.code == 5
    why = "5 trainings in a row failed alike before their first epoch (experiments 1 to 5): exit code 1: "
    why += "the disk is away [/data]"
    status = as_json(automl("status", "study.yaml", "-o", "json", cwd=tmp_path))
    assert status["state"] == "paused"
    assert (status["paused"]["failure"], status["paused"]["experiments"]) == ("error", [1, 2, 3, 4, 5])
    assert status["paused"]["why"] == f"the study is paused: {why}"
    assert "the same command trains them again" in status["paused"]["advice"]
    shown = " ".join(automl("status", "study.yaml", cwd=tmp_path).out.split())
    assert f"state paused paused {why} to continue these failures decided nothing" in shown
    assert 'state="paused"' in automl("status", "study.yaml", "-o", "openmetrics", cwd=tmp_path).out
    assert "the same command trains them again" in (tmp_path / "study/report.html").read_text()
    study = Study.read(tmp_path / "study.yaml")
    with pytest.raises(StudyPaused, match="in a row failed alike"):
        study.wait()
    (tmp_path / "outage").unlink()
    assert run(tmp_path).code == 0
    status = as_json(automl("status", "study.yaml", "-o", "json", cwd=tmp_path))
    assert (status["state"], status["paused"]) == ("done", None)
    assert "in a row failed alike" not in (tmp_path / "study/report.html").read_text()
