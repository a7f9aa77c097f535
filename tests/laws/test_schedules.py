"""Schedules: their ends, their means, and that S is tokens times the mean."""

from __future__ import annotations

import numpy as np
import pytest

from ftplan.laws.schedules import DECAY, SCHEDULES, mean_rate, rate_at

EVERY = pytest.mark.parametrize("schedule", SCHEDULES)


@EVERY
@pytest.mark.parametrize("warmup", [0.0, 0.03, 0.25])
def test_a_rate_rises_to_its_peak_and_never_after(schedule: str, warmup: float) -> None:
    done = np.linspace(0.0, 1.0, 401)
    rates = rate_at(schedule, warmup, done)
    assert rates.max() == pytest.approx(1.0)
    assert (np.diff(rates[done < warmup]) > 0.0).all()
    assert (np.diff(rates[done >= warmup]) <= 1e-12).all()
    assert rates[-1] == (1.0 if schedule == "constant" else pytest.approx(0.0, abs=1e-12))
    if warmup:
        assert rates[0] == 0.0


@pytest.mark.parametrize(
    ("schedule", "warmup", "mean"),
    [
        ("constant", 0.0, 1.0),
        ("constant", 0.1, 0.95),
        ("linear", 0.0, 0.5),
        ("cosine", 0.1, 0.5),
        ("warmup_stable_decay", 0.1, 0.1 / 2 + 0.7 + DECAY / 2),
    ],
)
def test_means_are_those_of_the_drawn_shape(schedule: str, warmup: float, mean: float) -> None:
    assert mean_rate(schedule, warmup) == pytest.approx(mean, abs=1e-6)


@EVERY
@pytest.mark.parametrize("done", [0.001, 0.05, 0.3, 0.77, 1.0])
def test_a_mean_so_far_is_that_of_a_step_by_step_count(schedule: str, done: float) -> None:
    steps = 200_000
    counted = rate_at(schedule, 0.05, (np.arange(round(done * steps)) + 0.5) / steps).mean()
    assert mean_rate(schedule, 0.05, done) == pytest.approx(counted, rel=1e-3, abs=1e-6)


def test_a_warm_up_that_is_no_share_is_refused() -> None:
    with pytest.raises(ValueError, match="share of the run"):
        rate_at("cosine", 1.0, 0.5)
