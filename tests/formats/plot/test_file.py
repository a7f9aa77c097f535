"""What `--plot` writes."""

from __future__ import annotations

import csv
import io
import sys

import pytest

from ftplan.errors import InputError
from ftplan.formats.plot import Axis, Plot, Series
from ftplan.formats.plot.file import check_file, render

PLOT = Plot(
    Axis("budget", "FLOPs", log=True),
    Axis("loss", "nats"),
    (
        Series("expected", (1e10, 1e11), (4.8, 4.6), low=(4.7, 4.5), high=(4.9, 4.75)),
        Series("<law> & more", (1e10, 1e12), (5.0, 4.0), "line"),
    ),
)
PANELS = [("Series s", PLOT), ("Series m", PLOT), ("", PLOT), ("four", PLOT)]


def test_numbers_are_in_full() -> None:
    rows = list(csv.DictReader(io.StringIO(render(PANELS[:1], ".csv").decode())))
    assert len(rows) == 4
    assert rows[0] == {
        "panel": "Series s", "name": "expected", "drawn": "points", "x_axis": "budget, FLOPs", "x": "10000000000.0",
        "y_axis": "loss, nats", "y": "4.8", "low": "4.7", "high": "4.9",
    }  # fmt: skip
    assert (rows[3]["drawn"], rows[3]["y"], rows[3]["low"]) == ("line", "4.0", "")


def test_suffixes() -> None:
    check_file(".CSV")
    with pytest.raises(InputError, match=r"no picture is called '\.pdf'"):
        check_file(".pdf")
    with pytest.raises(InputError, match="no suffix"):
        check_file("")


def test_without_matplotlib_one_line_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(InputError, match="--plot needs matplotlib, which is not installed") as caught:
        check_file(".png")
    assert caught.value.hint == "pip install matplotlib"
    check_file(".csv")


def test_pictures_are_the_same_each_time() -> None:
    pytest.importorskip("matplotlib")
    png, svg = (render(PANELS[:1], kind) for kind in (".png", ".SVG"))
    assert png.startswith(b"\x89PNG")
    assert (png, svg) == (render(PANELS[:1], ".png"), render(PANELS[:1], ".svg"))
    text = svg.decode()
    for wanted in ("Series s", "&lt;law&gt; &amp; more", "budget, FLOPs", "loss, nats", "1e11"):
        assert wanted in text
    assert len(render(PANELS, ".svg")) > len(svg)
