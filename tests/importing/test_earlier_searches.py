"""The sources of `warm_start`: what is read of each, what does not fit, and what is refused."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from automl.errors import StudyFileError
from automl.export.rows import write_csv
from automl.importing.earlier_searches import with_earlier
from automl.search.earlier_search import EarlierSearch, FurtherMetric, ranks_of
from automl.stores.folder import FolderStore
from automl.study.definition import Definition
from tests.recorded_studies import MIXED, mixed, recorded
from tests.simulation.studies import HALVING, RANDOM, study

CHAIN: dict[str, Any] = {"algorithm": "bayesian", "max_recommendations": 4, "max_epochs": 4}


def line(*sources: str, **more: Any) -> Definition:
    """A study of train.lr that begins with these sources."""
    return study(CHAIN, warm_start=list(sources), **more)


def read(folder: Path, *sources: str, **more: Any) -> tuple[EarlierSearch, ...]:
    return with_earlier(line(*sources, **more), folder).earlier


def refused(folder: Path, source: str, **more: Any) -> StudyFileError:
    with pytest.raises(StudyFileError) as error:
        read(folder, source, **more)
    assert source in error.value.given
    return error.value


def test_a_study_of_ours_gives_each_experiment_of_its_search_once(tmp_path: Path) -> None:
    _, history = recorded(FolderStore(tmp_path / "before"), study(RANDOM), failing=(2,))
    (search,) = read(tmp_path, "before")
    assert search.kind == "a study"
    assert (len(search.values), search.total) == (3, 4)
    assert search.parameters == ("train.lr",)
    assert search.left_out == ("1 trial without a value",)
    best = min(search.measured)
    assert search.measured[search.ranks.index(1.0)] == best
    kept = {result.best_value for (number, _), result in history.results.items() if number < 4 and number != 2}
    assert set(search.measured) == kept


def test_trainings_of_several_lengths_are_compared_by_the_longest_that_both_have(tmp_path: Path) -> None:
    recorded(FolderStore(tmp_path / "before"), study(HALVING))
    (search,) = read(tmp_path, "before")
    assert len(search.values) == 9
    # the loss falls with the epochs, so a bad long training would beat a good short one if numbers were compared
    by_rate = sorted(range(9), key=lambda place: abs(search.values[place]["train.lr"] - 0.1))
    assert search.ranks[by_rate[0]] == 1.0
    assert search.ranks[by_rate[-1]] == 0.0


def test_our_own_table_gives_the_same_as_the_study(tmp_path: Path) -> None:
    definition = mixed(HALVING)
    _, history = recorded(FolderStore(tmp_path / "before"), definition)
    write_csv(definition, history, tmp_path / "before.csv")
    ours = mixed(CHAIN, warm_start=["before", "before.csv"])
    one, other = with_earlier(ours, tmp_path).earlier
    assert one.values == other.values
    assert one.ranks == other.ranks
    assert one.measured == other.measured
    assert set(one.parameters) == set(other.parameters) == set(MIXED)
    assert other.left_out == ("it does not name its metric: best_value is taken for loss",)


TWO = [{"name": "loss", "goal": "minimize"}, {"name": "speed", "goal": "maximize"}]


def test_a_study_and_its_table_have_every_metric_that_both_measure(tmp_path: Path) -> None:
    definition = study({**RANDOM, "metrics": [*TWO, {"name": "size", "goal": "minimize"}]})
    _, history = recorded(
        FolderStore(tmp_path / "before"),
        definition,
        further=lambda asked: {"speed": asked.values["train.lr"], "size": 3.0},
    )
    write_csv(definition, history, tmp_path / "before.csv")
    one, other = read(tmp_path, "before", "before.csv", metrics=TWO)
    assert one.further == other.further
    (speed,) = one.further
    assert speed.measured == tuple(values["train.lr"] for values in one.values)
    assert speed.ranks == ranks_of([values["train.lr"] for values in one.values])
    turned = read(tmp_path, "before", metrics=TWO[::-1])[0]  # what is their second may be our first
    assert (turned.measured, turned.further[0].measured) == (speed.measured, one.measured)


def test_any_table_may_have_a_column_for_each_metric(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("train.lr,loss,speed\n0.1,3,5\n0.2,1,\n0.3,2,9\n")
    (search,) = read(tmp_path, "t.csv", metrics=TWO)
    assert search.further == (FurtherMetric("speed", (0.0, None, 1.0), (5.0, None, 9.0)),)
    assert search.left_out == ("speed is measured in 2 of 3 trials that fit",)
    assert search.parameters == ("train.lr",)


def test_a_study_of_optuna_has_all_its_metrics(tmp_path: Path) -> None:
    optuna = pytest.importorskip("optuna")
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(tmp_path / "a.log")))
    theirs = optuna.create_study(study_name="a", storage=storage, directions=["minimize", "minimize"])
    with pytest.warns(optuna.exceptions.ExperimentalWarning):
        theirs.set_metric_names(["loss", "speed"])
    for rate, loss, speed in ((0.1, 3.0, 5.0), (0.2, 1.0, 7.0), (0.3, 2.0, 9.0)):
        distributions = {"train.lr": optuna.distributions.FloatDistribution(0.01, 0.4)}
        params = {"train.lr": rate}
        theirs.add_trial(optuna.trial.create_trial(params=params, distributions=distributions, values=[loss, speed]))
    (search,) = read(tmp_path, "a.log", metrics=TWO)
    assert search.measured == (3.0, 1.0, 2.0)
    # by the direction of their own study, where a speed is to be small
    assert search.further == (FurtherMetric("speed", (1.0, 0.5, 0.0), (5.0, 7.0, 9.0)),)


def test_any_table_has_a_column_for_each_parameter_and_one_for_the_metric(tmp_path: Path) -> None:
    rows = ["train.lr,loss,momentum", "0.1,3,0.9", "0.2,1,0.8", "0.3,,0.8", "7,2,0.8", "0.05,nan,0.1", "0.02,2,0.1"]
    (tmp_path / "t.csv").write_text("\n".join(rows) + "\n")
    (search,) = read(tmp_path, "t.csv")
    assert [values["train.lr"] for values in search.values] == [0.1, 0.2, 0.02]
    assert search.ranks == (0.0, 1.0, 0.5)  # the loss is minimized
    text = "; ".join(search.left_out)
    assert "2 trials without a value" in text
    assert "not searched here: momentum" in text
    assert "1 trial outside of the ranges, such as: train.lr is 7.0, outside 0.001 ... 0.4" in text


def test_a_storage_of_optuna_is_read_by_its_own_direction(tmp_path: Path) -> None:
    optuna = pytest.importorskip("optuna")
    optuna.logging.set_verbosity(optuna.logging.ERROR)
    storage = optuna.storages.JournalStorage(optuna.storages.journal.JournalFileBackend(str(tmp_path / "o.log")))
    other = optuna.create_study(storage=storage, study_name="gain", direction="maximize")
    other.optimize(lambda trial: -abs(trial.suggest_float("train.lr", 0.01, 0.3) - 0.1), n_trials=6)
    (search,) = read(tmp_path, "o.log")
    assert search.kind == "a study of Optuna"
    best = search.best_first[0]["train.lr"]
    assert best == min((values["train.lr"] for values in search.values), key=lambda rate: abs(rate - 0.1))
    optuna.create_study(storage=storage, study_name="second")
    assert "2 studies" in refused(tmp_path, "o.log").given
    assert len(read(tmp_path, "o.log#gain")[0].values) == 6


def test_what_was_not_searched_there_has_its_setting_there_or_its_default(tmp_path: Path) -> None:
    recorded(FolderStore(tmp_path / "before"), study(RANDOM))
    table = tmp_path / "t.csv"
    table.write_text("train.lr,loss,train.width\n0.1,3,none\n0.2,1,none\n0.3,4,16\n")
    ours = mixed(CHAIN, warm_start=["t.csv"])
    (search,) = with_earlier(ours, tmp_path).earlier
    assert search.parameters == ("train.lr",)
    assert {values["train.width"] for values in search.values} == {ours.space.defaults()["train.width"]}
    assert any("train.width has values there that do not belong to it here" in text for text in search.left_out)
    assert any("train.decay was not searched there: its default" in text for text in search.left_out)


def test_cells_are_read_as_the_parameter_wants_them(tmp_path: Path) -> None:
    head = "train.lr,train.optimizer,train.momentum,train.width,train.flip,train.betas,train.batch,loss"
    (tmp_path / "t.csv").write_text(
        f'{head}\n1e-2,sgd,0.5,16.0,True,"[0.6, 1]",64,1\n0.02,adamw,0.5,24,false,"[0.7, 0.9]",16,2\n'
    )
    (search,) = with_earlier(mixed(CHAIN, warm_start=["t.csv"]), tmp_path).earlier
    first, second = search.values
    assert (first["train.width"], first["train.flip"], first["train.batch"]) == (16, True, 64)
    assert first["train.betas"] == [0.6, 1.0]
    assert first["train.momentum"] == 0.5
    assert "train.momentum" not in second  # it exists with sgd alone


def test_a_long_history_is_thinned(tmp_path: Path) -> None:
    rows = [f"{0.001 + 0.0001 * number},{number}" for number in range(1000)]
    (tmp_path / "t.csv").write_text("\n".join(["train.lr,loss", *rows]) + "\n")
    (search,) = read(tmp_path, "t.csv")
    assert len(search.values) == 100
    assert search.measured[:50] == tuple(float(number) for number in range(50))
    assert search.measured[-1] == 999
    assert "900 of 1000 trials" in search.left_out[-1]
    assert len(json.dumps(search.to_json())) < 20_000


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        ("", "its first row has nothing"),
        ("loss\n1\n", "its first row has one column"),
        ("train.lr,loss\n0.1\n", "row 2 has 1 cells"),
        ("train.lr,los\n0.1,1\n", "no column loss"),
        ("train.lr,loss\n", "no finished trial"),
        ("train.lr,loss\n0.1,\n", "no finished trial"),
        ("lr,loss\n0.1,1\n0.2,2\n", "no parameter that fits"),
        ("train.lr,loss\n0.1,1\n0.2,1\n", "no order among them"),
        ("train.lr,loss\n9,1\n8,2\n", "no parameter that fits"),
    ],
)
def test_a_table_that_gives_nothing_is_refused(tmp_path: Path, text: str, problem: str) -> None:
    (tmp_path / "t.csv").write_text(text)
    assert problem in refused(tmp_path, "t.csv").given


def test_what_is_none_of_these_is_refused(tmp_path: Path) -> None:
    (tmp_path / "bytes.csv").write_bytes(b"\xff\xfe\x00train")
    (tmp_path / "notes.txt").write_text("hello")
    (tmp_path / "x.db").write_text("hello")
    (tmp_path / "empty").mkdir()
    recorded(FolderStore(tmp_path / "other"), study(RANDOM, metric={"name": "accuracy", "goal": "maximize"}))
    assert "no CSV in UTF-8" in refused(tmp_path, "bytes.csv").given
    assert "what it is" in refused(tmp_path, "notes.txt").given
    assert "database of SQLite" in refused(tmp_path, "x.db").given
    assert "no study lies in" in refused(tmp_path, "empty").given
    assert "there is no" in refused(tmp_path, "gone.csv").given
    assert "not an address" in refused(tmp_path, "https://somewhere/x").given
    assert "searches for accuracy" in refused(tmp_path, "other").given
    assert "lr in the study" not in refused(tmp_path, "gone").advice
