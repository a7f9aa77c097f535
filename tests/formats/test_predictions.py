"""Predictions on a screen: rounded, what varies alone, inside 80 columns; files keep every digit."""

from __future__ import annotations

from dataclasses import dataclass

import pytest

from ftplan.formats import View, render
from ftplan.formats.documents.predictions import _rounded, document
from ftplan.runs import Metric


@dataclass(frozen=True)
class Guess:
    value: float = 4.94521
    low: float = 4.9188
    high: float = 4.98199
    extrapolation: float = 1.0


@dataclass(frozen=True)
class Written:
    headers: tuple[str, ...]
    cells: tuple[tuple[str, ...], ...]


HEADERS = ("run", "examples", "avg_tokens", "tokens", "model_params", "epochs", "seed", "eval_loss")
ROWS = (
    ("7278-functions", "7278", "36.01909865347623", "262147", "333120", "1", "", "4.56263"),
    ("1040-functions", "1040", "252.18942307692308", "262277", "333120", "1", "", "4.22695"),
)


def test_a_run_table_fits_a_narrow_screen() -> None:
    document_of = document(Metric("eval_loss", "min", "nats"), Written(HEADERS, ROWS), [Guess(), Guess()], 0.9)
    screen = render(document_of, "table", View(80))
    assert max(map(len, screen.splitlines())) <= 80
    assert "36.02 " in screen
    assert "252.2 " in screen
    assert "4.563 " in screen
    assert "The same in every row: model_params 333120, epochs 1." in screen
    assert document_of.records[0][:8] == ROWS[0], "csv keeps every digit and every column"


def test_one_row_keeps_its_columns() -> None:
    one = document(Metric("eval_loss", "min", "nats"), Written(HEADERS, ROWS[:1]), [Guess()], 0.9)
    screen = render(one, "table", View(200))
    assert "model params" in screen
    assert "The same in every row" not in screen


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("108.06263498920086", "108.1"),
        ("0.00002", "0.00002"),
        ("0.0000234567", "2.346e-05"),
        ("262277.25", "262277"),
        ("4.751", "4.751"),
        ("-3.14159", "-3.142"),
        ("333120", "333120"),
        ("1.2.3456", "1.2.3456"),
        ("lr 0.12345", "lr 0.12345"),
        ("", ""),
    ],
)
def test_cells_are_rounded_where_they_are_numbers(text: str, shown: str) -> None:
    assert _rounded(text) == shown
