"""Forecasts beyond the data: the mixture, its interval, and how it meets the law inside."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from ftplan.fit import ahead, fit_runs, predictor
from ftplan.fit.features import features, prepare
from ftplan.fit.tables import Tables
from ftplan.laws.law import parse
from ftplan.readers.tables import read_runs
from ftplan.runs import Metric, RunTable, from_rows

SHARED = Path(__file__).parents[2].parent / "shared" / "data" / "rectified"
#: published fine-tuning curves, where they lie beside the checkout
CURVES = sorted(SHARED.glob("*.csv"))


def curve(beta: float = 0.3, floor: float = 0.0, noise: float = 0.0, top: int = 9, metric: str = "loss") -> RunTable:
    rng = np.random.default_rng(3)
    rows = []
    for k in range(top):
        n = 200.0 * 2**k
        loss = floor + 8.0 * n**-beta * np.exp(noise * rng.standard_normal())
        value = loss if metric == "loss" else 100.0 - 10.0 * loss
        rows.append({"examples": n, metric: value})
    kind = Metric("loss", "min", "nats") if metric == "loss" else Metric("accuracy", "max", "percent")
    return from_rows(rows, kind)


def query(*examples: float, metric: str = "loss") -> RunTable:
    kind = Metric("loss", "min", "nats") if metric == "loss" else Metric("accuracy", "max", "percent")
    return from_rows([{"examples": n} for n in examples], kind)


def test_a_pure_power_law_is_continued() -> None:
    fit = fit_runs(curve(), draws=50)
    model = predictor(fit, "")
    far = query(200 * 2.0**10, 200 * 2.0**12)
    expected = 8.0 * far.examples**-0.3
    np.testing.assert_allclose(model.point(model.features(far)), expected, rtol=0.03)


def test_the_forecast_takes_over_between_the_largest_run_and_twice_of_it() -> None:
    model = predictor(fit_runs(curve(noise=0.02), draws=50), "")
    assert model.ahead is not None
    top = 200 * 2.0**8
    rows = model.features(query(top / 2, top, top * np.sqrt(2.0), 2 * top, 8 * top))
    np.testing.assert_allclose(model.ahead.share(rows), [0, 0, 0.5, 1, 1], atol=1e-12)
    # no step where one ends and the other begins
    around = model.point(model.features(query(top * 0.9999, top * 1.0001, top * 1.9999, top * 2.0001)))
    assert abs(around[0] - around[1]) < 1e-3 * around[0]
    assert abs(around[2] - around[3]) < 1e-3 * around[2]
    np.testing.assert_allclose(model.point(rows)[4], np.exp(model.ahead.centre(rows)[0, 4]), rtol=1e-12)


@pytest.mark.parametrize("metric", ["loss", "accuracy"])
def test_intervals_hold_the_point_and_widen_with_distance(metric: str) -> None:
    model = predictor(fit_runs(curve(noise=0.02, metric=metric), draws=200), "")
    rows = model.features(query(*(200 * 2.0 ** np.arange(9, 15)), metric=metric))
    low, high = model.interval(rows, 0.9)
    point = model.point(rows)
    assert (low < point).all()
    assert (point < high).all()
    # an accuracy is squeezed against its maximum; on the scale of what is missing to it the interval widens
    width = np.log(high / low) if metric == "loss" else np.log((100.0 - low) / (100.0 - high))
    assert (np.diff(width) > 0.0).all()
    wider = model.interval(rows, 0.99)
    assert (wider[0] < low).all()
    assert (wider[1] > high).all()


def test_draws_agree_with_the_interval_without_noise() -> None:
    model = predictor(fit_runs(curve(noise=0.01), draws=2000), "")
    assert model.ahead is not None
    rows = model.features(query(200 * 2.0**10, 200 * 2.0**13))
    down, up = model.ahead.half_widths(rows, 0.9)
    drawn = np.quantile(np.log(model.draws(rows)), [0.05, 0.95], axis=0) - model.ahead.centre(rows)[0]
    # the noise of a new run is in the half widths and not in the draws
    assert (-drawn[0] < down * 1.1).all()
    assert (drawn[1] < up * 1.1).all()
    assert (-drawn[0] > down * 0.5).all()
    assert (drawn[1] > up * 0.5).all()


def test_members_carry_the_terms_of_the_law_inside() -> None:
    laws = ahead.member_laws(parse("anchored+drift+selection"))
    assert [law.name for law, _, _ in laws] == [
        "power0+drift+selection",
        "rectified0+drift+selection",
        "rectified+drift+selection",
    ]
    assert sum(weight for _, weight, _ in laws) == pytest.approx(1.0)


def test_noisy_runs_are_remembered_longer() -> None:
    quiet = ahead.choose(Tables.of([prepare(curve(noise=0.001))]), parse("rectified"))[0]
    noisy = ahead.choose(Tables.of([prepare(curve(noise=0.1))]), parse("rectified"))[0]
    assert all(a[2] > 2.0 * b[2] for a, b in zip(quiet, noisy, strict=True))


def test_the_gate_drops_a_member_that_went_wrong_before() -> None:
    # a curve that flattens while it is watched: steepening failed at every earlier cut, and so did the slope
    bent = prepare(curve(beta=0.5, floor=0.5, top=12))
    weights = {law.name: w for law, w, _ in ahead.choose(Tables.of([bent]), parse("rectified"))[0]}
    assert weights["rectified"] > 0.85
    assert weights["rectified0"] < 0.01
    untouched = {law.name: w for law, w, _ in ahead.choose(Tables.of([prepare(curve(top=12))]), parse("rectified"))[0]}
    assert untouched["power0"] == pytest.approx(0.5, abs=0.01)


def test_the_same_seed_gives_the_same_draws_and_row_order_does_not_matter() -> None:
    table = curve(noise=0.02)
    rows = query(200 * 2.0**10)
    one, two = (predictor(fit_runs(t, draws=50, seed=4), "") for t in (table, table))
    np.testing.assert_array_equal(one.draws(one.features(rows)), two.draws(two.features(rows)))
    turned = predictor(fit_runs(table.subset(np.arange(len(table))[::-1]), draws=50, seed=4), "")
    np.testing.assert_allclose(one.point(one.features(rows)), turned.point(turned.features(rows)), rtol=1e-6)


@pytest.mark.parametrize("path", CURVES, ids=lambda p: p.stem)
def test_published_curves_are_forecast_better_than_the_last_three_sizes_are_continued(path: Path) -> None:
    ours, theirs = [], []
    for _, series in read_runs(str(path), by="model").series():
        seen = series.subset((series.examples > 0) & (series.examples <= 204_800))
        target = series.subset(series.examples == 819_200)
        data = prepare(seen)
        mixture = ahead.mixture(data, ahead.choose(Tables.of([data]), parse("rectified"))[0])
        centre = mixture.centre(features(target, data.refs, np.full(1, np.nan)))[0, 0]
        last = np.argsort(seen.examples)[-3:]
        slope, level = np.polyfit(np.log(seen.examples[last]), np.log(seen.value[last]), 1)
        ours.append(abs(np.exp(centre) / target.value[0] - 1.0))
        theirs.append(abs(np.exp(level + slope * np.log(819_200)) / target.value[0] - 1.0))
    assert np.mean(ours) < np.mean(theirs)
