"""Curves of one table at the same sizes, forecast together."""

from __future__ import annotations

import numpy as np
import pytest

from ftplan.fit import panel
from ftplan.fit.forecast import Curve, Gap, forecast, panel_of
from ftplan.fit.panel import Panel, PanelPrior
from ftplan.presets import load_prior

PRIOR = PanelPrior(0.0, 0.5, 0.25, 0.0, (0.1, 0.1, 0.1), (0.1, 0.1, 0.1, 0.0), 0.02, 4.0, True)
U = np.log([500.0, 1000.0, 2000.0])


def curves(values: np.ndarray, gap: Gap, seeds: int = 3, spread: float = 0.5) -> list[Curve]:
    """(c, n) means of runs that lie evenly around them."""
    luck = spread * np.linspace(-1.0, 1.0, seeds)
    return [Curve.of(np.repeat(U, seeds), (row[:, None] + luck).ravel(), gap, group="table") for row in values]


def test_what_is_shared_goes_on_and_what_sets_apart_shrinks() -> None:
    z = np.array([[0.3, 0.2, 0.1], [0.5, 0.4, 0.3], [0.7, 0.6, 0.5]])
    found = panel.ahead(Panel(U, z, 0.02), np.log([4000.0]), PRIOR)
    d = np.log(2.0)
    middle = 0.3 + 0.5 * -0.1  # half of the step by one doubling
    assert found.middle[:, 0] == pytest.approx(middle + np.array([-0.2, 0.0, 0.2]) * (1.0 - 0.25 * d))
    assert found.each.shape == (3, 1)
    assert found.common.shape == (1,)


def test_scales_mix_to_students_t() -> None:
    rng = np.random.default_rng(0)
    mixed = np.sqrt(rng.choice(panel.scales(4.0), 200_000)) * rng.standard_normal(200_000)
    assert np.quantile(mixed, 0.95) == pytest.approx(2.13, abs=0.05)


def test_a_loss_that_falls_by_a_law_is_no_panel() -> None:
    z = np.log(2.0) - 0.3 * (U - U[0]) + np.array([[0.0], [0.1], [0.2]])
    assert not panel.trusted(Panel(U, z, 1e-3), PRIOR, usual=True)
    flat = Panel(U, np.array([[0.1, 0.11, 0.1], [0.2, 0.19, 0.2], [0.15, 0.16, 0.15]]), 0.01)
    assert panel.trusted(flat, PRIOR, usual=False)
    assert panel.trusted(Panel(U[:2], z[:, :2], 1e-3), PRIOR, usual=True)


def test_curves_that_end_at_one_size_are_a_panel_and_others_are_not() -> None:
    gap, prior = Gap(100.0, 100.0, False), load_prior("score")
    scores = np.array([[40.0, 41.0, 41.5], [42.0, 42.5, 42.0], [38.0, 40.0, 41.0], [30.0, 37.0, 40.0]])
    table = curves(scores, gap)
    made = panel_of(table, prior)
    assert made is not None
    assert list(made[0]) == [0, 1, 2, 3]
    assert panel_of(table[:2], prior) is None
    short = [*table[:3], Curve.of(U[:2], scores[3, :2], gap, group="table")]
    made = panel_of(short, prior)
    assert made is not None
    assert list(made[0]) == [0, 1, 2]


def test_a_panel_forecasts_inside_the_bounds_with_what_replicates_show() -> None:
    gap, prior = Gap(100.0, 100.0, False), load_prior("score")
    scores = np.array([[57.0, 58.0, 58.5], [56.0, 57.5, 58.0], [55.0, 57.0, 58.2]])
    quiet, loud = (
        forecast(curves(scores, gap, spread=s), [np.log([4000.0, 16000.0])] * 3, gap, prior) for s in (0.05, 2.0)
    )
    for found in (*quiet, *loud):
        low, middle, high = found.quantiles([0.05, 0.5, 0.95])
        assert (low < middle).all()
        assert (middle < high).all()
        assert (high <= 100.0).all()
        assert np.diff(np.diff(found.log_gap([0.05, 0.95]), axis=0)[0])[0] > 0.0
    width = [np.diff(found[0].quantiles([0.05, 0.95])[:, 0])[0] for found in (quiet, loud)]
    assert width[1] > 2.0 * width[0]
