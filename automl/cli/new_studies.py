"""The commands that write a study file: a template, or one for a program as it is started."""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from automl.cli.options import program_of
from automl.errors import InvalidInput, nearest

if TYPE_CHECKING:
    from automl.drafting.metrics import Found
    from automl.drafting.program import Program
    from automl.execution.trial_run import Tried

_HELP_SECONDS = 60.0
_MOST_LINES = 12  # of a trial, that are shown
_MOST_METRICS = 12


def init(
    context: typer.Context,
    path: Annotated[Path, typer.Argument(help="The file to write.")] = Path("study.yaml"),
    network: Annotated[str, typer.Option("--network", "-n", help="What to train; see 'automl networks'.")] = (
        "fashion_mnist"
    ),
    algorithm: Annotated[
        str | None,
        typer.Option(
            "--algorithm",
            "-a",
            help="How to search; auto: a budget decides. Default: hyperband; for a command after --, bayesian.",
        ),
    ] = None,
    *,
    tries: Annotated[
        bool, typer.Option("--try", help="Train one epoch, to find the metric in the program's output.")
    ] = False,
    metric: Annotated[str | None, typer.Option("--metric", help="The metric to search for.", metavar="NAME")] = None,
    goal: Annotated[
        str | None,
        typer.Option("--goal", help="Whether a lower or a higher value is better.", metavar="minimize|maximize"),
    ] = None,
) -> None:
    """Write a commented study file to start from. An existing file is never overwritten.

    \b
    Your own program: give the command that starts it after --. Its flags, its
    key=value arguments and the variables before it become parameters. Every
    range is a guess, with a comment in the file that says how it was made.

    Example: automl init mine.yaml --network fashion_mnist --algorithm bayesian

    \b
    automl init --try -- python train.py --lr 0.001 --batch-size 32 --epochs 10
    automl init -- python train.py optimizer.lr=0.01 trainer.max_epochs=5
    automl init --metric val_acc -- LR=0.1 EPOCHS=3 ./train.sh
    """
    from automl.study.template import template
    from automl.text.new_files import check_new, write_new

    words = program_of(context)
    if words is None:
        if tries or metric is not None or goal is not None:
            raise InvalidInput(
                "--try, --metric and --goal are about a program of your own",
                advice="give its command after --: automl init --try -- python train.py --lr 0.1",
            )
        write_new(path, template(network, algorithm or "hyperband", path))
    else:
        check_new(path)
        check_goal(goal)
        write_new(path, _of_program(words, path, algorithm or "bayesian", tries=tries, metric=metric, goal=goal))
    print(f"wrote {path}; next: automl plan {path}")


def check_goal(goal: str | None) -> None:
    """Raises InvalidInput for what is neither of the two goals."""
    goals = ("minimize", "maximize")
    if goal is not None and goal not in goals:
        raise InvalidInput(f"--goal: {goal!r}", allowed=", ".join(goals), advice=nearest(goal, goals))


def _of_program(
    words: tuple[str, ...], path: Path, algorithm: str, *, tries: bool, metric: str | None, goal: str | None
) -> str:
    """The text of a study file for a program. Raises InvalidInput."""
    from automl.drafting.metrics import by_name, printed, ranked
    from automl.drafting.program import draft
    from automl.drafting.source_lines import printed_lines
    from automl.execution import preflight
    from automl.study import study_file
    from automl.study.budget import USUAL_TRAININGS
    from automl.study.options import AUTO

    home = path.parent
    program, source = read_program(words, home)
    name = _name(path, program)
    options: dict[str, Any] = {"algorithm": algorithm}
    if algorithm in {"bayesian", "random"}:
        options["max_recommendations"] = 20
    if algorithm == AUTO:
        options["budget"] = {"trainings": USUAL_TRAININGS}
    some = by_name(metric or "loss")
    checked = draft(program, name, _with_goal(some, "minimize"), (), options)
    if not checked.searched:
        raise InvalidInput(
            "no setting of the program is there to search: neither its command line nor its help has one with a number",
            advice="give those to search with their values, as --lr 0.001 or LR=0.001 before the program",
        )
    preflight.check_program(study_file.parse(checked.text, str(path), home))
    keep: tuple[str, ...] = ()
    if tries:
        with tempfile.TemporaryDirectory(prefix="automl-try-") as folder:
            tried = _try(program, home, Path(folder))
            found, keep = _metrics(tried), tried.models
        chosen = _chosen(found, metric, "what it wrote in one epoch", asks=True)
    else:
        found = ranked(printed("\n".join(printed_lines(source))))
        if metric is not None and metric not in {each.name for each in found}:
            found = [by_name(metric)]
        if not found:
            raise InvalidInput(
                "the metric is not known: the source of the program prints none by its name",
                advice="add --try to train one epoch and look, or --metric NAME",
            )
        chosen = _chosen(found, metric, "what its source prints", asks=False)
    final = draft(program, name, _with_goal(chosen, goal or _goal(chosen)), keep, options)
    text = final.text
    study_file.parse(text, str(path), home)
    print(f"searched: {', '.join(parameter.name for parameter in final.searched) or 'nothing yet'}")
    print(f"metric: {chosen.name}, read from: {chosen.line[:100]}")
    for pattern in chosen.status.get("patterns", ()):
        print(f"  {pattern}")
    if not tries:
        print("not tried: with --try one epoch is trained, which finds the metric and the files to keep")
    if keep:
        print(f"kept: {', '.join(keep)}")
    return text


def read_program(words: tuple[str, ...], home: Path) -> tuple[Program, str]:
    """The program with what it declares, and its source, empty when it is none. Raises InvalidInput."""
    from automl.drafting.command_line import taken_apart
    from automl.drafting.declared import declared, has_help
    from automl.drafting.program import Program
    from automl.execution.trial_run import run_once

    line = taken_apart(words)
    script = home / line.script if line.script is not None else None
    source = script.read_bytes()[: 1 << 20].decode(errors="replace") if script is not None and script.is_file() else ""
    help_text = ""
    if has_help(source):
        variables = dict(line.variables) | {"COLUMNS": "200", "TERMINAL_WIDTH": "200", "NO_COLOR": "1", "TERM": "dumb"}
        with tempfile.TemporaryDirectory(prefix="automl-help-") as folder:
            asked = run_once((*line.words[: line.start], "--help"), variables, home, Path(folder), _HELP_SECONDS)
            help_text = asked.text if asked.code in {0, 1} else ""  # absl's programs end with 1
    flags = declared(help_text, source)
    names = {other.lstrip("-"): flag.name for flag in flags for other in flag.others}
    switches = {flag.name for flag in flags if flag.is_switch}
    switches |= {short for short, name in names.items() if name in switches}
    return Program(taken_apart(words, frozenset(switches), names), flags), source


def _name(path: Path, program: Program) -> str:
    """A name for the study: that of its file, or that of the program."""
    from automl.study.study_file import study_name

    name = study_name(path.stem)
    if name == "study" and program.line.script is not None:
        name = study_name(Path(program.line.script).stem)
    return free_name(name, path.parent)


def free_name(name: str, folder: Path) -> str:
    """The name for a study in a folder, where its results get a folder of that name: one that is not there yet."""
    names = [name, f"{name[:33]}-search", *(f"{name[:30]}-search-{number}" for number in range(2, 1000))]
    return next(each for each in names if not (folder / each).exists())


def _try(program: Program, home: Path, folder: Path) -> Tried:
    """One epoch of the program, what it printed shown. Raises InvalidInput when it fails."""
    from automl.execution.trial_run import run_once

    words, variables = program.trial(str(folder.resolve() / "results"))
    length = "one epoch" if program.epochs is not None else "it trains as long as it does"
    shown = " ".join(
        [*(f"{name}={'...' if name in program.secrets else text}" for name, text in variables.items()), *words]
    )
    print(f"trying, {length}: {shown}", flush=True)
    tried = run_once(words, variables, home, folder.resolve())
    lines = [line for line in tried.text.splitlines() if line.strip()]
    if tried.code != 0:
        for line in tried.ending[-_MOST_LINES:]:
            print(f"  | {line}", file=sys.stderr)
        raise InvalidInput(
            f"--try: the program ended with exit code {tried.code} after one epoch was asked for",
            advice="its last lines are above; nothing was written",
        )
    for line in lines[-_MOST_LINES:]:
        print(f"  | {line.rpartition(chr(13))[2][:160]}")
    return tried


def _metrics(tried: Tried) -> list[Found]:
    """The metrics of a trial, the likeliest first: those in its log, then those in files that it wrote."""
    from automl.drafting.metrics import Found, goal, printed, ranked
    from automl.execution.trial_run import status_files

    found = {each.name: each for each in printed(tried.text)}
    for rule, values in status_files(tried):
        said = rule.model_dump(exclude_defaults=True)
        for name, by_epoch in values.items():
            metric = Found(name, tuple(by_epoch.values()), f"{rule.path}: {name}", said, goal(name), max(by_epoch))
            if metric.goal is not None:
                found.setdefault(name, metric)
    known = [each for each in found.values() if each.goal is not None]
    return ranked(known or found.values())


def _chosen(found: list[Found], metric: str | None, where: str, *, asks: bool) -> Found:
    """The metric that is meant, asked for on a terminal when there are several. Raises InvalidInput."""
    names = [each.name for each in found]
    if not found:
        raise InvalidInput(
            f"no metric is in {where}: no number stands after a name such as val_acc=0.9",
            advice="give --metric NAME without --try, and correct 'status' in the file",
        )
    if metric is not None:
        if metric not in names:
            allowed = ", ".join(names[:_MOST_METRICS])
            raise InvalidInput(
                f"--metric: {metric!r} is not in {where}", allowed=allowed, advice=nearest(metric, names)
            )
        return found[names.index(metric)]
    if len(found) == 1 or not asks:
        return found[0]
    if not sys.stdin.isatty():
        raise InvalidInput(
            f"several metrics are in {where}: {', '.join(names[:_MOST_METRICS])}",
            advice=f"name one, such as --metric {names[0]}",
        )
    for number, each in enumerate(found[:_MOST_METRICS], 1):
        print(f"  {number}  {each.name} = {each.values[-1]:g}    {each.line[:90]}")
    answer = typer.prompt("Which metric", default="1")
    if answer in names:
        return found[names.index(answer)]
    if answer.isdigit() and 1 <= int(answer) <= min(len(found), _MOST_METRICS):
        return found[int(answer) - 1]
    raise InvalidInput(f"{answer!r} is none of them", allowed=", ".join(names), advice=nearest(answer, names))


def _goal(metric: Found) -> str:
    """Whether less or more is better. Raises InvalidInput when neither its name nor the user says."""
    if metric.goal is not None:
        return metric.goal
    if not sys.stdin.isatty():
        raise InvalidInput(
            f"whether less or more of {metric.name} is better does not follow from its name",
            advice="give --goal minimize or --goal maximize",
        )
    answer = str(typer.prompt(f"minimize or maximize {metric.name}"))
    check_goal(answer)
    return answer


def _with_goal(metric: Found, goal: str) -> Found:
    from dataclasses import replace

    return replace(metric, goal=goal)
