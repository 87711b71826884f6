"""The GPUs of this machine, found by the tools of their makers, and how the trainings side by side share them."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from automl.errors import StudyFileError

_SECONDS = 20.0  # that a tool may take: a driver that hangs must not hang us
_GPU = re.compile(r"GPU (\d+): .*\(UUID: (GPU-[^)]+)\)")  # nvidia-smi -L
_SLICE = re.compile(r"\s+MIG .*\(UUID: (MIG-[^)]+)\)")  # below its GPU, which cannot be used as a whole then
_ROCM = re.compile(r"GPU\[(\d+)\]")  # rocm-smi --showid


@dataclass(frozen=True)
class Gpus:
    """The names of the GPUs that trainings may use, as CUDA_VISIBLE_DEVICES has them. `each` is how many one takes.

    `known` is false where none was found and none was given: then trainings see what they see.
    """

    names: tuple[str, ...]
    each: int
    known: bool

    @property
    def places(self) -> int | None:
        """How many trainings have GPUs of their own; None where there are none to share."""
        return len(self.names) // self.each if self.names else None

    def for_next(self, taken: Iterable[str]) -> tuple[str, ...]:
        """The GPUs for the next training: those that the fewest of the running ones have; `taken` names theirs."""
        count = Counter(taken)
        order = sorted(self.names, key=lambda name: (count[name], self.names.index(name)))
        return tuple(sorted(order[: self.each], key=self.names.index))

    def variables(self, names: Sequence[str]) -> dict[str, str]:
        """The environment variables by which a training sees these GPUs alone."""
        if not self.known:
            return {}
        devices = ",".join(names)
        return {"CUDA_DEVICE_ORDER": "PCI_BUS_ID", "CUDA_VISIBLE_DEVICES": devices, "HIP_VISIBLE_DEVICES": devices}


NO_GPUS = Gpus((), 1, known=False)


def shared(given: Sequence[int | str] | None, each: int) -> Gpus:
    """The GPUs for a study's trainings: those `given` in its file, or all of this machine. One takes `each` of them.

    Raises StudyFileError when there are fewer than one training takes, or one is given twice.
    """
    names = found() if given is None else tuple(map(str, given))
    if twice := sorted(name for name, times in Counter(names).items() if times > 1):
        raise StudyFileError(
            f"run: gpus has {', '.join(twice)} twice", allowed="each once", advice="'jobs' has trainings share GPUs"
        )
    if names and len(names) < each:
        source = "run: gpus has" if given is not None else "this machine has"
        raise StudyFileError(
            f"costs: gpus: {each}, and {source} {len(names)}", allowed=f"at most {len(names)} for one experiment"
        )
    return Gpus(names, max(1, each), known=bool(names) or given is not None)


def found() -> tuple[str, ...]:
    """The GPUs of this machine by index (MIG slices by UUID), those alone that CUDA_VISIBLE_DEVICES leaves us.

    Asks nvidia-smi and rocm-smi; none where neither answers.
    """
    names, uuids = _nvidia()
    names = names or _amd()
    visible = os.environ.get("CUDA_VISIBLE_DEVICES")
    if visible is None or not names:
        return names
    # CUDA takes the devices up to the first that does not exist
    left: list[str] = []
    for name in filter(None, map(str.strip, visible.split(","))):
        match = name if name in names else next((uuids[full] for full in uuids if full.startswith(name)), None)
        if match is None:
            break
        left.append(match)
    return tuple(left)


def _nvidia() -> tuple[tuple[str, ...], dict[str, str]]:
    """The names of NVIDIA's GPUs, and the name by UUID."""
    names: dict[str, list[str]] = {}
    uuids: dict[str, str] = {}
    for line in _lines("nvidia-smi", "-L"):
        if gpu := _GPU.match(line):
            names[gpu[1]] = []
            uuids[gpu[2]] = gpu[1]
        elif (mig := _SLICE.match(line)) and names:
            names[list(names)[-1]].append(mig[1])
            uuids[mig[1]] = mig[1]
    return tuple(name for index, slices in names.items() for name in slices or [index]), uuids


def _amd() -> tuple[str, ...]:
    return tuple(
        sorted({match[1] for line in _lines("rocm-smi", "--showid") if (match := _ROCM.search(line))}, key=int)
    )


def _lines(program: str, option: str) -> list[str]:
    """What a tool prints; nothing when it is not there, fails or hangs."""
    path = shutil.which(program)
    if path is None:
        return []
    try:
        done = subprocess.run([path, option], capture_output=True, text=True, timeout=_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError):
        return []
    return done.stdout.splitlines() if done.returncode == 0 else []
