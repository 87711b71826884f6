"""The volumes of a workflow's pods, and where their containers mount them."""

from __future__ import annotations

from hera.workflows import models as m

from automl.execution import pod_contract as contract
from automl.study.cluster_options import ClusterSettings, DataVolume
from workflows.pod_environment import CA_FILE, CA_FOLDER, TEMPORARY

MOUNT = str(contract.WORK.parent)  # of the volume that the containers of a pod share
_SHARED_MEMORY = "shared-memory"  # for programs whose workers hand data over in memory
_HOME, _CA = "home", "ca-bundle"


def volumes(cluster: ClusterSettings) -> list[m.Volume]:
    """The shared folder, temporary files under a read-only root, shared memory, and the data of the training."""
    found = [m.Volume(name=name, empty_dir=m.EmptyDirVolumeSource()) for name in ("automl", "tmp")]
    if cluster.shared_memory is not None:
        source = m.EmptyDirVolumeSource(medium="Memory", size_limit=m.Quantity(cluster.shared_memory))
        found.append(m.Volume(name=_SHARED_MEMORY, empty_dir=source))
    found += [_data_volume(f"data-{number}", volume) for number, volume in enumerate(cluster.volumes)]
    home = cluster.home
    if home is not None and home.claim is not None:
        claim = m.PersistentVolumeClaimVolumeSource(claim_name=home.claim)
        found.append(m.Volume(name=_HOME, persistent_volume_claim=claim))
    elif home is not None:
        limit = None if home.size is None else m.Quantity(home.size)
        found.append(m.Volume(name=_HOME, empty_dir=m.EmptyDirVolumeSource(size_limit=limit)))
    if cluster.ca_bundle is not None:
        name, _, key = cluster.ca_bundle.partition("/")
        bundle = m.ConfigMapVolumeSource(name=name, items=[m.KeyToPath(key=key, path=CA_FILE)])
        found.append(m.Volume(name=_CA, config_map=bundle))
    return found


def mounts(cluster: ClusterSettings) -> list[m.VolumeMount]:
    """What every container of ours has, and the one that trains."""
    shared = [m.VolumeMount(name="automl", mount_path=MOUNT), m.VolumeMount(name="tmp", mount_path=TEMPORARY)]
    return [*shared, *ca_mounts(cluster)]


def ca_mounts(cluster: ClusterSettings) -> list[m.VolumeMount]:
    """The certificates of the authorities that the pods trust."""
    return [] if cluster.ca_bundle is None else [m.VolumeMount(name=_CA, mount_path=CA_FOLDER, read_only=True)]


def training_mounts(cluster: ClusterSettings) -> list[m.VolumeMount]:
    """What the container that trains has beside `mounts`."""
    memory = [m.VolumeMount(name=_SHARED_MEMORY, mount_path="/dev/shm")] if cluster.shared_memory else []  # noqa: S108
    data = [
        m.VolumeMount(name=f"data-{number}", mount_path=volume.path, read_only=volume.read_only or None)
        for number, volume in enumerate(cluster.volumes)
    ]
    home = [] if cluster.home is None else [m.VolumeMount(name=_HOME, mount_path=cluster.home.path)]
    return [*memory, *data, *home]


def _data_volume(name: str, volume: DataVolume) -> m.Volume:
    read_only = volume.read_only or None
    if volume.claim is not None:
        claim = m.PersistentVolumeClaimVolumeSource(claim_name=volume.claim, read_only=read_only)
        return m.Volume(name=name, persistent_volume_claim=claim)
    if volume.host_path is not None:
        return m.Volume(name=name, host_path=m.HostPathVolumeSource(path=volume.host_path, type="Directory"))
    if volume.nfs is not None:
        server, _, path = volume.nfs.partition(":")
        return m.Volume(name=name, nfs=m.NFSVolumeSource(server=server, path=path, read_only=read_only))
    if volume.config_map is not None:
        return m.Volume(name=name, config_map=m.ConfigMapVolumeSource(name=volume.config_map))
    if volume.secret is not None:
        return m.Volume(name=name, secret=m.SecretVolumeSource(secret_name=volume.secret))
    csi = volume.csi
    assert csi is not None  # exactly one is set
    source = m.CSIVolumeSource(
        driver=csi.driver,
        fs_type=csi.fs_type,
        read_only=read_only,
        volume_attributes=csi.attributes or None,
        node_publish_secret_ref=None if csi.secret is None else m.LocalObjectReference(name=csi.secret),
    )
    return m.Volume(name=name, csi=source)
