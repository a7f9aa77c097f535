"""A picture of numbers that a table says too: points, lines and intervals on two axes.

`Plot` is a block of a document's screen, like a table; `terminal` draws it in characters, `figure` as PNG or SVG.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Axis:
    """name: what is counted, 'unique tokens'; unit: '' where the name says it all; log needs values above zero."""

    name: str
    unit: str = ""
    log: bool = False

    @property
    def title(self) -> str:
        return f"{self.name}, {self.unit}" if self.unit else self.name


@dataclass(frozen=True)
class Series:
    """One thing of the legend. x, y: as many of each; a point that is not finite is left out and breaks a line.

    low, high: ends of an interval at each x, or () for none.
    """

    name: str
    x: tuple[float, ...]
    y: tuple[float, ...]
    drawn: Literal["points", "line"] = "points"
    low: tuple[float, ...] = ()
    high: tuple[float, ...] = ()


@dataclass(frozen=True)
class Plot:
    """A block of a screen: Document(..., screen=(Heading("Loss"), Plot(Axis("budget", "FLOPs", log=True), ...))).

    rows: lines of the terminal that the area between the axes takes. The numbers belong into the records as well.
    """

    x: Axis
    y: Axis
    series: tuple[Series, ...]
    rows: int = 16
