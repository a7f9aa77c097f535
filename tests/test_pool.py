"""Pool geometry, against enumeration."""

from __future__ import annotations

import time
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftplan.errors import Infeasible, InputError
from ftplan.pool import MEAN_TOLERANCE, Pool, from_histogram, from_lengths
from ftplan.presets import load_problem

LENGTHS = st.lists(st.integers(1, 64), min_size=1, max_size=40)
BINS = st.lists(st.tuples(st.integers(1, 30), st.integers(0, 500)), min_size=1, max_size=8)


def pool_of(lengths: list[int]) -> Pool:
    return from_lengths(lengths, name="test", source="made up")


def rows_of(pool: Pool) -> list[int]:
    return [int(v) for v in np.repeat(pool.lengths, pool.counts)]


def pyfunc() -> Pool:
    bins = load_problem("quickstart").tables["pool"]["histogram_tokens"]
    return from_histogram(bins, name="pyfunc", source="quickstart")


@given(LENGTHS)
def test_moments_are_those_of_the_rows(lengths: list[int]) -> None:
    pool = pool_of(lengths)
    assert rows_of(pool) == sorted(lengths)
    assert pool.examples == len(lengths)
    assert pool.total_tokens == sum(lengths)
    assert pool.mean == pytest.approx(np.mean(lengths), rel=1e-12)
    assert pool.second_moment == pytest.approx(np.mean(np.square(lengths)), rel=1e-12)
    assert pool.attention_tokens == pytest.approx(sum(v * v for v in lengths) / sum(lengths), rel=1e-12)


@given(LENGTHS, st.integers(1, 70))
def test_cut_truncates_rows(lengths: list[int], longest: int) -> None:
    cut = pool_of(lengths).cut(longest)
    assert rows_of(cut.pool) == sorted(min(v, longest) for v in lengths)
    assert cut.rows_cut == sum(v > longest for v in lengths)
    assert cut.tokens_kept == pytest.approx(sum(min(v, longest) for v in lengths) / sum(lengths), rel=1e-12)


@given(LENGTHS, st.integers(1, 64), st.integers(0, 30))
def test_band_holds_its_rows_and_both_ends(lengths: list[int], lo: int, width: int) -> None:
    inside = sorted(v for v in lengths if lo <= v <= lo + width)
    if inside:
        assert rows_of(pool_of(lengths).band(lo, lo + width)) == inside
    else:
        with pytest.raises(Infeasible, match="no example of"):
            pool_of(lengths).band(lo, lo + width)


def widest_by_enumeration(pool: Pool, mean: Fraction) -> int:
    """Rows of the widest contiguous band with that mean, 0 where there is none."""
    best = 0
    lengths, counts = pool.lengths.tolist(), pool.counts.tolist()
    for first in range(len(lengths)):
        rows = tokens = 0
        for length, count in zip(lengths[first:], counts[first:], strict=True):
            rows, tokens = rows + count, tokens + count * length
            if abs(Fraction(tokens, rows) - mean) <= Fraction(MEAN_TOLERANCE):
                best = max(best, rows)
    return best


@given(LENGTHS, st.lists(st.integers(4, 4 * 66), min_size=1, max_size=6))
def test_band_curve_finds_the_widest_band_of_all(lengths: list[int], quarters: list[int]) -> None:
    pool = pool_of(lengths)
    bands = pool.band_curve([q / 4 for q in quarters])
    for k, q in enumerate(quarters):
        assert bands.examples[k] == widest_by_enumeration(pool, Fraction(q, 4))
        if bands.examples[k]:
            inside = pool.band(int(bands.lo[k]), int(bands.hi[k]))
            assert inside.examples == bands.examples[k]
            assert inside.mean == pytest.approx(bands.mean[k], rel=1e-12)
            assert inside.second_moment == pytest.approx(bands.second_moment[k], rel=1e-12)
            assert inside.attention_tokens == pytest.approx(bands.attention_tokens[k], rel=1e-12)
            assert abs(bands.mean[k] - q / 4) <= MEAN_TOLERANCE
        else:
            assert np.isnan(bands.mean[k])


def test_widest_band_needs_enough_rows() -> None:
    pool = pool_of([10, 20, 20, 30, 90])
    band = pool.widest_band(20.0)
    assert band is not None
    assert (band.lo[0], band.hi[0], band.examples[0]) == (10, 30, 4)
    assert pool.widest_band(20.0, at_least=5) is None
    assert pool.widest_band(91.0) is None


def test_a_pool_with_many_lengths_stays_fast() -> None:
    rng = np.random.default_rng(0)
    lengths = np.arange(1, 131_073)
    pool = Pool(lengths, rng.integers(1, 50, len(lengths)), "large", "made up")
    start = time.process_time()
    bands = pool.band_curve(np.linspace(1_000, 130_000, 500))
    assert time.process_time() - start < 0.2
    assert (bands.examples > 0).all()


@given(BINS)
def test_a_histogram_keeps_the_count_of_every_bin(widths_and_counts: list[tuple[int, int]]) -> None:
    bins, lo = [], 1
    for width, count in widths_and_counts:
        bins.append((lo, lo + width - 1, count))
        lo += width + 2
    if not any(count for _, _, count in bins):
        with pytest.raises(InputError, match="no examples"):
            from_histogram(bins, name="x", source="y")
        return
    pool = from_histogram(bins, name="x", source="y")
    assert pool.examples == sum(count for _, _, count in bins)
    assert (pool.counts > 0).all()
    assert (np.diff(pool.lengths) > 0).all()
    for left, right, count in bins:
        inside = (pool.lengths >= left) & (pool.lengths <= right)
        spread = pool.counts[inside]
        assert spread.sum() == count
        if count >= right - left + 1:
            assert spread.max() - spread.min() <= 1


def test_a_histogram_of_single_lengths_is_exact() -> None:
    assert from_histogram([(3, 3, 2), (7, 7, 1)], name="x", source="y").exact
    assert not from_histogram([(3, 4, 2)], name="x", source="y").exact


@pytest.mark.parametrize(
    "bins",
    [[], [(1, 2)], [(5, 4, 1)], [(0, 4, 1)], [(1, 4, -1)], [(1, 4, 2), (4, 9, 3)], [(1, 2**30, 5)], [(1.5, 4, 2)]],
)
def test_a_bad_histogram_is_refused(bins: list[tuple[int, ...]]) -> None:
    with pytest.raises(InputError, match="'mine'"):
        from_histogram(bins, name="mine", source="y")


@pytest.mark.parametrize("lengths", [[], [0, 3], [-1], [2**40]])
def test_bad_lengths_are_refused(lengths: list[int]) -> None:
    with pytest.raises(InputError, match="'mine'"):
        from_lengths(lengths, name="mine", source="y")


def test_the_measured_pool_has_its_published_moments() -> None:
    pool = pyfunc()
    assert pool.examples == 58_469
    # the data's README: mean 163, E[S^2]/E[S] 288, of the rows themselves; here spread evenly inside the bins
    assert pool.mean == pytest.approx(163, rel=0.02)
    assert pool.attention_tokens / pool.mean == pytest.approx(1.77, rel=0.02)


@given(LENGTHS)
def test_edge_bands_start_at_the_shortest_or_end_at_the_longest_row(lengths: list[int]) -> None:
    pool = pool_of(lengths)
    bands = pool.edge_bands()
    ends = list(zip(bands.lo.tolist(), bands.hi.tolist(), strict=True))
    distinct = sorted(set(lengths))
    wanted = {(distinct[0], hi) for hi in distinct} | {(lo, distinct[-1]) for lo in distinct}
    assert len(ends) == len(bands) == 2 * len(distinct) - 1
    assert set(ends) == wanted
    for k, (lo, hi) in enumerate(ends):
        band = pool.band(lo, hi)
        assert (bands.examples[k], bands.mean[k], bands.second_moment[k]) == (
            band.examples,
            pytest.approx(band.mean, rel=1e-12),
            pytest.approx(band.second_moment, rel=1e-12),
        )
    last = bands.take(np.array([len(bands) - 1]))
    assert (len(last), last.lo[0], last.hi[0]) == (1, *ends[-1])
