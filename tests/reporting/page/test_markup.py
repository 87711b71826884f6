"""Markup is escaped by construction."""

from __future__ import annotations

from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from automl.reporting.page.markup import Markup, escaped, joined, tag


def test_text_becomes_text_and_markup_stays_markup() -> None:
    inner = tag("b", "<i>&\"'")
    assert inner == "<b>&lt;i&gt;&amp;&quot;&#x27;</b>"
    assert tag("p", inner, None, " & ", 7, [inner, "<"]) == f"<p>{inner} &amp; 7{inner}&lt;</p>"


def test_what_is_put_together_by_hand_is_text_again() -> None:
    by_hand = tag("b", "x") + tag("i", "y")
    assert type(by_hand) is str
    assert joined(by_hand) == escaped("<b>x</b><i>y</i>")


def test_attributes_are_escaped_and_named_for_html() -> None:
    assert tag("line", x1=3, stroke_width=1.5, class_='a" onload="x', id=None) == (
        '<line x1="3" stroke-width="1.5" class="a&quot; onload=&quot;x" />'
    )


def test_an_element_that_may_not_close_itself_does_not() -> None:
    assert tag("td") == "<td></td>"


@given(st.text(st.characters(codec=None), max_size=40))
def test_any_text_at_all_makes_well_formed_xml_that_shows_it(text: str) -> None:
    said = tag("p", text, title=text)
    assert isinstance(said, Markup)
    read = ElementTree.fromstring(said)  # noqa: S314 - our own page
    shown = "".join(read.itertext()).replace("\N{REPLACEMENT CHARACTER}", "")
    kept = [each for each in text.replace("\r\n", "\n").replace("\r", "\n") if each.isprintable() or each in "\n\t"]
    assert set(kept) - set(shown) <= {"\N{REPLACEMENT CHARACTER}"}
    assert said.encode().count(b"<") == 2
