"""Resampled tables: what is drawn together stays together, and nothing is invented."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftplan.fit import bootstrap
from ftplan.fit.features import Data, prepare
from ftplan.fit.solve import predict, refit, solve
from ftplan.fit.tables import Tables
from ftplan.laws.law import parse
from ftplan.laws.parts import Floats
from ftplan.runs import RunTable

PROPERTY = settings(max_examples=15, deadline=None, derandomize=True)


@pytest.fixture(scope="module")
def fitted(pyfunc_s: Data) -> Floats:
    law = parse("rectified+length")
    out: Floats = predict(pyfunc_s, law, solve(pyfunc_s, law, np.ones(len(pyfunc_s)), "squares"))[0]
    return out


def test_kinds() -> None:
    assert bootstrap.kind("squares") == "wild"
    assert bootstrap.kind("huber") == "case"


@PROPERTY
@given(seed=st.integers(0, 2**31))
def test_wild_draws_are_the_fit_and_its_residuals(seed: int, pyfunc_s: Data, fitted: Floats) -> None:
    draws = bootstrap.wild(pyfunc_s, fitted, 6, bootstrap.signs(pyfunc_s, 400, seed))
    assert draws.shape == (400, 40)
    residual = pyfunc_s.y - fitted
    # twenty cells and six parameters
    np.testing.assert_allclose(np.abs(draws - fitted), 20 / 14 * np.abs(residual)[None].repeat(400, 0))
    # a fair coin: the mean of 400 draws is the fit within five standard errors
    assert (np.abs(draws.mean(axis=0) - fitted) <= 5.0 * 20 / 14 * np.abs(residual) / 20.0 + 1e-12).all()


def test_wild_replicates_share_a_sign(pyfunc_s: Data, fitted: Floats) -> None:
    draws = bootstrap.wild(pyfunc_s, fitted, 6, bootstrap.signs(pyfunc_s, 50, 3))
    turned = np.sign((draws - fitted) * (pyfunc_s.y - fitted))
    cells = []
    for c in range(pyfunc_s.n_cells):
        own = turned[:, pyfunc_s.cell == c]
        assert own.shape == (50, 2)
        assert (own[:, 0] == own[:, 1]).all()
        cells.append(own[:, 0])
    # and cells do not
    assert np.abs(np.corrcoef(np.array(cells)) - np.eye(len(cells))).max() < 0.7


def test_wild_keeps_a_perfect_fit(pyfunc_s: Data) -> None:
    draws = bootstrap.wild(pyfunc_s, pyfunc_s.y, 6, bootstrap.signs(pyfunc_s, 20, 0))
    np.testing.assert_array_equal(draws, np.broadcast_to(pyfunc_s.y, draws.shape))


def test_wild_with_no_freedom_left_is_finite(pyfunc_s: Data, fitted: Floats) -> None:
    assert np.isfinite(bootstrap.wild(pyfunc_s, fitted, 60, bootstrap.signs(pyfunc_s, 5, 0))).all()


@PROPERTY
@given(seed=st.integers(0, 2**31))
def test_case_draws_cells_within_groups(seed: int, pyfunc: RunTable) -> None:
    data = prepare(pyfunc)
    weights = bootstrap.case(data, 50, seed)
    assert weights.shape == (50, 120)
    by_cell = np.stack([weights[:, data.cell == c][:, 0] for c in range(data.n_cells)], axis=1)
    # replicates come or go together
    np.testing.assert_array_equal(by_cell[:, data.cell], weights)
    assert (by_cell.sum(axis=1) == data.n_cells).all()
    assert (by_cell == np.round(by_cell)).all()
    assert (by_cell >= 0.0).all()
    level = np.array([data.rows.level[data.cell == c][0] for c in range(data.n_cells)])
    for group in range(3):
        assert (by_cell[:, level == group].sum(axis=1) == 20).all()


@pytest.mark.parametrize("seed", [0, 9])
def test_the_same_seed_gives_the_same_draws(seed: int, pyfunc_s: Data, fitted: Floats) -> None:
    wild = [bootstrap.wild(pyfunc_s, fitted, 6, bootstrap.signs(pyfunc_s, 20, s)) for s in (seed, seed, seed + 1)]
    case = [bootstrap.case(pyfunc_s, 20, s) for s in (seed, seed, seed + 1)]
    for first, again, other in (wild, case):
        np.testing.assert_array_equal(first, again)
        assert (first != other).any()


@pytest.mark.parametrize("replicated", [True, False])
def test_intervals_are_as_wide_as_the_truth_varies(replicated: bool, pyfunc_s: Data, fitted: Floats) -> None:
    """Spread of wild refits against the spread of fits to fresh tables: a jackknife errs on the wide side, by little.

    Replicates share their noise, as one design point does, or every row is a cell of its own.
    """
    law, rng = parse("rectified+length"), np.random.default_rng(0)
    data = pyfunc_s if replicated else replace(pyfunc_s, cell=np.arange(40))
    starts = solve(data, law, np.ones(40), "squares")
    fresh = fitted + 0.03 * rng.standard_normal((300, data.n_cells))[:, data.cell]
    weights = np.ones((300, 40))

    def spread(values: Floats) -> Floats:
        found = refit(
            Tables.of([data]), law, np.zeros(len(weights), dtype=np.intp), weights, [starts], "squares", values
        )
        out: Floats = predict(data, law, found).std(axis=0)
        return out

    ratios = []
    for k in range(6):
        one = replace(data, y=fresh[k])
        own = predict(one, law, solve(one, law, np.ones(40), "squares"))[0]
        signs = bootstrap.signs(one, 300, k)
        ratios.append(spread(bootstrap.wild(one, own, law.n_params(one.refs), signs)) / spread(fresh))
    assert 0.9 < float(np.mean(ratios)) < 1.4
