"""Maps in characters: the cells, the axis below them, and what happens where there is little room."""

from __future__ import annotations

import pytest

from ftplan.formats import View, render
from ftplan.formats.documents import Document
from ftplan.formats.heatmap import HeatMap
from ftplan.formats.heatmap.terminal import draw

MAP = HeatMap(
    x="training / selection",
    rows=(("8.00e17 FLOPs", "RrpPPPPPPPP=="), ("8.00e15 FLOPs", ".RRRRRRRRpPPP")),
    ticks=((0, "0.1"), (6, "10"), (12, "1000")),
    legend=(("R", "random"), ("P", "perplexity"), ("r/p", "doubtful"), (".", "nothing"), ("=", "all")),
    marks=(3, 7),
    marked="measured",
)


def lines(width: int) -> list[str]:
    return [line.plain for line in draw(MAP, width)]


def test_a_map_in_letters() -> None:
    assert lines(30) == [
        "8.00e17 FLOPs RrpPPPPPPPP==",
        "8.00e15 FLOPs .RRRRRRRRpPPP",
        "                 ^   ^",
        "              0.1   10    1000",
        "              training / selection",
        "R random, P perplexity, r/p",
        "doubtful, . nothing, = all, ^",
        "measured",
    ]


def test_wide_screens_get_wide_cells() -> None:
    first, _, marks, ticks, *_ = lines(80)
    assert first == "8.00e17 FLOPs RRrrppPPPPPPPPPPPPPPPP===="
    assert marks.index("^") == ticks.index("0.1") + 6


@pytest.mark.parametrize("width", [20, 22, 26, 30, 60, 140])
def test_cells_fit_and_ticks_stay_below_their_column(width: int) -> None:
    drawn = lines(width)
    assert all(len(line) <= max(width, 22) for line in drawn[:2])
    assert drawn[3].index("0.1") == 14


def test_ticks_do_not_run_into_each_other() -> None:
    crowded = HeatMap("x", (("a", "AB"),), ((0, "0.1"), (1, "10")), (("A", "a"), ("B", "b")))
    assert draw(crowded, 10)[1].plain == "  0.1"


def test_colour_only_helps() -> None:
    document = Document({}, (), (), (MAP,))
    plain, coloured = (render(document, "table", View(60, color)) for color in (False, True))
    assert "\x1b" not in plain
    assert "\x1b" in coloured
    assert "RRrrppPPPP" in plain
    styles: dict[str, set[str]] = {}
    for line in draw(MAP, 30)[:2]:
        for span in line.spans:
            styles.setdefault(line.plain[span.start], set()).add(str(span.style))
    # a doubtful cell has the colour of its capital, and what is no method has none
    assert styles["r"] == styles["R"] != styles["P"] == styles["p"]
    assert set(styles) == set("rRpP")


def test_markdown_keeps_the_columns() -> None:
    text = render(Document({}, (), (), (MAP,)), "markdown")
    assert text.startswith("```text\n8.00e17 FLOPs ")
    assert text.rstrip().endswith("```")
