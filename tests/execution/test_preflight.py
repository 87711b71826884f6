"""What a training lacks is said before the first experiment, and nothing is stored by then."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from automl.errors import NetworkError
from automl.execution.preflight import check_folder, check_program
from automl.networks import catalogue
from automl.networks.definition import shipped
from automl.study import study_file
from automl.study.definition import Definition
from automl.text.extras import install_command
from tests.command_line import automl
from tests.small_network import write_small_study

# the words of a command, {folder} filled in; what the error says, None for one that can be started
COMMANDS: dict[str, tuple[list[str], str | None]] = {
    "a Python program": (["python", "{folder}/small.py", "{spec}"], None),
    "options before it": (["python3", "-u", "-O", "{folder}/small.py", "{spec}"], None),
    "a script": (["sh", "-e", "{folder}/train.sh", "{spec}"], None),
    "an executable": (["{folder}/train.sh", "{spec}"], None),
    "a program of the PATH": (["env", "A=b", "sh", "train.sh", "{spec}"], None),
    "a module of the library": (["python", "-m", "json.tool", "{spec}"], None),
    "a module of a package": (["python", "-m", "pytest", "{spec}"], None),
    "code": (["sh", "-c", "true", "{spec}"], None),
    "what is filled in": (["sh", "{spec}"], None),
    "an option with a value": (["python", "-W", "ignore", "{folder}/small.py", "{spec}"], None),
    "no such script": (["python", "{folder}/smal.py", "{spec}"], "does not exist; did you mean 'small.py'?"),
    "a relative path": (["python", "small.py", "{spec}"], None),
    "a relative program": (["./train.sh", "{spec}"], None),
    "no such relative path": (["python", "smal.py", "{spec}"], "smal.py' does not exist; did you mean 'small.py'?"),
    "no such relative program": (["./train.s", "{spec}"], "does not exist; did you mean 'train.sh'?"),
    "a program beside the file": (["train.sh", "{spec}"], "write ./train.sh"),
    "no such script of a launcher": (["env", "smal.py", "{spec}"], "does not exist; did you mean 'small.py'?"),
    "a folder": (["sh", "{folder}", "{spec}"], "is a folder"),
    "no such program": (["{folder}/train.s", "{spec}"], "does not exist; did you mean 'train.sh'?"),
    "not executable": (["{folder}/small.py", "{spec}"], "is not executable; chmod +x"),
    "not on the PATH": (["pythn-of-nobody", "{spec}"], "is not a program on the PATH of this machine"),
    "an interpreter that is missing": (["{folder}/odd.sh", "{spec}"], "begins with #!/no/such/shell"),
    "a module that is missing": (["python", "-m", "no_such_module.train", "{spec}"], "no_such_module is not installed"),
    "no such shell script": (["bash", "{folder}/none.sh", "{spec}"], "does not exist"),
}


def with_command(folder: Path, words: list[str]) -> Definition:
    study = write_small_study(folder)
    for name, text in {"train.sh": "#!/bin/sh\n", "odd.sh": "#!/no/such/shell -e\n"}.items():
        (folder / name).write_text(text)
        (folder / name).chmod(0o755)
    quoted = ", ".join(f'"{word.replace("{folder}", str(folder))}"' for word in words)
    network = (folder / "small.yaml").read_text()
    (folder / "small.yaml").write_text(re.sub(r"command: .*", f"command: [{quoted}]", network))
    return study_file.read(study)


@pytest.mark.parametrize("kind", COMMANDS)
def test_a_command_that_cannot_be_started_is_refused_by_name(tmp_path: Path, kind: str) -> None:
    words, says = COMMANDS[kind]
    definition = with_command(tmp_path, words)
    if says is None:
        check_program(definition)
        return
    with pytest.raises(NetworkError) as caught:
        check_program(definition)
    assert says in str(caught.value)


def test_run_says_it_before_anything_is_stored(tmp_path: Path) -> None:
    with_command(tmp_path, ["sh", "{folder}/none.sh", "{spec}"])
    ran = automl("run", "study.yaml", cwd=tmp_path)
    assert (ran.code, "none.sh' does not exist" in ran.err) == (2, True)
    assert not list((tmp_path / "study").glob("*.json"))


@pytest.mark.parametrize(
    ("network", "blocked", "extra"),
    [("fashion_mnist", "torch", "torch"), ("image_classification", "lightning", "trainers")],
)
def test_a_study_of_ours_without_its_libraries_is_refused_before_it_begins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, network: str, blocked: str, extra: str
) -> None:
    """The import is blocked in every process, as it is where the library was never installed."""
    block = tmp_path / "block"
    block.mkdir()
    (block / "sitecustomize.py").write_text(f"import sys\nsys.modules[{blocked!r}] = None\n")
    monkeypatch.setenv("PYTHONPATH", f"{block}{os.pathsep}{os.environ.get('PYTHONPATH', '')}")
    assert automl("init", "study.yaml", "--network", network, cwd=tmp_path).code == 0
    ran = automl("run", "study.yaml", "-j", "1", cwd=tmp_path)
    assert ran.code == 2
    assert ran.err.strip() == f"automl: {blocked} is not installed; {install_command(extra)}"
    assert not list(tmp_path.glob("*/automl_metadata.json"))


# the folder of the study file, and its store -> whether its path holds a blank
STORES: dict[str, tuple[str, str, bool]] = {
    "beside the file": ("cars", "", False),
    "a blank in the folder": ("my cars", "", True),
    "a blank in the store": ("cars", "run: {store: ./the store}", True),
    "a tab in the store": ("cars", 'run: {store: "./the\\tstore"}', True),
    "a blank in the address": ("cars", "run: {store: 'file:///tmp/no%20such/store'}", True),
    "another folder": ("my cars", "run: {store: /tmp/no_such_store}", False),
    "a bucket": ("my cars", "run: {store: 's3://bucket/a b'}", False),
}


@pytest.mark.parametrize("network", ["classification_pyt", "fashion_mnist"])
@pytest.mark.parametrize("kind", STORES)
def test_a_plan_says_which_paths_a_program_of_tao_would_split(tmp_path: Path, kind: str, network: str) -> None:
    folder, more, split = STORES[kind]
    (tmp_path / folder).mkdir()
    data = "dataset: /data\n" if network == "classification_pyt" else ""
    (tmp_path / folder / "study.yaml").write_text(f"name: study\nnetwork: {network}\n{data}{more}\n")
    ran = automl("plan", "study.yaml", "-o", "json", cwd=tmp_path / folder)
    assert ran.code == 0, ran.err
    assert ("split a path at its blanks" in ran.out) is (split and network == "classification_pyt")


def test_run_refuses_such_a_path_before_anything_is_stored(tmp_path: Path) -> None:
    folder = tmp_path / "my cars"
    folder.mkdir()
    (folder / "study.yaml").write_text("name: study\nnetwork: classification_pyt\ndataset: /data\n")
    ran = automl("run", "study.yaml", cwd=folder)
    assert (ran.code, "split a path at its blanks" in ran.err) == (2, True), ran.err
    assert "name a store without them" in ran.err
    assert [path.name for path in folder.rglob("*") if path.is_file()] == ["study.yaml"]
    ran = automl("run", "study.yaml", "--store", str(tmp_path / "cars"), cwd=folder)
    assert (ran.code, "classification_pyt' is not a program on the PATH" in ran.err) == (2, True), ran.err


def test_every_network_of_tao_is_known_by_its_image(tmp_path: Path) -> None:
    for name in catalogue():  # ours name no framework
        assert shipped(name).is_of_tao is (shipped(name).framework is not None), name
    check_folder(study_file.read(write_small_study(tmp_path)), Path("/a b"))
