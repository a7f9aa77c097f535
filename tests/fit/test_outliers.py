"""Runs that do not go with the others."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftplan.fit.outliers import outliers
from ftplan.runs import Metric, RunTable, from_rows

SIZES = (500, 1000, 2000, 4000, 8000, 16000, 32000, 3000, 6000)


def table(seed: int = 0, noise: float = 0.004, sign: float = 1.0, **changes: dict[int, float]) -> RunTable:
    """A power law with noise; changes: column -> row -> value."""
    rng = np.random.default_rng(seed)
    rows: list[dict[str, Any]] = []
    for i, N in enumerate(SIZES):
        L = (200.0, 400.0)[i % 2]
        loss = 1.0 + 12.0 * (N * L) ** -0.25 + noise * rng.standard_normal()
        value = loss if sign > 0 else 100.0 * (1.6 - loss)
        row = {"examples": float(N), "avg_tokens": L, "tokens": N * L, "epochs": 1.0, "score": value}
        rows.append({**row, **{name: own[i] for name, own in changes.items() if i in own}})
    return from_rows(rows, Metric("score", "min" if sign > 0 else "max"))


@settings(deadline=None)
@given(seed=st.integers(0, 10**6), sign=st.sampled_from([1.0, -1.0]))
def test_a_table_without_a_wrong_run_has_none_left_out(seed: int, sign: float) -> None:
    assert not any(o.gross for o in outliers(table(seed, sign=sign)))


@settings(deadline=None)
@given(seed=st.integers(0, 10**4), row=st.integers(0, 8), factor=st.sampled_from([10.0, 0.1, 100.0]))
def test_a_slipped_decimal_point_is_found_in_any_run(seed: int, row: int, factor: float) -> None:
    true = float(table(seed).value[row])
    (found,) = outliers(table(seed, score={row: true * factor}))
    assert (found.row, found.gross) == (row, True)
    assert found.meant == pytest.approx(true)


@pytest.mark.parametrize("row", range(9))
def test_a_run_that_diverged(row: int) -> None:
    far = outliers(table(score={row: 4.9}))
    least = row == 0  # a law that bends may be that steep at the least data
    assert [(o.row, o.gross) for o in far] == ([] if least else [(row, True)])


def test_one_that_is_only_a_little_off_is_named_and_kept() -> None:
    (found,) = outliers(table(score={4: float(table().value[4]) + 0.12}))
    assert (found.row, found.gross, found.meant) == (4, False, None)


def test_a_size_mistyped_is_named() -> None:
    (found,) = outliers(table(examples={3: 40000.0}, tokens={3: 40000.0 * 400.0}))
    assert (found.row, found.gross) == (3, False)


def test_steep_laws_have_no_outliers() -> None:
    """The smallest run may be far worse than any line says, and the largest far better."""
    rows = [{"examples": 10.0**k, "score": 0.5 + 10.0 ** (2 - k), "epochs": 1.0} for k in range(1, 9)]
    assert outliers(from_rows(rows, Metric("score", "min"))) == ()


@pytest.mark.parametrize("count", [1, 2, 3])
def test_few_runs_tell_nothing(count: int) -> None:
    assert outliers(table().subset(np.arange(count))) == ()
