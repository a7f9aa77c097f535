"""Which rows a run trains on."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from experiments import pick
from ftplan.pool import from_lengths

LENGTHS = np.random.default_rng(0).integers(16, 513, 900)


@pytest.mark.parametrize("mean", [100.0, 200.0, 300.0, 400.0])
def test_a_band_is_the_one_that_a_plan_would_name(mean: float) -> None:
    low, high = pick.band(LENGTHS, mean)
    inside = LENGTHS[(LENGTHS >= low) & (LENGTHS <= high)]
    assert inside.mean() == pytest.approx(mean, rel=0.02)
    planned = from_lengths(LENGTHS.tolist(), name="", source="").widest_band(float(inside.mean()))
    assert planned is not None
    assert (int(planned.lo[0]), int(planned.hi[0])) == (low, high)


def test_a_mean_that_no_band_has_is_an_error() -> None:
    with pytest.raises(ValueError, match="no band of the pool has a mean of 700 tokens"):
        pick.band(LENGTHS, 700.0)


def test_eligible_rows_are_of_the_share_and_of_the_band() -> None:
    assert pick.eligible(LENGTHS, 0.3, 0.0).tolist() == list(range(270))
    rows = pick.eligible(LENGTHS, 0.5, 150.0)
    assert rows.max() < 450
    assert LENGTHS[rows].mean() == pytest.approx(150.0, rel=0.02)


@given(seed=st.integers(0, 50), examples=st.integers(1, 300))
def test_the_best_rows_keep_the_mean_length_and_are_the_best_of_their_stratum(seed: int, examples: int) -> None:
    rng = np.random.default_rng(seed)
    score, rows = rng.normal(size=len(LENGTHS)), np.sort(rng.permutation(len(LENGTHS))[:600])
    chosen = pick.best(score, LENGTHS, rows, examples)
    assert len(set(chosen.tolist())) == examples
    assert set(chosen) <= set(rows)
    ordered = rows[np.lexsort((rows, LENGTHS[rows]))]
    for stratum in np.array_split(ordered, pick.STRATA):
        taken = np.isin(stratum, chosen)
        assert abs(int(taken.sum()) - examples / pick.STRATA) <= 1.0
        if taken.any() and not taken.all():
            assert score[stratum[taken]].min() > score[stratum[~taken]].max()


def test_a_score_that_prefers_long_rows_does_not_lengthen_the_choice() -> None:
    rows = np.arange(len(LENGTHS))
    longest_first = pick.best(LENGTHS.astype(float), LENGTHS, rows, 240)
    assert LENGTHS[longest_first].mean() == pytest.approx(LENGTHS.mean(), rel=0.1)


@pytest.mark.parametrize("examples", [0, 901])
def test_more_rows_than_there_are_or_none_is_an_error(examples: int) -> None:
    with pytest.raises(ValueError, match="of 900 eligible rows"):
        pick.best(np.zeros(900), LENGTHS, np.arange(900), examples)
