"""Noiseless tables: whatever law made them is found again, to all digits that matter."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ftplan.fit.features import prepare
from ftplan.fit.solve import Objective, solve
from ftplan.laws import part_names
from ftplan.laws.law import parse
from ftplan.runs import Metric, RunTable

Grid = Callable[..., list[dict[str, Any]]]
Truth = Callable[..., RunTable]

TOKENS = np.geomspace(2e3, 2e6, 7)
LENGTHS = (32.0, 64.0, 128.0, 256.0, 448.0)
TERMS = {
    "": [],
    "composition": [-0.2],
    "length": [0.3, -0.25],
    "drift": [0.2, -0.25, 0.06],
    "selection": [0.45, -0.2],
    "repetition": [np.log(5.0)],
}


def curve_truth(curve: str) -> list[float]:
    """Parameters a third into the scanned range, so that a new curve is tested without a line here."""
    return [p.scan[0] + 0.37 * (p.scan[1] - p.scan[0]) for p in parse(curve).curve.params]


def rows(term: str, grid: Grid) -> list[dict[str, Any]]:
    """The design that a term needs."""
    if term == "selection":
        made = grid(np.geomspace(2e3, 2e6, 7), method=("random", "embed", "worse"))
        return [{**row, "pool_examples": 4e4} for row in made]
    if term == "repetition":
        return grid(TOKENS, epochs=(1.0, 2.0, 4.0, 8.0, 16.0))
    return grid(TOKENS, LENGTHS if term else (100.0,))


@pytest.mark.parametrize("sign", ["loss", "score"])
@pytest.mark.parametrize("term", TERMS)
@pytest.mark.parametrize("curve", part_names("curves"))
def test_the_truth_is_found(
    curve: str, term: str, sign: str, grid: Grid, truth: Truth, metrics: dict[str, Metric]
) -> None:
    law = parse(f"{curve}+{term}" if term else curve)
    best, lift = (3.0, 2.0) if sign == "loss" else (-80.0, 30.0)
    if law.curve.floor_held:
        best = 0.0 if sign == "loss" else -100.0
    amplitudes = [best] if law.curve.anchored else [best, lift]
    theta = [*curve_truth(curve), *TERMS[term]]
    start = abs(best + lift)
    table = truth(law.name, rows(term, grid), theta, amplitudes, metric=metrics[sign], base=start)
    data = prepare(table)
    found = solve(data, law, np.ones(len(data)), "squares")
    spread = float(np.sum((data.y - data.y.mean()) ** 2))
    assert found.objective[0] <= 1e-16 * spread
    np.testing.assert_allclose(found.theta[0], theta, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(found.amplitudes[0], amplitudes, rtol=1e-4)
    assert found.converged[0]


@pytest.mark.parametrize("objective", ["squares", "huber"])
@pytest.mark.parametrize(("size", "value"), [("added", 0.34), ("factor", 0.3)])
def test_sizes_are_found(size: str, value: float, objective: Objective, grid: Grid, truth: Truth) -> None:
    made = grid(TOKENS, model_params=(5e7, 4e8, 3e9, 2e10))
    law = parse(f"power+{size}")
    amplitudes = [1.8, 0.3, 0.5] if size == "added" else [1.8, 0.5]
    data = prepare(truth(law.name, made, [0.35, value], amplitudes))
    found = solve(data, law, np.ones(len(data)), objective)
    np.testing.assert_allclose(found.theta[0], [0.35, value], rtol=1e-4)
    np.testing.assert_allclose(found.amplitudes[0], amplitudes, rtol=1e-4)


def test_levels_are_found(grid: Grid, truth: Truth) -> None:
    made = grid(TOKENS, LENGTHS, group=("a", "b", "c", "d", "e"))
    law = parse("rectified+length+levels")
    theta, amplitudes = [0.7, -0.2, 0.2, -0.2], [3.0, 2.0, 1.0, 0.5, 2.5, 1.5]
    data = prepare(truth(law.name, made, theta, amplitudes))
    found = solve(data, law, np.ones(len(data)), "squares")
    np.testing.assert_allclose(found.theta[0], theta, rtol=1e-5)
    np.testing.assert_allclose(found.amplitudes[0], amplitudes, rtol=1e-5)


def test_selector_size_is_found(grid: Grid, truth: Truth) -> None:
    made = grid(TOKENS, method=("random",), selector_params=(np.nan,))
    made += grid(TOKENS, method=("less",), selector_params=(1e8, 1e9, 7e9))
    law = parse("saturating+selection")
    theta = [-0.3, 0.4, 0.3]
    data = prepare(truth(law.name, [{**r, "pool_examples": 4e4} for r in made], theta, [3.0, 2.0]))
    assert data.refs.varied_selectors == ("less",)
    assert data.refs.S["less"] == pytest.approx((1e8 * 1e9 * 7e9) ** (1.0 / 3.0))
    found = solve(data, law, np.ones(len(data)), "squares")
    np.testing.assert_allclose(found.theta[0], theta, rtol=1e-4)


@pytest.mark.parametrize("curve", part_names("curves"))
@pytest.mark.parametrize("gain", [-1.5, 0.3])
def test_selectors_of_very_different_sizes(curve: str, gain: float, grid: Grid, truth: Truth) -> None:
    """A method that the larger selectors make much worse: the fit stays within the range of numbers."""
    made = grid(TOKENS, method=("random",), selector_params=(np.nan,))
    made += grid(TOKENS, method=("less",), selector_params=(1e8, 7e9, 4e11))
    table = truth("power", [{**r, "pool_examples": 4e4} for r in made], [0.3], [3.0, 2.0], noise=0.01, base=6.0)
    value = table.value - np.where(table.selector_params > 1e9, gain, 0.0)
    data = prepare(replace(table, value=value))
    law = parse(f"{curve}+selection")
    found = solve(data, law, np.ones(len(data)), "squares")
    assert np.isfinite(found.theta).all()
    assert np.isfinite(found.objective).all()


def test_everything_at_once(grid: Grid, truth: Truth) -> None:
    """Ten parameters."""
    made = grid(TOKENS, (40.0, 110.0, 300.0), method=("random", "embed"), epochs=(1.0, 4.0))
    law = parse("rectified+drift+repetition+selection")
    theta = [0.8, -0.4, 0.2, -0.25, 0.06, np.log(5.0), 0.35]
    data = prepare(truth(law.name, [{**r, "pool_examples": 6e4} for r in made], theta, [3.0, 2.0]))
    found = solve(data, law, np.ones(len(data)), "squares")
    np.testing.assert_allclose(found.theta[0], theta, rtol=1e-3, atol=1e-4)
