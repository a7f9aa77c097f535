"""From a run table to arrays: references, anchors, cells of replicates, and which runs are the largest."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftplan.fit.features import Data, cells, geometric_mean, held_out_largest, merge_full_data, prepare
from ftplan.fit.solve import solve
from ftplan.laws.law import parse
from ftplan.readers.tables import read_runs
from ftplan.runs import Metric, RunTable, from_rows

Grid = Callable[..., list[dict[str, Any]]]
Truth = Callable[..., RunTable]

PROPERTY = settings(max_examples=5, deadline=None, derandomize=True)
CCDS = Path(__file__).parents[3] / "shared" / "data" / "ccds"
SELECTION_TABLES = sorted(CCDS.glob("runs_*.csv"))


def selection_rows(full: float, *, same: bool = True) -> list[dict[str, Any]]:
    """Three methods at three fractions of 1,000 examples; at the last all of them are the same run."""
    out = []
    for k, method in enumerate(("less", "random", "embed")):
        for n in (100.0, 300.0, 1000.0):
            value = full + (0.0 if same else 0.01 * k) if n == 1000.0 else 5.0 - n / 1e3 - 0.1 * k
            out.append({"method": method, "examples": n, "pool_examples": 1000.0, "epochs": 1.0, "loss": value})
    return out


def test_the_shipped_runs_are_twenty_cells_of_two_in_each_size(pyfunc: RunTable) -> None:
    for _, table in pyfunc.series():
        data = prepare(table)
        assert data.n_cells == 20
        assert np.bincount(data.cell).tolist() == [2] * 20
        for c in range(20):
            assert set(data.table.seed[data.cell == c].tolist()) == {0.0, 1.0}
    assert prepare(pyfunc).n_cells == 60


def test_cells_without_seeds_are_equal_rows(grid: Grid) -> None:
    rows = grid((1e4, 1.05e4, 1e5), (100.0, 105.0))
    table = from_rows([{**r, "loss": 4.0} for r in rows + rows[:2]], Metric("loss", "min"))
    label = cells(table)
    assert len(set(label.tolist())) == 6
    assert label[6:].tolist() == label[:2].tolist()


def test_a_dense_design_is_not_one_cell(grid: Grid) -> None:
    """Sizes 10 % apart, two seeds each: near sizes are replicates only where no seed comes twice."""
    rows = grid(np.geomspace(1e4, 1e5, 25), (100.0,), seed=(0, 1))
    table = from_rows([{**r, "loss": 4.0} for r in rows], Metric("loss", "min"))
    assert np.bincount(cells(table)).tolist() == [2] * 25


@pytest.mark.parametrize(
    "column", ["model_params", "epochs", "selector_params", "group", "method", "tokens", "avg_tokens"]
)
def test_a_cell_is_one_design_point(column: str) -> None:
    row: dict[str, Any] = {"tokens": 1e5, "avg_tokens": 100.0, "model_params": 1e6, "epochs": 1.0}
    row |= {"selector_params": 1e8, "group": "a", "method": "less", "loss": 4.0}
    other = {**row, column: "b" if isinstance(row[column], str) else 2.0 * row[column]}
    rows = [{**r, "seed": s} for r in (row, other) for s in (0, 1)]
    assert len(set(cells(from_rows(rows, Metric("loss", "min"))).tolist())) == 2


def test_the_largest_runs_of_the_shipped_table(pyfunc_s: Data) -> None:
    out = held_out_largest(pyfunc_s)
    assert out.sum() == 10
    assert (pyfunc_s.table.tokens[out] > 250_000).all()
    assert (pyfunc_s.table.tokens[~out] < 70_000).all()


def test_more_levels_are_held_out_until_the_share_is_reached(grid: Grid) -> None:
    table = from_rows([{**r, "loss": 4.0 - 0.1 * i} for i, r in enumerate(grid(2.0 ** np.arange(10, 20)))], _loss())
    data = prepare(table)
    for share, count in ((0.1, 1), (0.15, 2), (0.3, 3)):
        out = held_out_largest(data, share)
        assert out.sum() == count
        assert data.table.tokens[out].min() > data.table.tokens[~out].max()


def test_largest_counts_data_and_model(grid: Grid) -> None:
    """With several model sizes the runs of the most compute are ahead of the others."""
    rows = grid((1e8, 1e9, 1e10), model_params=(1e7, 1e8, 1e9))
    data = prepare(from_rows([{**r, "loss": 4.0 - 0.01 * i} for i, r in enumerate(rows)], _loss()))
    out = held_out_largest(data)
    assert data.table.tokens[out].tolist() == [1e10]
    assert data.table.model_params[out].tolist() == [1e9]


def _loss() -> Metric:
    return Metric("loss", "min", "nats")


def test_full_data_counts_once() -> None:
    table = from_rows(selection_rows(3.5), _loss())
    merged = merge_full_data(table)
    assert len(merged) == 7
    kept = merged.examples == 1000.0
    assert [m for m, k in zip(merged.method, kept, strict=True) if k] == ["random"]
    # rows keep their order, and a second merge changes nothing
    assert merged.rows() == [r for r in table.rows() if r["examples"] != 1000 or r["method"] == "random"]
    assert merge_full_data(merged).rows() == merged.rows()


def test_full_data_runs_that_differ_are_kept() -> None:
    assert len(merge_full_data(from_rows(selection_rows(3.5, same=False), _loss()))) == 9
    seeds = [{**r, "seed": k // 3} for k, r in enumerate(selection_rows(3.5))]
    assert len(merge_full_data(from_rows(seeds, _loss()))) == 9


def test_plain_tables_are_not_merged(pyfunc: RunTable) -> None:
    assert merge_full_data(pyfunc) is pyfunc


if SELECTION_TABLES:

    @pytest.mark.parametrize("path", SELECTION_TABLES, ids=lambda p: p.stem)
    def test_published_results_are_counted_once(path: Path) -> None:
        """Of 215 rows 184 are results of their own: five methods share one full-data result in every panel."""
        data = [prepare(table) for _, table in read_runs(str(path)).series()]
        assert sum(len(d) for d in data) == {"runs_mmlu": 79, "runs_bbh": 79, "runs_ifeval": 26}[path.stem]
        for d in data:
            full = np.isclose(d.table.examples, d.table.pool_examples)
            assert "random" in np.array(d.table.method)[full]
            assert (d.rows.ln_pool[full] == 0.0).all()


def test_references_are_geometric_means(pyfunc_s: Data) -> None:
    table, refs = pyfunc_s.table, pyfunc_s.refs
    assert refs.T == pytest.approx(np.exp(np.log(table.tokens).mean()))
    assert refs.L == pytest.approx(np.exp(np.log(table.avg_tokens).mean()))
    assert refs.M == pytest.approx(333_120.0)
    assert pyfunc_s.rows.t.mean() == pytest.approx(0.0, abs=1e-12)
    assert pyfunc_s.rows.x.mean() == pytest.approx(0.0, abs=1e-12)
    assert (np.abs(pyfunc_s.rows.m) < 1e-12).all()
    assert geometric_mean(np.array([2.0, 8.0, np.nan, 0.0])) == pytest.approx(4.0)
    assert geometric_mean(np.array([np.nan])) == 1.0


def test_the_base_model_is_an_anchor_and_not_a_row(pyfunc: RunTable) -> None:
    table = dict(pyfunc.series())["s"]
    data = prepare(table)
    assert len(data) == len(table) - 1
    assert (data.table.examples > 0.0).all()
    assert data.has_base
    assert (data.rows.anchor == 5.04127).all()
    trained = prepare(table.subset(table.examples > 0.0))
    assert not trained.has_base
    # it moves neither references nor fits
    assert trained.refs == data.refs
    law = parse("rectified+length")
    ones = np.ones(len(data))
    assert solve(trained, law, ones, "squares").objective[0] == solve(data, law, ones, "squares").objective[0]


def test_each_group_has_its_own_anchor(pyfunc: RunTable) -> None:
    data = prepare(pyfunc)
    anchors = dict(zip(data.table.group, data.rows.anchor.tolist(), strict=True))
    assert anchors == {"xs": 5.36429, "s": 5.04127, "m": 4.83501}
    several = prepare(pyfunc.subset(~((pyfunc.examples == 0.0) & (np.array(pyfunc.group) == "s"))))
    assert not several.has_base


def test_a_score_is_turned_and_bounded(grid: Grid) -> None:
    rows = grid((1e4, 1e5, 1e6))
    for metric, top in ((Metric("score", "max", "percent"), 100.0), (Metric("accuracy", "max", "fraction"), 1.0)):
        table = from_rows([{**r, metric.name: 0.3 + 0.1 * i} for i, r in enumerate(rows)], metric)
        data = prepare(table)
        np.testing.assert_array_equal(data.y, -table.value)
        assert (data.sign, data.floor_low) == (-1.0, -top)
    unbounded = prepare(from_rows([{**r, "score": 1.0} for r in rows], Metric("score", "max", "")))
    assert unbounded.floor_low == -np.inf
    negative = prepare(from_rows([{**r, "loss": -1.0} for r in rows], _loss()))
    assert negative.floor_low == -np.inf


def test_the_best_score_stays_below_its_maximum(grid: Grid) -> None:
    """A score that rises in a straight line of ln D would go on for ever; its ceiling is the maximum."""
    rows = grid(np.geomspace(1e4, 1e6, 8))
    score = [40.0 + 4.0 * i for i in range(8)]
    table = from_rows([{**r, "score": s} for r, s in zip(rows, score, strict=True)], Metric("score", "max", "percent"))
    data = prepare(table)
    for name in ("power", "rectified", "saturating"):
        found = solve(data, parse(name), np.ones(8), "squares")
        assert found.amplitudes[0, 0] >= -100.0 - 1e-9
    power = solve(data, parse("power"), np.ones(8), "squares")
    assert -power.amplitudes[0, 0] == pytest.approx(100.0)


@PROPERTY
@given(seed=st.integers(0, 2**31))
def test_the_order_of_rows_does_not_matter(seed: int, pyfunc: RunTable) -> None:
    table = dict(pyfunc.series())["m"]
    mixed = table.subset(np.random.default_rng(seed).permutation(len(table)))
    plain, other = prepare(table), prepare(mixed)
    assert plain.n_cells == other.n_cells
    assert plain.refs.T == pytest.approx(other.refs.T)
    assert held_out_largest(plain).sum() == held_out_largest(other).sum()
    for name in ("power", "rectified+length", "anchored+drift"):
        one = solve(plain, parse(name), np.ones(len(plain)), "squares")
        two = solve(other, parse(name), np.ones(len(other)), "squares")
        np.testing.assert_allclose(one.objective[0], two.objective[0], rtol=1e-9)


@pytest.mark.parametrize("name", ["power", "rectified+drift", "saturating+length", "anchored+composition"])
@pytest.mark.parametrize(("by_tokens", "by_length"), [(1e3, 1.0), (1.0, 4.2), (1e-3, 0.25)])
def test_units_of_data_do_not_matter(name: str, by_tokens: float, by_length: float, pyfunc: RunTable) -> None:
    """Characters for tokens, or words: predictions and the coefficients of length stay as they are."""
    table = dict(pyfunc.series())["s"]
    other = replace(
        table,
        tokens=by_tokens * table.tokens,
        avg_tokens=by_length * table.avg_tokens,
        examples=by_tokens / by_length * table.examples,
        model_params=1e3 * table.model_params,
    )
    law, named, predictions = parse(name), [], []
    for t in (table, other):
        data = prepare(t)
        found = solve(data, law, np.ones(len(data)), "squares")
        named.append(law.natural(found.theta[:1], found.amplitudes[:1], data.refs))
        predictions.append(law.evaluate(data.rows, found.theta[:1], data.refs).predict(found.amplitudes[:1]))
    np.testing.assert_allclose(predictions[0], predictions[1], rtol=1e-6)
    for key in {"b1", "b2", "b3", "lam", "beta", "E", "y0", "Pbar", "P0"} & set(named[0]):
        np.testing.assert_allclose(named[0][key], named[1][key], rtol=1e-3, atol=1e-5, err_msg=key)
    for key, factor in (("D0", by_tokens), ("D_s", by_tokens), ("Lstar", by_length)):
        if key in named[0]:
            np.testing.assert_allclose(named[0][key] * factor, named[1][key], rtol=1e-3, err_msg=key)


def test_the_unit_of_model_size_does_not_matter(grid: Grid, truth: Truth) -> None:
    rows = grid(np.geomspace(1e8, 1e10, 5), model_params=(1e7, 1e8, 1e9))
    table = truth("additive", rows, [0.35, 0.34], [1.8, 0.3, 0.5], noise=0.01)
    law, fits = parse("additive"), []
    for factor in (1.0, 1e-6):
        data = prepare(replace(table, model_params=factor * table.model_params))
        fits.append(solve(data, law, np.ones(len(data)), "squares"))
    np.testing.assert_allclose(fits[0].theta[0], fits[1].theta[0], rtol=1e-4)
    np.testing.assert_allclose(fits[0].amplitudes[0], fits[1].amplitudes[0], rtol=1e-4)


def test_examples_stand_for_tokens_where_no_length_is_known() -> None:
    table = from_rows([{"examples": n, "loss": 5.0 - 0.1 * n} for n in (2.0, 4.0, 8.0)], _loss())
    data = prepare(table)
    np.testing.assert_allclose(np.exp(data.rows.t) * data.refs.T, [2.0, 4.0, 8.0])
    assert (data.rows.x == 0.0).all()
    assert (data.rows.m == 0.0).all()
    assert (data.rows.repeats == 0.0).all()
    assert (data.rows.ln_pool == 0.0).all()
