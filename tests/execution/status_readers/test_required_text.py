"""A line is passed over only where no pattern can match: the text that is looked for stands in every match."""

from __future__ import annotations

import re

import pytest

from automl.execution.status_readers.required_text import RequiredTexts, required_text
from automl.networks.status_rule import expanded


@pytest.mark.parametrize(
    ("pattern", "text"),
    [
        (r"epoch (?P<epoch>\d+).*val_loss=(?P<val_loss>{number})", "val_loss="),
        (r"\[train\] loss: (?P<loss>{number})", "[train] loss: "),
        (r"^loss$", "loss"),
        ("losses*=(?P<x>a)", "losse"),
        ("los+=(?P<x>a)", "lo"),
        ("loss{2}=(?P<x>a)", "los"),
        ("lo{0,3}ss=(?P<x>a)", "ss="),
        ("(loss)?=> (?P<x>a)", "=> "),
        ("(?:a|b)loss: [^|(]*(?P<x>a)", "loss: "),
        (r"a[]b]cd\]ef", "cd]ef"),
        (r"perte é (?P<x>a)", "perte é "),
        ("loss=1.5 (?P<x>a)", "loss="),
        # none is certain
        ("loss|acc", ""),
        ("(?i)loss", ""),
        ("(?x)lo ss", ""),
        ("loss(?#( )|acc", ""),
        (r"\x6coss", ""),
        (r"\N{LATIN SMALL LETTER L}oss", ""),
        ("[[:alpha:]]oss", ""),
        ("loss{e<=1}", ""),
        (r"(?P<loss>{number})", ""),
        (r"\bl\b", ""),
    ],
)
def test_the_text_of_a_pattern(pattern: str, text: str) -> None:
    assert required_text(expanded(pattern)) == text


LINES = [
    "",
    "loss=1",
    "a loss=",
    "loss=loss=\rloss=2",
    "lo\x1b[0mss=3",
    "no",
    "\r",
    "acc=1",
    "loss",
    "xacc=",
    "",
    "end",
]


@pytest.mark.parametrize("patterns", [["loss="], ["loss=", "acc="], ["loss=(?P<x>2)"], ["loss|end"], ["none of it"]])
def test_parts_are_the_lines_and_none_that_matches_is_passed_over(patterns: list[str]) -> None:
    lines = "".join(f"{line}\n" for line in LINES).encode()
    parts = list(RequiredTexts(patterns).parts(lines))
    assert b"".join(part for part, _ in parts) == lines
    passed_over = b"".join(part for part, may_match in parts if not may_match).decode()
    assert not any(re.search(pattern, passed_over) for pattern in patterns)
    assert "\x1b" not in passed_over  # the text may be broken by a colour
    assert all(part.count(b"\n") == 1 for part, may_match in parts if may_match)
    assert all(part.endswith(b"\n") for part, _ in parts)
