"""Crossings of drawn curves, and what the draws say together."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftplan.compare.breakeven import WIDEST, Threshold, falls, rises, threshold

X = np.geomspace(1.0, 100.0, 41)


@given(st.floats(1.01, 99.0), st.floats(0.1, 10.0))
def test_a_straight_line_crosses_where_it_does(at: float, slope: float) -> None:
    lead = slope * (np.log(X) - np.log(at))[None]
    assert rises(X, lead)[0] == pytest.approx(at)
    assert falls(X, -lead)[0] == pytest.approx(at)


def test_ends_of_the_range() -> None:
    one, never = np.ones((1, len(X))), -np.ones((1, len(X)))
    assert rises(X, one)[0] == -np.inf
    assert falls(X, one)[0] == np.inf
    assert rises(X, never)[0] == np.inf
    assert falls(X, never)[0] == np.inf


def test_no_lead_is_none() -> None:
    assert rises(X, np.zeros((1, len(X))))[0] == np.inf


def test_the_first_rise_and_the_fall_after_it_count() -> None:
    lead = np.array([[-1.0, 1.0, -1.0, 1.0, 1.0]])
    x = np.array([1.0, 4.0, 16.0, 64.0, 256.0])
    assert rises(x, lead)[0] == pytest.approx(2.0)
    assert falls(x, lead)[0] == pytest.approx(8.0)


def test_half_way_where_nothing_could_be_bought_before() -> None:
    assert rises(np.array([1.0, 4.0]), np.array([[-np.inf, 1.0]]))[0] == pytest.approx(2.0)


@given(st.integers(0, 2**32 - 1))
def test_the_lead_is_none_at_a_crossing(seed: int) -> None:
    lead = np.random.default_rng(seed).normal(size=(3, len(X)))
    for row, up, down in zip(lead, rises(X, lead), falls(X, lead), strict=True):
        assert up < down
        for crossing in (c for c in (up, down) if np.isfinite(c)):
            assert np.interp(np.log(crossing), np.log(X), row) == pytest.approx(0.0, abs=1e-9)


def test_an_interval_of_draws_inside_the_range() -> None:
    draws = np.exp(np.linspace(np.log(5.0), np.log(20.0), 1001))
    found = threshold(X, 10.0, draws, 0.9)
    assert found.low == pytest.approx(5.0 * 4.0**0.05, rel=1e-3)
    assert found.high == pytest.approx(20.0 / 4.0**0.05, rel=1e-3)
    assert found.told
    assert found.share == 1.0


@pytest.mark.parametrize(
    ("low", "mid", "high", "told"),
    [
        (2.0, 3.0, 4.0, True),
        (-np.inf, 3.0, 4.0, True),
        (-np.inf, -np.inf, 4.0, True),
        (-np.inf, -np.inf, -np.inf, True),
        (np.inf, np.inf, np.inf, True),
        (2.0, 3.0, np.inf, False),
        (-np.inf, 3.0, np.inf, False),
        (2.0, np.inf, np.inf, False),
        (2.0, 5.0, 4.0, False),
    ],
)
def test_what_is_told(low: float, mid: float, high: float, told: bool) -> None:
    found = Threshold(mid, low, high, 1.0, 1000.0, 1.0, 0.9)
    assert found.told is told
    assert found.never is (low == np.inf)
    assert found.always is (high == -np.inf)


def test_two_orders_of_magnitude_say_nothing() -> None:
    assert Threshold(10.0, 2.0, 2.0 * WIDEST, 1.0, 1e4, 1.0, 0.9).told
    assert not Threshold(10.0, 2.0, 2.1 * WIDEST, 1.0, 1e4, 1.0, 0.9).told


def test_a_tenth_of_the_draws_without_a_crossing_opens_the_interval() -> None:
    draws = np.concatenate([np.full(90, 3.0), np.full(10, np.inf)])
    found = threshold(X, 3.0, draws, 0.9)
    assert found.high == np.inf
    assert not found.told
    assert found.share == pytest.approx(0.9)
