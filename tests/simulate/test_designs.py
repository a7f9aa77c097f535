"""Every design of the folder, and designs laid out at a cost."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftplan.errors import Infeasible
from ftplan.simulate import designs
from ftplan.simulate.designs import DesignShape
from ftplan.simulate.layout import LEAST_EXAMPLES, laid_out, points
from ftplan.simulate.studies import PilotStudy


@pytest.mark.parametrize("name", designs.names())
@pytest.mark.parametrize("runs", [4, 6, 9, 10, 12, 15, 18, 24, 40])
def test_any_design_with_any_number_of_runs(name: str, runs: int) -> None:
    shape = designs.shape(name, runs)
    if shape is None:
        assert runs < 10
        return
    assert runs - 3 < len(shape.size) <= runs
    assert len(shape.size) == len(shape.place)
    assert shape.size.max() == 1.0
    assert (shape.size > 0.0).all()
    assert (np.abs(shape.place) <= 1.0).all()
    assert len(set(shape.size.tolist())) > 1, "a fit needs several amounts of data"
    assert (np.diff(shape.size) >= 0.0).all()
    assert designs.words(name)


def test_amount_and_length_of_a_staircase_are_not_correlated() -> None:
    shape = designs.shape("staircase", 12)
    assert shape is not None
    assert abs(np.corrcoef(np.log(shape.size), shape.place)[0, 1]) < 0.3
    assert len(set(shape.size.tolist())) == 12


def test_the_optimal_design_tells_more_than_others_of_its_cost() -> None:
    from ftplan.simulate.designs import optimal

    for runs in (9, 12):
        best = optimal.shape(runs)
        assert best.size.sum() <= optimal.COST
        rng = np.random.default_rng(0)
        grid = np.array([(s, p) for s in designs.sizes(optimal.LEVELS, 2 * designs.SPAN) for p in optimal.PLACES])
        slopes = optimal._slopes(grid[:, 0], grid[:, 1])
        slopes = slopes / np.abs(slopes).max(axis=0)
        own = [int(np.argmin(np.abs(grid - pair).sum(axis=1))) for pair in zip(best.size, best.place, strict=True)]
        value = optimal._value(slopes, grid[:, 0], own)
        others = [optimal._value(slopes, grid[:, 0], list(rng.integers(0, len(grid), runs))) for _ in range(2000)]
        assert value >= max(others)


@given(scale=st.floats(1.0, 300.0), runs=st.sampled_from([10, 12, 18]), name=st.sampled_from(designs.names()))
@settings(max_examples=40, deadline=None)
def test_a_layout_uses_up_its_budget_and_no_more(asked: PilotStudy, scale: float, runs: int, name: str) -> None:
    grid, shape = asked.study.grid, designs.shape(name, runs)
    assert shape is not None
    least = float(LEAST_EXAMPLES * grid.unit_cost[points(shape.place, grid)].sum())
    layout = laid_out(shape, grid, least * scale)
    assert layout.cost <= least * scale
    assert (layout.examples >= LEAST_EXAMPLES).all()
    assert (layout.examples <= grid.eligible[layout.point]).all()
    # one example more of the dearest run would not fit, but for rounding of every run
    assert layout.cost + len(layout) * grid.unit_cost.max() >= least * scale
    assert layout.cost == pytest.approx(float(layout.examples @ grid.unit_cost[layout.point]))


def test_a_budget_below_a_few_examples_a_run_buys_none(asked: PilotStudy) -> None:
    with pytest.raises(Infeasible, match="is below 8 examples for each of 9 runs") as caught:
        laid_out(DesignShape(np.ones(9), np.zeros(9)), asked.study.grid, 1e6)
    assert "at least" in str(caught.value.hint)


def test_places_are_lengths_of_the_pool(asked: PilotStudy) -> None:
    grid = asked.study.grid
    length = grid.avg_tokens[points(np.array([-1.0, 0.0, 1.0]), grid)]
    free = grid.avg_tokens[grid.free]
    assert list(length) == [free.min(), grid.mean, free.max()]


def test_lengths_are_apart_and_where_the_pool_has_rows(asked: PilotStudy) -> None:
    """With the pool's mean near the longest, and hardly a row at the shortest, three lengths are still three."""
    grid = asked.study.grid
    rows = np.where(grid.avg_tokens < 60.0, 11.0, grid.eligible)
    last = np.arange(len(grid)) == len(grid) - 1
    grid = replace(grid, avg_tokens=np.where(last, 0.9 * grid.avg_tokens[grid.free].max(), grid.avg_tokens))
    grid = replace(grid, eligible=rows)
    short, middle, long = grid.avg_tokens[points(np.array([-1.0, 0.0, 1.0]), grid)]
    assert short == pytest.approx(60.0, rel=0.05)
    assert middle == pytest.approx(np.sqrt(short * long), rel=0.05)


def test_a_budget_beyond_the_pool_leaves_runs_unlike_each_other(asked: PilotStudy) -> None:
    shape = designs.shape("factorial", 9)
    assert shape is not None
    layout = laid_out(shape, asked.study.grid, 1e18)
    assert layout.examples[-3:].max() == asked.study.grid.eligible[layout.point][-3:].max()
    assert layout.examples[:3].max() < layout.examples[-3:].min()
