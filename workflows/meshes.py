"""What service meshes are told about our pods, whose work ends: a mesh's own container must end with them.

A proxy that is added as a native sidecar (an init container that goes on, Kubernetes 1.29 and newer) starts before our
first container and ends after the last one. Of an older one of Istio, Argo runs `kill-cmd-CONTAINER` in it at the end.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Mesh:
    """The labels and annotations of all pods."""

    labels: Mapping[str, str] = field(default_factory=dict)
    annotations: Mapping[str, str] = field(default_factory=dict)


MESHES: Mapping[str | None, Mesh] = {
    None: Mesh(),
    "istio": Mesh(
        {"sidecar.istio.io/inject": "true"},
        {
            "sidecar.istio.io/nativeSidecar": "true",
            "proxy.istio.io/config": '{"holdApplicationUntilProxyStarts": true}',
            "workflows.argoproj.io/kill-cmd-istio-proxy": '["pilot-agent", "request", "POST", "quitquitquit"]',
        },
    ),
    "linkerd": Mesh(
        {},
        {
            "linkerd.io/inject": "enabled",
            "config.beta.linkerd.io/proxy-enable-native-sidecar": "true",
            "config.alpha.linkerd.io/proxy-enable-native-sidecar": "true",
        },
    ),
    "outside": Mesh(
        {"sidecar.istio.io/inject": "false"},
        {"sidecar.istio.io/inject": "false", "linkerd.io/inject": "disabled", "kuma.io/sidecar-injection": "disabled"},
    ),
}
