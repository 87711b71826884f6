"""What every step of a pod reads and leaves: its environment variables, its study, the outputs that Argo takes."""

from __future__ import annotations

import os
from dataclasses import replace

from automl.errors import InvalidInput
from automl.execution import pod_contract, submission
from automl.search.agenda import Step
from automl.stores import open_store
from automl.study.definition import Definition
from automl.study.opened_study import OpenedStudy
from automl.study.prefetching_record import PrefetchingRecord


def variable(name: str) -> str:
    """The value of an environment variable. Raises InvalidInput when it is missing or empty."""
    value = os.environ.get(name)
    if not value:
        raise InvalidInput(f"the environment variable {name} is missing", advice="see automl/pod.py")
    return value


def step() -> Step:
    """The decision that this pod makes, or that requested its training."""
    index = "AUTOML_TURN" if os.environ.get("AUTOML_TURN") else "AUTOML_RUNG"
    return Step(int(variable("AUTOML_STAGE")), int(variable(index)))


def open_study() -> tuple[PrefetchingRecord, OpenedStudy]:
    """The record, and its study with the settings that are not stored because no decision depends on them."""
    record = PrefetchingRecord(open_store(variable("AUTOML_STORE")))
    opened = OpenedStudy.read(record)
    return record, replace(opened, definition=with_settings(opened.definition))


def with_settings(definition: Definition, failures_in_a_row: str = "") -> Definition:
    """The definition with the settings that reach a pod in its environment; what is given here goes before that."""
    limit, gpus = os.environ.get("AUTOML_TIMEOUT_MINUTES"), os.environ.get("AUTOML_GPUS")
    row = failures_in_a_row or os.environ.get("AUTOML_FAILURES_IN_A_ROW")
    price = os.environ.get("AUTOML_PRICE_PER_GPU_HOUR")
    return submission.with_settings(
        definition,
        int(gpus) if gpus else None,
        float(limit) if limit else None,
        int(row) if row else None,
        float(price) if price else None,
    )


def output(name: str, text: str) -> None:
    """Leaves an output of this step for Argo."""
    pod_contract.OUTPUTS.mkdir(parents=True, exist_ok=True)
    (pod_contract.OUTPUTS / name).write_text(text)
