"""The pages of the documentation, taken apart: blocks of code, links, command lines. Not a test itself."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGES = sorted(
    [ROOT / "README.md", ROOT / "CHANGELOG.md", *(ROOT / "docs").glob("*.md"), *(ROOT / "notebooks").glob("*.ipynb")]
)
NAMES = [str(page.relative_to(ROOT)) for page in PAGES]
_FENCE = re.compile(r"^ *```(\w*)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
_STANDS_FOR = {"EXPERIMENT": "5", "N": "3"}  # words of a page in the place of a number


@dataclass(frozen=True)
class Block:
    """A block of code. language: what stands after the backticks, or nothing."""

    language: str
    text: str


@cache
def text_of(name: str) -> str:
    """A page; of a notebook its cells of prose."""
    path = ROOT / name
    if path.suffix != ".ipynb":
        return path.read_text(encoding="utf-8")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    return "\n\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "markdown")


def blocks(name: str, *languages: str) -> list[Block]:
    """The blocks of these languages."""
    found = [Block(*match) for match in _FENCE.findall(text_of(name))]
    return [each for each in found if each.language in languages]


def prose(name: str) -> str:
    """The page without its blocks of code."""
    return _FENCE.sub("", text_of(name))


def links(name: str) -> list[str]:
    """Where the page's links lead."""
    return re.findall(r"\]\(([^)\s]+)\)", prose(name))


def anchors(name: str) -> set[str]:
    """The names that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ +(.+?) *$", prose(name), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", each.lower()).replace(" ", "-") for each in headings}


def command_lines(name: str) -> Iterator[str]:
    """Every line that calls automl in a block of shell, or is shown with its output after a `$`."""
    for block in blocks(name, "sh", "text", ""):
        for line in block.text.splitlines():
            if re.match(r"automl " if block.language == "sh" else r"\$ automl ", line):
                yield line.removeprefix("$ ")


def named_commands(name: str) -> list[str]:
    """Every command in the prose, such as `automl extend STUDY --to 40`."""
    return [" ".join(each.split()) for each in re.findall(r"`(automl\s[^`]*)`", prose(name))]


def words(line: str) -> list[str]:
    """The words after `automl`, up to a pipe, a redirection or a comment."""
    lexer = shlex.shlex(line, posix=True, punctuation_chars="|>;&")
    lexer.whitespace_split = True
    found: list[str] = []
    for word in list(lexer)[1:]:
        if set(word) <= set("|>;&"):
            break
        found.append(_STANDS_FOR.get(word, word))
    return found
