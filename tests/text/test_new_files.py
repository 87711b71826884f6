"""A path that a user named can be created, or the reason why not is said before any work is done."""

from __future__ import annotations

from pathlib import Path

import pytest

from automl.errors import InvalidInput
from automl.text.new_files import check_folder_of, check_new, write_new


def test_a_new_file_is_written(tmp_path: Path) -> None:
    write_new(tmp_path / "study.yaml", "name: a\n")
    assert (tmp_path / "study.yaml").read_text() == "name: a\n"


@pytest.mark.parametrize("kind", ["file", "folder", "link that leads nowhere"])
def test_what_exists_is_refused_and_kept(kind: str, tmp_path: Path) -> None:
    path = tmp_path / "taken"
    if kind == "file":
        path.write_text("mine")
    elif kind == "folder":
        path.mkdir()
    else:
        path.symlink_to(tmp_path / "nowhere")
    with pytest.raises(InvalidInput, match=r"taken already exists; give another name, or remove it first"):
        write_new(path, "theirs")
    assert list(tmp_path.iterdir()) == [path]
    assert kind != "file" or path.read_text() == "mine"


def test_a_missing_folder_is_named_with_the_option(tmp_path: Path) -> None:
    path = tmp_path / "none" / "a.svg"
    for check in (check_new, check_folder_of):
        with pytest.raises(InvalidInput, match=r"^--output: folder .*/none does not exist; create it first$"):
            check(path, option="--output")


def test_a_name_that_no_file_system_takes_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput, match="cannot be written: File name too long"):
        write_new(tmp_path / ("a" * 300), "text")
