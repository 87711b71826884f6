"""What runs in the pods of a workflow: `python -m automl.pod STEP`, with everything else in the environment.

    start      checks the study that travels in the workflow and stores it once
    propose    decides on one rung, and prints the numbers of its experiments for Argo
    stage-in   init container of a training pod: spec and checkpoint onto the shared volume
    observe    beside the training: metrics, checkpoints and the result to the store
    collect    best_model and every other view

AUTOML_STORE; of start: AUTOML_STUDY, or of a WorkflowTemplate AUTOML_PARAMETERS and AUTOML_GPUS; of propose:
AUTOML_STAGE, AUTOML_RUNG; of a training: these two, AUTOML_EXPERIMENT, AUTOML_ATTEMPT, AUTOML_GPUS, and where it has a
limit AUTOML_TIMEOUT_MINUTES

Values arrive as environment variables because Argo's substitution is textual: none of them is ever part of a command.
The training itself is any image: workflows/pods.py wraps its command in a fixed shell script that talks to `observe`
through files on the shared volume.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from automl.errors import AutoMLError, InvalidInput, StoreError, StoreRefused, UnsafeStore
from automl.execution.pod_contract import AGAIN
from automl.execution.pod_steps import collect, observe, propose_rung, stage_in_training, start

TERMINATION_LOG = Path("/dev/termination-log")  # what stands there becomes the message of the node


def main() -> None:
    """Runs the step that the command line names; an expected error becomes one line and its exit code."""
    steps: dict[str, Callable[[], None]] = {
        "start": start,
        "propose": propose_rung,
        "stage-in": stage_in_training,
        "observe": observe,
        "collect": collect,
    }
    try:
        if len(sys.argv) != 2 or sys.argv[1] not in steps:
            raise InvalidInput(f"automl.pod {' '.join(sys.argv[1:])}", allowed=", ".join(steps))
        steps[sys.argv[1]]()
    except AutoMLError as error:
        print(f"automl: {error}", file=sys.stderr, flush=True)
        with suppress(OSError):  # not in a pod
            TERMINATION_LOG.write_text(f"{error}"[:2000])
        # a store that is away comes back: the step is run again; anything else would fail again
        final = (
            (UnsafeStore, StoreRefused) if sys.argv[1:] == ["start"] else UnsafeStore
        )  # rights may change on the way
        is_away = isinstance(error, StoreError) and not isinstance(error, final)
        sys.exit(AGAIN if is_away else error.exit_code)


if __name__ == "__main__":
    main()
