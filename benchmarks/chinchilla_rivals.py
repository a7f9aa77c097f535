"""How others fit E + A/N^alpha + B/D^beta to pre-training runs by the Huber loss (delta 1e-3) of log residuals."""

from __future__ import annotations

import os
import tempfile
from dataclasses import dataclass
from itertools import product
from pathlib import Path

import numpy as np
import numpy.typing as npt
from scipy.optimize import minimize

from ftplan.runs import RunTable

Floats = npt.NDArray[np.float64]

DELTA = 1e-3
#: Hoffmann et al. 2022 (arXiv 2203.15556), as in the replication by Besiroglu et al. 2024 (arXiv 2404.10102)
GRID = tuple(
    product(
        np.arange(0.0, 2.5, 0.5), np.arange(0.0, 2.5, 0.5), np.arange(-1.0, 1.5, 0.5), range(0, 30, 5), range(0, 30, 5)
    )
)


def huber(residual: Floats) -> Floats:
    size = np.abs(residual)
    return np.where(size <= DELTA, 0.5 * size**2, DELTA * (size - 0.5 * DELTA))


@dataclass(frozen=True)
class Logs:
    """ln of parameters, tokens and loss, each (n,)."""

    params: Floats
    tokens: Floats
    loss: Floats


def logs(runs: RunTable) -> Logs:
    return Logs(np.log(runs.model_params), np.log(runs.tokens), np.log(runs.value))


def objective(at: Floats, runs: Logs) -> float:
    """Sum of Huber losses at (alpha, beta, e, a, b), e = ln E, a = ln A, b = ln B."""
    alpha, beta, e, a, b = at
    total = np.logaddexp(np.logaddexp(a - alpha * runs.params, b - beta * runs.tokens), e)
    return float(huber(runs.loss - total).sum())


def slope(at: Floats, runs: Logs) -> Floats:
    """Its gradient, which neither rival below uses."""
    alpha, beta, e, a, b = at
    terms = np.stack([np.full(len(runs.loss), e), a - alpha * runs.params, b - beta * runs.tokens])
    total = np.logaddexp.reduce(terms, axis=0)
    part = np.exp(terms - total) * np.clip(runs.loss - total, -DELTA, DELTA)
    return np.array([part[1] @ runs.params, part[2] @ runs.tokens, *(-part.sum(axis=1))])


def published(runs: Logs, starts: list[tuple[float, ...]]) -> Floats:
    """The published replication: L-BFGS-B with finite differences from every start; the best parameters."""
    found = [minimize(objective, start, args=(runs,), method="L-BFGS-B") for start in starts]
    return np.asarray(min(found, key=lambda f: float(f.fun)).x)


def multi_start(runs: Logs, starts: int, rng: np.random.Generator) -> float:
    """The least objective of L-BFGS-B, with exact gradients, from random points of the published grid's box."""
    low, high = np.array([0.0, 0.0, -1.0, 0.0, 0.0]), np.array([2.0, 2.0, 1.0, 25.0, 25.0])
    best = np.inf
    for start in rng.uniform(low, high, size=(starts, 5)):
        # the objective is about 1e-3 and the optimiser's tolerances are absolute: scaled, it does not stop early
        found = minimize(
            lambda p: 1e3 * objective(p, runs),
            start,
            jac=lambda p: 1e3 * slope(p, runs),
            method="L-BFGS-B",
            options={"maxiter": 2000, "ftol": 1e-14, "gtol": 1e-10},
        )
        best = min(best, float(found.fun) / 1e3)
    return best


def package(runs: RunTable, points: int) -> float:
    """The objective that PyPI `chinchilla` 0.2.0 reaches from its README's grid with `points` values a parameter.

    Raises ImportError where it is not installed.
    """
    from chinchilla import Chinchilla

    with tempfile.TemporaryDirectory() as folder:
        lines = [
            f"{6.0 * m * d},{m},{d},{y}" for m, d, y in zip(runs.model_params, runs.tokens, runs.value, strict=True)
        ]
        (Path(folder) / "df.csv").write_text("\n".join(["C,N,D,loss", *lines]), encoding="utf-8")
        fitter = Chinchilla(
            folder,
            param_grid={
                "E": np.linspace(1.0, 2.0, points),
                "a": np.linspace(1.0, 10.0, points),
                "b": np.linspace(1.0, 10.0, points),
                "alpha": np.linspace(0.1, 0.7, points),
                "beta": np.linspace(0.1, 0.7, points),
            },
            loss_fn=lambda y, p: huber(np.log(y) - np.log(p)),
            log_level=40,
        )
        fitter.fit(parallel=(os.cpu_count() or 1) > 1)
        found = [fitter.alpha, fitter.beta, *(np.log(float(v)) for v in (fitter.E, fitter.A, fitter.B))]
    return objective(np.array(found, dtype=np.float64), logs(runs))
