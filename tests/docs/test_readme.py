"""The README's program is searched as it is printed, its files are valid, and its commands exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from automl.cli.app import app
from automl.study import study_file
from tests.command_line import automl

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
YAML = re.findall(r"```yaml\n(.*?)```", README, re.DOTALL)


def test_the_study_of_the_readme_is_valid(tmp_path: Path) -> None:
    assert study_file.parse(YAML[1], "README", tmp_path).plan.experiments == 14


def test_the_program_of_the_readme_is_searched_and_its_best_model_loaded_as_printed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    program, loading = re.findall(r"```python\n(.*?)```", README, re.DOTALL)
    for text in (program, YAML[0]):
        (tmp_path / text.removeprefix("# ").partition("\n")[0]).write_text(text)
    ran = automl("run", "study.yaml", "-j", "2", cwd=tmp_path)
    assert (ran.code, ran.err) == (0, "")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(loading, names)  # noqa: S102 - the page is ours
    assert 0.5 < names["weight"] < 1.5
    assert set(names["best"]["values"]) == {"lr", "momentum"}
    assert names["best"]["why"]


def named_commands() -> list[str]:
    blocks = re.findall(r"```sh\n(.*?)```", README, re.DOTALL)
    lines = [line for block in blocks for line in block.splitlines()] + re.findall(r"`(automl [^`]*)`", README)
    return sorted({line.split()[1] for line in lines if line.startswith("automl ")})


@pytest.mark.parametrize("name", named_commands())
def test_a_command_that_the_readme_names_exists(name: str) -> None:
    known = {command.name or (command.callback and command.callback.__name__) for command in app.registered_commands}
    assert name in known | {group.name for group in app.registered_groups}
