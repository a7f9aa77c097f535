"""Write, then read, is identity: for rows in a fit file and for rows in a CSV."""

from __future__ import annotations

import csv
import dataclasses
import io
import math
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from ftplan.readers.tables import read_runs
from ftplan.runs import NUMBER_COLUMNS, SMALLEST_METRIC, TEXT_COLUMNS, Metric, RunTable, from_rows

_counts = st.integers(1, 10**12) | st.floats(1.0, 1e15)
_params = st.integers(1000, 10**13) | st.floats(1000.0, 1e13)
# text that a spreadsheet keeps: no control characters, nothing to strip
_names = st.text(st.characters(exclude_categories=("C", "Z")), min_size=1, max_size=8)
_maybe = st.none()


@st.composite
def run_rows(draw: st.DrawFn) -> list[dict[str, Any]]:
    """Rows as the reader leaves them: T = N * L in all of them, epochs given, what else a run had in all or in none."""
    rows = []
    methods, sizes, selectors, pools = (draw(st.booleans()) for _ in range(4))
    grouped = draw(st.booleans())
    for trained in [True, *draw(st.lists(st.booleans(), max_size=6))]:
        N = draw(st.integers(1, 10**9)) if trained else 0
        L = draw(st.floats(1.0, 1e5)) if trained else None
        row = {
            "group": draw(_names) if grouped else None,
            "method": draw(_names.filter(lambda m: m.lower() != "random") | st.just("random")) if methods else None,
            "examples": N,
            "avg_tokens": L,
            "tokens": N * L if L is not None else 0,
            "model_params": draw(_params) if sizes else None,
            "epochs": draw(st.integers(1, 9) | st.floats(0.1, 9.0)) if trained else 1,
            "selector_params": draw(_params) if selectors else None,
            "pool_examples": draw(st.floats(max(N, 1), 1e10)) if pools else None,
            "seed": draw(_maybe | st.integers(-5, 2**31)),
            "stderr": draw(_maybe | st.floats(0.0, 1.0)),
            "loss": draw(st.just(0.0) | st.floats(SMALLEST_METRIC, 1e3)),
        }
        rows.append({k: v for k, v in row.items() if v is not None})
    return rows


def same(a: RunTable, b: RunTable) -> None:
    for field in dataclasses.fields(RunTable):
        if field.name not in ("source", "notes", "repairs"):  # what was said of it
            left, right = getattr(a, field.name), getattr(b, field.name)
            if isinstance(left, np.ndarray):
                np.testing.assert_array_equal(left, right, err_msg=field.name)
            else:
                assert left == right, field.name


@given(run_rows())
def test_rows_and_back(rows: list[dict[str, Any]]) -> None:
    table = from_rows(rows, Metric("loss", "min", "nats"))
    same(from_rows(table.rows(), table.metric), table)
    assert from_rows(table.rows(), table.metric).rows() == table.rows()


@given(run_rows())
@settings(max_examples=60, deadline=None)
def test_csv_and_back(rows: list[dict[str, Any]]) -> None:
    table = from_rows(rows, Metric("loss", "min", "nats"))
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, [*TEXT_COLUMNS, *NUMBER_COLUMNS, "loss"])
    writer.writeheader()
    writer.writerows(table.rows())
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.csv"
        path.write_text(text.getvalue(), encoding="utf-8", newline="")
        back = read_runs(str(path))
    same(back, table)
    assert back.metric == table.metric
    assert back.notes == back.repairs  # nothing was guessed; what looks mistyped may be said


@given(st.integers(1, 10**6), st.floats(1.0, 1e4), st.integers(1, 8))
def test_any_two_of_three_give_the_third(N: int, L: float, epochs: int) -> None:
    T = N * L
    written = {"examples": N, "avg_tokens": L, "tokens": T, "tokens_seen": T * epochs}
    pairs = [("examples", "avg_tokens"), ("examples", "tokens"), ("avg_tokens", "tokens"), ("examples", "tokens_seen")]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "runs.csv"
        for a, b in pairs:
            path.write_text(f"{a},{b},epochs,loss\n{written[a]!r},{written[b]!r},{epochs},1\n")
            table = read_runs(str(path))
            got = (table.examples[0], table.avg_tokens[0], table.tokens[0])
            assert all(math.isclose(x, y, rel_tol=1e-12) for x, y in zip(got, (N, L, T), strict=True))
