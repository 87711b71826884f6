"""The commands that change a study that was begun: what they do is written beside its record, once, and decides on."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import typer

from automl.command_options import Output, Place, Store
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


COMMANDS: tuple[Callable[..., None], ...] = (gc,)
