"""The file names and exit codes by which the containers of a training pod talk to each other and to Argo."""

from __future__ import annotations

from pathlib import Path

from automl.execution.steps.observe import PREEMPTED

WORK = Path("/automl/run")  # on the volume that the containers of a training pod share


OUTPUTS = Path("/automl/out")  # what Argo reads of a brain step


ARGV, EXIT_CODE, VERDICT, STOP, SKIP, LAUNCH = "argv", "exit-code", "verdict", "stop", "skip", "launch.json"


ALIVE = "alive"  # a pipe between the two that run: whose container is killed lets go of its end


TRAINING, FOLLOWING = "training", "following"  # stand there once the side that they name holds its end


STOPPED = "stopped"  # the training's container was told to stop: Argo tells it first, and us when it has ended


PROGRESS = "progress"  # epochs done/epochs asked for, which Argo shows


AGAIN = PREEMPTED  # exit code of a step that may succeed when it is run again


KILLED = 137  # exit code of a training whose container was killed as a whole, which can tell us none


BUG = 70  # exit code of a training pod whose observer broke
