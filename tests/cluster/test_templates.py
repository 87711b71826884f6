"""The WorkflowTemplates of manifests/ on a real Argo: applied by kubectl, submitted from by argo, any plan from one.

The namespace keeps the templates; the studies and their decisions lie below the test's own prefix.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml

from automl.operations.verify import verify
from automl.stores import Store, open_store
from tests.cluster.clusters import Cluster, Images, attempt, begun, command, decisions, ended, nodes, outputs, replayed

SITE = Path(__file__).parents[2] / "manifests" / "overlays" / "site"
STUDY = "final: {repeats: 1}\nmax_epochs: 9\n"


@pytest.fixture(scope="module")
def templates(images: Images, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The overlay `site` with the values of this cluster, applied."""
    values = yaml.safe_load((SITE / "values.yaml").read_text())
    endpoint = urlsplit(os.environ["AWS_ENDPOINT_URL"])
    repository = yaml.safe_load(values["data"]["repository"])
    repository["s3"].update(
        endpoint=endpoint.netloc,
        insecure=endpoint.scheme == "http",
        bucket=os.environ.get("AUTOML_TEST_S3", "s3://automl-ci").removeprefix("s3://").partition("/")[0],
    )
    values["data"].update(
        brain_image=images.brain,
        endpoint=endpoint.geturl(),
        cpu="50m",
        memory="128Mi",
        repository=yaml.safe_dump(repository),
    )
    manifests = tmp_path_factory.mktemp("site") / "manifests"
    command("cp", "-r", str(SITE.parents[1]), str(manifests))
    (manifests / "overlays" / "site" / "values.yaml").write_text(yaml.safe_dump(values))
    command("kubectl", "apply", "-k", str(manifests / "overlays" / "site"))


@pytest.fixture
def there(templates: None, tmp_path: Path, bucket: str) -> Cluster:
    return Cluster(tmp_path, bucket)


def started(template: str, **parameters: str) -> str:
    """The name of the workflow that is submitted from a template with these parameters."""
    words = [word for name, value in parameters.items() for word in ("-p", f"{name}={value}")]
    return begun("submit", "--from", f"workflowtemplate/{template}", *words)


def submit(template: str, **parameters: str) -> dict[str, Any]:
    return ended(started(template, **parameters))


def stored_study(there: Cluster, text: str, name: str = "small") -> str:
    """The address of a study file that lies in the bucket beside its network, in a folder of this name."""
    path = there.study(there.folder / f"in-{len(list(there.folder.iterdir()))}", text, "/small.py", "preemptions: 9")
    store = open_store(f"{there.bucket}/{name}")
    store.put("study.yaml", path)
    store.put("small.yaml", path.with_name("small.yaml"))
    return f"{there.bucket}/{name}/study.yaml"


def here(there: Cluster, text: str, name: str) -> Store:
    return Cluster(there.folder / name, there.bucket).run_here(text)


def first_message(workflow: dict[str, Any]) -> str:
    """What the first step's pod says of itself."""
    pods = [each for each in workflow["status"]["nodes"].values() if each["type"] == "Pod"]
    assert len(pods) == 1  # nothing was tried again, nothing came after it
    assert pods[0]["phase"] == "Failed"
    return str(pods[0]["message"])


def test_one_template_takes_any_plan_and_decides_as_here(there: Cluster) -> None:
    study = stored_study(there, f"{STUDY}sampler: uniform\n")
    plans = {"R3": {"R": "3", "nu": "3"}, "R4": {"R": "4", "nu": "2"}}
    learning = stored_study(there, STUDY, "learning")
    one_by_one = started("automl-hyperband", study=learning, store=f"{there.bucket}/one", R="3", nu="3")
    workflows = {
        name: started("automl-hyperband", study=study, store=f"{there.bucket}/{name}", **options)
        for name, options in plans.items()
    }
    for name, options in plans.items():
        (there.folder / name).mkdir()
        said = "".join(f"{option}: {value}\n" for option, value in options.items())
        local = here(there, f"{STUDY}sampler: uniform\nalgorithm: hyperband\n{said}", name)  # while the cluster trains
        workflow = ended(workflows[name])
        assert workflow["status"]["phase"] == "Succeeded"
        assert decisions(open_store(f"{there.bucket}/{name}")) == decisions(local)
        best = json.loads(local.get("controller.json") or b"")["best"]["experiment"]
        assert json.loads(outputs(workflow)["best"])["experiment"] == best
        assert [each["name"] for each in workflow["status"]["outputs"]["parameters"]][:2] == ["bucket", "report_key"]
    workflow = ended(one_by_one)
    assert workflow["status"]["phase"] == "Succeeded"
    opened = replayed(open_store(f"{there.bucket}/one"))
    assert verify(opened, lambda _part: None).findings.problems == []
    assert [node.name for node in nodes(workflow, "turn", "DAG")] == [f"turn-{number}" for number in range(4)]


def earlier_study(there: Cluster) -> str:
    """The address of a study of four experiments in the bucket, which was searched here."""
    (there.folder / "earlier").mkdir()
    text = "algorithm: random\nmax_recommendations: 4\nmax_epochs: 2\nfinal: {repeats: 0}\n"
    searched, stored = here(there, text, "earlier"), open_store(f"{there.bucket}/earlier")
    for key in searched.list(""):
        stored.put(key, searched.get(key) or b"")
    return f"{there.bucket}/earlier"


def test_the_bayesian_template_takes_experiments_how_many_at_a_time_and_an_earlier_search(there: Cluster) -> None:
    more = f"final: {{repeats: 0}}\nmax_epochs: 2\nwarm_start: [{earlier_study(there)}]\n"
    study = stored_study(there, more)
    store = f"{there.bucket}/chain"
    options = {"max_recommendations": "6", "parallel": "2"}
    workflow = submit("automl-bayesian", study=study, store=store, **options)
    assert workflow["status"]["phase"] == "Succeeded"
    (there.folder / "chain").mkdir()
    said = f"{more}algorithm: bayesian\nmax_recommendations: 6\nparallel: 2\n"
    assert decisions(open_store(store)) == decisions(here(there, said, "chain"))
    metadata = json.loads(open_store(store).get("automl_metadata.json") or b"")
    assert [len(search["rows"]) for search in metadata["earlier"]] == [4]
    assert [node.name for node in nodes(workflow, "rung", "DAG")] == ["step-1", "step-2", "step-3"]
    assert nodes(workflow, "train", "Retry")[0].name == "0.defaults"
    listed = workflow["metadata"]
    assert listed["labels"]["automl/study"] == "small"  # the folder of its file
    assert listed["labels"]["automl/store"].endswith("-chain")
    assert listed["annotations"]["workflows.argoproj.io/title"] == "small: bayesian"
    assert listed["annotations"]["workflows.argoproj.io/description"] == f"in {store}"


def test_the_template_of_a_search_without_barriers(there: Cluster) -> None:
    study = stored_study(there, "final: {repeats: 0}\nmax_epochs: 3\n")
    workflow = submit("automl-asha", study=study, store=f"{there.bucket}/asha", R="3", max_recommendations="3")
    assert workflow["status"]["phase"] == "Succeeded"
    assert len(decisions(open_store(f"{there.bucket}/asha"))) == 4
    assert [node.name for node in nodes(workflow, "turn", "DAG")] == ["turn-0", "turn-1", "turn-2", "turn-3"]


@pytest.mark.usefixtures("templates")
def test_a_template_without_a_study_is_refused_at_once() -> None:
    refused = attempt("argo", "submit", "--from", "workflowtemplate/automl-hyperband")
    assert refused.returncode != 0
    assert "study" in refused.stderr


@pytest.mark.usefixtures("templates")
def test_wrong_parameters_end_in_the_first_step_with_one_message() -> None:
    text = "name: mine\nnetwork: fashion_mnist\nrun: {store: s3://automl-ci/never}\n"
    wrong = {
        "r": ({"study": text, "r": "9"}, "parameter 'r' is not known"),
        "tag": ({"study": f"{text}# {{{{workflow.uid}}}}\n"}, "parameter study holds '{{workflow.uid}}"),
    }
    for given, said in wrong.values():
        workflow = submit("automl-hyperband", **given)
        assert workflow["status"]["phase"] == "Failed"
        assert workflow["metadata"]["labels"]["automl/study"] == "mine"
        assert workflow["metadata"]["labels"]["automl/store"] == "automl-ci-never"
        assert said in first_message(workflow)
