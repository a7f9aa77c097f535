"""The learning rate of every step from those that were logged."""

from __future__ import annotations

import numpy as np
import pytest

from ftplan.laws.schedules import SCHEDULES, rate_at
from ftplan.readers.histories.rates import logged, named

TOTAL = 400


@pytest.mark.parametrize("late", [1, 0], ids=["of its step", "of the next"])
@pytest.mark.parametrize("warm", [0, 3, 24])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_a_schedule_is_found_from_some_steps(schedule: str, warm: int, late: int) -> None:
    at = [*range(1, 30), *range(40, TOTAL + 1, 10)]
    rates = 2e-5 * rate_at(schedule, warm / TOTAL, (np.array(at) - late) / TOTAL)
    found = logged(at, rates.tolist(), TOTAL, TOTAL)
    assert found is not None
    assert found.peak == pytest.approx(2e-5, rel=1e-6)
    assert found.schedule == schedule
    truth = rate_at(schedule, warm / TOTAL, np.arange(TOTAL + 1) / TOTAL)
    assert found.shares == pytest.approx(truth, abs=1e-9)


@pytest.mark.parametrize("schedule", ["linear", "cosine"])
def test_a_warm_up_that_was_not_seen(schedule: str) -> None:
    at = np.arange(50, TOTAL + 1, 50)
    rates = 2e-5 * rate_at(schedule, 20 / TOTAL, (at - 1) / TOTAL)
    found = logged(at.tolist(), rates.tolist(), TOTAL, TOTAL)
    assert found is not None
    assert found.warmup == 20 / TOTAL
    assert found.peak == pytest.approx(2e-5)


def test_of_a_constant_rate_nobody_knows_the_warm_up() -> None:
    found = logged([50, 100, 150], [1e-4] * 3, TOTAL, 150)
    assert found is not None
    assert (found.schedule, found.warmup, found.open) == ("constant", 0.0, True)


def test_any_other_course_lies_on_straight_lines() -> None:
    found = logged([1, 11, 21, 31], [0.0, 1e-4, 3e-5, 5e-5], 40, 40)
    assert found is not None
    assert found.schedule == ""
    assert found.shares[[5, 10, 15, 20, 30]] == pytest.approx([0.5, 1.0, 0.65, 0.3, 0.5])


def test_one_rate_tells_nothing() -> None:
    assert logged([10], [1e-4], 40, 40) is None
    said = logged([10], [1e-4 * 0.775], 40, 40, said=("linear", 0.0))
    assert said is not None
    assert said.peak == pytest.approx(1e-4)


def test_by_name() -> None:
    assert named("linear", 0.1, 10, 10).shares == pytest.approx([0, *np.arange(9, -1, -1) / 9])
