"""The shape of every workflow, whatever its plan: the first step lists the stages, each goes through its rungs.

    main     start -> search (its stages at the same time) -> judge (the final ones) -> collect
    stage    its rungs, one after the other: a sequence of which one may run at a time; a failed step ends it
    rung     propose, then one pod for each experiment; a failed one is data, so the rung goes on

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


def stage(propose: Container, train: Container) -> Steps:
    """The template of a stage; its inputs are stage, its index, and rungs, how many it has."""
    position = {"stage": "{{inputs.parameters.stage}}", "rung": "{{inputs.parameters.rung}}"}
    # Both are targets: a failed experiment is none of the rung's business, but without propose there would be none.
    with _AnnotatedDAG(
        name="rung",
        inputs=_inputs("stage", "rung"),
        annotations=titled(f"stage-{position['stage']}.rung-{position['rung']}"),
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
    # Steps around a DAG, not the other way round: Argo 3.7 leaves a group in a DAG, or around other steps, running for
    # ever when fail_fast ends it.
    with _AnnotatedSteps(
        name="stage",
        inputs=_inputs("stage", "rungs"),
        annotations=titled(f"stage-{position['stage']}"),
        fail_fast=True,
        parallelism=1,
    ) as stage_steps:
        Step(
            name="rung",
            template=rung,
            with_sequence=m.Sequence(count="{{inputs.parameters.rungs}}"),
            arguments={"stage": position["stage"], "rung": "{{item}}"},
        )
    return stage_steps


def main(start: Container, stage: Steps, collect: Container, arguments: dict[str, Any]) -> None:
    """The entry point, `main`. `arguments` are those of start, whose outputs `search` and `judge` list the stages."""
    with DAG(name="main", fail_fast=False):
        first = Task(name="start", template=start, arguments=arguments)
        after = "start.Succeeded"
        for name in ("search", "judge"):
            Task(
                name=name,
                template=stage,
                with_param=first.get_parameter(name),
                arguments={"stage": "{{item.stage}}", "rungs": "{{item.rungs}}"},
                depends=after,
            )
            after = f"start.Succeeded && ({' || '.join(f'{name}.{outcome}' for outcome in _OUTCOMES)})"
        Task(name="collect", template=collect, depends=after)


def _inputs(*names: str) -> list[Parameter]:
    return [Parameter(name=name) for name in names]
