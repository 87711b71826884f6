"""What a task is to the loop that trains it: a network with a loss and a judgement, and data in parts.

**To add a task**, write two files and a network file:

* `NAME.py`, the program: dataclasses of the settings (`loop_settings.Train` and `train_settings.Data`, or subclasses
  with defaults and keys of their own, and further sections), and a `program.Program`. It imports nothing heavy.
* `NAME_task.py`: a subclass of `Task`, and `prepare`, which gives it together with its `Parts` of data. See
  classification.py and classification_task.py.
* `networks/catalogue/NAME.yaml`, with the metric `val_<Task.metric>` and the held-out metric `held_out_<Task.metric>`.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.utils.data import Dataset


class Task(nn.Module, ABC):
    """One task: `network` is what is trained and stored; the rest says how. All tensors come on the device.

    metric: the name of the metric that is searched for, one of those that `metrics` gives.
    """

    metric: str = "accuracy"

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    @abstractmethod
    def training_loss(self, batch: Any) -> Tensor:
        """The loss of a batch, a number with a gradient. Random numbers come from the global generators alone."""

    @abstractmethod
    def judge(self, batch: Any) -> None:
        """Takes a batch of the part that is judged into the sums of `metrics`; the network is in its eval mode.

        The sums are best kept in objects of torchmetrics that are attributes: those add up over several devices.
        """

    @abstractmethod
    def metrics(self) -> Mapping[str, float]:
        """The metrics of what was judged since the last call: plain numbers, by name without `val_`."""

    def picture(self) -> list[NDArray[np.uint8]]:
        """Pictures (h, w, 3) of one height that show what was judged last, stored beside a checkpoint; or none."""
        return []


@dataclass(frozen=True)
class Parts:
    """The data. held_out is None where there is none; `digest` is the sha256 of what is trained on.

    `collate` makes a batch of a list of examples; None is torch's. A batch of judgement has `judged_at_once` examples.
    """

    train: Dataset[Any]
    validation: Dataset[Any]
    held_out: Dataset[Any] | None
    digest: str
    collate: Callable[[list[Any]], Any] | None = None
    judged_at_once: int = 100
