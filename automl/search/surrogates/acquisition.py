"""Acquisition functions: what makes an untried point promising, given what a model expects there."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

AcquisitionKind = Literal["EI", "LCB", "PI"]


@dataclass(frozen=True)
class Acquisition:
    """An acquisition function and how it is searched (Jones, Schonlau & Welch 1998; Srinivas et al. 2010).

    `kind` is EI, expected improvement; LCB, lower confidence bound; PI, probability of improvement. `xi` is the
    improvement that EI and PI ask for, in standard deviations of the targets; `kappa` the standard deviations that LCB
    adds; `candidates` the number of random points among which the search begins.
    """

    kind: AcquisitionKind
    xi: float
    kappa: float
    candidates: int
