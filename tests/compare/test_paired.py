"""Differences of paired errors, by hand and against resampling."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftplan.compare.paired import Difference, mean_absolute, root_mean_square
from ftplan.fit.problem import Index
from ftplan.laws.parts import Floats

CELLS = np.array([0, 0, 1, 1, 2, 2], dtype=np.intp)


def test_mean_absolute_by_hand() -> None:
    errors, others = np.array([3.0, -3.0, 1.0, 1.0, -2.0, 2.0]), np.array([1.0, 1.0, -1.0, 1.0, 1.0, 1.0])
    found = mean_absolute(errors, others, CELLS)
    # gaps 2 2 | 0 0 | 1 1: the cells' means are 2, 0 and 1, of standard deviation 1
    assert (found.value, found.cells, found.other) == (1.0, 3, 1.0)
    assert found.se == pytest.approx(1.0 / np.sqrt(3.0))
    assert found.tied, "t = 1.7 on two degrees of freedom"
    assert mean_absolute(others, errors, CELLS).value == -1.0


def test_a_difference_that_is_certain_and_one_that_nobody_minds() -> None:
    base = np.linspace(1.0, 2.0, 20)
    cells = np.arange(20, dtype=np.intp)
    assert not mean_absolute(1.1 * base, base, cells).tied
    assert mean_absolute(1.001 * base, base, cells).tied
    assert not root_mean_square(1.1 * base, base, cells).tied


def test_one_cell_has_no_error_and_ties_with_nothing() -> None:
    found = mean_absolute(np.array([2.0, 2.1]), np.array([1.0, 1.0]), np.zeros(2, dtype=np.intp))
    assert (found.se, found.cells, found.tied) == (None, 1, False)
    assert Difference(0.0, None, 1, 1.0).tied, "but a law is as good as itself"


@pytest.mark.parametrize("of", [mean_absolute, root_mean_square])
def test_against_resampled_cells(of: Callable[[Floats, Floats, Index], Difference]) -> None:
    """Brute force: the spread of the difference over tables whose cells are drawn again."""
    rng = np.random.default_rng(3)
    count = 60
    cells = np.repeat(np.arange(count), 2).astype(np.intp)
    hard = np.repeat(rng.standard_normal(count), 2)
    errors = 0.8 * hard + 0.3 * rng.standard_normal(2 * count)
    others = 0.6 * hard + 0.2 * rng.standard_normal(2 * count)

    def size(e: Floats) -> float:
        return float(np.mean(np.abs(e)) if of is mean_absolute else np.sqrt(np.mean(e**2)))

    drawn = []
    for _ in range(3000):
        pick = rng.integers(0, count, count)
        rows = np.concatenate([2 * pick, 2 * pick + 1])
        drawn.append(size(errors[rows]) - size(others[rows]))
    found = of(errors, others, cells)
    assert found.value == pytest.approx(size(errors) - size(others))
    assert found.se == pytest.approx(np.std(drawn), rel=0.08)


@given(st.lists(st.floats(-10, 10), min_size=6, max_size=6), st.lists(st.floats(-10, 10), min_size=6, max_size=6))
def test_turning_the_pair_round_turns_the_sign(a: list[float], b: list[float]) -> None:
    for of in (mean_absolute, root_mean_square):
        one, two = of(np.array(a), np.array(b), CELLS), of(np.array(b), np.array(a), CELLS)
        assert one.value == pytest.approx(-two.value)
        assert one.se == pytest.approx(two.se)
