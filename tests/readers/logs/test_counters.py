"""TRL's count of tokens: the later of two counters, and the parts of a resumed run."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftplan.readers.logs.counters import began_again, tokens_seen


def log(*points: tuple[float, float, float], name: str = "num_tokens") -> list[dict[str, Any]]:
    """Rows of (step, epoch, count)."""
    return [{"step": step, "epoch": epoch, name: count} for step, epoch, count in points]


@pytest.mark.parametrize(
    ("rows", "tokens", "again"),
    [
        ([], 0.0, False),
        (log((10, 1.0, 400), (20, 2.0, 800)), 800.0, False),
        # the last row of training stands before the last evaluation
        ([*log((10, 0.8, 19421), (20, 1.5, 37116)), *log((26, 2.0, 47996), name="eval_num_tokens")], 47996.0, False),
        # resumed: it falls
        (log((6, 0.5, 123), (12, 1.0, 100)), 223.0, True),
        # resumed: it rises, by less than a step brings (TRL 1.16, 60 rows by 5)
        (log((6, 0.5, 123), (12, 1.0, 135)), 258.0, True),
        (log((6, 0.5, 361), (12, 1.0, 377)), 738.0, True),
        # a last step of an epoch with few rows is no restart (TRL 1.16, 20 rows by 4 x 4)
        (log((1, 0.8, 209), (2, 1.0, 278), (3, 1.8, 501)), 501.0, False),
        (log((6, 0.75, 600), (7, 0.875, 700), (8, 1.0, 720)), 720.0, False),
        # two resumes
        (log((10, 0.3, 1000), (20, 0.6, 1010), (30, 0.9, 990)), 3000.0, True),
        ([{"num_tokens": 5.0}, {"num_tokens": 9.0}], 9.0, False),
        ([{"num_tokens": 9.0}, {"num_tokens": 5.0}], 14.0, True),
        ([*log((0, 0.0, 0), name="eval_num_tokens"), *log((1, 0.0, 9), (2, 0.0, 9.5))], 9.5, False),
    ],
)  # fmt: skip
def test_tokens_at_the_end(rows: list[dict[str, Any]], tokens: float, again: bool) -> None:
    assert (tokens_seen(rows), began_again(rows)) == (tokens, again)


@given(st.lists(st.integers(70, 130), min_size=2, max_size=40), st.integers(1, 5), st.booleans())
def test_a_run_that_went_through_is_never_cut(steps: list[int], every: int, first: bool) -> None:
    """Steps that differ by up to a third, and a last one of an epoch with any part of a batch."""
    steps[-1] //= 9
    counts = [sum(steps[: i + 1]) for i in range(len(steps))]
    logged = [i for i in range(len(steps)) if i % every == every - 1 or (first and i == 0) or i == len(steps) - 1]
    rows = log(*((i + 1.0, (i + 1) / len(steps), float(counts[i])) for i in logged))
    assert tokens_seen(rows) == counts[-1]


@given(st.lists(st.integers(90, 110), min_size=6, max_size=40), st.integers(3, 6), st.data())
def test_the_parts_of_a_resumed_run_add_up(steps: list[int], every: int, data: st.DataObject) -> None:
    """Stopped and resumed at a step that was logged; over one or two steps a restart shows only where it falls."""
    logged = [i for i in range(len(steps)) if i % every == every - 1]
    if len(logged) < 2:
        return
    at = data.draw(st.sampled_from(logged[:-1]))
    counts = [sum(steps[: i + 1]) - (sum(steps[: at + 1]) if i > at else 0) for i in range(len(steps))]
    rows = log(*((i + 1.0, (i + 1) / (2 * len(steps)), float(counts[i])) for i in logged))
    assert tokens_seen(rows) == sum(steps[: logged[-1] + 1])
