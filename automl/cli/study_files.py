"""The commands that take a study file: write one, say what it will do, run it, compile it for Argo."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from automl.cli.options import (
    Jobs,
    NewFileOption,
    OldFileOption,
    Output,
    Seed,
    Settings,
    Store,
    StudyPath,
    number_of_jobs,
    settings_of,
)
from automl.cli.output import Format, print_data

if TYPE_CHECKING:
    from automl.study.definition import Definition


def plan(
    study: StudyPath,
    jobs: Annotated[
        list[int] | None,
        typer.Option(
            "--jobs",
            "-j",
            help="Experiments that train at the same time, for the wall time; repeatable. Default: 1, 2, 4, 8.",
            parser=number_of_jobs,
            metavar="N",
        ),
    ] = None,
    *,
    probe: Annotated[
        bool,
        typer.Option("--probe", help="Train the defaults here for a few epochs, to measure the time of an epoch."),
    ] = False,
    settings: Settings = None,
    seed: Seed = None,
    output: Output = Format.TABLE,
) -> None:
    """Print what a study will do, and how long that takes, before anything is trained.

    Example: automl plan study.yaml -j 1 -j 8

    \b
    With -o json or yaml; null where 'costs' does not say:
      study network algorithm sampler   names
      chosen                            by algorithm: auto, and why
      parameters notes                  what is searched; what to know of it
      ranges                            of the parameters: name, kind, low, high,
                                        log, step, options, default, only_if
      configurations                    of the search space; null: infinitely many
      until                             the limits that end the search early
      warm_start                        earlier searches: source, kind, trials used, of
                                        total, parameters used, left_out: sentences
      stages                            name, kind (search or final), experiments,
                                        rungs: experiments, from_epoch, epochs
      totals
        experiments runs                a run is one start of a training
        search_epochs final_epochs      search_epochs_from_scratch: if none
                                        went on from a checkpoint
        training_minutes gpu_hours price storage_megabytes
        wall_minutes                    by the number of --jobs
      workflow                          bytes: about what it takes on Argo at its end;
                                        most_bytes: what Kubernetes takes
    """
    from automl.analysis.planned import WorkflowSize, planned
    from automl.importing.earlier_searches import with_earlier
    from automl.reporting.terminal import plan_tables
    from automl.study import study_file
    from automl.study.changed_settings import with_settings
    from workflows.size import MOST_BYTES, study_bytes

    text = with_settings(study_file.read_text(study), str(study), settings_of(settings, seed))
    definition = with_earlier(study_file.parse(text, str(study), study.parent), study.parent, str(study))
    notes = _notes_of_this_machine(definition, study)
    if probe:
        with_costs, measured = _with_measured_costs(text, study)
        definition, notes = replace(with_costs, earlier=definition.earlier), (measured, *notes)
    size = WorkflowSize(study_bytes(definition), MOST_BYTES)
    plan_data = planned(definition, tuple(sorted(set(jobs or [1, 2, 4, 8]))), size, notes)
    print_data(plan_data.to_json(), output, lambda console: plan_tables.plan(console, plan_data))


def _with_measured_costs(text: str, study: Path) -> tuple[Definition, str]:
    """The study with what an epoch takes here, measured by a short training; and a note of that."""
    from automl.errors import Interrupted
    from automl.execution.measured_epoch import measured_epoch
    from automl.reporting.plain_console import plain_console
    from automl.study import study_file
    from automl.study.events import Event

    def follow(event: Event) -> None:
        if event.epoch and event.value is not None:
            line.update(f"measuring: epoch {event.epoch}")

    try:
        with plain_console(stderr=True).status("measuring: the defaults train for a few epochs") as line:
            measured = measured_epoch(text, str(study), study.parent, follow)
    except Interrupted as error:
        raise Interrupted("stopped measuring; nothing of it was kept") from error
    costs = {"minutes_per_epoch": float(f"{measured.minutes_per_epoch:.3g}")}
    costs["start_minutes"] = float(f"{measured.start_minutes:.3g}")
    given = study_file.options_in(text, str(study)).get("costs") or {}
    definition = study_file.parse(text, str(study), study.parent, {"costs": {**given, **costs}})
    kept = ", ".join(f"{name}: {value:g}" for name, value in costs.items())
    return definition, f"measured here, by {measured.epochs} epochs of the defaults; to keep it: costs: {{{kept}}}"


def _notes_of_this_machine(definition: Definition, study: Path) -> tuple[str, ...]:
    """What 'automl run' would refuse here, and where the program of a user's own is.

    Raises NetworkError when such a program is nowhere to be found, StudyFileError for GPUs that cannot be shared out.
    """
    from automl.errors import NetworkError
    from automl.execution import preflight, submission
    from automl.execution.gpus import shared
    from automl.study import study_file

    if definition.file.run.gpus is not None:
        shared(definition.file.run.gpus, definition.costs.gpus)

    try:
        preflight.check_folder(definition, _work_folder(study_file.store_uri(definition, study)))
    except NetworkError as error:
        return (f"'automl run' refuses it on this machine: {error}",)
    if definition.home is None:
        return _notes_of_an_image(definition)
    has_image = definition.network.image is not None or definition.file.cluster.image is not None
    notes = submission.notes(definition.network, definition.file.cluster) if has_image else ()
    try:
        return (f"the program is {' '.join(preflight.check_program(definition))}", *notes)
    except NetworkError as error:
        if not has_image:
            raise
        return (f"not on this machine, where 'automl run' needs it: {error.given}", *notes)


def _notes_of_an_image(definition: Definition) -> tuple[str, ...]:
    """That a network of the catalogue trains in an image of its own, where its program is not on this machine."""
    from automl.errors import NetworkError
    from automl.execution import preflight

    if preflight.is_ours(definition.network):  # to ask for its libraries takes a second, and 'run' does that
        return ()
    try:
        preflight.check_program(definition)
    except NetworkError:
        return (preflight.of_an_image(definition),)
    return ()


def _work_folder(uri: str) -> Path:
    """Where a study of this address trains on this machine. Nothing is opened over the network."""
    from automl.execution import machine
    from automl.stores import open_store

    return machine.work_folder(uri if uri.lower().startswith("s3:") else open_store(uri).uri)


def run(
    study: StudyPath,
    store: Store = None,
    jobs: Jobs = None,
    *,
    settings: Settings = None,
    seed: Seed = None,
    output: Output = Format.TABLE,
) -> None:
    """Run a study on this machine to its end. Ctrl-C stops it; the same command resumes it.

    Example: automl run study.yaml -j 2

    \b
    Another seed, and its own folder:
      automl run study.yaml --seed 7 --store ./seed-7
    """
    from automl.analysis import status
    from automl.execution import local_runner, machine, preflight
    from automl.execution.gpus import shared
    from automl.importing.earlier_searches import with_earlier
    from automl.reporting.plain_console import plain_console
    from automl.reporting.terminal import failures, live_view, tables
    from automl.stores import open_store, probe
    from automl.study import study_file, summary
    from automl.study.changed_settings import with_settings
    from automl.study.keys import METADATA
    from automl.study.opened_study import begin
    from automl.study.record import Record

    text = with_settings(study_file.read_text(study), str(study), settings_of(settings, seed))
    definition = study_file.parse(text, str(study), study.parent)
    uri = study_file.store_uri(definition, study) if store is None else store
    gpus = shared(definition.file.run.gpus, definition.costs.gpus)
    side_by_side = jobs or definition.file.run.jobs or gpus.places or machine.default_jobs()
    record = Record(open_store(uri))
    work = machine.work_folder(record.store.uri)
    begun = record.store.get(METADATA) is not None
    if not begun:  # what is missing is said before anything is written
        definition.check_new()
        preflight.check(definition, work)
        definition = with_earlier(definition, study.parent, str(study))
    probe(record.store)
    definition = begin(record, definition, text).definition
    if begun and summary.state(definition, record.history(definition)) in {"not started", "running", "judging"}:
        preflight.check(definition, work)
    console = plain_console(stderr=output is not Format.TABLE)
    view = live_view.LiveView(definition, console, side_by_side, record.store.uri)
    local_run = local_runner.LocalRun(record, definition, side_by_side, work, view, gpus=gpus)
    with view.shown():
        local_run.run()
    definition = local_run.definition  # with the plan of a search that ended early
    result = status.status(record, definition, side_by_side)
    name = str(study) if store is None else uri
    last_lines = failures.last_lines_in(record.store)
    print_data(result.to_json(), output, lambda out: tables.finished(out, definition, result, name, last_lines))


def compile_study(
    study: StudyPath,
    to: NewFileOption = None,
    *,
    output: OldFileOption = None,
    template: Annotated[
        bool,
        typer.Option(
            "--template", help="Write a WorkflowTemplate for any study of its algorithm, with its 'cluster' and GPUs."
        ),
    ] = False,
) -> None:
    """Compile a study into an Argo Workflow, for 'argo submit'. Needs the extra 'cluster' (hera), but no cluster.

    Example: automl compile study.yaml | argo submit -n argo -
    """
    from automl.execution import submission
    from automl.study import study_file
    from workflows.submit import namespace_of, template_of, workflow_of

    to = to or output
    compiled = (template_of if template else workflow_of)(study).to_yaml()
    definition = study_file.read(study)
    for note in () if template else submission.notes(definition.network, definition.file.cluster):
        print(f"note: {note}", file=sys.stderr)
    if to is None:
        sys.stdout.write(compiled)
        return
    to.write_text(compiled, encoding="utf-8")
    namespace = namespace_of(study) or "argo"
    command = f"kubectl -n {namespace} apply -f" if template else f"argo submit -n {namespace}"
    print(f"wrote {to}; next: {command} {to}")


def schema() -> None:
    """Print the JSON Schema of a study file, for editors.

    Example: automl schema > study.schema.json
    """
    from automl.study import study_file

    print_data(study_file.schema(), Format.JSON, None)
