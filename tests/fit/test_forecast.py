"""Ahead of a curve's points: known curves go on, few points widen, bounds hold, tables share, numbers repeat."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftplan import presets
from ftplan.fit.curve_prior import AXES, CurvePrior
from ftplan.fit.forecast import Curve, Forecast, Gap, forecast
from ftplan.laws.parts import Floats

LOSS, SHARE, PERCENT = Gap(), Gap(1.0, 1.0, False), Gap(100.0, 100.0, False)
PRIORS = {kind: presets.load_prior(kind) for kind in presets.names("priors")}
SIZES: Floats = np.array([500.0, 1e3, 2e3, 4e3, 8e3, 16e3, 32e3, 64e3])


def one(sizes: Floats, values: Floats, ahead: list[float], gap: Gap = LOSS, prior: str = "loss") -> Forecast:
    curve = Curve.of(np.log(sizes), values, gap)
    return forecast([curve], [np.log(np.array(ahead))], gap, PRIORS[prior])[0]


def width(found: Forecast) -> Floats:
    low, high = found.quantiles([0.05, 0.95])
    return np.asarray(high - low)


@pytest.mark.parametrize("slope", [0.05, 0.15, 0.3])
def test_a_clean_straight_curve_goes_on_straight(slope: float) -> None:
    found = one(SIZES, 3.0 * SIZES**-slope, [2 * SIZES[-1], 4 * SIZES[-1]])
    truth = 3.0 * (SIZES[-1] * np.array([2.0, 4.0])) ** -slope
    assert found.median == pytest.approx(truth, rel=0.01)
    assert (width(found) < 0.08 * truth).all()


def test_a_clean_curve_gets_a_narrower_interval_than_a_noisy_one() -> None:
    truth = 3.0 * SIZES**-0.15
    noise = np.array([1.0, -1.0, 0.5, -0.5, 1.0, -1.0, 0.7, -0.7])
    widths = [width(one(SIZES, truth * np.exp(sd * noise), [2 * SIZES[-1]]))[0] for sd in (0.0, 0.01, 0.05)]
    assert widths == sorted(widths)
    assert widths[2] > 3.0 * widths[0]


def test_each_further_size_narrows_the_forecast_of_a_clean_curve() -> None:
    truth = 3.0 * SIZES**-0.15
    widths = [width(one(SIZES[-n:], truth[-n:], [2 * SIZES[-1]]))[0] for n in (2, 3, 4, 6)]
    assert widths == sorted(widths, reverse=True)


def test_the_further_ahead_the_wider() -> None:
    widths = width(one(SIZES, 3.0 * SIZES**-0.15, [SIZES[-1] * 2.0**k for k in range(1, 7)]))
    assert (np.diff(widths) > 0.0).all()


def test_replicates_that_scatter_widen_the_interval() -> None:
    """The means are the same; the seeds say how far one run may lie from them."""
    sizes, truth = np.repeat(SIZES[:5], 3), np.repeat(3.0 * SIZES[:5] ** -0.15, 3)
    luck = np.tile([-1.0, 0.0, 1.0], 5)
    tight, loose = (width(one(sizes, truth * np.exp(sd * luck), [2 * SIZES[4]]))[0] for sd in (0.002, 0.05))
    assert loose > 3.0 * tight


def test_a_table_that_tells_its_noise_widens_the_interval() -> None:
    values, at = 3.0 * SIZES**-0.15, [np.log(2 * SIZES[-1:])]
    told = Curve.of(np.log(SIZES), values, LOSS, stderr=0.05 * values)
    untold = Curve.of(np.log(SIZES), values, LOSS)
    wide, narrow = (forecast([c], at, LOSS, PRIORS["loss"])[0] for c in (told, untold))
    assert width(wide)[0] > width(narrow)[0]


@settings(max_examples=15, deadline=None)
@given(
    st.lists(st.floats(0.0, 1.0), min_size=1, max_size=6),
    st.floats(1.5, 1e4),
    st.sampled_from([SHARE, Gap(0.0, 1.0)]),
)
def test_a_bounded_metric_stays_inside_its_bounds_and_quantiles_ascend(
    values: list[float], times: float, gap: Gap
) -> None:
    sizes = SIZES[: len(values)]
    found = one(sizes, np.array(values), [times * sizes[-1]], gap, "score")
    quantiles = found.quantiles([0.05, 0.5, 0.95])
    assert ((quantiles >= 0.0) & (quantiles <= 1.0)).all()
    assert (np.diff(quantiles, axis=0) >= 0.0).all()
    drawn = found.draws(20, 0)
    assert ((drawn >= 0.0) & (drawn <= 1.0)).all()


def test_percent_and_fractions_get_the_same_forecast() -> None:
    values = np.array([40.0, 44.0, 47.0, 49.0])
    percent = one(SIZES[:4], values, [8000.0], PERCENT, "score").quantiles([0.05, 0.5, 0.95])
    fraction = one(SIZES[:4], values / 100.0, [8000.0], SHARE, "score").quantiles([0.05, 0.5, 0.95])
    assert percent / 100.0 == pytest.approx(fraction, abs=1e-9)


def test_the_unit_of_a_loss_and_of_data_does_not_matter() -> None:
    values = np.array([3.1, 2.9, 2.75, 2.65])
    plain = one(SIZES[:4], values, [8000.0]).quantiles([0.05, 0.5, 0.95])
    scaled = one(SIZES[:4] * 100.0, values / np.log(2.0), [8e5]).quantiles([0.05, 0.5, 0.95])
    assert plain / np.log(2.0) == pytest.approx(scaled, rel=1e-6)


def test_the_order_of_runs_does_not_matter_and_numbers_repeat() -> None:
    values = np.array([3.1, 2.9, 2.75, 2.65])
    shuffled = np.array([2, 0, 3, 1])
    a = one(SIZES[:4], values, [8000.0])
    b = one(SIZES[:4][shuffled], values[shuffled], [8000.0])
    assert np.array_equal(a.quantiles([0.05, 0.95]), b.quantiles([0.05, 0.95]))
    assert np.array_equal(a.draws(10, 3), b.draws(10, 3))


def test_draws_have_the_middle_of_the_mixture_and_share_their_luck() -> None:
    found = one(SIZES, 3.0 * SIZES**-0.15, [2 * SIZES[-1], 2.1 * SIZES[-1]])
    drawn = found.draws(4000, 1)
    assert np.median(drawn, axis=0) == pytest.approx(found.median, rel=0.005)
    apart = drawn[:, 0] / drawn[:, 1]
    assert apart.std() < 0.2 * (drawn[:, 0] / drawn[:, 0].mean()).std()


def test_curves_of_a_table_are_shrunk_together() -> None:
    """Three flat and clean curves say that the fourth, of two sizes, is flat."""
    flat = [Curve.of(np.log(SIZES[:5]), level * np.ones(5), LOSS, group="t") for level in (2.0, 2.2, 2.4)]
    short = Curve.of(np.log(SIZES[:2]), np.array([2.3, 2.29]), LOSS, group="t")
    at = [np.log(SIZES[5:6])] * 4
    together = forecast([*flat, short], at, LOSS, PRIORS["loss"])[3]
    alone = forecast([short], at[:1], LOSS, PRIORS["loss"])[0]
    assert width(together)[0] < 0.5 * width(alone)[0]
    assert together.median[0] == pytest.approx(2.29, abs=0.03)


def test_curves_of_no_group_do_not_see_each_other() -> None:
    curves = [Curve.of(np.log(SIZES[:4]), v * np.array([1.0, 0.95, 0.92, 0.9]), LOSS) for v in (2.0, 3.0)]
    at = [np.log(SIZES[4:5])] * 2
    both = forecast(curves, at, LOSS, PRIORS["loss"])
    assert both[1].median[0] == forecast(curves[1:], at[1:], LOSS, PRIORS["loss"])[0].median[0]


def test_runs_of_one_size_are_averaged() -> None:
    curve = Curve.of(np.log([100.0, 100.0, 200.0]), np.array([2.0, 2.0 * np.e, 1.0]), LOSS)
    assert curve.counts.tolist() == [2.0, 1.0]
    assert curve.z == pytest.approx([np.log(2.0) + 0.5, 0.0])
    assert curve.squares == pytest.approx([0.5, 0.0])


def test_a_curve_without_runs_or_with_holes_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one run"):
        Curve.of(np.zeros(0), np.zeros(0), LOSS)
    with pytest.raises(ValueError, match="finite"):
        Curve.of(np.zeros(1), np.array([np.nan]), LOSS)


@pytest.mark.parametrize("kind", PRIORS)
def test_weights_of_a_shipped_prior_add_up_to_one(kind: str) -> None:
    prior = PRIORS[kind]
    assert np.exp(prior.log_weight).sum() == pytest.approx(1.0)
    assert prior.log_weight.shape == (len(prior.processes), len(prior.shapes(np.zeros(1))))


def test_a_prior_with_fewer_weights_than_values_is_refused() -> None:
    values = dict.fromkeys(AXES, (0.1, 0.2))
    with pytest.raises(ValueError, match="'floor'"):
        CurvePrior(values, values | {"floor": (0.0,)})


def test_the_wander_is_a_covariance() -> None:
    u = np.array([0.0, 0.5, 0.7, 3.0, 9.0])
    for matrix in PRIORS["loss"].wander(u):
        assert np.linalg.eigvalsh(matrix).min() > -1e-9
        assert matrix[0] == pytest.approx(np.zeros(5))
