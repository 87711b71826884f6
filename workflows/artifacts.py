"""Where Argo puts what people open in its pages: the report, under its own key beside the study.

A compiled study names the whole address, with the access keys by reference. A template names the object's key only, and
the artifact repository of its ConfigMap holds the rest: Argo takes no tag for `insecure`.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from hera.workflows import NoneArchiveStrategy, S3Artifact
from hera.workflows import models as m

from automl.execution import pod_contract
from automl.study.cluster_options import ClusterSettings, SecretKeys

REPORT = "report"
KEYS: dict[str, str | None] = {"bucket": None, "report_key": None}  # outputs of the first step, which knows the store
_REPOSITORY_KEY = "repository"  # in the ConfigMap
_KEPT = m.ArtifactGC(strategy="Never")  # or Argo's pages say that the report will be deleted
_AMAZON = "s3.amazonaws.com"


class _Page(S3Artifact):
    """An artifact with its session token, which hera leaves out."""

    def _build_artifact(self) -> m.Artifact:
        artifact: m.Artifact = super()._build_artifact()
        assert artifact.s3 is not None
        artifact.s3.session_token_secret = self.session_token_secret
        return artifact


def report(cluster: ClusterSettings) -> S3Artifact:
    """The page that a brain step writes: not archived and named .html, or Argo's server would not show it."""
    page = f"{pod_contract.OUTPUTS}/{REPORT}.html"
    key = "{{workflow.outputs.parameters.report_key}}"
    if cluster.artifacts is not None:
        return S3Artifact(
            name=REPORT, path=page, archive=NoneArchiveStrategy(), optional=True, artifact_gc=_KEPT, key=key
        )
    at = urlsplit(cluster.endpoint or f"https://{_AMAZON}")
    return _Page(
        name=REPORT,
        path=page,
        archive=NoneArchiveStrategy(),
        optional=True,
        artifact_gc=_KEPT,
        endpoint=at.netloc,
        insecure=at.scheme == "http",
        region=cluster.region,
        bucket="{{workflow.outputs.parameters.bucket}}",
        key=key,
        **_identity(cluster.secret_keys),
    )


def _identity(secret: SecretKeys | None) -> dict[str, Any]:
    """Who stores the page: whoever has the keys, or the role of the pod's service account."""
    if secret is None:
        return {"use_sdk_creds": True}
    keys = {
        "access_key_secret": secret.access_key,
        "secret_key_secret": secret.secret_key,
        "session_token_secret": secret.session_token,
    }
    return {name: m.SecretKeySelector(name=secret.name, key=key) for name, key in keys.items() if key is not None}


def repository(cluster: ClusterSettings) -> m.ArtifactRepositoryRef | None:
    """The artifact repository of a workflow that names one."""
    if cluster.artifacts is None:
        return None
    return m.ArtifactRepositoryRef(config_map=cluster.artifacts, key=_REPOSITORY_KEY)
