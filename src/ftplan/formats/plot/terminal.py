"""A plot in characters: every series has a mark of its own, so that it reads without colour and without Unicode."""

from __future__ import annotations

import math
from itertools import cycle, pairwise

from rich.cells import cell_len
from rich.text import Text

from ftplan.formats.plot import Plot, Series
from ftplan.formats.plot.ticks import Scale, scale_of

#: marks of points, letters of lines, in the order of the series
_POINTS = {True: "●○▲△■□◆◇", False: "ox+#@%&="}
_LINES = "abcdefghijklmnopqrstuvwxyz"
#: how the frame looks, and an interval and a line without Braille
_FRAME = {True: tuple("│┤─┬└"), False: tuple("|+-++")}
_BAR, _DOT = "|", "."
#: colours that dark and light themes both show; the marks alone say as much
_COLOURS = ("cyan", "magenta", "yellow", "green", "blue", "red")
#: columns from one letter of a line to the next, and the widest that a plot gets
_LETTER_EVERY, _WIDEST = 16, 110
#: Braille: 2 x 4 dots a character, this bit each, by column and by row
_BITS = ((0x01, 0x02, 0x04, 0x40), (0x08, 0x10, 0x20, 0x80))


class _Canvas:
    """Characters of the area between the axes; (0, 0) is the upper left. Dots lie below marks."""

    def __init__(self, columns: int, rows: int, unicode: bool) -> None:
        self.columns, self.rows, self.unicode = columns, rows, unicode
        self.dots: dict[tuple[int, int], tuple[int, str]] = {}
        self.marks: dict[tuple[int, int], tuple[str, str]] = {}

    def dot(self, u: float, v: float, colour: str) -> None:
        """A point of a line; u, v: 0 to 1 from the lower left."""
        if not (0.0 <= u <= 1.0 and 0.0 <= v <= 1.0):
            return
        column, row = round(u * (2 * self.columns - 1)), round((1.0 - v) * (4 * self.rows - 1))
        at = (column // 2, row // 4)
        self.dots[at] = (self.dots.get(at, (0, ""))[0] | _BITS[column % 2][row % 4], colour)

    def cell(self, u: float, v: float) -> tuple[int, int]:
        return round(u * (2 * self.columns - 1)) // 2, round((1.0 - v) * (4 * self.rows - 1)) // 4

    def line(self, row: int) -> Text:
        text = Text()
        for column in range(self.columns):
            mark, colour = self.marks.get((column, row), ("", ""))
            if not mark:
                bits, colour = self.dots.get((column, row), (0, ""))
                mark = " " if not bits else chr(0x2800 + bits) if self.unicode else _DOT
            text.append(mark, style=colour)
        return text


def draw(plot: Plot, width: int, *, unicode: bool = True) -> list[Text]:
    """The plot as lines of at most `width` columns: title of y, area with both axes, title of x, legend."""
    width = min(width, _WIDEST)
    x, y = _scales(plot, width)
    margin = max([cell_len(label) for _, label in y.ticks], default=0)
    canvas = _Canvas(max(width - margin - 2, 8), plot.rows, unicode)
    marks = _marks(plot, unicode)
    # points before lines, so that no letter hides one; the first series last, so that it lies on top
    for i in sorted(range(len(plot.series)), key=lambda i: (plot.series[i].drawn == "line", -i)):
        _add(canvas, plot.series[i], marks[i], x, y, i)
    side, tick, floor, foot, corner = _FRAME[unicode]
    labels = {canvas.cell(0.0, y.place(value))[1]: label for value, label in y.ticks}
    lines = [Text(plot.y.title, style="dim")]
    for row in range(plot.rows):
        label = labels.get(row, "")
        lines.append(Text.assemble((f"{label:>{margin}} {tick if label else side}", "dim"), canvas.line(row)))
    below, named = _foot(canvas, x, floor, foot)
    lines.append(Text(f"{'':{margin}} {corner}{below}", style="dim"))
    lines.append(Text(f"{'':{margin}}  {named}", style="dim"))
    lines.append(Text(plot.x.title.rjust(margin + 2 + canvas.columns), style="dim"))
    return [*lines, *_legend(plot, marks, width)]


def _scales(plot: Plot, width: int) -> tuple[Scale, Scale]:
    xs = [v for s in plot.series for v in s.x]
    ys = [v for s in plot.series for v in (*s.y, *s.low, *s.high)]
    return scale_of(plot.x, xs, max(width // 12, 2)), scale_of(plot.y, ys, max(plot.rows // 2, 2))


def _marks(plot: Plot, unicode: bool) -> list[tuple[str, str]]:
    """(mark, colour) of every series."""
    points, letters, colours = cycle(_POINTS[unicode]), cycle(_LINES), cycle(_COLOURS)
    return [(next(letters if s.drawn == "line" else points), next(colours)) for s in plot.series]


def _add(canvas: _Canvas, series: Series, mark: tuple[str, str], x: Scale, y: Scale, order: int) -> None:
    for a, low, high in zip(series.x, series.low, series.high, strict=bool(series.low)):
        _bar(canvas, x.place(a), y.place(low), y.place(high), mark[1])
    at = [(x.place(a), y.place(b)) for a, b in zip(series.x, series.y, strict=True)]
    if series.drawn == "points":
        for u, v in at:
            if math.isfinite(u) and math.isfinite(v):
                canvas.marks[canvas.cell(u, v)] = mark
    else:
        _line(canvas, at, mark, order)


def _bar(canvas: _Canvas, u: float, low: float, high: float, colour: str) -> None:
    """An interval: as fine as Braille is, or a column of bars."""
    if not all(map(math.isfinite, (u, low, high))):
        return
    if canvas.unicode:
        for k in range(8 * canvas.rows + 1):
            canvas.dot(u, low + (high - low) * k / (8 * canvas.rows), colour)
        return
    column, top = canvas.cell(u, high)
    for row in range(top, canvas.cell(u, low)[1] + 1):
        canvas.marks.setdefault((column, row), (_BAR, colour))


def _line(canvas: _Canvas, at: list[tuple[float, float]], mark: tuple[str, str], order: int) -> None:
    """Dots between the points, and a letter every few columns: those of each line in columns of its own."""
    lettered: set[int] = set()
    for (u, v), (u2, v2) in pairwise(at):
        if not all(map(math.isfinite, (u, v, u2, v2))):
            continue
        steps = 2 * math.ceil(max(abs(u2 - u) * 2 * canvas.columns, abs(v2 - v) * 4 * canvas.rows, 0.5))
        for k in range(steps + 1):
            here = (u + (u2 - u) * k / steps, v + (v2 - v) * k / steps)
            canvas.dot(*here, mark[1])
            column, row = canvas.cell(*here)
            if column % _LETTER_EVERY == (3 + 5 * order) % _LETTER_EVERY and column not in lettered:
                lettered.add(column)
                canvas.marks.setdefault((column, row), mark)


def _foot(canvas: _Canvas, x: Scale, floor: str, foot: str) -> tuple[str, str]:
    """The lower axis and the numbers below it: each under its tick, none into another."""
    axis, named = [floor] * canvas.columns, " " * canvas.columns
    free = 0
    for value, label in x.ticks:
        column = canvas.cell(x.place(value), 0.0)[0]
        start = min(max(column - len(label) // 2, 0), canvas.columns - len(label))
        if start >= free:
            axis[column] = foot
            named = named[:start] + label + named[start + len(label) :]
            free = start + len(label) + 2
    return "".join(axis), named


def _legend(plot: Plot, marks: list[tuple[str, str]], width: int) -> list[Text]:
    lines = [Text()]
    for series, (mark, colour) in zip(plot.series, marks, strict=True):
        entry = Text(mark, style=colour) + Text(f" {series.name}")
        if lines[-1].plain and lines[-1].cell_len + entry.cell_len + 3 > width:
            lines.append(Text())
        lines[-1] += (Text("   ") if lines[-1].plain else Text()) + entry
    return lines
