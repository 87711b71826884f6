"""What the commands for a cluster refuse before they ask one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.command_line import automl, refused, search
from tests.small_network import write_small_study

COMMANDS = ["submit", "watch", "stop", "pause", "resume"]
REMOTE = "run: {store: s3://bucket/prefix}\n"


@pytest.fixture(autouse=True)
def no_cluster(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("KUBECONFIG", str(tmp_path / "none"))
    for name in ("ARGO_SERVER", "ARGO_TOKEN", "ARGO_NAMESPACE"):
        monkeypatch.delenv(name, raising=False)


@pytest.mark.parametrize("command", COMMANDS)
def test_without_a_cluster_it_is_said_how_to_name_one(command: str, tmp_path: Path) -> None:
    write_small_study(tmp_path, REMOTE)
    refused(automl(command, "study.yaml", cwd=tmp_path), "no cluster is known", "set KUBECONFIG", "--server")


@pytest.mark.parametrize("command", COMMANDS)
def test_an_argo_server_that_does_not_answer_is_named(command: str, tmp_path: Path) -> None:
    write_small_study(tmp_path, REMOTE)
    ran = automl(command, "study.yaml", "--server", "http://127.0.0.1:1", cwd=tmp_path)
    refused(ran, "the Argo server http://127.0.0.1:1 does not answer", "check the address")


@pytest.mark.parametrize("command", ["stop", "pause", "resume"])
def test_of_a_study_on_this_machine_it_is_said_what_stops_it(command: str, tmp_path: Path) -> None:
    search(tmp_path, "")
    for which, go_on in (("study.yaml", "'automl run study.yaml'"), ("study", "'automl run STUDY.yaml'")):
        refused(automl(command, which, cwd=tmp_path), f"{command}: the study of {which} is stored on", "Ctrl-C", go_on)


def test_a_study_that_lies_in_a_folder_is_not_submitted(tmp_path: Path) -> None:
    write_small_study(tmp_path, "run: {store: ./here}\n")
    refused(automl("submit", "study.yaml", cwd=tmp_path), "run: store: './here'", "s3://bucket/prefix")


def test_a_server_and_a_context_exclude_each_other(tmp_path: Path) -> None:
    write_small_study(tmp_path, REMOTE)
    ran = automl("submit", "study.yaml", "--server", "http://127.0.0.1:1", "--context", "x", cwd=tmp_path)
    refused(ran, "--server and --context", "one of the two")


@pytest.mark.parametrize(("library", "command"), [("hera", "submit"), *(("kubernetes", each) for each in COMMANDS)])
def test_a_missing_library_of_the_extra_is_named(library: str, command: str, tmp_path: Path) -> None:
    write_small_study(tmp_path, REMOTE)
    code = (
        f"import sys; sys.modules[{library!r}] = None\nfrom automl.cli import main\nmain([{command!r}, 'study.yaml'])"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == f"automl: {library} is not installed; pip install 'argo-automl[cluster]'\n"
