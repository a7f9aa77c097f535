"""Run tables with a known truth: a design of runs, and what a law says they come to, with noise."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ftplan.fit.features import Data, prepare
from ftplan.fit.problem import Batch
from ftplan.fit.project import project
from ftplan.laws.law import parse
from ftplan.laws.parts import Floats
from ftplan.readers.tables import read_runs
from ftplan.runs import Metric, RunTable, from_rows

LOSS = Metric("loss", "min", "nats")
PYFUNC = Path(__file__).parents[2] / "presets" / "runs" / "pyfunc.csv"

Row = dict[str, Any]
Grid = Callable[..., list[Row]]
Truth = Callable[..., RunTable]


def _grid(tokens: Iterable[float], lengths: Iterable[float] = (100.0,), **columns: Sequence[Any]) -> list[Row]:
    names = list(columns)
    return [
        {"tokens": T, "avg_tokens": L, "examples": T / L, "epochs": 1.0, **dict(zip(names, values, strict=True))}
        for T, L, *values in product(tokens, lengths, *columns.values())
    ]


def _truth(
    law: str,
    rows: Sequence[Row],
    theta: Sequence[float],
    amplitudes: Sequence[float],
    *,
    noise: float = 0.0,
    seed: int = 0,
    metric: Metric = LOSS,
    base: float | None = None,
) -> RunTable:
    before = [] if base is None else [{"examples": 0.0, "tokens": 0.0, metric.name: base}]
    # values that differ, so that no two rows look like one run listed twice
    listed = [*before, *({**row, metric.name: 1.0 + 1e-3 * i} for i, row in enumerate(rows))]
    blank = from_rows(listed, metric, source="runs.csv")
    data = prepare(blank)
    at = parse(law).evaluate(data.rows, np.array([theta]), data.refs)
    value = data.sign * at.predict(np.array([amplitudes]))[0]
    value = value + noise * np.random.default_rng(seed).standard_normal(len(value))
    return replace(blank, value=np.concatenate([blank.value[: len(before)], value]))


@pytest.fixture(scope="session")
def grid() -> Grid:
    """Rows for every combination of tokens, lengths and further columns."""
    return _grid


@pytest.fixture(scope="session")
def truth() -> Truth:
    """A table whose metric is a law's prediction plus noise; theta and amplitudes are as the law orders them."""
    return _truth


@pytest.fixture(scope="session")
def pyfunc() -> RunTable:
    return read_runs(str(PYFUNC))


@pytest.fixture(scope="session")
def pyfunc_s(pyfunc: RunTable) -> Data:
    """The 40 runs of the middle size."""
    return prepare(dict(pyfunc.series())["s"])


@pytest.fixture(scope="session")
def metrics() -> dict[str, Metric]:
    """A loss, and a score in percent."""
    return {"loss": LOSS, "score": Metric("score", "max", "percent")}


@pytest.fixture(scope="session")
def projected() -> Callable[[Batch, Floats], tuple[Floats, Floats]]:
    """The best amplitudes at theta (B, P) and their sums of squares, from the columns of `Law.evaluate` alone."""

    def of(batch: Batch, theta: Floats) -> tuple[Floats, Floats]:
        at = batch.law.evaluate(batch.rows, theta, batch.refs)
        target, columns = batch.y - at.offset, np.broadcast_to(at.columns, (len(batch), *at.columns.shape[1:]))
        weighted = columns * batch.w[:, :, None]
        gram = np.einsum("bnk,bnj->bkj", weighted, columns)
        moment = np.einsum("bnk,bn->bk", weighted, target)
        amplitudes = project(gram, moment, batch.amplitude_low, batch.held)
        residual = target - np.einsum("bnk,bk->bn", columns, amplitudes)
        return amplitudes, np.einsum("bn,bn->b", batch.w * residual, residual)

    return of
