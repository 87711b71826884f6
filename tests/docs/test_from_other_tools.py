"""docs/from_other_tools.md: its commands do what it says, its table counts, its function is searched as printed."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from pathlib import Path

import yaml

from tests.command_line import automl
from tests.docs.pages import ROOT, blocks, command_lines, text_of, words

PAGE = "docs/from_other_tools.md"
PROGRAM = ROOT / "tests" / "programs" / "with_arguments.py"


def counted(text: str) -> int:
    """Lines that are neither empty nor only a comment."""
    return len([line for line in text.splitlines() if line.strip() and not line.strip().startswith("#")])


def test_the_first_command_writes_the_file_of_the_page(tmp_path: Path) -> None:
    shutil.copy(PROGRAM, tmp_path / "train.py")
    source = (tmp_path / "train.py").read_text()
    (tmp_path / "train.py").write_text(
        re.sub(r'parser.add_argument\("--seed".*\n', "", source).replace("args.seed", "0")
    )
    (line,) = [line for line in command_lines(PAGE) if line.startswith("automl init")]
    assert automl(*words(line), cwd=tmp_path).code == 0
    written = yaml.safe_load((tmp_path / "study.yaml").read_text())
    (shown,) = blocks(PAGE, "yaml")
    expected = yaml.safe_load(shown.text)
    assert written.pop("max_recommendations") == 20
    assert written == expected


def test_the_table_counts_the_lines_of_the_file() -> None:
    (shown,) = blocks(PAGE, "yaml")
    (said,) = re.findall(r"\| argo-automl \| (\d+),", text_of(PAGE))
    assert counted(shown.text) == int(said)


def test_the_function_of_the_page_is_searched(tmp_path: Path) -> None:
    (shown,) = blocks(PAGE, "python")
    (tmp_path / "notebook.py").write_text(shown.text + 'print(study.best().data["value"])\n')
    ran = subprocess.run(
        [sys.executable, "notebook.py"], cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False
    )
    assert ran.returncode == 0, ran.stderr
    assert float(ran.stdout.split()[-1]) > 0.5
