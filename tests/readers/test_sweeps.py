"""`--from`, `--to`, `--steps`."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftplan.errors import InputError
from ftplan.readers.sweeps import one_of_each_kind, spaced
from ftplan.units import Budget

OWN = (Budget("usd", 50.0), Budget("wall_hours", 4.0))


def test_around_the_problems_own_budget() -> None:
    assert [b.limit for b in spaced(OWN, None, None, 3)] == [5.0, 50.0, 500.0]
    assert [b.limit for b in spaced(OWN, "2h", None, 2)] == [2.0, 40.0]
    assert spaced(OWN, None, "1h", 2) == (Budget("wall_hours", 0.4), Budget("wall_hours", 1.0))


@given(low=st.floats(1e-3, 1e20), factor=st.floats(1.1, 1e6), steps=st.integers(2, 50))
@settings(derandomize=True, max_examples=100, deadline=None)
def test_budgets_rise_from_one_end_to_the_other(low: float, factor: float, steps: int) -> None:
    limits = [b.limit for b in spaced((), f"{low:e}flops", f"{low * factor:e}flops", steps)]
    assert len(limits) == steps
    assert limits == sorted(limits)
    assert limits[0] == pytest.approx(low, rel=0.006)
    assert limits[-1] == pytest.approx(low * factor, rel=0.006)


@pytest.mark.parametrize(
    ("first", "last", "message"),
    [
        ("5usd", "1h", "--from is in usd and --to in wall_hours"),
        ("5usd", "5usd", "is not below"),
        ("1e12flops", None, "no such budget to sweep around"),
        ("five", None, "budget 'five'"),
    ],
)
def test_a_sweep_that_makes_no_sense(first: str, last: str | None, message: str) -> None:
    with pytest.raises(InputError, match=message):
        spaced(OWN, first, last, 5)


def test_one_budget_of_each_kind_in_the_order_given() -> None:
    texts = ["8usd", "4h", "16usd", "30min", "1e18flops"]
    assert one_of_each_kind(texts) == ("8usd", "4h", "1e18flops")
    assert one_of_each_kind([]) == ()
    with pytest.raises(InputError):
        one_of_each_kind(["8"])
