"""The file names and exit codes by which the containers of a training pod talk to each other and to Argo.

This is the only list of them: the steps here and the shell script of workflows/pods.py both read it.
"""

from __future__ import annotations

from pathlib import Path

from automl import training

WORK = Path("/automl/run")  # on the volume that the containers of a training pod share
OUTPUTS = Path("/automl/out")  # the files that Argo reads when a pod has ended
SCORE = OUTPUTS / "score"  # of a training pod: the same line as OUTCOME

# -- files below WORK -------------------------------------------------------------------------------------------------

# Written by stage-in.
SKIP = "skip"  # exists when nothing is left to train
ARGV = "argv"  # the words of the training's command, one a line
LAUNCH = "launch.json"  # the checkpoint that the training goes on from, for the observer
ALIVE = "alive"  # a pipe that both sides hold open: when a container is killed, the other side sees its end closed

# Written by the container that trains.
TRAINING = "training"  # exists once it holds its end of the pipe
OUTPUT = "output"  # a pipe to the log, for the script alone
LOG = "log.txt"  # all that the training prints
EXIT_CODE = "exit-code"  # the training's, once it has ended
STOPPED = "stopped"  # exists when Argo told this container to stop, which it does before it tells the observer

# Written by the observer.
FOLLOWING = "following"  # exists once it holds its end of the pipe
STOP = "stop"  # exists when the training is to be stopped
PROGRESS = "progress"  # epochs done/epochs to do, which Argo shows
OUTCOME = "outcome"  # what came of the training, in a line: the last one that its container prints, and its message
VERDICT = "verdict"  # the exit code with which the container that trains must end

FILES = (
    SKIP,
    ARGV,
    LAUNCH,
    ALIVE,
    TRAINING,
    OUTPUT,
    LOG,
    EXIT_CODE,
    STOPPED,
    FOLLOWING,
    STOP,
    PROGRESS,
    OUTCOME,
    VERDICT,
)

# -- exit codes -------------------------------------------------------------------------------------------------------

PREEMPTED = training.PREEMPTED  # of a training that saved a checkpoint and is to be run again (state rule 9)
AGAIN = PREEMPTED  # of any container of ours that is to be run again
FAILED = 1  # of a training that failed: data for the search, and red in Argo's pages
BUG = 70  # of a training pod whose observer broke
KILLED = 137  # of a container that was killed
TERMINATED = 143  # of a container that ended on SIGTERM


def partial(name: str) -> str:
    """The name under which a file is written before it is renamed, so that nobody sees it half-written."""
    return f"{name}.new"
