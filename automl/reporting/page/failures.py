"""What went wrong, by kind, with the messages of the trainings."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from automl.reporting.figures.facts import Facts
from automl.reporting.page.markup import Markup, tag
from automl.search.history import MEANINGS, Failure
from automl.text.formatting import counted

_MOST_MESSAGES, _MOST_NUMBERS, _MOST_CHARACTERS = 12, 30, 600


def failures(facts: Facts) -> Markup | None:
    """The kinds, the most frequent first; None when nothing failed."""
    if not facts.failures:
        return None
    return tag("div", *(_kind(kind, messages) for kind, messages in facts.failures.items()), class_="failures")


def _count(messages: Mapping[str, Sequence[int]]) -> int:
    return sum(map(len, messages.values()))


def _kind(kind: Failure, messages: Mapping[str, Sequence[int]]) -> Markup:
    ordered = sorted(messages.items(), key=lambda pair: (-len(pair[1]), pair[1][0]))
    rest = len(ordered) - _MOST_MESSAGES
    return tag(
        "article",
        tag(
            "h3",
            tag("span", "\N{MULTIPLICATION SIGN}", class_="cross-text", aria_hidden="true"),
            f" {kind.described()}: {counted(_count(messages), 'experiment')}",
        ),
        tag("p", f"{MEANINGS[kind][:1].upper()}{MEANINGS[kind][1:]}."),
        tag("dl", *(_message(text, numbers) for text, numbers in ordered[:_MOST_MESSAGES])),
        tag("p", f"and {counted(rest, 'other message')}; all are in controller.json") if rest > 0 else None,
    )


def _message(text: str, numbers: Sequence[int]) -> Markup:
    cut = f"{text[:_MOST_CHARACTERS]} … (all of it is in controller.json)"
    shown = ", ".join(map(str, numbers[:_MOST_NUMBERS])) + (" ..." if len(numbers) > _MOST_NUMBERS else "")
    many = "experiments" if len(numbers) > 1 else "experiment"
    count = f" ({len(numbers):,})" if len(numbers) > _MOST_NUMBERS else ""
    return tag(
        "div",
        tag("dt", f"{many} {shown}{count}"),
        tag("dd", tag("code", text if len(text) <= _MOST_CHARACTERS else cut) if text else "no message"),
    )
