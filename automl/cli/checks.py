"""The commands that check or compare what a study's record holds."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.text import Text

from automl.cli.options import Output, Store, StudyName, whole_number
from automl.cli.output import Format, print_data, with_progress
from automl.reporting.plain_console import plain_console


def replay(study: StudyName, store: Store = None, output: Output = Format.TABLE) -> None:
    """Compute every decision again from the record and name the first that differs. Exit code 1 where one does.

    Example: automl replay ./fashion

    \b
    A decision depends on the study, earlier decisions and results, and the
    seed, and on nothing else. Where one differs the record was changed, or other
    versions of numpy or scikit-optimize have computed it; both are printed.
    """
    from automl.opening import open_study
    from automl.operations.replay import Replay, summary
    from automl.reporting.terminal import record_tables

    opened = open_study(study, store)
    decisions = Replay(opened.record, opened.definition)
    compared = with_progress(decisions, "replaying", len(decisions))
    first = next((comparison for comparison in compared if comparison.difference is not None), None)
    data = summary(opened, len(decisions), first).to_json()
    print_data(data, output, lambda out: record_tables.replay(out, data))
    if first is not None:
        raise typer.Exit(1)


def why(
    study: StudyName,
    experiment: Annotated[
        int, typer.Argument(help="Its number.", metavar="EXPERIMENT", parser=whole_number("EXPERIMENT", 0))
    ],
    store: Store = None,
    output: Output = Format.TABLE,
) -> None:
    """Explain why an experiment was proposed, promoted at each rung, stopped or failed.

    Example: automl why study.yaml 5
    """
    from automl.analysis.explain import explain
    from automl.opening import open_study
    from automl.reporting.terminal import record_tables

    opened = open_study(study, store)
    explanation = explain(opened.definition, opened.history(), experiment)
    print_data(explanation.to_json(), output, lambda out: record_tables.why(out, explanation))


def verify(study: StudyName, store: Store = None, output: Output = Format.TABLE) -> None:
    """Check every object of a study and list all problems. Exit code 1 where there are any.

    Example: automl verify s3://bucket/studies/fashion

    \b
    Checked are the sha256 of the checkpoints and of best_model, the chain of
    decisions, the results that they saw, the views, and objects that nobody
    asked for. Checkpoints are read whole, from a bucket too.
    'automl replay' checks what the decisions say.
    """
    from automl.opening import open_study
    from automl.operations.verify import verify as look
    from automl.reporting.terminal import record_tables

    opened = open_study(study, store)
    with plain_console(stderr=True).status("verifying") as line:
        verification = look(opened, lambda what: line.update(Text(f"verifying {what}")))
    data = verification.to_json()
    print_data(data, output, lambda out: record_tables.verify(out, data))
    if not verification.is_whole:
        raise typer.Exit(1)


def diff(
    a: Annotated[str, typer.Argument(help="A study file, or where a study is stored.", metavar="A")],
    b: Annotated[str, typer.Argument(help="Another one.", metavar="B")],
    every: Annotated[
        bool, typer.Option("--all", help="List every setting of two different networks, not only how many differ.")
    ] = False,
    output: Output = Format.TABLE,
) -> None:
    """Compare two studies: the settings that differ, the first decision that does, the best and the gain of each.

    Example: automl diff ./fashion s3://bucket/studies/fashion

    \b
    Of two different networks it says how many of their settings differ;
    --all lists them, and so do -o json and -o yaml.
    """
    from automl.opening import open_study
    from automl.operations.diff import Side, compare
    from automl.reporting.terminal import record_tables

    sides = [Side.read(open_study(study)) for study in (a, b)]
    data = compare(*sides).to_json()
    print_data(data, output, lambda out: record_tables.diff(out, data, every=every))
