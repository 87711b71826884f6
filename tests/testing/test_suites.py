"""The suites of automl.testing fail for what is broken, and for nothing else."""

from __future__ import annotations

import re
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
Failures = dict[str, set[str]]  # the tests that failed, by the class that they are of


@pytest.fixture(scope="module")
def failures() -> Failures:
    """What pytest says of broken_parts.py, in a process of its own and from another folder, as others would run it."""
    command = [
        sys.executable,
        "-m",
        "pytest",
        "-p",
        "no:cacheprovider",
        "-p",
        "no:xdist",
        "-rA",
        "--no-header",
        "--tb=no",
    ]
    path = Path(__file__).with_name("broken_parts.py")
    process = subprocess.run([*command, str(path)], cwd=ROOT, capture_output=True, text=True, check=False)
    assert process.returncode == 1, process.stdout + process.stderr
    failed: defaultdict[str, set[str]] = defaultdict(set)
    for outcome, suite, name in re.findall(r"^(PASSED|FAILED|ERROR) \S+::(\w+)::(\w+)", process.stdout, re.MULTILINE):
        assert outcome != "ERROR", name
        failed[suite] |= {name} if outcome == "FAILED" else set()
    return failed


def test_a_store_that_overwrites_fails_all_that_create_promises(failures: Failures) -> None:
    assert failures["TestOverwritingStore"] == {
        "test_a_later_create_returns_the_winner_and_changes_nothing",
        "test_create_does_not_overwrite_what_put_wrote",
        "test_an_empty_object_counts_as_existing",
        "test_eight_writers_of_one_key_all_hear_the_same_winner",
        "test_the_probe_passes_and_leaves_nothing",
    }


def test_a_sampler_with_chance_of_its_own_fails_all_that_compares_answers(failures: Failures) -> None:
    assert failures["TestHostsEntropySampler"] == {
        "test_processes_propose_the_same_bytes_whatever_their_hash_seeds_and_threads",
        "test_a_proposal_does_not_depend_on_how_many_are_asked_for",
        "test_the_same_request_has_the_same_answer",
        "test_trials_of_two_metrics_and_a_constraint_are_no_obstacle",
    }


def test_a_schedule_that_counts_wrong_fails_what_counts(failures: Failures) -> None:
    assert failures["TestOverlappingSchedule"] == {
        "test_experiments_are_numbered_from_0_without_a_gap",
        "test_promoted_experiments_are_no_more_than_before_and_train_longer",
        "test_what_makes_no_plan_is_refused",
    }


@pytest.mark.parametrize("suite", ["TestSoundSampler", "TestSoundSchedule", "TestSoundStore"])
def test_what_is_sound_passes(failures: Failures, suite: str) -> None:
    assert failures[suite] == set()
