"""What a Gaussian process assumes before any trial; in a module of its own, because the process is slow to import."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Priors:
    """Normal priors on logarithms: (mean, deviation) of a length scale, of the signal's and the noise's variance."""

    length: tuple[float, float] = (0.0, 0.7)
    signal: tuple[float, float] = (0.0, 0.7)
    noise: tuple[float, float] = (-6.0, 2.5)
