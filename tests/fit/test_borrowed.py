"""Laws borrowed from a preset: by hand at the point, and the published ranges in the draws."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from ftplan.fit import predictor
from ftplan.fit.borrowed import borrowed_fit, two_piece
from ftplan.fit.predictor import Predictor
from ftplan.fit.result import Fit
from ftplan.laws.law import parse
from ftplan.laws.parts import Floats, Rows
from ftplan.presets import load_law, names

TOKENS = np.array([3e6, 2e7, 1e8])
LENGTH = 419.7
POOL = 1.136e8 / LENGTH


@pytest.fixture(scope="module")
def doc() -> dict[str, Any]:
    return dict(load_law("ccds-mmlu-7b"))


@pytest.fixture(scope="module")
def fit(doc: dict[str, Any]) -> Fit:
    return borrowed_fit(doc)


def design(model: Predictor, method: str) -> Rows:
    return model.design(
        examples=TOKENS / LENGTH,
        avg_tokens=np.full(3, LENGTH),
        epochs=1.0,
        method=method,
        selector_params=0.0,
        eligible=np.full(3, POOL),
        model_params=6.6e9,
        counts="tokens",
    )


def by_hand(doc: dict[str, Any], kap: float) -> Floats:
    """Pbar - (Pbar - P0)·exp(-D/D_s), ln D = ln T + kap·ln(P_e/N), in Python's own words."""
    p = {k: v["estimate"] for k, v in doc["params"].items()}
    data = TOKENS * (POOL / (TOKENS / LENGTH)) ** kap
    return np.asarray(p["Pbar"] - (p["Pbar"] - p["P0"]) * np.exp(-data / p["D_s"]))


def test_it_says_where_it_comes_from(doc: dict[str, Any], fit: Fit) -> None:
    series = fit.series[0]
    assert fit.runs is None
    assert doc["source"] in fit.borrowed
    assert doc["measured_on"] in series.verdict[0]
    assert series.laws[0].name == "saturating+selection"
    statuses = {p.status for p in series.laws[0].params.values()}
    assert statuses == {"borrowed", "fixed"}
    # a law fitted at one length and one model says nothing on others
    assert not series.identified.what["avg_tokens"]
    assert not series.identified.what["model_params"]
    assert series.identified.what["method:gradient"]


def test_point_is_the_formula(doc: dict[str, Any], fit: Fit) -> None:
    model = predictor(fit, "")
    np.testing.assert_allclose(model.point(design(model, "random")), by_hand(doc, 0.0), rtol=1e-12)
    for method in doc["selection"]:
        kap = doc["selection"][method]["estimate"]
        np.testing.assert_allclose(model.point(design(model, method)), by_hand(doc, kap), rtol=1e-12)


def test_all_of_the_pool_is_the_same_by_every_method(doc: dict[str, Any], fit: Fit) -> None:
    model = predictor(fit, "")
    whole: dict[str, Any] = {"examples": np.array([POOL]), "avg_tokens": np.array([LENGTH])}
    whole |= {"eligible": np.array([POOL]), "epochs": 1.0, "selector_params": 0.0, "model_params": 6.6e9}
    values = [model.point(model.design(**whole, counts="tokens", method=m))[0] for m in ("random", *doc["selection"])]
    np.testing.assert_allclose(values, values[0], rtol=1e-12)


def test_draws_have_the_published_ranges(doc: dict[str, Any], fit: Fit) -> None:
    model = predictor(fit, "")
    member = model.inside
    named = member.law.natural(member.draws.theta, model.sign * member.draws.amplitudes, model.refs)
    ranges = {**doc["params"], **{f"kap[{m}]": v for m, v in doc["selection"].items()}}
    assert set(ranges) == set(named)
    for name, p in ranges.items():
        low, middle, high = np.quantile(named[name], [0.05, 0.5, 0.95])
        slack = 0.12 * (p["high"] - p["low"])
        assert low == pytest.approx(p["low"], abs=slack), name
        assert middle == pytest.approx(p["estimate"], abs=slack), name
        assert high == pytest.approx(p["high"], abs=slack), name


def test_the_interval_holds_the_point_and_its_noise(doc: dict[str, Any], fit: Fit) -> None:
    model = predictor(fit, "")
    rows = design(model, "gradient")
    low, high = model.interval(rows, 0.9)
    point = model.point(rows)
    assert (low < point).all()
    assert (point < high).all()
    # never narrower than a new run's own noise
    assert ((high - low) >= 0.9 * 2.0 * 1.645 * doc["residual_sd"]).all()
    assert model.residuals.std() == pytest.approx(doc["residual_sd"], rel=0.05)


def test_the_same_seed_gives_the_same_draws(doc: dict[str, Any]) -> None:
    def drawn(seed: int) -> Floats:
        model = predictor(borrowed_fit(doc, seed), "")
        return model.draws(design(model, "random"))

    np.testing.assert_array_equal(drawn(1), drawn(1))
    assert (drawn(1) != drawn(2)).any()


def test_two_piece_quantiles() -> None:
    z = np.random.default_rng(0).standard_normal(200_000)
    low, middle, high = np.quantile(two_piece(1.0, 0.2, 4.0, z), [0.05, 0.5, 0.95])
    assert (low, middle, high) == (
        pytest.approx(0.2, abs=0.02),
        pytest.approx(1.0, abs=0.02),
        pytest.approx(4.0, abs=0.05),
    )


@pytest.mark.parametrize("name", names("laws"))
def test_every_shipped_law_predicts(name: str) -> None:
    fit = borrowed_fit(dict(load_law(name)))
    model = predictor(fit, "")
    tokens = np.geomspace(*fit.series[0].ranges["tokens"], 9)
    length = np.full(9, float(np.sqrt(np.prod(fit.series[0].ranges["avg_tokens"]))))
    rows = model.design(
        examples=tokens / length,
        avg_tokens=length,
        epochs=1.0,
        method="random",
        selector_params=0.0,
        eligible=tokens / length,
        model_params=fit.series[0].ranges["model_params"][0],
        counts="tokens",
    )
    # more data is never worse, whichever way the metric runs
    assert (np.diff(model.sign * model.point(rows)) <= 0.0).all()
    assert np.isfinite(model.draws(rows)).all()
    assert (model.extrapolation(tokens) <= 1.0 + 1e-9).all()
    assert parse(fit.series[0].selected[0].law).name == fit.series[0].laws[0].name
