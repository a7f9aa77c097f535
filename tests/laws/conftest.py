"""Rows and references that every law part is tried on, nothing at a round number so that no mistake cancels."""

from __future__ import annotations

import numpy as np
import pytest

from ftplan.laws.parts import Refs, Rows

N_ROWS = 14


@pytest.fixture(scope="session")
def refs() -> Refs:
    """Two methods beside random, one of them run with several selector sizes, and two groups."""
    return Refs(
        T=2.1e5,
        L=118.0,
        M=3.3e5,
        S={"embed": 1.1e8, "less": 6.7e9},
        methods=("random", "embed", "less"),
        levels=("a", "b"),
        varied_selectors=("less",),
    )


@pytest.fixture(scope="session")
def rows() -> Rows:
    rng = np.random.default_rng(7)
    return Rows(
        t=rng.uniform(-2.5, 2.5, N_ROWS),
        x=rng.uniform(-1.2, 1.2, N_ROWS),
        m=rng.uniform(-1.5, 1.5, N_ROWS),
        s=rng.uniform(-0.7, 0.7, N_ROWS),
        ln_pool=rng.uniform(0.0, 3.0, N_ROWS),
        repeats=rng.integers(0, 6, N_ROWS).astype(np.float64),
        method=np.arange(N_ROWS) % 3,
        level=np.arange(N_ROWS) // 2 % 2,
        anchor=rng.uniform(5.0, 5.3, N_ROWS),
    )
