"""The law over rate-weighted tokens: hand-worked values, its limits, and its slopes."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftplan.laws.annealed import HistoryPoints, log_metric, log_metric_and_slopes


def points(rate_tokens: list[float], fall: list[float]) -> HistoryPoints:
    return HistoryPoints(np.array(rate_tokens), np.array(rate_tokens), np.array(fall), np.zeros((len(fall), 0)))


def theta(y0: float, floor: float, s0: float, beta: float, drop: float) -> np.ndarray:
    return np.array([[np.log(y0), np.log(floor / (y0 - floor)), np.log(s0), np.log(beta), np.log(drop), -1.0]])


def test_half_of_what_can_be_gained_is_gained_at_its_scale() -> None:
    got = np.exp(log_metric(theta(6.0, 4.0, 1e5, 0.7, 0.2), points([0.0, 1e5, 1e5, 1e30], [0.0, 0.0, 1.0, 0.0])))
    # at S0: h = 1/2, so 6 - 2/2; and all of the rate gone gives 0.2 of that more
    np.testing.assert_allclose(got[0], [6.0, 5.0, 4.8, 4.0], rtol=1e-6)


@settings(max_examples=40, deadline=None)
@given(
    st.floats(0.5, 20),
    st.floats(0.05, 0.95),
    st.floats(3, 16),
    st.floats(0.2, 2),
    st.floats(0.01, 0.5),
    st.floats(-1, 1),
)
def test_slopes_are_those_of_finite_differences(
    y0: float, share: float, scale: float, beta: float, drop: float, weight: float
) -> None:
    at = np.append(theta(y0, share * y0, np.exp(scale), beta, drop)[0], weight)[None]
    where = HistoryPoints(
        np.array([1e3, 4e4, 2e6, 3e6]),
        np.array([1e3, 3e4, 8e5, 2e6]),
        np.array([0.0, 0.3, 1.0, 0.9]),
        np.array([[0.0], [0.7], [-0.7], [1.0]]),
    )
    value, slopes = log_metric_and_slopes(at, where)
    np.testing.assert_allclose(value, log_metric(at, where))
    for k in range(7):
        step = np.zeros_like(at)
        step[0, k] = 1e-6
        by = (log_metric(at + step, where) - log_metric(at - step, where)) / 2e-6
        np.testing.assert_allclose(slopes[..., k], by, rtol=1e-4, atol=1e-7)


def test_a_rate_that_falls_never_hurts_and_more_tokens_never_do() -> None:
    s = np.geomspace(1e2, 1e8, 50)
    high, low = (log_metric(theta(5.0, 3.0, 1e5, 0.6, 0.3), points([*s], [fall] * 50))[0] for fall in (0.0, 1.0))
    assert (low <= high).all()
    assert (np.diff(low) < 0.0).all()
    assert (np.diff(high) < 0.0).all()
    assert low[0] == pytest.approx(high[0], abs=1e-2)
