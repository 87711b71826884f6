"""What the commands for a cluster refuse before they ask one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from automl.cli import clusters
from automl.text.extras import install_command
from tests.command_line import automl, refused, search
from tests.small_network import write_small_study
from workflows import submit
from workflows.argo_server import ArgoServer
from workflows.cluster import Workflow

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
    assert done.stderr == f"automl: {library} is not installed; {install_command('cluster')}\n"


def test_the_workflow_goes_to_the_namespace_of_the_study_file_unless_another_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_small_study(tmp_path, f"{REMOTE}cluster: {{namespace: team-a}}\n")
    study = tmp_path / "study.yaml"
    asked: list[tuple[str, str]] = []

    class Asked(Exception):
        pass

    def create(server: ArgoServer, workflow: Workflow, *, dry_run: bool) -> Workflow:
        assert dry_run
        asked.append((server.namespace, workflow["metadata"]["namespace"]))
        raise Asked

    monkeypatch.setattr(ArgoServer, "create", create)
    for option, namespace in ((None, "team-a"), ("mine", "mine")):
        cluster = clusters._opened(str(study), option, None, "http://127.0.0.1:1")
        with pytest.raises(Asked):
            submit.create(cluster, submit.compiled(study), dry_run=False)
        assert asked[-1] == (namespace, namespace)


@pytest.mark.parametrize(("option", "kind"), [((), "Workflow"), (("--template",), "WorkflowTemplate")])
def test_a_study_is_compiled_with_its_settings_to_a_workflow_or_a_template(
    option: tuple[str, ...], kind: str, tmp_path: Path
) -> None:
    settings = "cluster: {namespace: team-a, gpu_resource: amd.com/gpu}\ncosts: {gpus: 2}\n"
    write_small_study(tmp_path, f"{REMOTE}{settings}")
    ran = automl("compile", "study.yaml", *option, "--file", "there.yaml", cwd=tmp_path)
    assert ran.code == 0, ran.err
    assert "-n team-a" in ran.out
    made = yaml.safe_load((tmp_path / "there.yaml").read_text())
    assert (made["kind"], made["metadata"]["namespace"]) == (kind, "team-a")
    train = next(each for each in made["spec"]["templates"] if each["name"] == "train")
    assert train["container"]["resources"]["limits"]["amd.com/gpu"] == "2"
