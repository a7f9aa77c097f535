"""Text of files, made safe to show."""

from __future__ import annotations

import json
import unicodedata

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from ftplan.formats import names, render
from ftplan.formats.documents import Bullets, Check, Column, Document, Grid, Heading, Prose
from ftplan.text import LONGEST, acts, one_line, visible

NASTY = "a\x1b]0;title\x07b\nc\r\x9bd\u202ee\u2028f\x7f"


@given(st.text())
def test_no_character_acts_after_it(text: str) -> None:
    for character in visible(text):
        assert unicodedata.category(character) not in ("Cc", "Zl", "Zp", "Cs")
        assert not "\u202a" <= character <= "\u202e"
        assert not "\u2066" <= character <= "\u2069"


@given(st.text(alphabet=st.characters(exclude_categories=("C", "Zl", "Zp"))))
def test_other_text_stays_as_it_is(text: str) -> None:
    assert visible(text) == text


def test_what_is_seen_tells_what_it_was() -> None:
    assert visible(NASTY) == r"a\x1b]0;title\x07b\nc\r\x9bd\u202ee\u2028f\x7f"
    assert visible("naïve 数据 👍🏽") == "naïve 数据 👍🏽"


def test_one_line_is_one_line_and_keeps_both_ends() -> None:
    assert one_line("a\n  b\tc") == "a b c"
    long = one_line(f"row 3: {'9' * 5000} is no number")
    assert len(long) <= LONGEST + 1
    assert long.startswith("row 3: 9")
    assert long.endswith("9 is no number")


@pytest.mark.parametrize("form", names())
def test_no_format_lets_text_of_a_file_act(form: str) -> None:
    document = Document(
        {"schema_version": 1, "kind": "x", "name": NASTY},
        ("name",),
        ((NASTY,),),
        (Heading(NASTY), Prose(NASTY), Bullets((NASTY,)), Grid((Column(NASTY),), ((NASTY,),))),
        (NASTY,),
        (Check(NASTY, False, NASTY),),
    )
    text = render(document, form)
    assert not any(acts(line) for line in text.split("\n"))
    if form == "json":
        assert json.loads(text)["name"] == NASTY
    if form == "yaml":
        assert yaml.safe_load(text)["name"] == NASTY
