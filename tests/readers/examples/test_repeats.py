"""Rows that repeat an earlier one, counted in memory and through files."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftplan.readers.examples.repeats import Repeats


@given(st.lists(st.lists(st.integers(0, 15).map(lambda i: i * (2**64 // 16 - 1)), max_size=20)), st.integers(1, 30))
def test_repeats_are_counted_exactly_however_few_are_held(blocks: list[list[int]], most: int) -> None:
    every = [value for block in blocks for value in block]
    with Repeats(most) as repeats:
        for block in blocks:
            repeats.add(np.array(block, np.uint64))
        assert repeats.count() == len(every) - len(set(every))


@pytest.mark.parametrize("most", [10**6, 1000])
def test_repeats_far_apart_are_found(most: int) -> None:
    distinct = np.random.default_rng(0).integers(0, 2**63, 5000).astype(np.uint64) * np.uint64(2)
    with Repeats(most) as repeats:
        for block in (distinct, distinct[:700], distinct[:300]):
            repeats.add(block)
        assert repeats.count() == 1000
