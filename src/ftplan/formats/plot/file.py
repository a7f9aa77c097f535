"""What `--plot FILE` writes, by the suffix: a picture, or the numbers in it."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence

from ftplan.errors import InputError
from ftplan.formats.plot import Plot, Series, figure

_PICTURES = (".png", ".svg")
_HEADER = ("panel", "name", "drawn", "x_axis", "x", "y_axis", "y", "low", "high")


def check_file(suffix: str) -> None:
    """Raises InputError for a suffix that says nothing, and for a picture where matplotlib is not installed."""
    if suffix.lower() in _PICTURES:
        figure.check_matplotlib()
    elif suffix.lower() != ".csv":
        raise InputError(
            f"--plot: no picture is called {suffix!r}" if suffix else "--plot: the file has no suffix to go by",
            hint="FILE.png, FILE.svg, or FILE.csv for the numbers",
        )


def render(panels: Sequence[tuple[str, Plot]], suffix: str) -> bytes:
    """(title, plot) pairs as the content of a file with this suffix, which `check_file` let pass."""
    kind = suffix.lower().lstrip(".")
    return _numbers(panels).encode() if kind == "csv" else figure.render(panels, kind)


def _numbers(panels: Sequence[tuple[str, Plot]]) -> str:
    """One line a point, in full."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_HEADER)
    for title, plot in panels:
        for series in plot.series:
            for x, y, low, high in _points(series):
                writer.writerow((title, series.name, series.drawn, plot.x.title, x, plot.y.title, y, low, high))
    return out.getvalue()


def _points(series: Series) -> list[tuple[float, float, float | str, float | str]]:
    none = ("",) * len(series.x)
    return list(zip(series.x, series.y, series.low or none, series.high or none, strict=True))
