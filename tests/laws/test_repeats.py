"""What repeats are worth for a score: up to a peak more than fresh rows, then less."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftplan.laws.parts import Refs, Rows
from ftplan.laws.terms import repeats

SEEN = Refs(T=1.0, most_epochs=32.0)


def log_worth(epochs: float, gain: float, peak: float | None = None) -> float:
    """Ln r of a number of epochs."""
    zero, none = np.zeros(1), np.zeros(1, dtype=np.intp)
    row = replace(Rows(zero, zero, zero, zero, zero, zero, none, none, zero), repeats=np.array([epochs - 1.0]))
    theta = np.array([[gain] if peak is None else [gain, np.log(peak)]])
    return float(repeats.TERM.value(row, theta, Refs(T=1.0) if peak is None else SEEN)[0, 0])


def test_by_hand() -> None:
    assert log_worth(1.0, 4.0) == 0.0
    # far before the peak it is epochs^gain, far past it it falls as rows halve
    assert log_worth(2.0, 4.0) == pytest.approx(4.0 * np.log(2.0), abs=0.02)
    assert log_worth(512.0, 4.0) - log_worth(256.0, 4.0) == pytest.approx(-np.log(2.0), abs=0.02)


@given(gain=st.floats(1.5, 12.0), peak=st.floats(8.0, 32.0))
def test_at_equal_updates_the_peak_is_best(gain: float, peak: float) -> None:
    def at(epochs: float) -> float:
        return log_worth(epochs, gain, peak) - float(np.log(epochs))

    best = max(np.geomspace(1.0, 512.0, 200), key=at)
    assert peak / 2.5 <= best <= peak * 2.0
    assert at(best) > at(1.0)
    assert at(512.0) < at(best)


@given(epochs=st.floats(0.05, 1.0), gain=st.floats(0.0, 12.0))
def test_less_than_one_epoch_has_seen_that_share(epochs: float, gain: float) -> None:
    assert log_worth(epochs, gain) == pytest.approx(np.log(epochs), abs=1e-12)


def test_the_peak_is_fitted_where_runs_went_there() -> None:
    assert [p.name for p in repeats.TERM.params(Refs(T=1.0, most_epochs=8.0))] == ["gain"]
    assert [p.name for p in repeats.TERM.params(SEEN)] == ["gain", "ln_peak"]
    named = repeats.TERM.natural({"gain": np.ones(1), "ln_peak": np.log([12.0])}, SEEN)
    assert named["peak_epochs"] == pytest.approx([12.0])
