"""Plots in characters: where things are drawn, and that they stay inside the screen."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from rich.cells import cell_len

from ftplan.formats import View, render
from ftplan.formats.documents import Document, Heading
from ftplan.formats.plot import Axis, Plot, Series
from ftplan.formats.plot.terminal import draw

GOLDEN = Path(__file__).parent / "golden"
TOKENS = (4096.0, 16_384.0, 65_536.0, 262_144.0)
LINE = tuple(4096.0 * 2.0 ** (i / 4) for i in range(29))
EXAMPLE = Plot(
    Axis("unique tokens", log=True),
    Axis("loss", "nats"),
    (
        Series(
            "runs near 128 tokens each", TOKENS, (4.87, 4.75, 4.51, 4.19), low=(4.8, 4.7, 4.4, 4.1), high=(4.9,) * 4
        ),
        Series("other runs", TOKENS, (4.99, 4.86, 4.75, 4.56)),
        Series("power (= volume)", LINE, tuple(9.0 * t**-0.07 for t in LINE), "line"),
        Series("anchored+drift", LINE, tuple(4.9 - 4e-4 * t**0.6 for t in LINE), "line"),
    ),
)


def plain(plot: Plot, width: int, unicode: bool = True) -> list[str]:
    return [line.plain.rstrip() for line in draw(plot, width, unicode=unicode)]


@pytest.mark.parametrize(
    ("name", "width", "unicode"), [("80.txt", 80, True), ("140.txt", 140, True), ("ascii.txt", 60, False)]
)
def test_the_picture(name: str, width: int, unicode: bool) -> None:
    drawn = "\n".join(plain(EXAMPLE, width, unicode)) + "\n"
    assert drawn == (GOLDEN / name).read_text(encoding="utf-8")
    assert drawn.isascii() != unicode


def test_points_lie_where_they_should() -> None:
    lines = plain(Plot(Axis("x"), Axis("y"), (Series("s", (0.0, 1.0, 2.0), (0.0, 1.0, 2.0)),), rows=5), 40)
    area = [line.split("┤" if "┤" in line else "│", 1)[1] for line in lines[1:6]]
    marks = {(row, line.index("●")) for row, line in enumerate(area) if "●" in line}
    assert [row for row, _ in sorted(marks)] == [0, 2, 4]
    left, middle, right = (column for _, column in sorted(marks, key=lambda at: at[1]))
    assert middle - left == pytest.approx(right - middle, abs=1)
    assert (left, right) == (0, 36) or right > 30
    assert sorted(marks)[0][1] == right, "up is more"


def test_series_are_told_apart_without_colour() -> None:
    points = tuple(Series(f"p{i}", (1.0 + i,), (1.0,)) for i in range(3))
    lines = tuple(Series(f"l{i}", (1.0, 9.0), (float(i), float(i)), "line") for i in range(3))
    text = "\n".join(plain(Plot(Axis("x"), Axis("y"), points + lines), 60))
    for mark, name in zip("●○▲abc", ("p0", "p1", "p2", "l0", "l1", "l2"), strict=True):
        assert f"{mark} {name}" in text
        assert text.count(mark) > 1, "in the picture, and in the legend"


def test_the_first_points_lie_on_top() -> None:
    both = (Series("mine", (1.0,), (1.0,)), Series("other", (1.0,), (1.0,)))
    area = plain(Plot(Axis("x"), Axis("y"), both), 40)[1:17]
    assert "●" in "".join(area)
    assert "○" not in "".join(area)


def test_what_is_not_finite_breaks_a_line() -> None:
    whole = Series("l", (1.0, 2.0, 3.0, 4.0), (1.0, 1.0, 1.0, 1.0), "line")
    broken = Series("l", whole.x, (1.0, math.nan, 1.0, math.nan), "line")
    points = Series("p", (1.0, 4.0, math.inf), (0.0, 2.0, 1.0))
    dots = [
        sum(0x2800 < ord(c) < 0x2900 for c in "".join(plain(Plot(Axis("x"), Axis("y"), (s, points)), 60)))
        for s in (whole, broken)
    ]
    assert dots[0] > 20
    assert dots[1] == 0


_VALUES = st.lists(st.floats(allow_nan=True, allow_infinity=True, width=32), min_size=0, max_size=5)


@example([250581964816384.0, 2.220446049250313e-16], [0.0, 0.0], 20, True, False, "points")
@given(_VALUES, _VALUES, st.integers(20, 150), st.booleans(), st.booleans(), st.sampled_from(["points", "line"]))
def test_any_numbers_make_a_picture_inside_the_screen(
    xs: list[float], ys: list[float], width: int, log: bool, unicode: bool, drawn: str
) -> None:
    count = min(len(xs), len(ys))
    x, y = tuple(xs[:count]), tuple(ys[:count])
    series = Series("s", x, y, "line" if drawn == "line" else "points", low=y, high=tuple(v + 1.0 for v in y))
    lines = draw(Plot(Axis("x", log=log), Axis("y", log=log), (series,)), width, unicode=unicode)
    assert all(cell_len(line.plain) <= width for line in lines)
    assert len({cell_len(line.plain) for line in lines[1:17]}) == 1


def test_a_document_shows_its_plot_everywhere() -> None:
    document = Document({}, (), (), (Heading("Loss"), EXAMPLE))
    table = render(document, "table", View(80))
    assert table.startswith("Loss\n  loss, nats\n")
    assert max(map(cell_len, table.splitlines())) <= 80
    assert render(document, "table", View(80, unicode=False)).isascii()
    assert "\x1b[" in render(document, "table", View(80, color=True))
    markdown = render(document, "markdown")
    assert markdown.startswith("## Loss\n\n```text\nloss, nats\n")
    assert markdown.endswith("```\n")


def test_the_golden_folder_holds_nothing_else() -> None:
    assert {path.name for path in GOLDEN.iterdir()} == {"80.txt", "140.txt", "ascii.txt"}


if __name__ == "__main__":
    GOLDEN.mkdir(exist_ok=True)
    for name, width, unicode in (("80.txt", 80, True), ("140.txt", 140, True), ("ascii.txt", 60, False)):
        (GOLDEN / name).write_text("\n".join(plain(EXAMPLE, width, unicode)) + "\n", encoding="utf-8")
