"""Padding and packing, against real batches."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftplan.costs.packing import batching, epochs_trained, packs_per_example, steps_per_epoch
from ftplan.pool import Pool, from_histogram, from_lengths
from ftplan.presets import load_problem

LENGTHS = st.lists(st.integers(1, 32), min_size=1, max_size=12)
CAPACITY = 32


def pool_of(lengths: list[int]) -> Pool:
    return from_lengths(lengths, name="test", source="made up")


def packed_rows(lengths: list[int], capacity: int) -> int:
    """Best-fit decreasing, one example at a time."""
    rooms: list[int] = []
    for length in sorted(lengths, reverse=True):
        fitting = [room for room in rooms if room >= length]
        if fitting:
            rooms.remove(min(fitting))
        rooms.append((min(fitting) if fitting else capacity) - length)
    return len(rooms)


@given(LENGTHS)
def test_packs_are_those_of_best_fit_decreasing_for_many_examples(lengths: list[int]) -> None:
    copies = 24
    share = packs_per_example(pool_of(lengths), CAPACITY)
    rows = packed_rows(lengths * copies, CAPACITY)
    # whole examples leave at most one part-filled kind of pack for each distinct length
    assert share * len(lengths) * copies == pytest.approx(rows, abs=1 + len(set(lengths)))


@given(LENGTHS)
def test_packs_hold_all_tokens_and_never_more_than_one_each(lengths: list[int]) -> None:
    share = packs_per_example(pool_of(lengths), CAPACITY)
    assert sum(lengths) / CAPACITY / len(lengths) * (1 - 1e-12) <= share <= 1 + 1e-12


@pytest.mark.parametrize(
    ("lengths", "share"),
    [([32], 1.0), ([16], 0.5), ([17], 1.0), ([10], 1 / 3), ([20, 12], 0.5), ([20, 20, 12, 12], 0.5), ([1], 1 / 32)],
)
def test_packs_by_hand(lengths: list[int], share: float) -> None:
    assert packs_per_example(pool_of(lengths), CAPACITY) == pytest.approx(share, rel=1e-12)


def test_packing_wastes_little_of_a_natural_pool() -> None:
    """Measured on three chat sets: 98.3 to 99.8 % of packed tokens are real."""
    table = load_problem("lora-8b").tables["pool"]
    pool = from_histogram(table["histogram_tokens"], name="mix", source="lora-8b")
    packed = batching(pool, 2048, True)
    assert 0.98 <= pool.mean / packed.computed_tokens <= 1.0
    assert packed.attention_tokens == pool.attention_tokens
    assert packed.computed_tokens == packed.rows * 2048


@given(st.lists(st.integers(1, 32), min_size=1, max_size=5), st.integers(1, 4))
def test_padding_is_the_mean_over_all_batches(lengths: list[int], batch: int) -> None:
    longest = np.array([max(rows) for rows in product(lengths, repeat=batch)], dtype=float)
    padded = batching(pool_of(lengths), CAPACITY, False, batch)
    assert padded.computed_tokens == pytest.approx(longest.mean(), rel=1e-12)
    assert padded.attention_tokens == pytest.approx((longest**2).sum() / longest.sum(), rel=1e-12)
    assert padded.rows == 1.0


def test_a_batch_of_one_has_no_padding() -> None:
    pool = pool_of([3, 5, 32])
    assert batching(pool, CAPACITY, False).computed_tokens == pytest.approx(pool.mean, rel=1e-12)
    assert batching(pool, CAPACITY, False).attention_tokens == pytest.approx(pool.attention_tokens, rel=1e-12)


@pytest.mark.parametrize("packing", [True, False])
def test_an_uncut_pool_is_a_mistake(packing: bool) -> None:
    with pytest.raises(ValueError, match="cut the pool at 8 tokens first"):
        batching(pool_of([9]), 8, packing)


def test_steps_as_trl_counts_them() -> None:
    """A TRL run of 20 rows, batch 4, accumulation 2, 2 epochs took 6 steps."""
    assert 2 * steps_per_epoch(20, 4, 2) == 6


@given(st.integers(1, 10**6), st.integers(1, 64), st.integers(1, 16), st.integers(1, 8))
def test_steps_see_every_row_and_no_step_is_empty(rows: int, batch: int, accumulation: int, gpus: int) -> None:
    steps = steps_per_epoch(rows, batch, accumulation, gpus)
    share = math.ceil(rows / gpus)
    assert steps * batch * accumulation >= share > (steps - 1) * batch * accumulation


@pytest.mark.parametrize(
    ("rows", "batch", "accumulation", "asked", "reached"),
    [
        (20, 4, 4, 1.5, 1.8),
        (9, 2, 3, 1.1, 1.6),
        (10, 4, 4, 1.5, 2.0),
        (123, 4, 3, 2.5, 80 / 31),
        (301, 8, 2, 1.33, 26 / 19),
        (20, 4, 4, 0.5, 0.8),
        (100, 8, 1, 0.5, 7 / 13),
        (37, 4, 2, 3.0, 3.0),
    ],
)
def test_epochs_that_trainers_reach(rows: int, batch: int, accumulation: int, asked: float, reached: float) -> None:
    """Where runs of transformers 5.24.0 ended."""
    assert epochs_trained(rows, batch, accumulation, 1, asked) == pytest.approx(reached)
