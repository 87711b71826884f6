"""A study on a cluster from a notebook, without a cluster: its workflow, what is refused, how it waits to the end."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto import mock_aws

from automl.errors import ClusterAway, ClusterError, StudyFileError
from automl.notebook import Study
from automl.stores import open_store
from automl.study.opened_study import begin
from automl.study.record import Record
from tests.recorded_studies import walk
from tests.workflows.test_cluster import STUDY, Namespace, pod, workflow
from workflows import notebook
from workflows.cluster import Workflow, needs
from workflows.notebook import OnCluster
from workflows.submit import compiled


@dataclass
class Running(Namespace):
    """A namespace whose workflow is looked at a few times, each time as `course` says; an error is raised."""

    course: tuple[Workflow | ClusterError, ...] = ()
    looks: int = 0

    def select(self, selector: str) -> list[Workflow]:
        if not self.course:
            return super().select(selector)
        found = self.course[min(self.looks, len(self.course) - 1)]
        self.looks += 1
        if isinstance(found, ClusterError):
            raise found
        return [found]

    def waits(self, name: str) -> dict[str, str]:  # noqa: ARG002
        return {}


@pytest.fixture
def study(tmp_path: Path) -> Study:
    path = tmp_path / "demo.yaml"
    path.write_text(STUDY)
    return Study.read(path)


@pytest.fixture
def bucket(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "test")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "test")
    with mock_aws():
        boto3.client("s3", region_name="us-east-1").create_bucket(Bucket="bucket")
        yield


def begin_and_walk(study: Study, decisions: int | None = None) -> None:
    definition = study.definition
    record = Record(open_store(study.store))
    begin(record, definition, STUDY)
    walk(record, definition, decisions=decisions)


def rows(shown: Any) -> dict[str, str]:
    return dict(shown.rows[1:])


def test_the_workflow_is_shown_without_a_cluster(study: Study) -> None:
    shown = OnCluster(study).workflow()
    assert shown.data["kind"] == "Workflow"
    found = {name: (kind, containers) for name, kind, containers in shown.rows[1:]}
    assert set(found) == {each["name"] for each in shown.data["spec"]["templates"]}
    assert found["train"][0] == "a pod, shown as <experiment>.<values>"
    assert [each.partition(" ")[0] for each in found["train"][1].split(", ")] == ["stage-in", "main", "observe"]
    assert found["main"] == ("steps", "")
    assert "lint: nothing is wrong" in shown.lines
    assert "of the 1,000 kB that fit" in repr(shown)


def test_a_study_in_a_folder_is_no_workflow(study: Study) -> None:
    study.path.write_text(STUDY.replace("s3://bucket/demo", "./here"))
    with pytest.raises(StudyFileError, match="s3://bucket/prefix"):
        OnCluster(study).workflow()


def test_it_is_submitted_once_when_all_is_there(study: Study) -> None:
    there = Running()
    with pytest.raises(ClusterError, match="has no service account"):
        OnCluster(study, _cluster=there).submit()
    assert there.workflows == []

    accounts, secrets = needs(compiled(study.path))
    there.objects |= {("serviceaccount", each): {} for each in accounts}
    there.objects |= {("secret", name): {"data": dict.fromkeys(keys, "x")} for name, keys in secrets.items()}
    named = Named(objects=there.objects)
    shown = OnCluster(study, _cluster=named).submit()
    assert rows(shown) == {"workflow": "demo-abc", "namespace": "argo", "store": "s3://bucket/demo"}
    with pytest.raises(ClusterError, match="the workflow demo-abc of this study is not seen yet"):
        OnCluster(study, _cluster=named).submit()
    assert len(named.workflows) == 1


class Named(Running):
    """Gives what is created a name, as Kubernetes does."""

    def create(self, workflow: Workflow, *, dry_run: bool) -> Workflow:
        metadata = {**workflow["metadata"], "name": f"{workflow['metadata']['generateName']}abc"}
        return super().create({**workflow, "metadata": metadata}, dry_run=dry_run)


@pytest.mark.usefixtures("bucket")
def test_it_waits_to_the_end_and_asks_again_when_the_cluster_is_away(
    study: Study, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(notebook, "PATIENCE", 0.0)
    begin_and_walk(study)
    nodes = {"a": pod("a", experiment="1", phase="Running")}
    course = (
        workflow(phase="Running", nodes=nodes),
        ClusterAway("Kubernetes does not answer"),
        workflow(phase="Succeeded"),
    )
    there = Running(course=course)
    assert OnCluster(study, _cluster=there).wait(every=0.0) == "Done"
    running, away, ended = capsys.readouterr().out.splitlines()
    assert "demo-1 in argo: running; pods that train: 1; experiments now: none" in running
    assert "Kubernetes does not answer; asking again" in away
    assert ended.startswith("100%  workflow: demo-1 in argo: succeeded")
    assert "best so far: " in ended


@pytest.mark.usefixtures("bucket")
def test_a_workflow_that_fails_is_an_error_and_says_why(study: Study) -> None:
    there = OnCluster(study, _cluster=Running(course=(workflow(phase="Failed", message="no node has room"),)))
    assert there.wait(every=0.0) == "Error"
    assert rows(there.status())["failed"] == "no node has room"
    assert rows(there.status())["record"] == "not begun"


@pytest.mark.usefixtures("bucket")
def test_a_record_that_cannot_be_read_hides_no_pod(study: Study) -> None:
    study.path.write_text(STUDY.replace("s3://bucket/demo", "s3://nowhere/demo"))
    course = (workflow(store="s3://nowhere/demo", phase="Running"),)
    found = rows(OnCluster(study, _cluster=Running(course=course)).status())
    assert found["pods that train"] == "0"
    assert "cannot be read from here" in found["record"]


def test_of_a_study_that_was_not_submitted_it_says_so(study: Study) -> None:
    with pytest.raises(ClusterError, match=r"no workflow of .* is in namespace argo"):
        OnCluster(study, _cluster=Running()).status()


def test_what_has_ended_is_not_stopped_again(study: Study) -> None:
    OnCluster(study, _cluster=Running(course=(workflow(phase="Succeeded"),))).stop()
    with pytest.raises(NotImplementedError, match="stop"):
        OnCluster(study, _cluster=Running(course=(workflow(phase="Running"),))).stop()
