"""A study that was begun, as one value."""

from __future__ import annotations

import subprocess
import sys
from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

import automl
from automl.errors import StudyFileError
from automl.networks import load_network
from automl.opening import open_study
from automl.operations.diff import Side
from automl.operations.replay import summary
from automl.reporting.page import page
from automl.search.extension import Extension
from automl.stores.folder import FolderStore
from automl.stores.memory import MemoryStore
from automl.study import study_file
from automl.study.experiments import experiments
from automl.study.keys import EXTENSIONS, METADATA
from automl.study.opened_study import OpenedStudy, begin
from automl.study.record import Record
from tests.recorded_studies import recorded
from tests.simulation.studies import study

CHAIN = {"algorithm": "bayesian", "max_recommendations": 3, "max_epochs": 2}


class CountingStore(MemoryStore):
    """Counts how often each object is asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.gets: Counter[str] = Counter()

    def get(self, key: str) -> bytes | None:
        self.gets[key] += 1
        return super().get(key)


def test_it_unpacks_into_record_and_definition_and_reads_its_history(tmp_path: Path) -> None:
    record, history = recorded(FolderStore(tmp_path / "study"), study(CHAIN))
    opened = open_study(str(tmp_path / "study"))
    unpacked_record, definition = opened
    assert unpacked_record is opened.record
    assert definition is opened.definition
    assert opened.history() == history == unpacked_record.history(definition)
    assert opened.experiments() == experiments(history, definition.plan)
    assert opened.study_text() == "name: line\nnetwork: least_squares\n"
    assert opened.metadata == record.metadata()


def test_the_package_opens_a_study_and_imports_nothing_heavy_before(tmp_path: Path) -> None:
    recorded(FolderStore(tmp_path / "study"), study(CHAIN))
    assert isinstance(automl.open_study(str(tmp_path / "study")), OpenedStudy)
    program = "import sys, automl; print({'numpy', 'pydantic', 'automl.study'} & {*sys.modules})"
    printed = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True).stdout
    assert printed == "set()\n"


def test_what_it_was_begun_with_is_read_once_however_much_is_asked() -> None:
    store = CountingStore()
    recorded(store, study(CHAIN))
    store.gets.clear()
    opened = OpenedStudy.read(Record(store))
    page.render(opened)
    Side.read(opened)
    summary(opened, 3, None)
    assert (store.gets[METADATA], store.gets[f"{EXTENSIONS}/0.json"]) == (1, 1)


def test_a_study_that_is_begun_again_comes_back_as_it_was_extended() -> None:
    record = Record(MemoryStore())
    assert begin(record, study(CHAIN), "a study\n").definition.extensions == ()
    assert record.add(EXTENSIONS, 0, Extension(5).to_json())
    again = begin(record, study(CHAIN), "a study, its text changed\n")
    assert again.definition.extensions == (Extension(5),)
    assert again.definition == OpenedStudy.read(record).definition
    assert again.study_text() == "a study\n"


def test_another_study_is_refused_with_the_settings_that_differ() -> None:
    record = Record(MemoryStore())
    begin(record, study(CHAIN), "a study\n")
    with pytest.raises(StudyFileError, match=r"begun with another max_recommendations.*'automl extend' raises it"):
        begin(record, study({**CHAIN, "max_recommendations": 4}), "a study\n")


def test_a_study_keeps_the_network_of_the_catalogue_that_it_was_begun_with() -> None:
    record = Record(MemoryStore())
    now = study_file.parse("name: s\nnetwork: fashion_mnist\nalgorithm: random\n", "study.yaml", Path())
    before = replace(now, network=now.network.model_copy(update={"title": "as it was", "epochs": 7}))
    begin(record, before, "a study\n")
    assert begin(record, now, "a study\n").definition.network == before.network
    changed = study_file.parse("name: s\nnetwork: fashion_mnist\nsampler: uniform\nseed: 3\n", "study.yaml", Path())
    with pytest.raises(StudyFileError, match="begun with another algorithm, sampler, seed"):
        begin(record, changed, "a study\n")
    other = replace(now, file=now.file.model_copy(update={"network": "image_classification"}))
    with pytest.raises(StudyFileError, match="begun with another network"):
        begin(record, replace(other, network=load_network("image_classification", Path())), "a study\n")


def test_a_study_that_was_begun_without_the_name_of_its_sampler_keeps_it() -> None:
    record = Record(MemoryStore())
    before = replace(study(CHAIN), rules=1)
    assert "sampler" not in before.to_json()["study"]
    begin(record, before, "a study\n")
    again = begin(record, study(CHAIN), "a study\n")
    assert again.definition.sampler_name == "gaussian_process"
    for sampler in ("gaussian_process", "portfolio"):  # a file that names one says something else
        with pytest.raises(StudyFileError, match="begun with another sampler"):
            begin(record, study({**CHAIN, "sampler": sampler}), "a study\n")


def test_a_study_that_is_begun_now_has_its_sampler_by_name() -> None:
    record = Record(MemoryStore())
    begin(record, study(CHAIN), "a study\n")
    assert record.metadata()["study"]["sampler"] == "portfolio"
    assert begin(record, study({**CHAIN, "sampler": "portfolio"}), "a study\n").definition.sampler_name == "portfolio"
    with pytest.raises(StudyFileError, match="begun with another sampler"):
        begin(record, study({**CHAIN, "sampler": "gaussian_process"}), "a study\n")
