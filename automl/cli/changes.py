"""The commands that change a study that was begun: what they do is written beside its record, once, and decides on."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from automl.cli.options import Output, Store, StudyName, whole_number
from automl.cli.output import Format, print_data, with_progress
from automl.errors import InvalidInput
from automl.search.algorithms import grown_by
from automl.search.extension import Extension, GrowsBy

_CHAINS, _BRACKETS = grown_by(GrowsBy.EXPERIMENTS), grown_by(GrowsBy.RESOURCE)


def gc(
    study: StudyName,
    store: Store = None,
    keep: Annotated[
        str, typer.Option("--keep", help="best, last, or a number of experiments.", metavar="best|last|N")
    ] = "best",
    yes: Annotated[bool, typer.Option("--yes", "-y", help="Remove them; without it they are only listed.")] = False,
    output: Output = Format.TABLE,
) -> None:
    """Remove checkpoints that nothing needs any more. Without --yes it only says which those would be.

    Example: automl gc study.yaml --keep 3 --yes

    \b
      --keep best   keeps those of the best experiment and of the final judgement
      --keep N      and those of the N best experiments
      --keep last   and the newest of every experiment
    What a search that is under way goes on from is kept in any case, and nothing
    but checkpoints is ever removed. The record says what was: gc/0.json, ...
    """
    from automl.opening import open_study
    from automl.operations import garbage_collection
    from automl.reporting.terminal import record_tables

    policy = garbage_collection.Keep.parse(keep)
    opened = open_study(study, store)
    found = garbage_collection.survey(opened.record, opened.definition, policy)
    doomed = [each for each in found if not each.kept]
    if yes:
        for _ in with_progress(garbage_collection.remove(opened.record, found, keep), "removing", len(doomed)):
            pass
    data = {**garbage_collection.summary(opened.definition, opened.record, found, keep), "removed": yes}
    print_data(data, output, lambda out: record_tables.gc(out, data, study))


def extend(
    study: StudyName,
    *,
    to: Annotated[
        int | None,
        typer.Option(
            "--to",
            help=f"Experiments in all, of {' and '.join(_CHAINS)}.",
            metavar="N",
            parser=whole_number("--to", 1),
        ),
    ] = None,
    R: Annotated[  # noqa: N803
        int | None,
        typer.Option(
            "--R",
            help=f"A larger R, of {' and '.join(_BRACKETS)}.",
            metavar="N",
            parser=whole_number("--R", 2),
        ),
    ] = None,
    store: Store = None,
    output: Output = Format.TABLE,
) -> None:
    """Let a search that is over go on: to more experiments, or to a larger R. 'automl run' then carries it out.

    Example: automl extend study.yaml --R 81

    \b
      --to N   more experiments
      --R N    the brackets of a larger R
    Nothing that was decided changes: the new experiments have numbers of their own
    after all others, and are followed by a final judgement of their own; the
    earlier one stays as history. A larger R adds the brackets that Hyperband has
    with it. A unit of resource stays as many epochs as it was, so that the longest
    trainings become longer, and values can be compared. In the last bracket, which
    stops the fewest, the first experiment tries the best values so far again.
    """
    from automl.opening import open_study
    from automl.operations import extend

    if (to is None) is (R is None):
        raise InvalidInput(
            "extend: neither --to nor --R" if to is None else "extend: --to and --R",
            allowed=f"one of --to N ({', '.join(_CHAINS)}) and --R N ({', '.join(_BRACKETS)})",
        )
    opened = open_study(study, store)
    data = extend.extend(opened.record, opened.definition, Extension(to, R), study)
    text = f"{_goes_on(data)}; next: automl run {study}"
    print_data(data, output, lambda out: out.print(text, markup=False, soft_wrap=True))


def _goes_on(data: dict[str, Any]) -> str:
    """What the command `extend` says that it has done."""
    larger, longest = data["R"], data["longest"]
    if not data["extended"]:
        goal = f"{data['to']} experiments" if larger["to"] is None else f"R = {larger['to']}"
        return f"the search goes on to {goal} already"
    if larger["to"] is None:
        return f"the search has {data['from']} experiments and goes on to {data['to']}"
    return (
        f"the search has R = {larger['from']} and goes on to R = {larger['to']}: {data['to'] - data['from']} more "
        f"experiments, {data['epochs']:,} epochs, and {longest['to']} for the longest training instead of "
        f"{longest['from']}"
    )


def enqueue(
    study: StudyName,
    values: Annotated[
        list[str],
        typer.Argument(help="Those not named take their defaults.", metavar="NAME=VALUE..."),
    ],
    store: Store = None,
    output: Output = Format.TABLE,
) -> None:
    """Have values tried next in a Bayesian search that was begun, as one experiment.

    Example: automl enqueue study.yaml train.lr=0.01 train.batch=64

    \b
    The next decision takes them. Values to try first in any search are given in
    its study file:  enqueue: [{train.lr: 0.01}, {train.lr: 0.1}]
    """
    from automl.opening import open_study
    from automl.operations import extend

    opened = open_study(study, store)
    data = extend.enqueue(opened.record, opened.definition, values, study)
    text = f"enqueued as number {data['number']}: {data['text']}; the next decision takes it"
    print_data(data, output, lambda out: out.print(text, markup=False, soft_wrap=True))
