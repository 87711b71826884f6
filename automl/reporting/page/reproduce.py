"""How to reproduce the study: its file, its network, its seed, the version that began it, the commands."""

from __future__ import annotations

from typing import Any

import yaml

from automl.networks.definition import catalogue
from automl.reporting.figures.facts import Facts
from automl.reporting.page.markup import Markup, joined, tag
from automl.study.keys import STUDY_FILE
from automl.study.options import IN_THE_STUDY_FILE


def reproduce(facts: Facts) -> Markup:
    """The section's content."""
    network, version = facts.definition.network, facts.metadata["version"]
    own = facts.definition.file.network not in {*catalogue(), IN_THE_STUDY_FILE}
    rows = (
        ("version", f"argo-automl {version}"),
        ("seed", str(facts.definition.file.seed)),
        ("network", ": ".join(filter(None, (network.name, network.title)))),
        ("image", f"{network.image} (on a cluster)" if network.image else "none: on this machine only"),
        ("sha256 of the settings", facts.metadata["sha256"]),
        *(("earlier search", search.words) for search in facts.definition.earlier),
    )
    steps = (
        "automl plan study.yaml\nautoml run study.yaml        # or: automl compile study.yaml | argo submit -n argo -"
    )
    where = f" and the network below as {facts.definition.file.network} beside it" if own else ""
    return joined(
        tag("table", tag("tbody", *(_row(name, text) for name, text in rows)), class_="plain"),
        tag("p", f"Save the study file below as study.yaml{where}, in an empty folder, and run with that version:"),
        tag("pre", steps),
        tag(
            "p",
            "With the same results, all decisions are the same, byte for byte. Whether trainings give the same results "
            "depends on the program and the machine; recommendation_<number> has the complete settings of each.",
        ),
        tag("details", tag("summary", tag("strong", STUDY_FILE)), tag("pre", facts.text, id="study-yaml")),
        _network(facts) if own else None,
    )


def _row(name: str, text: str) -> Markup:
    return tag("tr", tag("th", name, scope="row"), tag("td", text))


def _network(facts: Facts) -> Markup:
    """The network file as it was understood."""
    data = facts.definition.network.model_dump(mode="json", exclude_none=True)
    data = {name: _sorted(value) for name, value in data.items()}
    text = yaml.safe_dump(data, sort_keys=False, allow_unicode=True, width=100)
    name = tag("summary", tag("strong", facts.definition.file.network), ", with all defaults")
    return tag("details", name, tag("pre", text, id="network-yaml"))


def _sorted(value: Any) -> Any:
    """The value with all names sorted, because the record does not hold the order in the author's file."""
    if isinstance(value, dict):
        return {name: _sorted(value[name]) for name in sorted(value)}
    return [_sorted(element) for element in value] if isinstance(value, list) else value
