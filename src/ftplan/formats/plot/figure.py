"""Plots as a PNG or SVG file, with the optional extra ftplan[plot]: the pictures that a terminal shows, one a panel."""

from __future__ import annotations

import importlib
import io
from collections.abc import Sequence
from itertools import cycle
from types import ModuleType
from typing import Any

from ftplan.errors import InputError
from ftplan.formats.plot import Axis, Plot
from ftplan.formats.plot.ticks import Scale, scale_of

_MARKERS, _LINES = "os^Dv<>p", ("-", "--", "-.", ":")
#: inches of one panel; panels side by side
_PANEL, _ACROSS = (7.0, 4.3), 3
_TICKS = 8


def check_matplotlib() -> None:
    """Raises InputError where the extra is not installed."""
    _matplotlib("matplotlib")


def render(panels: Sequence[tuple[str, Plot]], kind: str) -> bytes:
    """(title, plot) pairs as one picture; kind: 'png' or 'svg'. Same plots and same matplotlib, same bytes."""
    across = min(len(panels), _ACROSS)
    down = -(-len(panels) // across)
    # no pyplot: it keeps state and looks for a screen
    figure = _matplotlib("matplotlib.figure").Figure(
        figsize=(across * _PANEL[0], down * _PANEL[1]), layout="constrained", dpi=120
    )
    for place, (title, plot) in enumerate(panels, start=1):
        _panel(figure.add_subplot(down, across, place), title, plot)
    out = io.BytesIO()
    # a date, or identifiers drawn at random, would change the bytes from run to run
    with _matplotlib("matplotlib").rc_context({"svg.hashsalt": "ftplan", "svg.fonttype": "none"}):
        figure.savefig(out, format=kind, metadata={"Date": None} if kind == "svg" else {"Software": None})
    return out.getvalue()


def _matplotlib(name: str) -> ModuleType:
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise InputError("--plot needs matplotlib, which is not installed", hint="pip install matplotlib") from error


def _panel(axes: Any, title: str, plot: Plot) -> None:
    markers, lines = cycle(_MARKERS), cycle(_LINES)
    for order, series in enumerate(plot.series):
        # the first series lies on top, and further points are hollow, as on a terminal
        style: dict[str, Any] = {"linestyle": next(lines), "zorder": 2}
        if series.drawn == "points":
            fill = "none" if order else "full"
            style = {"linestyle": "none", "marker": next(markers), "fillstyle": fill, "zorder": 9 - order}
        drawn = axes.plot(series.x, series.y, label=series.name, **style)[0]
        if series.low:
            axes.vlines(series.x, series.low, series.high, color=drawn.get_color(), linewidth=1.0, zorder=2)
    xs = [v for s in plot.series for v in s.x]
    ys = [v for s in plot.series for v in (*s.y, *s.low, *s.high)]
    _axis(axes, "x", plot.x, scale_of(plot.x, xs, _TICKS))
    _axis(axes, "y", plot.y, scale_of(plot.y, ys, _TICKS))
    axes.set_title(title, fontsize="medium", loc="left")
    axes.grid(visible=True, alpha=0.3)
    axes.legend(fontsize="small", frameon=False)


def _axis(axes: Any, which: str, meant: Axis, scale: Scale) -> None:
    """Ends, ticks and their labels as on a terminal."""
    ends = (10.0**scale.low, 10.0**scale.high) if scale.log else (scale.low, scale.high)
    kind = "log" if scale.log else "linear"
    axes.set(**{f"{which}scale": kind, f"{which}lim": ends, f"{which}label": meant.title})
    axis = getattr(axes, f"{which}axis")
    axis.set_ticks([v for v, _ in scale.ticks], labels=[label for _, label in scale.ticks])
    axis.set_ticks([], minor=True)
