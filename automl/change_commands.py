"""The commands that change a study that was begun: what they do is written beside its record, once, and decides on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from automl.command_options import Output, Place, Store, whole_number
from automl.record_commands import open_study, shown
from automl.terminal import Format, print_data


def gc(
    study: Place,
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
    from automl import garbage, record_tables

    policy = garbage.Keep.parse(keep)
    record, definition = open_study(study, store)
    found = garbage.survey(record, definition, policy)
    doomed = [each for each in found if not each.kept]
    if yes:
        for _ in shown(garbage.remove(record, found, keep), "removing", len(doomed)):
            pass
    data = {**garbage.summary(definition, record, found, keep), "removed": yes}
    print_data(data, output, lambda out: record_tables.gc(out, data, study))


def extend(
    study: Place,
    to: Annotated[
        int,
        typer.Option("--to", help="Experiments of the search in all.", metavar="N", parser=whole_number("--to", 1)),
    ],
    store: Store = None,
    output: Output = Format.TABLE,
) -> None:
    """Let a Bayesian or random search that is over have more experiments. 'automl run' then goes on with it.

    Example: automl extend study.yaml --to 40

    \b
    Nothing that was decided changes: the new experiments have numbers of their own
    after all others, and are followed by a final judgement of their own; the
    earlier one stays as history. Hyperband's rungs are fixed by R: see
    'automl clone --R 81 --best 3', which starts from what this study found.
    """
    from automl import extending

    record, definition = open_study(study, store)
    data = extending.extend(record, definition, to, study)
    text = f"the search has {data['from']} experiments and goes on to {to}; next: automl run {study}"
    print_data(data, output, lambda out: out.print(text, markup=False, soft_wrap=True))


def enqueue(
    study: Place,
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
    from automl import extending

    record, definition = open_study(study, store)
    data = extending.enqueue(record, definition, values, study)
    text = f"enqueued as number {data['number']}: {data['text']}; the next decision takes it"
    print_data(data, output, lambda out: out.print(text, markup=False, soft_wrap=True))


COMMANDS: tuple[Callable[..., None], ...] = (gc, extend, enqueue)
