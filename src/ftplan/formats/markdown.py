"""Markdown: the screen as headings, paragraphs, tables and lists, for a pull request or a job summary."""

from __future__ import annotations

from ftplan.formats import View
from ftplan.formats.documents import Block, Bullets, Document, Grid, Heading, Prose
from ftplan.formats.heatmap import HeatMap
from ftplan.formats.heatmap import terminal as heatmap
from ftplan.formats.plot import Plot
from ftplan.formats.plot.terminal import draw

SUFFIXES = (".md",)
#: columns of a plot: what a code block of a pull request shows without scrolling
_PLOT_WIDTH = 80
#: characters of user strings that Markdown would read as markup
_SPECIAL = str.maketrans({c: "\\" + c for c in "\\`*_[]<>|#"})


def render(document: Document, view: View) -> str:  # noqa: ARG001
    """The document's screen."""
    return "\n\n".join(_block(block) for block in document.screen) + "\n"


def _block(block: Block) -> str:
    match block:
        case Heading(text):
            return f"## {_escape(text)}"
        case Prose(text, tone):
            return f"**{_escape(text)}**" if tone == "strong" else _escape(text)
        case Bullets(items):
            return "\n".join(f"- {_escape(item)}" for item in items)
        case Grid():
            return _grid(block)
        case Plot():
            drawn = "\n".join(line.plain.rstrip() for line in draw(block, _PLOT_WIDTH))
            return f"```text\n{drawn}\n```"
        case HeatMap():
            mapped = "\n".join(line.plain.rstrip() for line in heatmap.draw(block, _PLOT_WIDTH))
            return f"```text\n{mapped}\n```"


def _grid(grid: Grid) -> str:
    head = "| " + " | ".join(_escape(column.name) for column in grid.columns) + " |"
    rule = "| " + " | ".join("--:" if column.right else ":--" for column in grid.columns) + " |"
    rows = ["| " + " | ".join(_escape(cell) for cell in row) + " |" for row in grid.rows]
    return "\n".join([head, rule, *rows])


def _escape(text: str) -> str:
    return " ".join(text.split()).translate(_SPECIAL)
