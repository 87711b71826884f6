"""Who the containers of a pod are and what they may: the profile 'restricted', unless a study asks for more."""

from __future__ import annotations

from hera.workflows import models as m

from automl.study.cluster_options import ClusterSettings

USER = 65532  # and group, of the images in containers/


def pod_security() -> m.PodSecurityContext:
    """What the 'restricted' profile asks of a pod."""
    return m.PodSecurityContext(
        run_as_non_root=True,
        run_as_user=USER,
        fs_group=USER,
        seccomp_profile=m.SeccompProfile(type="RuntimeDefault"),
    )


def container_security() -> m.SecurityContext:
    """What it asks of a container."""
    return m.SecurityContext(
        allow_privilege_escalation=False,
        capabilities=m.Capabilities(drop=["ALL"]),
        run_as_non_root=True,
        read_only_root_filesystem=True,
    )


def beside_a_training(cluster: ClusterSettings) -> m.SecurityContext:
    """Of our containers in a training pod: the same user as the training, so each may change the other's files."""
    security = container_security()
    if cluster.user is not None:
        security.run_as_user, security.run_as_non_root = cluster.user, cluster.user != 0
    if cluster.group is not None:
        security.run_as_group = cluster.group
    return security


def of_a_training(cluster: ClusterSettings) -> m.SecurityContext:
    """Of the container that trains."""
    security = beside_a_training(cluster)
    if cluster.writable_root:
        security.read_only_root_filesystem = False
    return security
