"""What runs in the pods of a workflow: `python -m automl.pod STEP`, with everything else in the environment.

    start      checks the study that travels in the workflow and stores it once
    propose    decides on one rung, or without a barrier on one training, and prints the numbers of its experiments
    settle     without a barrier: gives up a training whose pod is lost
    stage-in   init container of a training pod: spec and checkpoint onto the shared volume
    observe    beside the training: metrics, checkpoints and the result to the store
    collect    best_model and every other view

AUTOML_STORE; of start: AUTOML_STUDY, or of a WorkflowTemplate AUTOML_PARAMETERS and AUTOML_GPUS; of propose and settle:
AUTOML_STAGE, and the index of a decision in AUTOML_RUNG or, without a barrier, in AUTOML_TURN; of a training: these,
AUTOML_EXPERIMENT, AUTOML_ATTEMPT, AUTOML_GPUS, and where it has a limit AUTOML_TIMEOUT_MINUTES

Values arrive as environment variables because Argo's substitution is textual: none of them is ever part of a command.
The training itself is any image: workflows/pods.py wraps its command in a fixed shell script that talks to `observe`
through files on the shared volume.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from automl.errors import AutoMLError, InvalidInput, StoreError, StoreRefused, UnsafeStore
from automl.execution.pod_contract import AGAIN
from automl.execution.pod_steps.deciding import collect, propose_rung, settle, start
from automl.execution.pod_steps.training import observe, stage_in_training

TERMINATION_LOG = Path("/dev/termination-log")  # what stands there becomes the message of the node


@dataclass(frozen=True)
class _PodStep:
    """A step, and the errors of its store that are final; any other is worth another try, for the store may come back.

    A refusal is final at the start alone: while a study runs, somebody may be changing rights. `beside` is true of a
    step whose container is beside the one that trains. When that has ended, Argo sends SIGTERM to the others. One that
    comes while Argo's own program around the step ends makes that exit with 2, and a training that succeeded is red. So
    the step leaves before, without Python's way out, which takes a second or two on a busy machine.
    """

    run: Callable[[], None]
    final: tuple[type[StoreError], ...] = (UnsafeStore,)
    beside: bool = False

    def exit_code(self, error: AutoMLError) -> int:
        """AGAIN has the pod run again; any other code ends it."""
        is_away = isinstance(error, StoreError) and not isinstance(error, self.final)
        return AGAIN if is_away else error.exit_code


STEPS = {
    "start": _PodStep(start, final=(UnsafeStore, StoreRefused)),
    "propose": _PodStep(propose_rung),
    "settle": _PodStep(settle),
    "stage-in": _PodStep(stage_in_training),
    "observe": _PodStep(observe, beside=True),
    "collect": _PodStep(collect),
}


def main() -> None:
    """Runs the step that the command line names; an expected error becomes one line and its exit code."""
    step = STEPS.get(sys.argv[1]) if len(sys.argv) == 2 else None
    if step is None:
        error = InvalidInput(f"automl.pod {' '.join(sys.argv[1:])}", allowed=", ".join(STEPS))
        _exit(error, error.exit_code)
    try:
        step.run()
    except AutoMLError as error:
        _exit(error, step.exit_code(error))
    if step.beside:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(0)


def _exit(error: AutoMLError, code: int) -> NoReturn:
    """Ends the pod with a message in its log and in its node."""
    print(f"automl: {error}", file=sys.stderr, flush=True)
    with suppress(OSError):  # not in a pod
        TERMINATION_LOG.write_text(f"{error}"[:2000])
    sys.exit(code)


if __name__ == "__main__":
    main()
