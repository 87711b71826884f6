"""The commented study file that `automl init` writes."""

from __future__ import annotations

import json
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

from automl.errors import InvalidInput, nearest
from automl.networks import Network, load_network
from automl.networks.spec_formats import flatten, get_path
from automl.search.algorithms import ALGORITHMS
from automl.search.race import USUAL_SHARE, Judgement, fitted, rounded_up, share_of, trainings
from automl.search.schedules.population import usual_interval
from automl.study.budget import USUAL_TRAININGS
from automl.study.options import AUTO, USUAL_RACE
from automl.study.study_file import parse, study_name
from automl.text.formatting import counted

_TEMPLATE = """\
# A study: what is trained, and how its settings are searched.
# 'automl plan' says what it will take, 'automl run' does it{or_compile}.
# Lines such as '# jobs: 2' are examples: remove the '# ' and change the value.

name: {name}
network: {network:<16} # see 'automl networks'; or the path of your own network file
{dataset}
# One of {algorithms}:
algorithm: {algorithm}
{budget}
max_epochs: {epochs:<13} # epochs of a full training
seed: 42                  # the only source of chance: the same seed and results make the same decisions

# Searched by default:
{searched}
additional_automl_parameters: []      # search these too; {eligible}
remove_default_automl_parameters: []  # do not search these

# Your own ranges, for parameters that are searched:
# parameters:
#   {first}: {range}

# {settings}; 'automl networks show {network}' prints all:
# train_spec:
{spec}

best_among: longest       # the best is one of those that were trained longest; all: of any length

# At the end the best of the search race against the defaults, all trained again with fresh seeds.
final:
  candidates: {candidates:<11} # that race, at most
  repeats: {repeats:<14} # trainings of whoever stays to the end, at most; 0: no judgement{share}

# How it is run; this may change from start to start:
run:
  store: ./{name:<14} # a folder, or s3://bucket/prefix
  # jobs: 2               # experiments side by side; without it, one for each GPU or CPU core
  # timeout_minutes: 60   # the longest run of one experiment

# What 'automl plan' counts with, if you know better than the network file:
# costs:
#   minutes_per_epoch: 1
#   gpus: 1               # of one experiment
#   price_per_gpu_hour: 2.5
{cluster}"""

_CLUSTER = """
# On a cluster, where 'automl compile' makes a workflow of this study:
# cluster:
#   image: {image}  # what trains, with the registry before it
"""
_BUDGET = f"""\
# What the whole study may take; 'automl plan' says what that chooses. Also: hours, gpu_hours or price.
budget: {{trainings: {USUAL_TRAININGS}}}   # full trainings' worth of epochs"""
_CHEAP_MINUTES = 10.0
_MOST_NAMES = 8  # that the line of additional_automl_parameters lists


def template(network_name: str, algorithm: str, path: Path) -> str:
    """The text of a study file for a network, to be written to `path`. Raises InvalidInput."""
    names = (AUTO, *ALGORITHMS)
    if algorithm not in names:
        raise InvalidInput(
            f"algorithm: {algorithm!r} is not known", allowed=", ".join(names), advice=nearest(algorithm, names)
        )
    network = load_network(network_name, path.parent)
    if network.refused:
        raise InvalidInput(f"network: {network.name} cannot be searched: {network.refused}")
    searched = [name for name in network.parameters if network.enabled(name)]
    eligible = [name for name in network.parameters if network.enabled(name) is None]
    name = study_name(path.stem)
    if name == "study":
        name = study_name(network.name)
    first, span = _range(network, searched or list(network.parameters))
    settings, spec = _settings(network)
    fill = partial(
        _TEMPLATE.format,
        name=name,
        network=network_name,
        or_compile=", 'automl compile' makes a workflow for Argo of it" if network.dataset.files else "",
        cluster=_CLUSTER.format(image=network.image) if network.dataset.files else "",
        dataset=_dataset(network),
        algorithm=algorithm,
        algorithms=", ".join(names),
        budget=_BUDGET if algorithm == AUTO else _lines(algorithm, network.epochs),
        epochs=network.epochs,
        searched="\n".join(f"#   {parameter}" for parameter in searched) or "#   nothing in this network",
        eligible=_eligible(network_name, eligible),
        first=first,
        range=span,
        settings=settings,
        spec="\n".join(f"#   {path}: {_flow(value)}" for path, value in spec.items()),
        candidates=USUAL_RACE["candidates"],
        repeats=USUAL_RACE["repeats"],
    )
    if algorithm == AUTO:  # the judgement is a part of its budget
        return fill(share="")
    return fill(share=_share(fill(share=""), path))


def _lines(algorithm: str, epochs: int) -> str:
    """The lines of an algorithm's own options, with numbers that fit a training of so many epochs."""
    return ALGORITHMS[algorithm].lines.format(R=max(3, min(27, epochs)), interval=usual_interval(epochs))


def _share(text: str, path: Path) -> str:
    """The line that allows the whole race, which takes more than the usual third of a search by short trainings.

    Where the race takes longer than _CHEAP_MINUTES, or nobody knows how long, the line is an example: who pays chooses.
    """
    try:
        definition = parse(text, str(path), path.parent)
    except InvalidInput:  # nothing in it is searched by default: who reads the file has to say what
        return ""
    plan, size = definition.plan, (USUAL_RACE["candidates"], USUAL_RACE["repeats"])
    took, search = trainings(*size) * plan.longest, plan.trained(plan.search, resume=True)
    share = rounded_up(share_of(size, search, plan.longest))
    if share <= USUAL_SHARE:
        return ""
    minutes = definition.costs.minutes_per_epoch
    is_cheap = minutes is not None and took * minutes <= _CHEAP_MINUTES
    _, each = fitted(Judgement(USUAL_RACE["repeats"]), USUAL_RACE["candidates"], search, plan.longest)
    usual = f"{counted(each, 'training')} of each side{', which shows no noise' if each == 1 else ''}"
    line = f"  {'' if is_cheap else '# '}share: {share:g}"
    return (
        f"\n{line:<26}# the whole race takes {took:,} epochs, {share:g} times those of the search;"
        f"\n{'':26}# without this line it takes a third at most: {usual}"
    )


def _dataset(network: Network) -> str:
    """The lines about the data: what they are called, and which file lies where."""
    if network.dataset.files:
        lines = [
            f"# Where the data lies, as the training sees it: {network.dataset.format or 'see TAO for the format'}"
        ]
        files = flatten({path: flatten({"": value}) for path, value in network.dataset.files.items()})
        lines += [f"#   {path.rstrip('.')}: {json.dumps(value)}" for path, value in files.items()]
        return "\n".join([*lines, "dataset: /data", ""])
    return "# dataset: /data/mine     # without it, the network's own data\n" if network.fields.dataset else ""


def _eligible(name: str, eligible: Sequence[str]) -> str:
    if len(eligible) > _MOST_NAMES:
        return f"'automl networks parameters {name}' lists {len(eligible)}"
    return f"there are: {', '.join(eligible) or 'none in this network'}"


def _range(network: Network, names: Sequence[str]) -> tuple[str, str]:
    """A searched parameter with its range; one on a log scale, if there is any."""
    parameters = [(name, network.parameter(name)) for name in names]
    name, shown = max(parameters, key=lambda pair: (pair[1].log, pair[1].low is not None))
    keys = ("low", "high", "log") if shown.low is not None else ("options", "default")
    return name, _flow({key: value for key, value in shown.to_mapping().items() if key in keys})


def _settings(network: Network) -> tuple[str, dict[str, Any]]:
    """What depends on the data, or an example of what neither the search nor the study sets; with the network's values.

    Of a list of groups there is an empty list.
    """
    if network.dataset.settings:
        values = {path: get_path(network.spec, path) for path in network.dataset.settings}
        known = {path: [] if _flow(value).startswith("[{") else value for path, value in values.items()}
        return "What depends on your data, with the values of the network", known
    taken = {*network.fields.paths(), *network.dataset.files}
    taken |= {network.spec_path(name) for name in network.parameters if network.enabled(name)}
    plain = {path: value for path, value in flatten(network.spec).items() if isinstance(value, int | float | str)}
    path, value = next(((path, value) for path, value in plain.items() if path not in taken), next(iter(plain.items())))
    return "Your own settings of the training", {path: value}


def _flow(value: Any) -> str:
    """A value on one line, as YAML and JSON both read it."""
    return json.dumps(value).replace('"', "") if isinstance(value, dict) else json.dumps(value)
