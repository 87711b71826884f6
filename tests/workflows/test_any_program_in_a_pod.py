"""A program as people have it in a training pod: its words and variables arrive, and what it leaves is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from automl.errors import NetworkError, StudyFileError
from automl.execution.steps.propose import propose
from automl.stores import open_store
from automl.study import study_file
from automl.study.opened_study import begin
from automl.study.record import Record
from tests.command_line import automl
from tests.execution.test_any_program import PROGRAMS, STYLES
from tests.workflows.test_training_pod import Pod
from workflows.compile import compile_study
from workflows.pods import TRAIN


def in_the_image(style: str, more: str = "") -> str:
    """The study of a style, with the program's path in the image."""
    program = f"with_{style}.py"
    return STYLES[style].replace(program, str(PROGRAMS / program)).replace("  keep:", f"  image: any:1\n{more}  keep:")


@pytest.fixture
def pods(tmp_path: Path) -> Iterator[list[Pod]]:
    started: list[Pod] = []
    yield started
    for pod in started:
        for process in pod.processes:
            process.kill()
            process.wait()


def trained(folder: Path, text: str, pods: list[Pod]) -> Pod:
    """The pod of experiment 0, after it has ended."""
    definition = study_file.parse(text, "study", folder)
    record = Record(open_store(str(folder / "store")))
    begin(record, definition, text)
    propose(record, definition, 0, 0)
    pod = Pod(folder, record)
    pods.append(pod)
    assert pod.step("stage-in").wait(60) == 0
    main = pod.container("sh", "-c", TRAIN.replace("/automl/run", str(folder / "run")))
    assert pod.step("observe").wait(60) == 0
    assert main.wait(60) == 0
    return pod


@pytest.mark.parametrize("style", ["arguments", "overrides"])
def test_a_program_trains_in_a_pod_and_its_model_is_kept(style: str, tmp_path: Path, pods: list[Pod]) -> None:
    pod = trained(tmp_path, in_the_image(style), pods)
    result = pod.record.result(0, 0)
    assert result is not None
    assert (result.failure, result.message, result.epochs) == (None, "", 3)
    assert result.best is not None
    manifest = pod.record.manifest(result.best.manifest)
    assert manifest is not None
    assert [file.name for file in manifest.files] == ["model.pt"]
    assert json.loads(pod.record.store.get(manifest.file_key(0)) or b"")["lr"] == pytest.approx(0.00316228, rel=1e-4)


def test_variables_arrive_and_a_folder_of_the_image_is_where_it_runs(tmp_path: Path, pods: list[Pod]) -> None:
    (tmp_path / "app").mkdir()
    (tmp_path / "app/points.json").write_text("50")
    text = in_the_image("environment", f"  working_directory: {tmp_path}/app\n").replace("  keep: [model.pt]\n", "")
    pod = trained(tmp_path, text, pods)
    result = pod.record.result(0, 0)
    assert result is not None
    assert result.failure is None
    assert json.loads((tmp_path / "app/model.pt").read_text())["DEBUG"] == "no"


def test_what_a_program_with_a_results_folder_writes_beside_it_is_kept_too(tmp_path: Path, pods: list[Pod]) -> None:
    text = in_the_image("arguments", '  environment: {OUT: "{results}"}\n')
    result = trained(tmp_path, text, pods).record.result(0, 0)
    assert result is not None
    assert result.failure is None
    assert result.last is not None


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        (
            "  keep:",
            "  image: any:1\n  keep:",
            "command: with_arguments.py is relative, and in a pod nothing lies beside",
        ),
        ("[python, with_arguments.py", "[./train", "command: ./train is relative"),
        (
            "  keep:",
            "  working_directory: src\n  keep:",
            "working_directory: src; allowed: on a cluster, a folder of the",
        ),
        ("with_arguments.py", "/app/train.py", "image: none is set"),
    ],
)
def test_what_no_pod_could_start_is_refused_when_it_is_compiled(old: str, new: str, says: str, tmp_path: Path) -> None:
    text = STYLES["arguments"].replace(old, new) + "run: {store: 's3://bucket/mine'}\n"
    with pytest.raises(StudyFileError, match=says):
        compile_study(study_file.parse(text, "study", tmp_path), text)


@pytest.mark.parametrize("words", ["/app/train.py", "with_arguments.py"])
def test_what_a_pod_can_start_is_compiled(words: str, tmp_path: Path) -> None:
    folder = "" if words.startswith("/") else '  working_directory: /app\n  environment: {OUT: "{results}"}\n'
    text = (
        STYLES["arguments"].replace("with_arguments.py", words).replace("  keep:", f"  image: any:1\n{folder}  keep:")
    )
    text += "run: {store: 's3://bucket/mine'}\n"
    assert "with_arguments" in text or "/app/train.py" in text
    assert compile_study(study_file.parse(text, "study", tmp_path), text).to_yaml()


IN_A_FOLDER = STYLES["arguments"].replace("  keep:", "  image: any:1\n  working_directory: /app\n  keep:")


def test_a_model_that_nobody_would_collect_is_refused() -> None:
    with pytest.raises(NetworkError, match=r"keep: model.pt with working_directory: /app.*name \{results\}"):
        study_file.parse(IN_A_FOLDER, "study", Path()).check_new()
    for says in ("working_directory: /app", "keep: [model.pt]"):  # either alone
        study_file.parse(IN_A_FOLDER.replace(f"  {says}\n", ""), "study", Path()).check_new()


@pytest.mark.parametrize(
    ("more", "notes"),
    [
        ("", 1),
        ("cluster: {volumes: [{claim: mine, path: /app}]}\n", 1),
        ("cluster: {volumes: [{claim: mine, path: /app, read_only: false}]}\n", 0),
        ("cluster: {writable_root: true}\n", 0),
    ],
)
def test_a_folder_of_an_image_that_cannot_be_written_is_told(more: str, notes: int, tmp_path: Path) -> None:
    text = IN_A_FOLDER.replace("  keep: [model.pt]\n", "") + "run: {store: 's3://bucket/mine'}\n" + more
    (tmp_path / "study.yaml").write_text(text)
    for command in ("plan", "compile"):
        ran = automl(command, "study.yaml", cwd=tmp_path)
        assert ran.code == 0
        assert (ran.out + ran.err).count("/app of the image is read-only") == notes
