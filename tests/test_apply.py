"""Drawing rows: exactly N of them, mean L within 1 %, every row equally likely, the same rows for the same seed."""

from __future__ import annotations

import itertools
from typing import Literal, cast

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftplan.apply import CLOSE, PROMISED, draw, eligible_rows, every_nth, exchanged
from ftplan.errors import Infeasible
from ftplan.plan.result import PlannedData, Recipe


def data(examples: int, mean: float, band: tuple[int, int], sampling: str, cut: int, seed: int) -> PlannedData:
    how = cast("Literal['uniform', 'top', 'mid']", sampling)
    return PlannedData(examples, mean, examples * mean, 1.0, Recipe(band, how, cut, seed))


def wanted(examples: int, mean: float, *, sampling: str = "uniform", seed: int = 0, cut: int = 512) -> PlannedData:
    return data(examples, mean, (1, cut), sampling, cut, seed)


def long_tailed(rows: int, seed: int = 0) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    return np.exp(np.random.default_rng(seed).normal(4.5, 1.0, rows)).astype(np.int32) + 1


@given(st.integers(1, 60), st.floats(0.0, 1.0, exclude_max=True), st.data())
def test_every_nth_place_is_taken_once(rows: int, start: float, data: st.DataObject) -> None:
    examples = data.draw(st.integers(1, rows))
    places = every_nth(rows, examples, start)
    assert len(set(places.tolist())) == examples
    assert places.min() >= 0
    assert places.max() < rows


def test_over_all_starts_every_place_is_as_likely() -> None:
    rows, examples = 12, 5
    times = sum(np.bincount(every_nth(rows, examples, start / rows), minlength=rows) for start in range(rows))
    assert np.asarray(times).tolist() == [examples] * rows


@settings(max_examples=40)
@given(
    st.lists(st.tuples(st.integers(1, 30), st.integers(1, 3)), min_size=1, max_size=5, unique_by=lambda pair: pair[0]),
    st.data(),
)
def test_an_exchange_ends_as_near_as_any_single_further_exchange_could_get(
    pairs: list[tuple[int, int]], data: st.DataObject
) -> None:
    lengths, counts = (np.array(values) for values in zip(*sorted(pairs), strict=True))
    examples = data.draw(st.integers(1, int(counts.sum())))
    total = data.draw(st.integers(1, int(lengths @ counts)))
    places = every_nth(int(counts.sum()), examples, 0.5)
    had = np.bincount(np.repeat(np.arange(len(lengths)), counts)[places], minlength=len(lengths))
    found = exchanged(lengths, counts, had, total)
    assert found.sum() == examples
    assert (found >= 0).all()
    assert (found <= counts).all()
    off = abs(total - int(lengths @ found))
    for out, into in itertools.permutations(range(len(lengths)), 2):
        if found[out] and found[into] < counts[into] and off > CLOSE * total:
            assert abs(total - int(lengths @ found) - (lengths[into] - lengths[out])) >= off


@pytest.mark.parametrize("examples", [20, 100, 1000])
def test_a_random_draw_has_exactly_n_rows_and_the_mean_within_the_promise(examples: int) -> None:
    lengths = long_tailed(20_000)
    mean = float(np.minimum(lengths, 512).mean())
    for seed in range(20):
        drawn = draw(lengths, wanted(examples, mean, seed=seed))
        assert len(set(drawn.rows.tolist())) == examples
        assert drawn.total_tokens == np.minimum(lengths[drawn.rows], 512).sum()
        assert abs(drawn.avg_tokens / mean - 1.0) <= PROMISED
    # what luck alone would do, so that the test can fail: the mean of plain samples is off by more than promised
    plain = np.random.default_rng(0).choice(np.minimum(lengths, 512), (20, 100)).mean(axis=1)
    assert np.abs(plain / mean - 1.0).max() > PROMISED


def test_every_row_is_equally_likely() -> None:
    """400 draws of 100 from 1,000 rows: how often rows come varies as luck has it, hardly more for the mean's sake."""
    lengths = long_tailed(1000)
    mean = float(np.minimum(lengths, 512).mean())
    times = np.zeros(1000)
    for seed in range(400):
        times[draw(lengths, wanted(100, mean, seed=seed)).rows] += 1
    off = (times - 40) / np.sqrt(400 * 0.1 * 0.9)
    assert off.std() < 1.3
    assert np.abs(off).max() < 5.5


def test_a_mean_that_is_not_the_bands_own_is_reached_by_exchanges() -> None:
    lengths = long_tailed(300)
    drawn = draw(lengths, wanted(40, 200.0))
    assert abs(drawn.avg_tokens / 200.0 - 1.0) <= PROMISED
    assert len(set(drawn.rows.tolist())) == 40


def test_rows_outside_the_band_and_rows_without_a_text_are_never_drawn() -> None:
    lengths = np.array([0, 5, 10, 20, 600, 0, 700], np.int32)
    assert eligible_rows(lengths, data(2, 10.0, (10, 512), "uniform", 512, 0)).tolist() == [2, 3, 4, 6]
    assert eligible_rows(lengths, data(2, 10.0, (5, 20), "uniform", 512, 0)).tolist() == [1, 2, 3]


def test_too_few_rows_is_no() -> None:
    with pytest.raises(Infeasible, match=r"takes 3 examples of 1 to 512 tokens, this pool has 2"):
        draw(np.array([5, 0, 7], np.int32), wanted(3, 6.0))


def test_the_seed_decides_and_nothing_else() -> None:
    lengths = long_tailed(500)
    first, again = (draw(lengths, wanted(50, 100.0, seed=7)).rows.tolist() for _ in range(2))
    assert first == again
    assert first != draw(lengths, wanted(50, 100.0, seed=8)).rows.tolist()
    assert first != sorted(first)


def test_top_takes_the_best_scores_and_mid_those_around_the_median() -> None:
    lengths, scores = np.full(9, 10, np.int32), np.array([5.0, 1, 9, 3, 7, 2, 8, 4, 6])
    top = draw(lengths, wanted(3, 10.0, sampling="top"), scores)
    assert sorted(scores[top.rows]) == [7, 8, 9]
    mid = draw(lengths, wanted(3, 10.0, sampling="mid"), scores)
    assert sorted(scores[mid.rows]) == [4, 5, 6]


def test_of_equal_scores_the_seed_decides() -> None:
    lengths, scores = np.full(50, 10, np.int32), np.zeros(50)
    rows = [sorted(draw(lengths, wanted(5, 10.0, sampling="top", seed=s), scores).rows.tolist()) for s in (1, 1, 2)]
    assert rows[0] == rows[1] != rows[2]
