"""Round numbers on axes."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from ftplan.formats.plot import Axis
from ftplan.formats.plot.ticks import scale_of

_NUMBERS = st.floats(min_value=-1e12, max_value=1e12, allow_nan=False)
_POSITIVE = st.floats(min_value=1e-9, max_value=1e24)


@pytest.mark.parametrize(
    ("axis", "values", "most", "labels"),
    [
        (Axis("tokens", log=True), [4096.0, 262_144.0], 6, ["5k", "10k", "20k", "50k", "100k", "200k"]),
        (Axis("tokens", log=True), [4096.0, 262_144.0], 4, ["10k", "30k", "100k"]),
        (Axis("tokens", log=True), [1e3, 2e9], 4, ["10k", "1M", "100M"]),
        (Axis("tokens", log=True), [1.1e6, 1.4e6], 5, ["1.1M", "1.2M", "1.3M", "1.4M"]),
        (Axis("budget", "FLOPs", log=True), [4e10, 4e12], 4, ["1e11", "3e11", "1e12", "3e12"]),
        (Axis("budget", "FLOPs"), [1.5e18, 2.5e18], 3, ["1.5e18", "2e18", "2.5e18"]),
        (Axis("loss", "nats"), [3.98, 5.36], 8, ["4.0", "4.2", "4.4", "4.6", "4.8", "5.0", "5.2"]),
        (Axis("score", "%"), [44.9, 47.5], 3, ["45", "46", "47"]),
        (Axis("gain"), [-0.02, 0.01], 4, ["-0.02", "-0.01", "0.00", "0.01"]),
        (Axis("share"), [0.5, 0.5], 4, ["0.0", "0.5", "1.0"]),
    ],
)
def test_labels_are_what_people_write(axis: Axis, values: list[float], most: int, labels: list[str]) -> None:
    assert [label for _, label in scale_of(axis, values, most).ticks] == labels


@given(st.lists(_NUMBERS, min_size=1, max_size=6), st.integers(2, 12))
def test_even_ticks_rise_inside_the_axis(values: list[float], most: int) -> None:
    assume(max(values) == min(values) or max(values) - min(values) > 1e-9 * max(map(abs, values)))
    scale = scale_of(Axis("x"), values, most)
    assert all(0.0 <= scale.place(v) <= 1.0 for v in values)
    assert all(a < b for (a, _), (b, _) in pairwise(scale.ticks))
    assert all(-1e-6 <= scale.place(v) <= 1.0 + 1e-6 for v, _ in scale.ticks)
    assert len(scale.ticks) <= most + 1


@given(st.lists(_POSITIVE, min_size=1, max_size=6), st.integers(2, 12))
def test_ticks_of_a_log_axis_too(values: list[float], most: int) -> None:
    assume(max(values) == min(values) or max(values) / min(values) > 1.0 + 1e-9)
    scale = scale_of(Axis("x", log=True), values, most)
    assert all(0.0 <= scale.place(v) <= 1.0 for v in values)
    assert all(a < b for (a, _), (b, _) in pairwise(scale.ticks))
    assert len(scale.ticks) <= max(most + 1, 3)


def test_what_has_no_place() -> None:
    scale = scale_of(Axis("x", log=True), [math.nan, 0.0, -1.0, 10.0, 1000.0, math.inf], 4)
    assert scale.place(100.0) == pytest.approx(0.5)
    assert all(math.isnan(scale.place(v)) for v in (0.0, -1.0, math.nan, math.inf))
    assert scale_of(Axis("x"), [], 4).ticks
