"""A heat map in characters: letters carry it, colour only helps."""

from __future__ import annotations

import textwrap
from itertools import cycle

from rich.text import Text

from ftplan.formats.heatmap import HeatMap

#: backgrounds that black letters read well on, in the order of the legend
_COLOURS = ("white", "cyan", "magenta", "yellow", "green", "blue", "red")
#: cells are this wide where there is room, and left out evenly where there is none
_WIDEST_CELL = 2


def draw(heat: HeatMap, width: int) -> list[Text]:
    """The map as lines of at most `width` columns: rows, the axis below with ticks and marks, its title, the legend."""
    label = max((len(name) for name, _ in heat.rows), default=0)
    room = max(width - label - 1, 8)
    count = len(heat.rows[0][1]) if heat.rows else 0
    cell = max(1, min(_WIDEST_CELL, room // max(count, 1)))
    step = -(-count // room)
    capitals = [letter for letter, _ in heat.legend if len(letter) == 1 and letter.isupper()]
    colours = dict(zip(capitals, cycle(_COLOURS), strict=False))

    def place(column: int) -> int:
        return column // step * cell

    lines = []
    for name, cells in heat.rows:
        line = Text(f"{name:>{label}} ")
        for letter in cells[::step]:
            colour = colours.get(letter.upper(), "")
            line.append(letter * cell, style=f"black on {colour}" if colour else "")
        lines.append(line)
    pad = " " * (label + 1)
    if heat.marks:
        lines.append(Text(pad + _at([(place(m), "^") for m in heat.marks])))
    lines.append(Text(pad + _at([(place(column), text) for column, text in heat.ticks])))
    lines.append(Text(pad + heat.x))
    said = [f"{letter} {meaning}" for letter, meaning in heat.legend]
    said += [f"^ {heat.marked}"] if heat.marks and heat.marked else []
    lines += [Text(line) for line in textwrap.wrap(", ".join(said), width)]
    return lines


def _at(texts: list[tuple[int, str]]) -> str:
    """Texts at their columns; one that would run into the one before is left out."""
    out = ""
    for column, text in sorted(texts):
        if not out or column > len(out):
            out = f"{out:<{column}}{text}"
    return out
