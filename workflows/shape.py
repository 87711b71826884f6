"""The shape of every workflow, whatever its plan: the first step lists the stages, each goes through its rungs.

    main     start -> search (its stages at the same time) -> judge (the final ones) -> collect
    stage    its rungs, one after the other: a sequence of which one may run at a time; a failed step ends it
    rung     propose, then one pod for each experiment; a failed one is data, so the rung goes on
    queue    a stage without a barrier: its turns, a sequence of which as many run at a time as there are lanes
    turn     propose, which waits until there is something to train, and its training; settle, if that pod is lost

Turn n is the n-th decision of its stage, so a step that is run again gets its own training again.

Nothing here depends on R, nu or the number of recommendations, so one WorkflowTemplate serves all of them, a chain may
have any length, and no recursion is needed, which Argo ends near 97 levels.
"""

from __future__ import annotations

from typing import Any

from hera.workflows import DAG, Container, Parameter, Step, Steps, Task
from hera.workflows import models as m

_DISPLAY_NAME = "workflows.argoproj.io/display-name"
_OUTCOMES = ("Succeeded", "Failed", "Errored", "Skipped", "Omitted")


def titled(display_name: str) -> dict[str, str]:
    """The annotation that names a template's nodes, for people: letters, digits, '-' and '.', tags included."""
    return {_DISPLAY_NAME: display_name}


class _Annotated:
    """A template whose annotations are its own, and not those of its pods, where hera would put them."""

    def _build_template(self) -> m.Template:
        template: m.Template = super()._build_template()  # type: ignore[misc]  # of the class beside this one
        template.annotations = self.annotations  # type: ignore[attr-defined]  # likewise
        labels = None if template.metadata is None else template.metadata.labels
        annotations = getattr(self, "pod_annotations", None)
        template.metadata = m.Metadata(annotations=annotations, labels=labels) if annotations or labels else None
        return template


class AnnotatedContainer(_Annotated, Container):
    """A container template whose annotations are its own; `pod_annotations` are those of its pods."""

    def __init__(self, *, pod_annotations: dict[str, str] | None = None, **options: Any) -> None:
        super().__init__(**options)
        self.pod_annotations = pod_annotations


class _AnnotatedDAG(_Annotated, DAG):
    pass


class _AnnotatedSteps(_Annotated, Steps):
    pass


RUNG, TURN = "rung", "turn"  # the input of pods that is the index of a decision, with barriers and without


def stage(propose: Container, train: Container, index: str = RUNG) -> Steps:
    """The template of a stage; its inputs are stage, its index, and rungs, how many it has.

    `index` is the input of the pods that is the index of a decision.
    """
    position = _position(index)
    # Both are targets: a failed experiment is none of the rung's business, but without propose there would be none.
    with _AnnotatedDAG(
        name="rung",
        inputs=_inputs(*position),
        annotations=titled(f"stage-{position['stage']}.rung-{position[index]}"),
        target="propose experiment",
    ) as rung:
        decide = Task(name="propose", template=propose, arguments=position)
        Task(
            name="experiment",
            template=train,
            dependencies=["propose"],
            with_param=decide.get_parameter("experiments"),
            arguments={"experiment": "{{item}}", **position},
            continue_on=m.ContinueOn(failed=True, error=True),
        )
    return _sequence("stage", "rung", rung, index, lanes=1)


def queue(propose: Container, train: Container, settle: Container, lanes: int) -> Steps:
    """The template of a stage without a barrier; its inputs are stage, its index, and rungs, the most of its turns.

    Argo begins the turns in their order, a new one as soon as one of `lanes` has ended.
    """
    position = _position(TURN)
    with _AnnotatedDAG(
        name="turn",
        inputs=_inputs(*position),
        annotations=titled(f"stage-{position['stage']}.turn-{position[TURN]}"),
        fail_fast=False,
    ) as turn:
        decide = Task(name="propose", template=propose, arguments=position)
        Task(
            name="experiment",
            template=train,
            depends="propose.Succeeded",
            with_param=decide.get_parameter("experiments"),
            arguments={"experiment": "{{item}}", **position},
        )
        # Nobody waits for all trainings here, so whoever waits for this one must learn that it has no result.
        Task(
            name="settle",
            template=settle,
            depends="propose.Succeeded && (experiment.Failed || experiment.Errored)",
            arguments=position,
        )
    return _sequence("queue", "turn", turn, TURN, lanes=lanes)


def _position(index: str) -> dict[str, str]:
    return {name: f"{{{{inputs.parameters.{name}}}}}" for name in ("stage", index)}


def _sequence(name: str, step: str, template: DAG, index: str, *, lanes: int) -> Steps:
    """The steps of a stage, of which `lanes` run at a time.

    Steps around a DAG, not the other way round: Argo 3.7 leaves a group in a DAG, or around other steps, running for
    ever when fail_fast ends it.
    """
    with _AnnotatedSteps(
        name=name,
        inputs=_inputs("stage", "rungs"),
        annotations=titled("stage-{{inputs.parameters.stage}}"),
        fail_fast=True,
        parallelism=lanes,
    ) as steps:
        Step(
            name=step,
            template=template,
            with_sequence=m.Sequence(count="{{inputs.parameters.rungs}}"),
            arguments={"stage": "{{inputs.parameters.stage}}", index: "{{item}}"},
        )
    return steps


def main(start: Container, search: Steps, judge: Steps, collect: Container, arguments: dict[str, Any]) -> None:
    """The entry point, `main`. `arguments` are those of start, whose outputs `search` and `judge` list the stages."""
    with DAG(name="main", fail_fast=False):
        first = Task(name="start", template=start, arguments=arguments)
        after = "start.Succeeded"
        for name, stages in (("search", search), ("judge", judge)):
            Task(
                name=name,
                template=stages,
                with_param=first.get_parameter(name),
                arguments={"stage": "{{item.stage}}", "rungs": "{{item.rungs}}"},
                depends=after,
            )
            after = f"start.Succeeded && ({' || '.join(f'{name}.{outcome}' for outcome in _OUTCOMES)})"
        Task(name="collect", template=collect, depends=after)


def _inputs(*names: str) -> list[Parameter]:
    return [Parameter(name=name) for name in names]
