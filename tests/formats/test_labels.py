"""Columns of names on a narrow screen: shortened in the middle, told apart, and whole wherever there is room."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from ftplan.formats import View, render
from ftplan.formats.documents import Column, Document, Grid

NAMES = ("base", "llama-3-8b-lora-len110-n1000", "llama-3-8b-lora-len110-n16000", "llama-3-8b-lora-len310-n1000")


def shown(names: tuple[str, ...], width: int, *, unicode: bool = True, form: str = "table") -> list[str]:
    """The lines of a table of these names and a number."""
    grid = Grid(
        (Column("run", wraps=True, labels=True), Column("eval_loss", right=True)),
        tuple((name, f"{i}.2345") for i, name in enumerate(names)),
    )
    return render(Document({}, (), (), (grid,)), form, View(width=width, unicode=unicode)).splitlines()


def test_names_are_whole_where_there_is_room() -> None:
    assert [line.split()[0] for line in shown(NAMES, 80)[1:]] == list(NAMES)
    assert all("…" not in line for line in shown(NAMES, 30, form="markdown"))


@pytest.mark.parametrize(
    ("width", "unicode", "wanted"),
    [
        (35, True, ["base", "llama-3…a-len110-n1000", "llama-3…-len110-n16000", "llama-3…a-len310-n1000"]),
        (35, False, ["base", "llama-...-len110-n1000", "llama-...len110-n16000", "llama-...-len310-n1000"]),
        # what they share goes first
        (25, True, ["base", "l…n110-n1000", "l…110-n16000", "l…n310-n1000"]),
    ],
)
def test_the_middle_goes_and_the_ends_stay(width: int, unicode: bool, wanted: list[str]) -> None:
    lines = shown(NAMES, width, unicode=unicode)
    assert [line.split()[0] for line in lines[1:]] == wanted
    assert [line.split()[1] for line in lines[1:]] == [f"{i}.2345" for i in range(len(NAMES))]


def test_names_that_differ_at_the_beginning_keep_it() -> None:
    names = tuple(f"{first}-of-the-same-long-and-common-end" for first in ("one", "two", "three"))
    assert [line.split()[0] for line in shown(names, 25)[1:]] == ["one-o…on-end", "two-o…on-end", "three…on-end"]


def test_names_that_no_cut_keeps_apart_are_folded() -> None:
    names = tuple(f"a{'x' * 20}{i}{'y' * 20}b" for i in range(9))
    text = "".join(line.split()[0] for line in shown(names, 20)[1:])
    assert text == "".join(names)


@given(st.lists(st.text("abc-漢1", min_size=1, max_size=40), min_size=1, max_size=8, unique=True), st.integers(24, 60))
def test_whatever_the_names_they_stay_apart(names: list[str], width: int) -> None:
    lines = shown(tuple(names), width)
    if len(lines) == 1 + len(names):
        assert len({line.rsplit(maxsplit=1)[0].strip() for line in lines[1:]}) == len(names)
        assert max(map(cell_len, lines)) <= max(width, 37)
