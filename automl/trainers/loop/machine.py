"""What a training takes from the machine it runs on: threads, device, memory, and chance, of which it takes none."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import numpy as np
import torch

from automl.errors import SpecError
from automl.trainers.failures import OutOfMemory


def threads(environment: Mapping[str, str]) -> int:
    """What OMP_NUM_THREADS says; 1 when it says nothing, since more threads than cores wait for each other."""
    first = environment.get("OMP_NUM_THREADS", "").partition(",")[0].strip()
    return int(first) if first.isdigit() and int(first) > 0 else 1


def chosen_device(name: str) -> torch.device:
    """The device of a setting auto, cpu or cuda. Raises SpecError when there is no such device."""
    if name == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    if name == "cuda" and not torch.cuda.is_available():
        raise SpecError("train.device is 'cuda', and torch sees no CUDA device", allowed="auto or cpu")
    return torch.device(name)


def epoch_seed(seed: int, epoch: int) -> int:
    """A seed from (seed, epoch): neighbours must not give neighbouring streams. Epoch 0 is before the first."""
    return int(np.random.SeedSequence([seed, epoch]).generate_state(1)[0])


def seed_everything(seed: int, epoch: int, rank: int = 0) -> None:
    """Seeds the global generators of torch (on every device), numpy and random for an epoch; each rank gets others."""
    number = epoch_seed(seed, epoch) if rank == 0 else epoch_seed(seed + (rank << 64), epoch)
    torch.manual_seed(number)
    np.random.seed(number)  # libraries that augment pictures draw from it
    random.seed(number)


@contextmanager
def enough_memory(batch_size: int, advice: str) -> Iterator[None]:
    """Raises OutOfMemory where torch, NumPy or Python does not get the memory that it asks for, on a GPU or not."""
    try:
        yield
    except (MemoryError, RuntimeError) as error:
        # for memory of the machine torch has no type of its own
        if not isinstance(error, MemoryError | torch.OutOfMemoryError) and "DefaultCPUAllocator" not in str(error):
            raise
        reason = str(error).partition("\n")[0] or type(error).__name__
        raise OutOfMemory(f"out of memory with train.batch_size {batch_size} ({reason})", advice=advice) from error
