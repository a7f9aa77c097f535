"""Packs of a plan against the trainer's own procedure: rows drawn at random, packed 1,000 at a time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftplan.costs.packing import packs_filled, packs_per_example
from ftplan.plan.packs import MOST_PACKED, packs
from ftplan.pool import Pool, from_lengths


def pool(lengths: list[int] | np.ndarray) -> Pool:
    return from_lengths(lengths, name="x", source="y")


def placed(lengths: list[int], max_length: int) -> int:
    """Best-fit decreasing word for word: a list of packs, each with the room it has left."""
    rooms: list[int] = []
    for length in sorted(lengths, reverse=True):
        fitting = [room for room in rooms if room >= length]
        if fitting:
            rooms[rooms.index(min(fitting))] -= length
        else:
            rooms.append(max_length - length)
    return len(rooms)


@given(st.lists(st.integers(1, 64), max_size=60), st.integers(64, 100))
def test_packs_filled_is_best_fit_decreasing(lengths: list[int], max_length: int) -> None:
    assert packs_filled(np.array(lengths, dtype=np.int64), max_length) == placed(lengths, max_length)


@settings(max_examples=30, deadline=None)
@given(st.lists(st.integers(1, 64), min_size=1, max_size=60), st.integers(64, 100), st.integers(0, 3))
def test_the_whole_pool_is_packed_as_it_is(lengths: list[int], max_length: int, seed: int) -> None:
    every = pool(lengths)
    assert packs(every, every.examples, every.mean, max_length, seed) == placed(lengths, max_length)


@pytest.mark.parametrize(("examples", "max_length", "off"), [(300, 512, 1), (1_500, 1_024, 1), (12_000, 256, 4)])
def test_packs_of_rows_drawn_by_length(examples: int, max_length: int, off: int) -> None:
    """As `apply` draws them: the band's lengths in their shares, the rows of each at random, then in random order.

    Of the 12,000 it is right to 0.1 %, and packing them all at once is not.
    """
    random = np.random.default_rng(0)
    lengths = np.clip(random.lognormal(4.8, 0.9, 20_000), 1, max_length).astype(np.int64)
    drawn = np.sort(lengths)[((random.random() + np.arange(examples)) * (len(lengths) / examples)).astype(int)]
    seen = sum(
        placed(group.tolist(), max_length)
        for group in np.split(random.permutation(drawn), range(1_000, examples, 1_000))
    )
    found = packs(pool(lengths), examples, float(drawn.mean()), max_length, seed=1)
    assert abs(found - seen) <= off
    if examples == 12_000:
        assert abs(packs_per_example(pool(lengths), max_length) * examples - seen) > 2 * off


def test_very_many_examples_are_packed_in_part() -> None:
    lengths = pool(np.repeat([100, 200, 300], 200_000))
    few, all_of_them = (packs(lengths, n, 200.0, 512, 0) for n in (MOST_PACKED, 2 * MOST_PACKED))
    assert all_of_them == pytest.approx(2 * few, rel=1e-3)


def test_another_mean_than_the_bands_own_is_in_proportion() -> None:
    band = pool([100] * 50 + [200] * 50)
    assert packs(band, 10, 180.0, 200, 0) == round(packs(band, 10, 150.0, 200, 0) * 180 / 150)
    assert packs(band, 100, 180.0, 200, 0) == packs(band, 100, 150.0, 200, 0) == 75, "all of it is what it is"
