"""The linear half of a fit, against scipy's bounded least squares."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import lsq_linear

from ftplan.fit.features import Data
from ftplan.fit.problem import Batch
from ftplan.fit.project import project
from ftplan.laws.law import parse
from ftplan.laws.parts import Floats

ROWS = 12
Projected = Callable[[Batch, Floats], tuple[Floats, Floats]]
PROPERTY = settings(max_examples=150, deadline=None, derandomize=True)


def shortfall(columns: Floats, y: Floats, w: Floats, floor_low: float) -> tuple[Floats, float, float]:
    """Amplitudes and sum of squares of `project`, and the sum of squares of scipy: floors, then one amplitude."""
    count = columns.shape[1]
    low = np.append(np.full(count - 1, floor_low), 0.0)
    weighted = columns * w[:, None]
    gram, moment = weighted.T @ columns, weighted.T @ y
    amplitudes = project(gram[None], moment[None], low, np.zeros(count, dtype=bool))[0]
    residual = y - columns @ amplitudes
    root = np.sqrt(w)
    best = lsq_linear(columns * root[:, None], y * root, (low, np.inf), method="bvls", tol=1e-14)
    return amplitudes, float(w @ residual**2), float(2.0 * best.cost)


@PROPERTY
@given(
    seed=st.integers(0, 2**32 - 1),
    count=st.integers(2, 7),
    floor_low=st.sampled_from([0.0, -1.0, -np.inf]),
    mostly_bad=st.floats(-2.0, 2.0),
)
def test_is_the_bounded_optimum(seed: int, count: int, floor_low: float, mostly_bad: float) -> None:
    rng = np.random.default_rng(seed)
    columns = rng.uniform(0.0, 1.0, (ROWS, count))
    y = columns @ (rng.normal(size=count) + mostly_bad) + 0.3 * rng.normal(size=ROWS)
    w = rng.integers(0, 3, ROWS).astype(np.float64)
    w[:count] += 1.0
    amplitudes, squares, best = shortfall(columns, y, w, floor_low)
    assert squares <= best * (1.0 + 1e-7) + 1e-11
    assert (amplitudes[:-1] >= floor_low - 1e-9).all()
    assert amplitudes[-1] >= -1e-9
    residual = y - columns @ amplitudes
    assert squares == pytest.approx(float(w @ residual**2), rel=1e-9, abs=1e-14)


@PROPERTY
@given(seed=st.integers(0, 2**32 - 1), scale=st.sampled_from([1e-6, 1.0, 1e6]))
def test_groups_with_floors_of_their_own(seed: int, scale: float) -> None:
    """Levels of four groups on one curve, as `power+levels` has them, some of which want to go below 0."""
    rng = np.random.default_rng(seed)
    curve = np.sort(rng.uniform(0.1, 3.0, ROWS))[::-1]
    columns = np.concatenate([np.eye(4)[np.arange(ROWS) % 4], curve[:, None]], axis=1)
    y = scale * (columns @ np.append(rng.normal(size=4), rng.normal()) + 0.2 * rng.normal(size=ROWS))
    amplitudes, squares, best = shortfall(columns, y, np.ones(ROWS), 0.0)
    assert squares <= best * (1.0 + 1e-7) + 1e-11 * scale**2
    assert (amplitudes >= -1e-9 * scale).all()


@pytest.mark.parametrize("twist", [0.0, 1e-12, 1e-8, 1e-5])
@pytest.mark.parametrize("floor_low", [0.0, -np.inf])
def test_degenerate_columns(twist: float, floor_low: float) -> None:
    """A curve so flat that it is a second floor: the fit is as good, and nothing overflows."""
    z = np.linspace(-1.0, 1.0, ROWS)
    columns = np.stack([np.ones(ROWS), 1.0 - twist * z], axis=1)
    y = 3.0 + 0.1 * np.sin(7.0 * z)
    amplitudes, squares, best = shortfall(columns, y, np.ones(ROWS), floor_low)
    assert np.isfinite(amplitudes).all()
    # a twist below what double precision sees in the normal equations is taken as none
    alone = float(np.sum((y - y.mean()) ** 2))
    assert best <= alone * (1.0 + 1e-9)
    assert squares <= (best if twist > 1e-7 or twist == 0.0 else alone) * (1.0 + 1e-6)


def test_a_column_without_rows_stays_at_nothing() -> None:
    """A group whose rows all have weight 0 cannot be told; its floor does not disturb the others."""
    columns = np.stack([np.arange(ROWS) < 6, np.arange(ROWS) >= 6, np.linspace(1.0, 0.1, ROWS)], axis=1)
    columns = columns.astype(np.float64)
    y = columns @ np.array([2.0, 5.0, 1.0])
    w = (np.arange(ROWS) < 6).astype(np.float64)
    amplitudes, squares, _ = shortfall(columns, y, w, 0.0)
    np.testing.assert_allclose(amplitudes[[0, 2]], [2.0, 1.0], rtol=1e-6)
    assert np.isfinite(amplitudes).all()
    assert squares < 1e-12


def test_a_batch_is_its_fits_one_by_one(pyfunc_s: Data, projected: Projected) -> None:
    law, rng = parse("rectified+length"), np.random.default_rng(0)
    weights = rng.integers(0, 3, (5, len(pyfunc_s))).astype(np.float64)
    theta = np.column_stack([rng.uniform(0.2, 1.5, 5), rng.uniform(-2.0, 2.0, 5), rng.uniform(-0.3, 0.3, (5, 2))])
    amplitudes, squares = projected(pyfunc_s.batch(law, weights), theta)
    for b in range(5):
        alone, value = projected(pyfunc_s.batch(law, weights[b : b + 1]), theta[b : b + 1])
        np.testing.assert_allclose(amplitudes[b], alone[0], rtol=1e-9)
        np.testing.assert_allclose(squares[b], value[0], rtol=1e-9)


@pytest.mark.parametrize("name", ["power0", "rectified0", "power0+levels"])
def test_held_floors_stay_at_the_bound(pyfunc_s: Data, name: str, projected: Projected) -> None:
    law = parse(name)
    for low in (0.0, -7.0):
        one = replace(pyfunc_s, floor_low=low).batch(law, np.ones((1, len(pyfunc_s))))
        theta = np.array([[p.scan[0] + 0.4 * (p.scan[1] - p.scan[0]) for p in law.nonlinear(pyfunc_s.refs)]])
        amplitudes = projected(one, theta)[0][0]
        assert (amplitudes[:-1] == low).all()
        assert amplitudes[-1] > 0.0
