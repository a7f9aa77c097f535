"""How far beyond the fitted runs a row lies: in data, and in what its epochs and its selection make of the data."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

from ftplan.fit.features import prepare
from ftplan.fit.predictor import Predictor, build
from ftplan.fit.result import Weighted
from ftplan.runs import RunTable

Grid = Callable[..., list[dict[str, Any]]]
Truth = Callable[..., RunTable]

TOKENS = np.geomspace(4e3, 1e6, 7)
R_STAR = 5.0


def factors(model: Predictor, table: RunTable) -> list[float]:
    return [float(v) for v in model.extrapolation(model.features(table), model.volume(table), table.avg_tokens)]


def fitted(table: RunTable, law: str) -> Predictor:
    return build(prepare(table), [Weighted(law, 1.0)], "squares", 20, 0)


def test_epochs_count_against_the_most_that_a_run_had(grid: Grid, truth: Truth) -> None:
    """The largest amount was seen once only, a smaller one four times: the top is whichever is worth more."""
    rows = [r for r in grid(TOKENS, epochs=(1.0, 4.0)) if not (r["tokens"] > 9e5 and r["epochs"] > 1.0)]
    table = truth("power+repetition", rows, [0.3, np.log(R_STAR)], [3.0, 1.0])
    model = fitted(table, "power+repetition")
    # every fitted run is inside, the one with the most effective data on the edge
    assert factors(model, table) == pytest.approx([1.0] * len(table))
    largest = table.subset(table.tokens > 9e5)
    again = replace(largest, epochs=np.array([4.0]))
    worth = 1.0 + R_STAR * (1.0 - np.exp(-3.0 / R_STAR))
    most = max(1.0, worth * TOKENS[-2] / TOKENS[-1])
    assert factors(model, again) == pytest.approx([worth / most], rel=1e-4)


def test_chosen_rows_count_for_more_and_random_ones_as_they_did(grid: Grid, truth: Truth) -> None:
    rows = grid(TOKENS[:4], method=("random", "bm25"), pool_examples=(2e4,))
    table = truth("power+selection", rows, [0.3, 0.2], [3.0, 1.0])
    model = fitted(table, "power+selection")
    assert factors(model, table) == pytest.approx([1.0] * len(table))
    chosen = table.subset(np.array([m == "bm25" for m in table.method]))
    # twice the pool: kap·ln 2 more, at the most data that was seen
    wider = replace(chosen, pool_examples=2.0 * chosen.pool_examples)
    assert factors(model, wider)[-1] == pytest.approx(2.0**0.2, rel=1e-4)
    more = replace(table.subset(np.array([m == "random" for m in table.method])).subset(np.arange(4) == 3))
    more = replace(more, tokens=3.0 * more.tokens, examples=3.0 * more.examples)
    assert factors(model, more) == pytest.approx([3.0])


def test_without_either_data_alone_counts(grid: Grid, truth: Truth) -> None:
    table = truth("power+length", grid(TOKENS, (32.0, 128.0, 448.0)), [0.3, 0.2, -0.25], [3.0, 1.0])
    model = fitted(table, "power+length")
    assert model.data_multiplier(model.features(table)).tolist() == [1.0] * len(table)
    more = replace(table, tokens=7.0 * table.tokens, examples=7.0 * table.examples)
    expected = np.maximum(7.0 * table.tokens / table.tokens.max(), 1.0).tolist()
    assert factors(model, more) == expected
