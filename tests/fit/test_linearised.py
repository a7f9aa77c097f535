"""Refits of many rows by one step, against refits from each resample."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from ftplan.fit import linearised
from ftplan.fit.features import prepare
from ftplan.fit.predictor import resample
from ftplan.fit.solve import row_weights, solve
from ftplan.fit.tables import Tables
from ftplan.laws.law import parse
from ftplan.runs import RunTable


@pytest.mark.parametrize("name", ["power", "rectified+composition"])
def test_as_wide_as_whole_refits(
    name: str, monkeypatch: pytest.MonkeyPatch, grid: Callable[..., Any], truth: Callable[..., RunTable]
) -> None:
    rows = grid(np.geomspace(1e4, 1e7, 60), (50.0, 100.0, 200.0, 400.0))
    theta = [0.35] if name == "power" else [0.7, -1.0, -0.2]
    data = prepare(truth(name, rows, theta, [1.0, 2.0], noise=0.01))
    law, tables = parse(name), Tables.of([data])
    minima = solve(data, law, row_weights(tables, "squares")[0], "squares")
    whole = resample(tables, law, [minima], "squares", 400, 0)[0]
    monkeypatch.setattr(linearised, "ROWS", 100)
    quick = resample(tables, law, [minima], "squares", 400, 0)[0]
    for a, b in ((whole.theta, quick.theta), (whole.amplitudes, quick.amplitudes)):
        np.testing.assert_allclose(b.std(axis=0), a.std(axis=0), rtol=0.08)
        # draw by draw, and not only on the whole
        assert all(np.corrcoef(x, y)[0, 1] > 0.99 for x, y in zip(a.T, b.T, strict=True))


def test_what_is_at_its_bound_stays_there(grid: Callable[..., Any], truth: Callable[..., RunTable]) -> None:
    data = prepare(truth("power0", grid(np.geomspace(1e4, 1e7, 40)), [0.2], [0.0, 2.0], noise=0.01))
    law, tables = parse("power0"), Tables.of([data])
    weights = row_weights(tables, "squares")[0]
    point = solve(data, law, weights, "squares").take(slice(0, 1))
    signs = np.where(np.random.default_rng(0).uniform(size=(50, data.n_cells)) < 0.5, -1, 1).astype(np.int8)
    found = linearised.refits(data, law, point, weights, signs)
    assert (found.amplitudes[:, 0] == 0.0).all()
    assert found.theta.std() > 0.0
