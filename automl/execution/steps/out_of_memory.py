"""Whether a failed training ran out of memory, by what it wrote: then the batch size is the first suspect.

The texts are those of the libraries themselves, and looked for only where a program that failed says why: in the
message of its last status line and in the last lines of its log. A program that ran out of memory, went on
and soon failed for another reason is reported as out of memory all the same.
"""

from __future__ import annotations

import re
from pathlib import Path

from automl.execution.steps.last_words import last_lines

_SAYS_SO = re.compile(
    r"""
    ^out\ of\ memory\b                                      # how automl.training.failed is asked to begin
    | \bOutOfMemoryError\b                                  # torch.OutOfMemoryError, torch.cuda., java.lang.
    | \b(CUDA|HIP|XPU|MPS\ backend)\ out\ of\ memory\b
    | \b(CUDA|HIP)\ error:\ out\ of\ memory\b
    | \bCUDA_ERROR_OUT_OF_MEMORY\b | \bCUBLAS_STATUS_ALLOC_FAILED\b
    | \bDefaultCPUAllocator:\ (can't\ allocate|not\ enough)\ memory\b
    | ^(\w+\.)*_?(Array)?MemoryError\b                      # Python, NumPy
    | \bOOM\ when\ allocating\ tensor\b                     # TensorFlow
    | \bRESOURCE_EXHAUSTED:\ Out\ of\ memory\b              # XLA
    | \bstd::bad_alloc\b
    """,
    re.VERBOSE,
)


def complaint(message: str, log: Path) -> str:
    """The line of its message or log that says so; empty when the training failed for another reason."""
    lines = [*message.splitlines(), *reversed(last_lines(log))]
    return next((line.strip() for line in lines if _SAYS_SO.search(line.strip())), "")
