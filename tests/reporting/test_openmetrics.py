"""The text for Prometheus is that of the OpenMetrics specification, and says what `status` says."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from automl.analysis import status
from automl.reporting.terminal import openmetrics
from automl.stores.memory import MemoryStore
from tests.command_line import automl, refused, search
from tests.recorded_studies import recorded
from tests.simulation.studies import HYPERBAND_9, study

NAME = r"[a-zA-Z_:][a-zA-Z0-9_:]*"
LABEL = r'[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\n]|\\[\\"n])*"'
SAMPLE = re.compile(rf"({NAME})\{{({LABEL}(?:,{LABEL})*)\}} (-?[0-9]+(?:\.[0-9]+)?(?:e[+-]?[0-9]+)?)")


def parsed(text: str) -> dict[tuple[str, str], float]:
    """The samples, checked: every family announced once and before its samples, EOF once and last."""
    *lines, end = text.removesuffix("\n").split("\n")
    assert end == "# EOF"
    found: dict[tuple[str, str], float] = {}
    family, known = "", set()
    for line in lines:
        if line.startswith("# TYPE "):
            kind, family = line.split()[-1], line.split()[2]
            assert (kind, family in known) == ("gauge", False)
            known.add(family)
        elif line.startswith("# HELP "):
            assert line.split()[2] == family
        else:
            match = SAMPLE.fullmatch(line)
            assert match is not None, line
            assert match[1] == family
            assert (match[1], match[2]) not in found
            found[match[1], match[2]] = float(match[3])
    return found


def test_of_a_study_that_ran_the_gauges_are_those_of_status(tmp_path: Path) -> None:
    search(tmp_path, "")
    ran = automl("status", "study.yaml", "-o", "openmetrics", cwd=tmp_path)
    assert (ran.code, ran.err) == (0, "")
    found, status = parsed(ran.out), json.loads(automl("status", "study", "-o", "json", cwd=tmp_path).out)
    own = 'study="study"'
    assert found["automl_study_state", f'{own},state="done"'] == 1
    for name, count in status["experiments"].items():
        key = (
            ("automl_experiments_planned", own)
            if name == "planned"
            else ("automl_experiments", f'{own},state="{name}"')
        )
        assert found[key] == count
    done, planned = found["automl_epochs_done", own], found["automl_epochs_planned", own]
    assert (done, found["automl_epochs_pending", own]) == (status["epochs"]["done"], 0)
    assert done + status["epochs"]["dropped"] == planned == status["ledger"]["planned"]
    assert done == status["ledger"]["trained"]
    assert found["automl_best_value", f'{own},metric="score",goal="maximize"'] == status["best"]["value"]
    refused(automl("status", "study", "-o", "openmetric", cwd=tmp_path), "did you mean 'openmetrics'?")


def test_of_a_study_under_way_what_is_not_known_is_left_out() -> None:
    record, _ = recorded(MemoryStore(), study(HYPERBAND_9), decisions=1, failing=range(100))
    found = parsed(openmetrics.text(status.status(record, study(HYPERBAND_9))))
    assert {name for name, _ in found} & {"automl_best_value", "automl_seconds_left"} == set()
    done, pending, planned = (found[f"automl_epochs_{name}", 'study="line"'] for name in ("done", "pending", "planned"))
    assert (done, 0 < pending < planned) == (0, True)  # what failed is neither done nor to come


@pytest.mark.parametrize("name", ['a"b', "a\\b", "a\nb"])
def test_labels_are_escaped(name: str) -> None:
    record, _ = recorded(MemoryStore(), study(HYPERBAND_9), decisions=1)
    named = replace(status.status(record, study(HYPERBAND_9)), study=name)
    assert parsed(openmetrics.text(named))
