"""The commands `automl networks ...`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from automl.cli.options import Output, PlainCommand, PlainGroup
from automl.cli.output import Format, print_data
from automl.errors import InvalidInput, nearest

app = typer.Typer(cls=PlainGroup, no_args_is_help=False)


@app.callback(invoke_without_command=True)
def networks(
    context: typer.Context,
    task: Annotated[str | None, typer.Option("--task", "-t", help="Only networks of this task.")] = None,
    output: Output = Format.TABLE,
) -> None:
    """List the networks that come with this package.

    \b
    Networks of NVIDIA TAO need its images. "trains like" names a network of this
    package for the same task that does not.

    Example: automl networks --task object_detection
    """
    from automl import networks as nets
    from automl.reporting.terminal import tables

    if context.invoked_subcommand is not None:
        return
    listed = [nets.load_network(name, Path()) for name in nets.catalogue()]
    if task is not None:
        tasks = sorted({network.task for network in listed})
        if task not in tasks:
            raise InvalidInput(f"--task {task}", allowed=", ".join(tasks), advice=nearest(task, tasks))
        listed = [network for network in listed if network.task == task]
    data = [
        {
            "name": network.name,
            "title": network.title,
            "aliases": list(network.aliases),
            "task": network.task,
            "framework": network.framework,
            "trains_like": network.trains_like,
            "metric": network.metric.name,
            "goal": network.metric.goal,
            "epochs": network.epochs,
            "searched": sum(network.enabled(name) is True for name in network.parameters),
            "on_request": sum(network.enabled(name) is None for name in network.parameters),
            "parameters": len(network.parameters),
            "refused": network.refused,
        }
        for network in listed
    ]
    print_data(data, output, lambda out: tables.networks(out, data))


NetworkName = Annotated[str, typer.Argument(help="A network's name, or the path of a network file.", metavar="NAME")]


@app.command("show", cls=PlainCommand)
def show(name: NetworkName, output: Output = Format.YAML) -> None:
    """Print a network as a network file: image, command, train spec, metric, checkpoints.

    Example: automl networks show fashion_mnist > mine.yaml
    """
    from automl.networks import load_network
    from automl.networks.definition import shipped_text

    network = load_network(name, Path())
    if output is Format.JSON or name.endswith((".yaml", ".yml")):
        print_data(network.model_dump(mode="json"), Format.YAML if output is Format.TABLE else output, None)
    else:
        print(shipped_text(network.name), end="")  # with the comments of the file


@app.command("parameters", cls=PlainCommand)
def parameters(name: NetworkName, output: Output = Format.TABLE) -> None:
    """Print a network's parameters, and whether each is searched by default, on request or never.

    Example: automl networks parameters fashion_mnist
    """
    from automl.networks import load_network
    from automl.networks.spec_formats import get_path
    from automl.reporting.terminal import tables

    network = load_network(name, Path())
    data = [
        {"automl_enabled": network.enabled(parameter), "name": parameter, **network.parameter(parameter).to_mapping()}
        if network.has_range(parameter)
        else {
            "automl_enabled": network.enabled(parameter),
            "name": parameter,
            "kind": network.parameters[parameter].get("type"),
            "default": get_path(network.spec, network.spec_path(parameter)),
        }
        for parameter in network.parameters
    ]
    print_data(data, output, lambda out: tables.parameters(out, data))
