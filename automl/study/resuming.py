"""How an experiment comes to its next rung, and what has to fit for that."""

from __future__ import annotations

from automl.errors import StudyFileError
from automl.networks import Network
from automl.search.algorithms import ALGORITHMS, Algorithm
from automl.search.plan import Resume
from automl.study.options import StudyFile

WHOLE = tuple(name for name, row in ALGORITHMS.items() if not row.resumes)  # full trainings alone


def check_resume(file: StudyFile, network: Network, algorithm: Algorithm, resume: Resume) -> None:
    """Raises StudyFileError where the file's `resume` does not go with the network or the algorithm."""
    given = file.resume
    if file.stop_rule is not None and resume is not Resume.STOP:
        rule = f"stop_rule: {file.stop_rule}"
        raise StudyFileError(f"{rule} without resume: stop", advice="add resume: stop, or leave stop_rule out")
    if network.may_end_early and algorithm.resumes and resume is Resume.CHECKPOINT:
        raise StudyFileError(
            f"algorithm: {file.algorithm} with {network.name}, which may end early and cannot go on then",
            allowed="resume: none, which trains each rung anew from epoch 0",
            advice=f"set it, or use algorithm: {' or '.join(WHOLE)}",
        )
    if given is None:
        return
    able = [name for name, row in ALGORITHMS.items() if (row.overlaps if given == "stop" else row.resumes)]
    if not algorithm.resumes:
        raise StudyFileError(
            f"resume: {given} is no option of algorithm: {file.algorithm}, which has no rungs",
            allowed=f"with {', '.join(able)}",
            advice="leave it out: every training is a full one",
        )
    if resume is Resume.STOP and not algorithm.overlaps:
        raise StudyFileError(
            f"resume: stop with algorithm: {file.algorithm}, whose rungs wait for all of their experiments",
            allowed=f"with {' and '.join(able)}",
            advice="or use resume: none",
        )
    if resume is Resume.STOP and network.checkpoints is not None:
        raise StudyFileError(
            f"resume: stop with {network.name}, which leaves checkpoints",
            allowed="with a network that has no 'checkpoints' rule",
            advice="leave resume out: it goes on from them; or name its model in 'keep' in place of 'checkpoints'",
        )
    if resume is Resume.CHECKPOINT and not network.can_resume:
        why = "has no 'checkpoints' rule" if network.checkpoints is None else f"says resume: {network.resume}"
        raise StudyFileError(
            f"resume: checkpoint with {network.name}, which {why}",
            allowed="resume: none, which trains each rung anew from epoch 0",
            advice="add 'checkpoints: {pattern: ..., resume: ...}' to the network file, or leave resume out",
        )
