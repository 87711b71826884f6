"""A status rule that cannot work is refused when the network file is read, with what to do."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.errors import NetworkError
from automl.execution.status_readers import PARSERS, StatusRule
from automl.networks.definition import parse
from automl.study.definition import Definition
from tests.simulation.studies import RANDOM, study
from tests.small_network import NETWORK

SMALL = NETWORK.format(program="/small.py")


def test_every_reader_that_a_rule_may_name_is_there() -> None:
    assert set(StatusRule.model_json_schema()["properties"]["reader"]["enum"]) == set(PARSERS)


@pytest.mark.parametrize(
    ("rule", "says"),
    [
        ("{reader: cvs, path: a.csv}", "did you mean 'csv'"),
        ("{reader: csv}", "status.reader: csv needs status.path"),
        ("{reader: csv, path: /tmp/a.csv}", "below the results folder"),
        ("{reader: csv, path: ../a.csv}", "below the results folder"),
        ("{reader: regex}", "goes with status.patterns"),
        ("{reader: csv, path: a.csv, patterns: ['(?P<score>x)']}", "goes with status.patterns"),
        ("{reader: regex, patterns: ['score=(']}", r"is none: missing \), unterminated subpattern"),
        ("{reader: regex, patterns: ['score=(.*)']}", "with named groups"),
        ("{reader: regex, patterns: ['(?P<score>(a+)+)']}", "without a repeat inside of a repeat"),
        ("{reader: regex, patterns: ['(?P<score>([0-9]{1,3})*)']}", "without a repeat inside of a repeat"),
        ("{reader: regex, patterns: ['(?P<epoch>[0-9]+) (?P<loss>.+)']}", "score is found by no pattern.*are: loss"),
        ("{reader: tensorboard, without_epoch: counted, first_epoch: 0}", "has no use for"),
        ("{reader: tao, first_epoch: 2}", "allowed: 0 or 1"),
        ("{epochs: epoch}", "did you mean 'epoch'"),
    ],
)
def test_a_rule_that_cannot_work_is_refused(rule: str, says: str) -> None:
    with pytest.raises(NetworkError, match=says):
        parse(f"{SMALL}status: {rule}\n", "small.yaml")


def test_a_rule_and_a_status_file_are_one_too_many() -> None:
    with pytest.raises(NetworkError, match="keep status, with path"):
        parse(f"{SMALL}status: {{reader: tao}}\nstatus_file: train/status.json\n", "small.yaml")


@pytest.mark.parametrize(
    "pattern", [r"(?P<score>[0-9.]+)", r"(?P<score>\d+(\.\d+)?(e[-+]\d+)?)\s*$", r"^\s*(?P<epoch>\d+)\s+(?P<score>\S+)"]
)
def test_common_patterns_are_accepted(pattern: str) -> None:
    assert StatusRule(reader="regex", patterns=(pattern,)).names == {"score"}


def test_without_a_rule_it_is_the_status_file_in_taos_dialect() -> None:
    network = parse(f"{SMALL}status_file: train/status.json\n", "small.yaml")
    assert network.status_rule == StatusRule(reader="tao", path="train/status.json")


def test_what_is_stored_of_a_study_names_the_rule_only_where_there_is_one(tmp_path: Path) -> None:
    plain = study(RANDOM).to_json()
    assert "status" not in plain["network"]
    assert set(plain["network"]["checkpoints"]) == {"pattern"}
    ruled = study(RANDOM, network={"status": {"reader": "csv", "path": "a.csv"}})
    assert ruled.to_json()["network"]["status"] == {"reader": "csv", "path": "a.csv"}
    assert Definition.from_json(ruled.to_json()) == ruled
