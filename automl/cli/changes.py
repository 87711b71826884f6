"""The commands that change a study that has begun: each change is an object of its record, created once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from automl.cli.options import Output, Store, StudyName, whole_number
from automl.cli.output import Format, print_data, with_progress
from automl.errors import InvalidInput
from automl.search.algorithms import grown_by
from automl.search.extension import Extension, GrowsBy
from automl.text.formatting import numbered

if TYPE_CHECKING:
    from automl.operations.extend import Extended
    from automl.study.opened_study import OpenedStudy

_CHAINS, _BRACKETS = grown_by(GrowsBy.EXPERIMENTS), grown_by(GrowsBy.RESOURCE)


def gc(
    study: StudyName,
    store: Store = None,
    keep: Annotated[
        str, typer.Option("--keep", help="best, last, or a number of experiments.", metavar="best|last|N")
    ] = "best",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Remove them instead of only listing them.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Remove checkpoints that are no longer needed. Without --yes they are only listed.

    Example: automl gc study.yaml --keep 3 --yes

    \b
      --keep best   keeps those of the best experiment and of the final judgement
      --keep N      and those of the N best experiments
      --keep last   and the newest of every experiment
    What a search under way needs to go on is always kept, and nothing
    but checkpoints is ever removed. The record says what was: gc/0.json, ...
    """
    from automl.opening import open_study
    from automl.operations import garbage_collection
    from automl.reporting.terminal import record_tables

    policy = garbage_collection.Keep.parse(keep)
    opened = open_study(study, store)
    checkpoints = garbage_collection.survey(opened.record, opened.definition, policy)
    count = sum(not checkpoint.kept for checkpoint in checkpoints)
    if yes:
        for _ in with_progress(garbage_collection.remove(opened.record, checkpoints, keep), "removing", count):
            pass
    summary = garbage_collection.summary(opened.definition, opened.record, checkpoints, keep, removed=yes)
    data = summary.to_json()
    print_data(data, output, lambda out: record_tables.gc(out, data, study))


def retry(
    study: StudyName,
    experiments: Annotated[
        list[int] | None,
        typer.Argument(
            help="Their numbers; default: all that failed.",
            metavar="[EXPERIMENT]...",
            parser=whole_number("EXPERIMENT", 0),
        ),
    ] = None,
    store: Store = None,
    output: Output = Format.TABLE,
) -> None:
    """Mark failed experiments to be trained again, once the cause is fixed. 'automl run' then does it.

    Example: automl retry study.yaml 4 5

    \b
    Earlier decisions do not change: those that saw the failure keep it. The new
    result counts for the best, for a judgement still to come, and for the next
    values of a search that learns. A bracket whose next rung is already decided
    does not promote it.
    """
    from automl.opening import open_study
    from automl.operations import retry as operation

    opened = open_study(study, store)
    retried = operation.retry(opened, experiments or [])
    text = "nothing has failed: there is nothing to train again"
    if retried.experiments:
        text = f"{numbered('experiment', retried.experiments)} will be trained again; next: {_next(opened, study)}"
    print_data(retried.to_json(), output, lambda out: out.print(text, soft_wrap=True))


def _next(opened: OpenedStudy, study: str) -> str:
    """The command that goes on with a study, here or on a cluster."""
    local = f"automl run {study}"
    return f"{local}, or automl resume {study} on a cluster" if "://" in opened.record.store.uri else local


def extend(
    study: StudyName,
    *,
    to: Annotated[
        int | None,
        typer.Option(
            "--to",
            help=f"The new total of experiments, for {' and '.join(_CHAINS)}.",
            metavar="N",
            parser=whole_number("--to", 1),
        ),
    ] = None,
    R: Annotated[  # noqa: N803
        int | None,
        typer.Option(
            "--R",
            help=f"The larger R, for {', '.join(_BRACKETS)}.",
            metavar="N",
            parser=whole_number("--R", 2),
        ),
    ] = None,
    store: Store = None,
    output: Output = Format.TABLE,
) -> None:
    """Extend a finished search to more experiments or to a larger R. 'automl run' then carries it out.

    Example: automl extend study.yaml --R 81

    \b
      --to N   more experiments
      --R N    the brackets of a larger R
    Earlier decisions do not change: the new experiments get the next numbers
    and a final judgement of their own; the earlier judgement stays as history.
    A larger R adds the brackets that Hyperband has with it. A unit of resource
    stays as many epochs as it was, so the longest trainings become longer and
    values stay comparable. In the last bracket, which stops the fewest, the
    first experiment tries the best values so far again.
    A search that ended early continues too: limits of 'until' that were reached
    no longer count; the others do, and start counting again.
    """
    from automl.opening import open_study
    from automl.operations import extend

    if (to is None) is (R is None):
        raise InvalidInput(
            "extend: neither --to nor --R" if to is None else "extend: --to and --R",
            allowed=f"one of --to N ({', '.join(_CHAINS)}) and --R N ({', '.join(_BRACKETS)})",
        )
    opened = open_study(study, store)
    extended = extend.extend(opened.record, opened.definition, Extension(to, R), study)
    text = f"{_goes_on(extended)}; next: automl run {study}"
    print_data(extended.to_json(), output, lambda out: out.print(text, soft_wrap=True))


def _goes_on(extended: Extended) -> str:
    """What the command `extend` reports."""
    before, after = extended.before, extended.after
    if not extended.extended:
        goal = f"{after.experiments} experiments" if after.R is None else f"R = {after.R}"
        return f"the search already extends to {goal}"
    lifted = f"; no longer limited by {', '.join(extended.lifted)}" if extended.lifted else ""
    if after.R is None:
        return f"the search has {before.experiments} experiments and now extends to {after.experiments}{lifted}"
    return (
        f"the search has R = {before.R} and now extends to R = {after.R}: "
        f"{after.experiments - before.experiments} more experiments, {extended.epochs:,} epochs, "
        f"and {after.longest} for the longest training instead of "
        f"{before.longest}{lifted}"
    )


def enqueue(
    study: StudyName,
    values: Annotated[
        list[str],
        typer.Argument(help="Parameters that are not named take their defaults.", metavar="NAME=VALUE..."),
    ],
    store: Store = None,
    output: Output = Format.TABLE,
) -> None:
    """Add an experiment with your own values, to be trained next, to a Bayesian search that has begun.

    Example: automl enqueue study.yaml train.lr=0.01 train.batch=64

    \b
    The next decision takes them. Values to try first in any search are given in
    its study file:  enqueue: [{train.lr: 0.01}, {train.lr: 0.1}]
    """
    from automl.opening import open_study
    from automl.operations import extend

    opened = open_study(study, store)
    enqueued = extend.enqueue(opened.record, opened.definition, values, study)
    text = f"enqueued as number {enqueued.number}: {enqueued.text}; the next decision takes it"
    print_data(enqueued.to_json(), output, lambda out: out.print(text, soft_wrap=True))
