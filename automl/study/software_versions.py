"""The versions of the software that decides: with other versions the last bits of a proposal may differ."""

from __future__ import annotations

import platform
from importlib.metadata import version

from automl import __version__

_DECIDING = ("numpy", "scipy", "scikit-learn", "scikit-optimize")


def versions() -> dict[str, str]:
    """By name: this package, Python, and the libraries that a sampler computes with."""
    return {
        "argo-automl": __version__,
        "python": platform.python_version(),
        **{name: version(name) for name in _DECIDING},
        "machine": platform.machine(),
    }
