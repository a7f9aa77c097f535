"""Pilot runs: few, different from each other and from what was run."""

from __future__ import annotations

import pytest

from ftplan.errors import NotIdentified
from ftplan.fit.features import prepare
from ftplan.fit.pilots import pilot_runs, said
from ftplan.fit.series import judge
from ftplan.presets import load_law
from ftplan.runs import Metric, from_rows


@pytest.mark.parametrize("avg_tokens", [None, 128.0])
def test_four_runs_that_vary_what_was_never_varied(avg_tokens: float | None) -> None:
    runs = pilot_runs(1000, avg_tokens, load_law("pyfunc-s"))
    assert len(set(runs)) == 4
    assert len({n for n, _ in runs}) >= 3
    assert all(n != 1000 for n, _ in runs)
    if avg_tokens is not None:
        assert len({length for _, length in runs}) >= 2


def test_they_scale_with_the_runs_there_are() -> None:
    small, large = pilot_runs(100, 64, load_law("pyfunc-s")), pilot_runs(100_000, 64, load_law("pyfunc-s"))
    assert [n * 1000 for n, _ in small] == [n for n, _ in large]


def test_how_they_read() -> None:
    assert said([(250, 64), (4000, None)]) == "250 examples of 64 tokens, 4,000 examples"


def laws_of(rows: list[dict[str, float]]) -> None:
    """Laws alone: `fit_runs` has the prior over curves stand in where there is none."""
    judge([prepare(from_rows(rows, Metric("loss", "min", "nats")))], [""], ["auto"], "squares")


def test_a_single_run_is_told_how_many_are_needed() -> None:
    with pytest.raises(NotIdentified, match="one run, and the smallest law needs 5"):
        laws_of([{"examples": 1000, "loss": 2.0}])


@pytest.mark.parametrize("avg_tokens", [None, 128.0])
def test_runs_that_never_varied_the_data_are_refused_with_the_middle_of_them(avg_tokens: float | None) -> None:
    length = {} if avg_tokens is None else {"avg_tokens": avg_tokens, "tokens": 1000 * avg_tokens}
    with pytest.raises(NotIdentified, match="every run has examples = 1,000") as caught:
        laws_of([{"examples": 1000, "loss": 2.0 + 0.1 * k, **length} for k in range(6)])
    assert caught.value.examples == pytest.approx(1000)
    assert caught.value.avg_tokens == (None if avg_tokens is None else pytest.approx(avg_tokens))
