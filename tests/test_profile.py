"""Tallies of rows: the exact histogram, quantiles, a digest of the rows."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftplan.errors import InputError
from ftplan.measure import Measure, estimated_tokens, with_template
from ftplan.pool import LONGEST_TOKENS
from ftplan.profile import Tally, longer

MEASURE = Measure("text", conversation=False)


@given(st.lists(st.lists(st.integers(0, 40), min_size=1), min_size=1))
def test_the_histogram_is_an_exact_count(blocks: list[list[int]]) -> None:
    tally = Tally()
    for block in blocks:
        tally.add(np.array(block, np.int32), np.arange(len(block)))
    every = Counter(length for block in blocks for length in block)
    if set(every) == {0}:
        with pytest.raises(InputError, match="has a text"):
            tally.profile(MEASURE, "pool", 0)
        return
    found = tally.profile(MEASURE, "pool", 0)
    empty = every.pop(0, 0)
    assert dict(zip(found.pool.lengths.tolist(), found.pool.counts.tolist(), strict=True)) == every
    assert (found.rows, found.empty) == (sum(every.values()) + empty, empty)
    assert found.pool.exact
    assert longer(found.pool, 20) == sum(n for length, n in every.items() if length > 20)


def test_the_content_tells_order_and_sizes_apart_and_not_how_rows_came_in_blocks() -> None:
    def content(*blocks: list[int]) -> str:
        tally = Tally()
        for block in blocks:
            tally.add(np.ones(len(block), np.int32), np.array(block))
        return tally.content.sha256

    assert content([1, 2], [3]) == content([1], [2, 3])
    assert len({content([1, 2, 3]), content([2, 1, 3]), content([1, 2, 4]), content([1, 2, 3, 0])}) == 4


def test_rows_longer_than_any_pool_may_have_are_clipped_and_counted() -> None:
    tally = Tally()
    tally.add(np.array([5, LONGEST_TOKENS + 1], np.int32), np.array([1, 2]))
    found = tally.profile(MEASURE, "pool", 0)
    assert found.clipped == 1
    assert found.pool.longest == LONGEST_TOKENS


def test_quantiles_are_lengths_that_so_many_examples_do_not_pass() -> None:
    tally = Tally()
    tally.add(np.arange(1, 101, dtype=np.int32), np.arange(100))
    found = tally.profile(MEASURE, "pool", 0)
    assert [found.quantile(q) for q in (0.0, 0.1, 0.5, 1.0)] == [1, 10, 50, 100]


def test_an_estimate_rounds_up_and_a_template_counts_by_the_turn() -> None:
    assert estimated_tokens(np.array([0, 1, 4, 5])).tolist() == [0, 1, 1, 2]
    assert with_template(np.array([10, 10]), np.array([3, 0]), 5).tolist() == [25, 11]
    assert (MEASURE.relative_error, MEASURE.how) == (0.2, "UTF-8 bytes / 4 plus 1 for the end")
    counted = Measure("messages", tokenizer="a/tokenizer.json", tokenizer_sha256="x")
    assert (counted.relative_error, counted.how) == (0.0, "tokens of tokenizer.json plus 5 per turn")
