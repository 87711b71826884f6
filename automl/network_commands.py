"""The commands `automl networks ...`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from automl.command_options import Output
from automl.terminal import Format, print_data

app = typer.Typer(no_args_is_help=False)


@app.callback(invoke_without_command=True)
def networks(context: typer.Context, output: Output = Format.TABLE) -> None:
    """List the networks that come with the package.

    Example: automl networks -o json
    """
    from automl import networks as nets
    from automl import tables

    if context.invoked_subcommand is not None:
        return
    found = [nets.load_network(name, Path()) for name in nets.catalogue()]
    data = [
        {
            "name": each.name,
            "title": each.title,
            "task": each.task,
            "metric": each.metric.name,
            "goal": each.metric.goal,
            "epochs": each.epochs,
            "searched": sum(each.enabled(name) is True for name in each.parameters),
            "parameters": len(each.parameters),
        }
        for each in found
    ]
    print_data(data, output, lambda out: tables.networks(out, data))


NetworkName = Annotated[str, typer.Argument(help="A network's name, or the path of a network file.", metavar="NAME")]


@app.command("show")
def show(name: NetworkName, output: Output = Format.YAML) -> None:
    """Print a network: image, command, train spec, metric, checkpoints. What it prints is a network file.

    Example: automl networks show fashion_mnist > mine.yaml
    """
    from automl.networks import load_network

    data = load_network(name, Path()).model_dump(mode="json")
    print_data(data, Format.YAML if output is Format.TABLE else output, None)


@app.command("parameters")
def parameters(name: NetworkName, output: Output = Format.TABLE) -> None:
    """Print a network's parameters: which are searched by default, which on request, which never.

    Example: automl networks parameters fashion_mnist
    """
    from automl import tables
    from automl.networks import load_network

    network = load_network(name, Path())
    data = [
        {"automl_enabled": network.enabled(each), "name": each, **network.parameter(each).to_mapping()}
        for each in network.parameters
    ]
    print_data(data, output, lambda out: tables.parameters(out, data))
