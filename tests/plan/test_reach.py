"""Which examples a pool can give, and the bands they come from."""

from __future__ import annotations

from itertools import combinations
from types import ModuleType

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftplan.errors import Infeasible
from ftplan.plan.points import free_points, held_points
from ftplan.plan.reach import SMALL, all_reachable, reachable_at, small, subset_totals
from ftplan.pool import MEAN_TOLERANCE, Pool, from_lengths

FEW = settings(max_examples=40, deadline=None, derandomize=True)
LENGTHS = st.lists(st.integers(1, 30), min_size=1, max_size=8)


def pool_of(lengths: list[int]) -> Pool:
    return from_lengths(lengths, name="pool", source="made up")


def sums_of(rows: list[int]) -> set[tuple[int, int]]:
    """(N, tokens) of every subset, one by one."""
    return {(n, sum(some)) for n in range(1, len(rows) + 1) for some in combinations(rows, n)}


@FEW
@given(LENGTHS)
def test_every_subset_and_no_other_is_reachable(lengths: list[int]) -> None:
    reached = all_reachable(pool_of(lengths))
    found = list(zip(reached.examples.tolist(), reached.tokens.tolist(), strict=True))
    assert len(found) == len(set(found))
    assert set(found) == sums_of(lengths)


@FEW
@given(LENGTHS)
def test_the_band_holds_the_rows_and_none_is_nearer_or_wider(lengths: list[int]) -> None:
    pool = pool_of(lengths)
    reached = all_reachable(pool)
    bands = []
    for i, lo in enumerate(pool.lengths):
        for hi in pool.lengths[i:]:
            rows = [v for v in lengths if lo <= v <= hi]
            bands.append(((int(lo), int(hi)), rows, sums_of(rows)))

    def rank(rows: list[int], mean: float) -> tuple[float, int]:
        return round(max(abs(sum(rows) / len(rows) - mean), MEAN_TOLERANCE), 9), -len(rows)

    for n, tokens, k in zip(reached.examples, reached.tokens, reached.band, strict=True):
        holding = [(band, rows) for band, rows, sums in bands if (int(n), int(tokens)) in sums]
        wanted = min(holding, key=lambda item: (*rank(item[1], tokens / n), item[0]))
        assert (reached.bands.lo[k], reached.bands.hi[k]) == wanted[0]
        assert reached.bands.examples[k] == len(wanted[1])


@FEW
@given(LENGTHS, st.floats(1.0, 30.0))
def test_a_mean_that_is_held_is_within_half_a_token_of_some_rows(lengths: list[int], mean: float) -> None:
    reached = reachable_at(pool_of(lengths), mean)
    assert set(reached.examples.tolist()) == {n for n, s in sums_of(lengths) if abs(s / n - mean) <= MEAN_TOLERANCE}


def test_totals_are_bits() -> None:
    found = {(first, end): list(totals) for first, end, totals in subset_totals(pool_of([2, 3, 3]))}
    assert found[0, 1] == [1, 1 << 2]
    assert found[1, 2] == [1, 1 << 3, 1 << 6]
    assert found[0, 2] == [1, 1 << 2 | 1 << 3, 1 << 5 | 1 << 6, 1 << 8]


def test_a_band_with_another_mean_is_used_only_where_there_is_no_better() -> None:
    """{10, 60} of 10, 20, 60 have a mean of 35; no band has, and only the whole pool holds both."""
    points = free_points(pool_of([10, 20, 60]), 1.0, 100.0)
    k = int(np.flatnonzero((points.most == 2) & (points.avg_tokens == 35.0))[0])
    assert points.bands.lo[points.band[k]] == 10
    assert points.bands.hi[points.band[k]] == 60
    assert points.scale[k] == pytest.approx(35.0 / 30.0)
    assert points.eligible[k] == 3


def test_small_pools_are_enumerated_and_large_ones_drawn_from_evenly() -> None:
    rng = np.random.default_rng(0)
    some, many = pool_of(rng.integers(1, 65, 40).tolist()), pool_of(rng.integers(1, 65, 400).tolist())
    assert small(some)
    assert some.examples * some.total_tokens <= SMALL < many.examples * many.total_tokens
    assert free_points(some, 1.0, 64.0).fixed
    drawn = free_points(many, 1.0, 64.0)
    assert not drawn.fixed
    assert (drawn.scale == 1.0).all()
    assert (drawn.most == drawn.eligible).all()
    assert (np.diff(drawn.avg_tokens) >= 0.0).all()


def test_a_lump_leaves_no_gap_in_the_means_of_a_large_pool() -> None:
    """Nine rows of ten at one length: bands from either end jump over it, the widest ones between do not."""
    rng = np.random.default_rng(1)
    lumped = pool_of([*rng.integers(1, 200, 300).tolist(), *[128] * 3000])
    means = free_points(lumped, 20.0, 180.0).avg_tokens
    edges = np.sort(lumped.edge_bands().mean)
    assert np.diff(edges[(edges > 20.0) & (edges < 180.0)]).max() > 5.0
    assert np.diff(means).max() < 2.0


def test_points_stay_within_the_measured_lengths(cases: ModuleType) -> None:
    pool = pool_of(list(cases.random_case(5).lengths))
    low, high = pool.mean * 0.9, pool.mean * 1.1
    points = free_points(pool, low, high)
    assert len(points)
    assert ((points.avg_tokens >= low) & (points.avg_tokens <= high)).all()


def test_a_held_mean_in_a_large_pool_is_that_number() -> None:
    many = pool_of(np.random.default_rng(2).integers(1, 200, 2000).tolist())
    points = held_points(many, 73.2)
    assert points.avg_tokens.tolist() == [73.2]
    assert abs(points.bands.mean[0] - 73.2) <= MEAN_TOLERANCE
    with pytest.raises(Infeasible, match="have a mean of 500 tokens"):
        held_points(many, 500.0)
