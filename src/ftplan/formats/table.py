"""The terminal: headings, wrapped sentences and aligned tables, readable at 80 columns and without colour."""

from __future__ import annotations

import io
import textwrap

from rich.cells import cell_len
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from ftplan.formats import View
from ftplan.formats.documents import Block, Bullets, Column, Document, Grid, Heading, Prose
from ftplan.formats.heatmap import HeatMap
from ftplan.formats.heatmap import terminal as heatmap
from ftplan.formats.plot import Plot
from ftplan.formats.plot.terminal import draw

#: longer lines are hard to read; tables may use the whole width
_PROSE_WIDTH = 100
#: words up to this long are not broken to make a table fit
_LONGEST_WORD = 24
_INDENT = 2
_GAP = 2
#: basic colours and weights only, so that dark and light themes both work
_TONES = {"strong": "bold", "quiet": "dim", "": ""}


def render(document: Document, view: View) -> str:
    """The document's screen at `view.width` columns. Every string is text, never Rich markup."""
    parts = []
    for i, block in enumerate(document.screen):
        # one empty line between blocks, none between a heading and what it heads
        if i and not isinstance(document.screen[i - 1], Heading):
            parts.append("\n")
        parts.append(_block(block, view))
    return "".join(line.rstrip() + "\n" for line in "".join(parts).splitlines())


def _width(block: Block, view: View) -> int:
    """Columns that a block may take."""
    if isinstance(block, Grid):
        return max(view.width, _least_width(block))
    return view.width if isinstance(block, HeatMap | Plot) else min(view.width, _PROSE_WIDTH)


def _picture(block: Plot | HeatMap, width: int, view: View) -> list[Text]:
    return draw(block, width, unicode=view.unicode) if isinstance(block, Plot) else heatmap.draw(block, width)


def _block(block: Block, view: View) -> str:
    # Rich crops what does not fit; a line that the terminal wraps loses nothing
    width = _width(block, view)
    out = io.StringIO()
    console = Console(
        file=out,
        width=width,
        height=100,  # with both given, Rich asks neither COLUMNS nor the terminal
        force_terminal=view.color,
        color_system="standard" if view.color else None,
        markup=False,
        highlight=False,
        emoji=False,
        legacy_windows=False,
    )
    match block:
        case Heading(text):
            console.print(Text(text, style="bold cyan"))
        case Prose(text, tone):
            console.print(Text(text, style=_TONES[tone]))
        case Bullets(items):
            for item in items:
                hanging = Table.grid(padding=(0, 1))
                hanging.add_row("  -", Text(item, overflow="fold"))
                console.print(hanging)
        case Plot() | HeatMap():
            # no_wrap: a picture on a terminal narrower than it can be is cut off, not folded into a heap
            for line in _picture(block, width - _INDENT, view):
                console.print(Padding(line, (0, 0, 0, _INDENT)), no_wrap=True)
        case Grid():
            console.print(Padding(_grid(block, view.width), (0, 0, 0, _INDENT)))
    return out.getvalue()


def _grid(grid: Grid, width: int) -> Table:
    narrow = _natural_width(grid) > width
    table = Table(box=None, padding=(0, _GAP, 0, 0), pad_edge=False, header_style="dim", show_header=grid.headed)
    for i, column in enumerate(grid.columns):
        # Rich would end a long value with an ellipsis; folding keeps every character
        table.add_column(
            Text(_broken(grid, i) if narrow else column.name),
            justify="right" if column.right else "left",
            overflow="fold",
            no_wrap=not column.wraps,
            vertical="top",
        )
    for row in grid.rows:
        table.add_row(*(_cell(text, column) for text, column in zip(row, grid.columns, strict=True)))
    return table


def _cell(text: str, column: Column) -> Text:
    return Text(text, style="dim" if column.quiet else "")


def _natural_width(grid: Grid) -> int:
    """What a grid takes with every cell on one line, in columns of the terminal."""
    return _INDENT + sum(_GAP + _widest([grid.columns[i].name, *_cells(grid, i)]) for i in range(len(grid.columns)))


def _least_width(grid: Grid) -> int:
    """The fewest columns of the terminal in which nothing is cut: headers broken, text wrapped at its words."""
    least = _INDENT
    for i, column in enumerate(grid.columns):
        lines = _broken(grid, i).splitlines()
        if column.wraps:
            words = [word for text in (column.name, *_cells(grid, i)) for word in text.split()]
            least += _GAP + min(_widest(words), _LONGEST_WORD)
        else:
            least += _GAP + _widest([*lines, *_cells(grid, i)])
    return least


def _broken(grid: Grid, column: int) -> str:
    """A header on as many lines as keep it from being wider than its cells; words stay whole."""
    name = grid.columns[column].name
    room = max(_widest(_cells(grid, column)), _widest(name.split()), 1)
    return "\n".join(textwrap.wrap(name, room, break_long_words=False))


def _cells(grid: Grid, column: int) -> list[str]:
    return [row[column] for row in grid.rows]


def _widest(texts: list[str]) -> int:
    return max(map(cell_len, texts), default=0)
