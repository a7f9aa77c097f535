"""The terminal: headings, wrapped sentences and aligned tables, readable at 80 columns and without colour."""

from __future__ import annotations

import io
import textwrap
from collections.abc import Sequence
from dataclasses import replace
from itertools import takewhile

from rich.cells import cell_len, set_cell_size
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

SUFFIXES = (".txt",)
#: longer lines are hard to read; tables may use the whole width
_PROSE_WIDTH = 100
#: words up to this long are not broken to make a table fit
_LONGEST_WORD = 24
#: no name is shortened to less than this to make a table fit
_SHORTEST_LABEL = 8
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
        parts.append(_block(_shortened(block, view) if isinstance(block, Grid) else block, view))
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


def _shortened(grid: Grid, view: View) -> Grid:
    """The grid with the names in its columns of labels cut in the middle where it would not fit the screen."""
    labels = [i for i, column in enumerate(grid.columns) if column.labels]
    if not labels or _natural_width(grid) <= view.width:
        return grid
    taken = sum(_least_column(grid, i) for i in range(len(grid.columns)) if i not in labels)
    room = view.width - _INDENT - taken - _GAP * (len(grid.columns) - 1)
    widths = {i: _widest(_cells(grid, i)) for i in labels}
    while sum(widths.values()) > room and max(widths.values()) > _SHORTEST_LABEL:
        widths[max(labels, key=lambda i: widths[i])] -= 1
    rows = [list(row) for row in grid.rows]
    for i, width in widths.items():
        for row, text in zip(rows, _cut(_cells(grid, i), width, "…" if view.unicode else "..."), strict=True):
            row[i] = text
    return replace(grid, rows=tuple(map(tuple, rows)))


def _cut(names: Sequence[str], room: int, dots: str) -> list[str]:
    """Names no wider than `room`, those that differ still different; as they are where no cut of all does that.

    The cut goes through what the long names share, as far as it can; the end, which counts most often, stays longer.
    """
    long = [name for name in names if cell_len(name) > room]
    space = max(room - cell_len(dots), 0)
    begin, end = _shared(long), _shared([name[::-1] for name in long])

    def badness(head: int) -> tuple[int, int]:
        cut_off = ((max(head, begin), len(name) - max(space - head, end)) for name in long)
        return sum(max(until - since, 0) for since, until in cut_off), abs(head - space // 3)

    for head in sorted(range(space + 1), key=badness):
        cut = [_ends(name, head, space - head, dots) if name in long else name for name in names]
        if len(set(cut)) == len(set(names)):
            return cut
    return list(names)


def _shared(names: Sequence[str]) -> int:
    """How many characters all names begin with."""
    return sum(1 for _ in takewhile(lambda characters: len(set(characters)) == 1, zip(*names, strict=False)))


def _ends(text: str, head: int, tail: int, dots: str) -> str:
    return set_cell_size(text, head).rstrip() + dots + set_cell_size(text[::-1], tail)[::-1].lstrip()


def _natural_width(grid: Grid) -> int:
    """What a grid takes with every cell on one line, in columns of the terminal."""
    return _INDENT + sum(_GAP + _widest([grid.columns[i].name, *_cells(grid, i)]) for i in range(len(grid.columns)))


def _least_width(grid: Grid) -> int:
    """The fewest columns of the terminal in which nothing is cut: headers broken, text wrapped at its words."""
    return _INDENT + sum(_GAP + _least_column(grid, i) for i in range(len(grid.columns)))


def _least_column(grid: Grid, column: int) -> int:
    name, cells = grid.columns[column].name, _cells(grid, column)
    if grid.columns[column].wraps:
        words = [word for text in (name, *cells) for word in text.split()]
        return min(_widest(words), _LONGEST_WORD)
    return _widest([*_broken(grid, column).splitlines(), *cells])


def _broken(grid: Grid, column: int) -> str:
    """A header on as many lines as keep it from being wider than its cells; words stay whole."""
    name = grid.columns[column].name
    room = max(_widest(_cells(grid, column)), _widest(name.split()), 1)
    return "\n".join(textwrap.wrap(name, room, break_long_words=False))


def _cells(grid: Grid, column: int) -> list[str]:
    return [row[column] for row in grid.rows]


def _widest(texts: list[str]) -> int:
    return max(map(cell_len, texts), default=0)
