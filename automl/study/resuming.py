"""How a training comes to its next rung, what an algorithm needs for that, and which values may change there."""

from __future__ import annotations

from automl.errors import StudyFileError, nearest
from automl.networks import Network
from automl.problem.search_space import SearchSpace
from automl.search.algorithms import ALGORITHMS
from automl.search.plan import Resume
from automl.study.options import StudyFile


def resume_of(file: StudyFile, network: Network) -> Resume:
    """How an experiment comes to its next rung, where its algorithm has rungs."""
    usual = Resume.CHECKPOINT if network.can_resume else Resume.NONE
    return Resume(file.resume or network.resume or usual)


def without_rungs() -> tuple[str, ...]:
    """The algorithms that have full trainings alone."""
    return tuple(name for name, row in ALGORITHMS.items() if not row.resumes)


def check_resume(file: StudyFile, network: Network) -> None:
    """Raises StudyFileError where the algorithm or the network cannot do what `resume` and `stop_rule` say."""
    given, resume, row = file.resume, resume_of(file, network), ALGORITHMS[file.algorithm]
    if file.stop_rule is not None and resume is not Resume.STOP:
        rule = f"stop_rule: {file.stop_rule}"
        raise StudyFileError(f"{rule} without resume: stop", advice="add resume: stop, or leave stop_rule out")
    if row.changes:
        _check_checkpoints(file, network, resume)
    if network.may_end_early and row.resumes and resume is Resume.CHECKPOINT:
        raise StudyFileError(
            f"algorithm: {file.algorithm} with {network.name}, which may end early and cannot resume then",
            allowed="resume: none, which trains each rung anew from epoch 0",
            advice=f"set it, or use algorithm: {' or '.join(without_rungs())}",
        )
    if given is not None:
        _check_given(file, network, resume)


def _check_checkpoints(file: StudyFile, network: Network, resume: Resume) -> None:
    """Raises StudyFileError unless every training can go on from the checkpoint of another one."""
    algorithm = f"algorithm: {file.algorithm}, whose members continue from the checkpoints of others"
    others = " or ".join(("hyperband", *without_rungs()))
    if resume is not Resume.CHECKPOINT and (file.resume or network.resume):
        raise StudyFileError(
            f"resume: {resume} with {algorithm}",
            allowed="resume: checkpoint",
            advice=f"leave resume out if the program can resume from a checkpoint, or use algorithm: {others}",
        )
    if not network.can_resume:
        raise StudyFileError(
            f"{algorithm}, with {network.name}, which has no 'checkpoints' rule",
            allowed="with a network whose program resumes from its checkpoints",
            advice="add 'checkpoints: {pattern: ..., resume: ...}' to the network file, or use algorithm: " + others,
        )
    if network.may_end_early:
        raise StudyFileError(
            f"{algorithm}, with {network.name}, which may end early and cannot resume then",
            allowed="with a network without may_end_early",
            advice=f"switch the program's own early end off, or use algorithm: {others}",
        )


def _check_given(file: StudyFile, network: Network, resume: Resume) -> None:
    given, row = file.resume, ALGORITHMS[file.algorithm]
    able = [name for name, one in ALGORITHMS.items() if (one.overlaps if given == "stop" else one.resumes)]
    if not row.resumes:
        raise StudyFileError(
            f"resume: {given} is no option of algorithm: {file.algorithm}, which has no rungs",
            allowed=f"with {', '.join(able)}",
            advice="leave it out: every training is a full one",
        )
    if resume is Resume.STOP and not row.overlaps:
        raise StudyFileError(
            f"resume: stop with algorithm: {file.algorithm}, whose rungs wait for all of their experiments",
            allowed=f"with {' and '.join(able)}",
            advice="or use resume: none",
        )
    if resume is Resume.STOP and network.checkpoints is not None:
        raise StudyFileError(
            f"resume: stop with {network.name}, which leaves checkpoints",
            allowed="with a network that has no 'checkpoints' rule",
            advice="leave resume out: it resumes from them; or name its model in 'keep' in place of 'checkpoints'",
        )
    if resume is Resume.CHECKPOINT and not network.can_resume:
        why = "has no 'checkpoints' rule" if network.checkpoints is None else f"says resume: {network.resume}"
        raise StudyFileError(
            f"resume: checkpoint with {network.name}, which {why}",
            allowed="resume: none, which trains each rung anew from epoch 0",
            advice="add 'checkpoints: {pattern: ..., resume: ...}' to the network file, or leave resume out",
        )


def changeable(file: StudyFile, network: Network, space: SearchSpace) -> tuple[str, ...]:
    """The parameters of the space whose values may change while a training goes on. Raises StudyFileError.

    They are those that the study file lists, or else those that the network marks; of what it says nothing, real
    numbers may change: a whole number or an option may be a size of the network, which its checkpoint does not fit.
    """
    searched = {parameter.name: parameter for parameter in space.parameters}
    fixed = [name for name in searched if network.changes_at_resume(name) is False]
    may = [name for name in searched if name not in fixed]
    if file.perturbed is not None:
        for index, name in enumerate(file.perturbed):
            if name not in searched:
                problem, advice = "is not searched", nearest(name, searched)
            elif name in fixed:
                problem, advice = f"cannot change at a checkpoint, says {network.name}", "take it out of the list"
            elif name in file.perturbed[:index]:
                problem, advice = "is given twice", "take one out"
            else:
                continue
            raise StudyFileError(f"perturbed: {name} {problem}", allowed=", ".join(may), advice=advice)
        chosen = tuple(sorted(file.perturbed))
    else:
        chosen = tuple(name for name in may if network.changes_at_resume(name) or searched[name].kind == "float")
    if not chosen:
        raise StudyFileError(
            f"algorithm: {file.algorithm}, and none of {', '.join(searched)} may change during a training",
            allowed="at least one real number, or a parameter that 'perturbed' names",
            advice="name those that do not change the size of the network: 'perturbed: [batch_size]'",
        )
    return chosen
