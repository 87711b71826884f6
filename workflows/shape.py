"""The shape of every workflow, whatever its plan: the first step lists the stages, each goes through its rungs.

    main     start -> search (its stages at the same time) -> judge (the final ones) -> collect
    stage    its rungs, one after the other: a sequence of which one may run at a time; a failed step ends it
    stage-4  the same of a compiled study, whose stages are known: one step for each of its four rungs, which Argo's
             page shows below one another, where it shows those of a sequence side by side and folds them
    rung     propose, then one pod for each experiment; a failed one is data, so the rung goes on
    queue    a stage without a barrier: its turns, a sequence of which as many run at a time as there are lanes
    turn     propose, which waits until there is something to train, and its training; settle, if that pod is lost

A WorkflowTemplate whose studies may have either kind of stage has both, and the first step says which is whose. Turn n
is the n-th decision of its stage, so a step that is run again gets its own training again.

But for these, nothing here depends on R, nu or the number of recommendations, so one WorkflowTemplate serves all of
them, a chain may have any length, and no recursion is needed, which Argo ends near 97 levels. Stages that were not
known when a study was compiled (it was extended since) go through `stage`.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
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
STAGE, QUEUE = "stage", "queue"  # the templates of a stage, with barriers and without

# The inputs of a training, made of the texts that `propose` names ('5 lr=2.4e-4 batch=64') and that are looped over.
TRAINING = {
    "experiment": "{{=split(item, ' ', 2)[0]}}",
    "values": "{{=split(item, ' ', 2)[1]}}",
    "epochs": "{{tasks.propose.outputs.parameters.epochs}}",
    "epochs_to_train": "{{tasks.propose.outputs.parameters.epochs_to_train}}",
    RUNG: "{{tasks.propose.outputs.parameters.rung}}",
}
EPOCHS_TO_TRAIN = "0/{{inputs.parameters.epochs_to_train}}"
_NAMED = "inputs.parameters.experiment + '.' + replace(inputs.parameters.values, ' ', '.')"
_IN_ARGOS_LETTERS = f"sprig.trunc(62, sprig.regexReplaceAll('[^A-Za-z0-9.]', {_NAMED}, '-'))"
TRAINING_TITLE = f"{{{{=sprig.trimAll('-.', {_IN_ARGOS_LETTERS})}}}}"
_TITLES = ("title", "part")  # of a stage, beside its number: the title of its node, and what it consists of
PROPOSED: dict[str, str | None] = dict.fromkeys(("trainings", "epochs", "epochs_to_train", RUNG))  # of propose


@dataclass(frozen=True)
class Stages:
    """The templates of stages: of any, of those with so many rungs, and of those without a barrier."""

    any: Steps
    by_length: Mapping[int, Steps] = field(default_factory=dict)
    queue: Steps | None = None


def stages(propose: Container, train: Container, index: str = RUNG, lengths: Iterable[int] = ()) -> Stages:
    """The templates of a stage; its inputs are stage, its index, and rungs, how many it has.

    `index` is the input of the pods that is the index of a decision. `lengths` are numbers of rungs that are known.
    """
    position = _position("stage", index)
    # Both are targets: a failed experiment is none of the rung's business, but without propose there would be none.
    with _AnnotatedDAG(
        name="rung",
        inputs=_inputs(*position, "part"),
        annotations=titled(_rung_title(index)),
        target="propose experiment",
    ) as rung:
        decide = Task(name="propose", template=propose, arguments=position)
        Task(
            name="experiment",
            template=train,
            dependencies=["propose"],
            with_param=decide.get_parameter("trainings"),
            arguments={**TRAINING, **position},
            continue_on=m.ContinueOn(failed=True, error=True),
        )
    known = {length: _chain(f"{STAGE}-{length}", rung, index, length) for length in lengths}
    return Stages(_sequence(STAGE, "rung", rung, index, lanes=1), known)


def queue(propose: Container, train: Container, settle: Container, lanes: int) -> Steps:
    """The template of a stage without a barrier; its inputs are stage, its index, and rungs, the most of its turns.

    Argo begins the turns in their order, a new one as soon as one of `lanes` has ended.
    """
    position = _position("stage", TURN)
    # All are targets, as in a rung: what follows hangs below the pods of its targets, so that 'argo retry' of a
    # workflow that was stopped begins nothing of it before the search has ended (docs/architecture.md).
    with _AnnotatedDAG(
        name="turn",
        inputs=_inputs(*position, "part"),
        annotations=titled(f"turn-{position[TURN]}"),
        fail_fast=False,
        target="propose experiment settle",
    ) as turn:
        decide = Task(name="propose", template=propose, arguments=position)
        Task(
            name="experiment",
            template=train,
            dependencies=["propose"],
            with_param=decide.get_parameter("trainings"),
            arguments={**TRAINING, **position},
            continue_on=m.ContinueOn(failed=True, error=True),
        )
        # Nobody waits for all trainings here, so whoever waits for this one must learn that it has no result.
        Task(
            name="settle",
            template=settle,
            dependencies=["experiment"],
            when="{{=tasks.experiment.status in ['Failed', 'Error']}}",
            arguments=position,
        )
    return _sequence(QUEUE, "turn", turn, TURN, lanes=lanes)


def _rung_title(index: str) -> str:
    """step-5 of a chain, which counts from one; rung-4 elsewhere."""
    number = f"inputs.parameters.{index}"
    step = f"'step-' + string(asInt({number}) + 1)"
    return f"{{{{=inputs.parameters.part == 'step' ? {step} : 'rung-' + {number}}}}}"


def _position(*names: str) -> dict[str, str]:
    return {name: f"{{{{inputs.parameters.{name}}}}}" for name in names}


def _sequence(name: str, step: str, template: DAG, index: str, *, lanes: int) -> Steps:
    """The steps of a stage, of which `lanes` run at a time.

    Steps around a DAG, not the other way round: Argo 3.7 leaves a group in a DAG, or around other steps, running for
    ever when fail_fast ends it.
    """
    with _AnnotatedSteps(
        name=name,
        inputs=_inputs("stage", "rungs", *_TITLES),
        annotations=titled("{{inputs.parameters.title}}"),
        fail_fast=True,
        parallelism=lanes,
    ) as steps:
        Step(
            name=step,
            template=template,
            with_sequence=m.Sequence(count="{{inputs.parameters.rungs}}"),
            arguments={**_position("stage", "part"), index: "{{item}}"},
        )
    return steps


def _chain(name: str, template: DAG, index: str, length: int) -> Steps:
    """The steps of a stage with `length` rungs, each a step of its own."""
    with _AnnotatedSteps(
        name=name, inputs=_inputs("stage", "rungs", *_TITLES), annotations=titled("{{inputs.parameters.title}}")
    ) as steps:
        for number in range(length):
            arguments = {**_position("stage", "part"), index: str(number)}
            Step(name=f"rung-{number}", template=template, arguments=arguments)
    return steps


def main(start: Container, search: Stages, judge: Stages, collect: Container, arguments: dict[str, Any]) -> None:
    """The entry point, `main`. `arguments` are those of start, whose outputs `search` and `judge` list the stages."""
    targets = []
    with DAG(name="main", fail_fast=False) as dag:
        first = Task(name="start", template=start, arguments=arguments)
        after = "start.Succeeded"
        for name, templates in (("search", search), ("judge", judge)):
            names = []
            for task, template, listed in _tasks(name, templates, first):
                Task(
                    name=task,
                    template=template,
                    with_param=listed,
                    arguments={each: f"{{{{item.{each}}}}}" for each in ("stage", "rungs", *_TITLES)},
                    depends=after,
                )
                names.append(task)
            targets += names if name == "search" else []
            ended = (f"({' || '.join(f'{each}.{outcome}' for outcome in _OUTCOMES)})" for each in names)
            after = " && ".join(("start.Succeeded", *ended))
        Task(name="collect", template=collect, depends=after)
        # When a pod may start Argo goes through the targets in this order, but through what a task depends on in any.
        dag.target = " ".join((*targets, "collect"))


def _tasks(name: str, templates: Stages, first: Task) -> Iterator[tuple[str, Steps, Any]]:
    """The tasks of all stages that an output of the first step lists: name, template, and which of the list.

    One for each number of rungs that is known, and one for all others, which a study has when it was extended. Where
    stages of both kinds may come there is one for each kind.
    """

    def those(condition: str) -> str:
        listed = f"jsonpath(tasks.start.outputs.parameters.{name}, '$')"
        return f"{{{{=toJson(filter({listed}, {{{condition}}}))}}}}"

    if templates.queue is not None:
        yield name, templates.any, those(f"#.template == '{STAGE}'")
        yield QUEUE, templates.queue, those(f"#.template == '{QUEUE}'")
    elif templates.by_length:
        for length, template in templates.by_length.items():
            yield f"{name}-{length}", template, those(f"#.rungs == '{length}'")
        known = ", ".join(f"'{length}'" for length in templates.by_length)
        yield "extension", templates.any, those(f"not (#.rungs in [{known}])")
    else:
        yield name, templates.any, first.get_parameter(name)


def _inputs(*names: str) -> list[Parameter]:
    return [Parameter(name=name) for name in names]
