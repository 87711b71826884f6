"""The README's files are valid and its commands exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from automl.cli.app import app
from automl.networks import definition
from automl.study import study_file

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
YAML = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)


def test_the_study_and_the_network_of_the_readme_are_valid(tmp_path: Path) -> None:
    study, network = YAML
    assert study_file.parse(study, "README", tmp_path).plan.experiments == 14
    (tmp_path / "mine.yaml").write_text(network)
    mine = study_file.parse("name: mine\nnetwork: ./mine.yaml\n", "README", tmp_path)
    assert mine.network == definition.parse(network, "README")
    assert [parameter.name for parameter in mine.space.parameters] == ["train.lr"]


def named_commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()] + re.findall(r"`(automl [^`]*)`", README)
    return sorted({line.split()[1] for line in lines if line.startswith("automl ")})


@pytest.mark.parametrize("name", named_commands())
def test_a_command_that_the_readme_names_exists(name: str) -> None:
    known = {command.name or (command.callback and command.callback.__name__) for command in app.registered_commands}
    assert name in known | {group.name for group in app.registered_groups}


def test_every_link_of_the_readme_leads_to_a_file() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (Path(__file__).parents[2] / link).exists()] == []
