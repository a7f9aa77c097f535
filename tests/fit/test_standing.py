"""Runs too few for a law: the prior's forecast stands in, with its width, and never fails a table."""

from __future__ import annotations

import numpy as np
import pytest

from ftplan.fit import fit_runs, predict_rows, predictor
from ftplan.formats.documents.fit_file import fit_from_dict, fit_to_dict
from ftplan.laws.law import parse
from ftplan.laws.prior import CURVE, NODES
from ftplan.runs import Metric, RunTable, from_rows

LOSS, SHARE = Metric("loss", "min", "nats"), Metric("accuracy", "max", "fraction")


def runs(metric: Metric, values: dict[float, float], group: str = "") -> list[dict[str, object]]:
    return [{"examples": n, metric.name: v, "group": group} for n, v in values.items()]


def planned(metric: Metric, *sizes: float, group: str = "") -> RunTable:
    return from_rows(runs(metric, dict.fromkeys(sizes, np.nan), group), metric)


@pytest.mark.parametrize("count", [1, 2, 3, 4])
def test_few_sizes_get_a_forecast_that_narrows_and_is_said_to_be_the_priors(count: int) -> None:
    table = from_rows(runs(LOSS, {500.0 * 2**k: 2.1 * 0.93**k for k in range(count)}), LOSS)
    fit = fit_runs(table, draws=200)
    series = fit.series[0]
    assert [m.law for m in series.selected] == ["prior"]
    assert f"{count} size{'s' * (count != 1)}: the forecast rests mostly on a prior" in series.verdict[0]
    assert "after one more run" in series.verdict[1]
    assert series.identified.what["law"] is False
    assert "the smallest law needs 5" in series.identified.why["law"]
    last = 500.0 * 2 ** (count - 1)
    two, eight = predict_rows(fit, planned(LOSS, 2 * last, 8 * last))
    assert 0.0 < two.low < two.value < two.high
    assert eight.high - eight.low > two.high - two.low


def test_each_size_more_narrows_the_forecast() -> None:
    widths = []
    for count in (1, 2, 3, 4):
        values = {500.0 * 2**k: 2.1 * 0.93**k for k in range(count)}
        fit = fit_runs(from_rows(runs(LOSS, values), LOSS), draws=200)
        found = predict_rows(fit, planned(LOSS, 8000.0))[0]
        widths.append(found.high - found.low)
    assert widths == sorted(widths, reverse=True)
    assert widths[3] < 0.3 * widths[0]


def test_replicates_say_how_wide_it_is() -> None:
    widths = []
    for spread in (0.001, 0.05):
        rows = [{"examples": n, "loss": 2.0 * (n / 500.0) ** -0.1 + s} for n in (500, 1000) for s in (-spread, spread)]
        found = predict_rows(fit_runs(from_rows(rows, LOSS), draws=200), planned(LOSS, 2000.0))[0]
        widths.append(found.high - found.low)
    assert widths[0] < widths[1]


def test_a_bounded_score_stays_inside_its_bounds() -> None:
    fit = fit_runs(from_rows(runs(SHARE, {500.0: 0.9, 1000.0: 0.96}), SHARE), draws=200)
    for found in predict_rows(fit, planned(SHARE, 1.0, 1e5, 1e7), level=0.99):
        assert 0.0 <= found.low <= found.value <= found.high <= 1.0
    # laws too: a steep curve far below its runs, and far above
    steep = fit_runs(from_rows(runs(SHARE, {1e4 * 2**k: 0.1 + 0.16 * k for k in range(6)}), SHARE), draws=100)
    for found in predict_rows(steep, planned(SHARE, 10.0, 1e4, 1e8), level=0.99):
        assert 0.0 <= found.low <= found.high <= 1.0


def test_one_short_series_fails_no_table() -> None:
    rows = [
        *runs(LOSS, {500.0 * 2**k: 2.1 * 0.93**k for k in range(6)}, "long"),
        *runs(LOSS, {500.0: 2.4}, "one"),
        *runs(LOSS, {0.0: 2.9}, "untuned"),
        *runs(LOSS, {500.0: 2.3, 1000.0: 2.3}, "flat"),
    ]
    fit = fit_runs(from_rows(rows, LOSS), draws=100)
    laws = {series.key: next(m.law for m in series.selected) for series in fit.series}
    assert laws.pop("long") != "prior"
    assert laws == dict.fromkeys(("one", "untuned", "flat"), "prior")
    keys = [series.key for series in fit.series]
    found = predict_rows(fit, from_rows([row for k in keys for row in runs(LOSS, {2000.0: np.nan}, k)], LOSS))
    assert all(0.0 < p.low < p.value < p.high < np.inf for p in found)
    by_key = dict(zip(keys, found, strict=True))
    assert by_key["untuned"].high - by_key["untuned"].low > by_key["one"].high - by_key["one"].low


def test_the_fit_file_gives_the_same_forecast() -> None:
    fit = fit_runs(from_rows(runs(LOSS, {500.0: 2.1, 1000.0: 2.0}), LOSS), draws=100)
    again = fit_from_dict(fit_to_dict(fit))
    table = planned(LOSS, 4000.0)
    assert predict_rows(fit, table) == predict_rows(again, table)


def test_the_prior_can_be_asked_for_by_name() -> None:
    table = from_rows(runs(LOSS, {500.0 * 2**k: 2.1 * 0.93**k for k in range(8)}), LOSS)
    fit = fit_runs(table, ["prior"], draws=100)
    assert [m.law for m in fit.series[0].selected] == ["prior"]
    assert predict_rows(fit, planned(LOSS, 128_000.0))[0].value == pytest.approx(2.1 * 0.93**8, rel=0.01)


def test_draws_share_a_runs_luck_across_amounts() -> None:
    fit = fit_runs(from_rows(runs(LOSS, {500.0: 2.1, 1000.0: 2.0}), LOSS), draws=400)
    model = predictor(fit, "")
    draws = model.draws(model.features(planned(LOSS, 4000.0, 8000.0)))
    together = np.asarray(np.corrcoef(draws.T))
    assert together[0, 1] > 0.8


def test_slopes_of_the_curve_are_those_of_differences() -> None:
    rng = np.random.default_rng(0)
    theta = rng.normal(size=(2, len(NODES)))
    z = rng.uniform(-8.0, 15.0, size=(2, 50))
    g = CURVE.shape(z, theta)
    by_z, by_theta = CURVE.slopes(z, theta, g)
    step = 1e-6
    assert np.allclose((CURVE.shape(z + step, theta) - CURVE.shape(z - step, theta)) / (2 * step), by_z, atol=1e-4)
    for k in (0, 10, len(NODES) - 1):
        moved = theta.copy()
        moved[:, k] += step
        assert np.allclose((CURVE.shape(z, moved) - g) / step, by_theta[..., k], atol=1e-4)
    assert parse("prior+selection").has("selection")


@pytest.mark.parametrize("noise", [0.2, 1.0])
def test_flat_is_an_answer_with_what_could_have_been_seen(noise: float) -> None:
    rng = np.random.default_rng(0)
    score = Metric("score", "max", "percent")
    rows = [{"examples": n, "score": 40.0 + noise * rng.standard_normal()} for n in (500, 1000, 2000, 4000, 8000) * 3]
    told = " ".join(fit_runs(from_rows(rows, score), draws=0).series[0].verdict)
    assert "More data does nothing to score that these runs can see" in told
    effect = float(told.split("would have seen ")[1].split()[0])
    # 15 runs over four doublings: 2.9 standard errors of a slope, per tenfold data
    assert effect == pytest.approx(2.9 * noise / np.sqrt(15) / (np.log(16) / np.sqrt(8)) * np.log(10), rel=0.5)
