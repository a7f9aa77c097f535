"""Which of a few things is best over two axes, one letter a cell; a table says the numbers.

`HeatMap` is a block of a document's screen, like a table; `terminal` draws it in characters.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class HeatMap:
    """rows: (label, cells) from the top, one character a cell, as many in each row; x: what runs along a row; ticks:
    (column, label) below it, ascending; marks: columns to point at, with `marked` saying why; legend: letter -> what it
    stands for. A small letter is a doubtful case of its capital, and shares its colour.
    """

    x: str
    rows: tuple[tuple[str, str], ...]
    ticks: tuple[tuple[int, str], ...]
    legend: tuple[tuple[str, str], ...]
    marks: tuple[int, ...] = ()
    marked: str = ""
