"""Chinchilla's 240 runs: CPU seconds of the fit and of its bootstrap, beside the published procedure's."""

from __future__ import annotations

import numpy as np
from chinchilla_rivals import GRID, logs, objective, package, published
from figures import Figure, chinchilla, cpu_seconds
from optimum import fitted

from ftplan.fit import fit_runs
from ftplan.runs import RunTable

REPEATS = 5
DRAWS = 4000


def measure(full: bool) -> list[Figure]:
    runs = chinchilla()
    times = [cpu_seconds(lambda: fitted(runs))[1] for _ in range(REPEATS)]
    ours = float(np.median(times))
    optimum = objective(fitted(runs), logs(runs))
    with_draws = cpu_seconds(lambda: fit_runs(runs, ["additive"], objective="huber", draws=DRAWS))[1]
    refits = with_draws - ours
    return [
        Figure(
            "the fit, cross-validation and all",
            f"{ours:.3f} CPU s (first {times[0]:.3f}), {optimum:.10f}",
            "<= 0.1 CPU s",
            ours <= 0.1,
            f"{_published(runs, full, ours)}; {_package(runs, full, ours)}",
        ),
        Figure(
            f"{DRAWS:,} bootstrap refits", f"{refits:.2f} CPU s", "<= 2 CPU s", refits <= 2.0, _bootstrap(runs, refits)
        ),
    ]


def _published(runs: RunTable, full: bool, ours: float) -> str:
    step = 1 if full else 10
    # in random order, since neighbours on the grid take equally long
    order = np.random.default_rng(0).permutation(len(GRID))[: len(GRID) // step]
    best, spent = cpu_seconds(lambda: published(logs(runs), [GRID[i] for i in order]))
    scaled = "" if full else f" (scaled from {len(order)} starts)"
    reached = objective(best, logs(runs))
    return (
        f"published procedure, {len(GRID):,} starts: {spent * step:.0f} CPU s{scaled}, {reached:.10f}, "
        f"{spent * step / ours:,.0f} times ours"
    )


def _package(runs: RunTable, full: bool, ours: float) -> str:
    points = 5 if full else 3
    try:
        best, spent = cpu_seconds(lambda: package(runs, points))
    except ImportError:
        return "PyPI chinchilla is not installed (pip install chinchilla==0.2.0)"
    return f"PyPI chinchilla, {points}^5 starts: {spent:.0f} CPU s, {best:.10f}, {spent / ours:,.0f} times ours"


def _bootstrap(runs: RunTable, ours: float) -> str:
    """The published optimiser started, for every resample, at the fit of all runs; timed on 40 of them."""
    start, count = fitted(runs), 40
    rng = np.random.default_rng(0)

    def forty() -> None:
        for _ in range(count):
            published(logs(runs.subset(rng.integers(0, len(runs), len(runs)))), [tuple(start)])

    spent = cpu_seconds(forty)[1] * DRAWS / count
    return (
        f"L-BFGS-B, finite differences, from the fit of all runs: {spent:.0f} CPU s (scaled from {count}), "
        f"{spent / ours:,.0f} times ours; the published bootstrap, not in this run: 183 CPU s"
    )
