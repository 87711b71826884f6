"""The README's program is searched as it is printed, its files are valid, and its commands exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from automl.cli.app import app
from automl.study import study_file
from tests.command_line import automl

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
YAML = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)


def test_the_study_of_the_readme_is_valid(tmp_path: Path) -> None:
    assert study_file.parse(YAML[0], "README", tmp_path).plan.experiments == 14


def test_the_program_of_the_readme_is_searched_as_it_is_printed(tmp_path: Path) -> None:
    (program,) = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    for text in (program, YAML[1]):
        name = text.removeprefix("# ").partition("\n")[0].partition(",")[0]
        (tmp_path / name).write_text(text)
    ran = automl("run", "study.yaml", "-j", "2", cwd=tmp_path)
    assert (ran.code, ran.err) == (0, "")
    assert 0.5 < float((tmp_path / "mine/best_model/model.pt").read_text()) < 1.5


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
