"""Cells to numbers."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftplan.readers.numbers import CellError, check, parse


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_what_python_writes_is_read_exactly(value: float) -> None:
    assert parse(repr(value)) == value


@pytest.mark.parametrize(
    ("text", "value"), [("7B", 7e9), ("350M", 3.5e8), ("12k", 12e3), ("1.5t", 1.5e12), ("7 B", 7e9)]
)
def test_counts(text: str, value: float) -> None:
    assert parse(text, counts=True) == value
    with pytest.raises(CellError):
        parse(text)


@given(st.text(max_size=12))
def test_text_is_a_finite_number_or_a_cell_error(text: str) -> None:
    try:
        said = f"{parse(text, counts=True):f}"
    except CellError as error:
        said = str(error).replace(repr(text), "a cell")
    assert said.startswith("a cell is ") or float(said) < float("inf")


def test_only_a_seed_may_be_negative() -> None:
    assert check("seed", "-1") == -1.0
    with pytest.raises(CellError, match="-1 is negative"):
        check("stderr", "-1")
