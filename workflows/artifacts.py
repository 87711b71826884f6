"""Where Argo puts what people open in its pages: the report, under its own key beside the study.

A compiled study names the whole address, with the access keys by reference. A template names the object's key only, and
the artifact repository of its ConfigMap holds the rest: Argo takes no tag for `insecure`.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from hera.workflows import NoneArchiveStrategy, S3Artifact
from hera.workflows import models as m

from automl.execution import pod_contract
from automl.study.options import ClusterSettings

REPORT = "report"
KEYS: dict[str, str | None] = {"bucket": None, "report_key": None}  # outputs of the first step, which knows the store
_REPOSITORY_KEY = "repository"  # in the ConfigMap
_AMAZON = "s3.amazonaws.com"


def report(cluster: ClusterSettings) -> S3Artifact:
    """The page that a brain step writes: not archived and named .html, or Argo's server would not show it."""
    page = f"{pod_contract.OUTPUTS}/{REPORT}.html"
    key = "{{workflow.outputs.parameters.report_key}}"
    if cluster.artifacts is not None:
        return S3Artifact(name=REPORT, path=page, archive=NoneArchiveStrategy(), optional=True, key=key)
    at = urlsplit(cluster.endpoint or f"https://{_AMAZON}")
    return S3Artifact(
        name=REPORT,
        path=page,
        archive=NoneArchiveStrategy(),
        optional=True,
        endpoint=at.netloc,
        insecure=at.scheme == "http",
        region=cluster.region,
        bucket="{{workflow.outputs.parameters.bucket}}",
        key=key,
        access_key_secret=m.SecretKeySelector(name=cluster.secret, key="access-key"),
        secret_key_secret=m.SecretKeySelector(name=cluster.secret, key="secret-key"),
    )


def repository(cluster: ClusterSettings) -> m.ArtifactRepositoryRef | None:
    """The artifact repository of a workflow that names one."""
    if cluster.artifacts is None:
        return None
    return m.ArtifactRepositoryRef(config_map=cluster.artifacts, key=_REPOSITORY_KEY)
