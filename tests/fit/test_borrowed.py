"""Laws borrowed from a preset: by hand at the point, and the published ranges in the draws."""

from __future__ import annotations

import csv
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from ftplan import presets
from ftplan.fit import fit_runs, predictor
from ftplan.fit.borrowed import ORIGINS, borrowed_fit, two_piece
from ftplan.fit.predictor import Predictor
from ftplan.fit.result import Fit, LawFit
from ftplan.laws.law import parse
from ftplan.laws.parts import Floats, Rows
from ftplan.presets import load_law, names
from ftplan.readers.tables import read_runs
from ftplan.runs import RunTable

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


def inside(fit: Fit, model_params: float) -> tuple[Predictor, Floats, Rows]:
    """Predictor, T and rows that span the data of a law, at the middle of its lengths."""
    model, ranges = predictor(fit, ""), fit.series[0].ranges
    volume = np.geomspace(*ranges["tokens"], 9)
    length = np.full(9, float(np.sqrt(np.prod(ranges.get("avg_tokens", (100.0, 100.0))))))
    rows = model.design(
        examples=volume if fit.counts == "examples" else volume / length,
        avg_tokens=length,
        epochs=1.0,
        method="random",
        selector_params=0.0,
        eligible=volume,
        model_params=model_params,
        counts=fit.counts,
    )
    return model, volume, rows


@pytest.mark.parametrize("name", names("laws"))
def test_every_shipped_law_predicts(name: str) -> None:
    doc = dict(load_law(name))
    fit = borrowed_fit(doc)
    smallest, largest = fit.series[0].ranges["model_params"]
    model, volume, rows = inside(fit, smallest)
    turned = model.sign * model.point(rows)
    # more data is better in earnest, whichever way the metric runs, and so is a larger model where the law has one
    assert (np.diff(turned) < 0.0).all()
    larger = model.sign * model.point(inside(fit, largest)[2])
    assert (larger < turned).all() if parse(doc["law"]).size is not None else (larger == turned).all()
    draws = model.draws(rows)
    assert np.isfinite(draws).all()
    low, high = model.interval(rows, 0.9)
    assert ((low < model.point(rows)) & (model.point(rows) < high)).all()
    assert (model.extrapolation(rows, volume) <= 1.0 + 1e-9).all()
    assert parse(fit.series[0].selected[0].law).name == fit.series[0].laws[0].name
    best, worst = {"percent": (100.0, 0.0), "fraction": (1.0, 0.0)}.get(doc["metric"]["unit"], (0.0, 15.0))
    assert ((min(best, worst) < model.point(rows)) & (model.point(rows) < max(best, worst))).all()
    assert ORIGINS[doc["origin"]] in fit.borrowed


def test_origins_have_words() -> None:
    assert set(ORIGINS) == set(presets.ORIGINS)


def published_chinchilla(name: str, tokens: Floats, size: float) -> Floats:
    """L(N, D) = E + A/N^alpha + B/D^beta as the papers print it."""
    e, a, b, alpha, beta = {
        "hoffmann-2022": (1.69, 406.4, 410.7, 0.34, 0.28),
        "besiroglu-2024": (1.8172, 482.01, 2085.43, 0.3478, 0.3658),
    }[name]
    return np.asarray(e + a / size**alpha + b / tokens**beta)


@pytest.mark.parametrize("name", ["hoffmann-2022", "besiroglu-2024"])
def test_quoted_laws_are_the_papers_formula(name: str) -> None:
    for size in (57.33e6, 1e9, 16.18e9):
        model, volume, rows = inside(borrowed_fit(load_law(name)), size)
        np.testing.assert_allclose(model.point(rows), published_chinchilla(name, volume, size), rtol=1e-12)


def test_chinchilla_itself_costs_what_is_known() -> None:
    """70B parameters on 1.4T tokens: 1.94 nats by the paper's own numbers."""
    assert published_chinchilla("hoffmann-2022", np.array([1.4e12]), 70e9)[0] == pytest.approx(1.937, abs=1e-3)


def test_a_law_printed_without_intervals_says_so() -> None:
    fit = borrowed_fit(load_law("hoffmann-2022"))
    assert fit.warnings == (
        "the borrowed law was printed without intervals: what is shown is the scatter of single runs alone",
    )
    model, _, rows = inside(fit, 1e9)
    assert np.ptp(model.draws(rows), axis=0) == pytest.approx(0.0, abs=1e-12)


def test_correlated_parameters_are_drawn_together() -> None:
    doc = load_law("pyfunc-s")
    model = predictor(borrowed_fit(doc), "")
    named = model.inside.law.natural(model.inside.draws.theta, model.inside.draws.amplitudes, model.refs)
    for a, b, r in doc["correlation"]:
        ranks = np.argsort(np.argsort([named[a], named[b]], axis=1), axis=1)
        # ranks of a Gaussian copula correlate by 6/pi·asin(r/2)
        assert np.cov(ranks)[0, 1] / np.var(ranks[0], ddof=1) == pytest.approx(
            6.0 / np.pi * np.arcsin(r / 2.0), abs=0.08
        ), (a, b)
    apart = {k: v for k, v in doc.items() if k != "correlation"}
    together, alone = (np.ptp(np.quantile(_draws(d), [0.05, 0.95], axis=0), axis=0) for d in (doc, apart))
    assert (together < 0.6 * alone).all()


def _draws(doc: dict[str, Any]) -> Floats:
    model, _, rows = inside(borrowed_fit(doc), 333_120.0)
    return model.draws(rows)


SIZES = {"xs": 178_656.0, "s": 578_880.0, "m": 2_264_448.0}


def refitted(name: str) -> tuple[LawFit, float]:
    """What `source` of a law of our own runs says to do."""
    if name == "pyfunc-volume":
        runs = read_runs(str(presets.runs_path("pyfunc")), metric="accuracy")
        runs = replace(runs, model_params=np.array([SIZES[group] for group in runs.group]))
        series = fit_runs(runs, ["power0+factor"], share="shape").series[0]
    elif name.startswith("selection-"):
        runs = read_runs(str(presets.runs_path("selection")), metric="loss")
        size = {"xs": 55_776.0, "s": 333_120.0}[name.removeprefix("selection-")]
        methods = ("", "random", "bm25", "gradient", "perplexity")
        kept = (runs.model_params == size) & ((runs.epochs == 1.0) | (runs.examples == 0.0))
        kept &= ~np.isfinite(runs.selector_params) | (runs.selector_params == SIZES["xs"])
        own = runs.subset(kept & np.array([method in methods for method in runs.method]))
        series = fit_runs(own, ["rectified0+composition+selection"]).series[0]
    elif name.startswith("histories-"):
        series = fit_runs(finished_runs(name.removeprefix("histories-")), ["rectified0"]).series[0]
    else:
        runs = read_runs(str(presets.runs_path("pyfunc")), metric="loss")
        own = runs.subset(np.array([group == name.removeprefix("pyfunc-") for group in runs.group]))
        series = fit_runs(own, ["rectified+length"]).series[0]
    return series.laws[0], series.residual_sd


def finished_runs(group: str) -> RunTable:
    """Last evaluations of the cosine runs of one series that differ in tokens only, and its untuned model."""
    with presets.runs_path("histories").open(newline="", encoding="utf-8") as lines:
        last = {row["run"]: row for row in csv.DictReader(lines) if row["group"] == group}
    usual = {"schedule": "cosine", "peak_rate": "0.005", "batch_tokens": "512", "warmup": "0.05", "epochs": "1.0"}
    kept = [
        row
        for row in last.values()
        if row["examples"] == "0" or (float(row["run_tokens"]) > 20_000 and all(row[k] == v for k, v in usual.items()))
    ]
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "runs.csv")
        text = "\n".join(",".join(row[k] for k in ("examples", "avg_tokens", "tokens_seen", "loss")) for row in kept)
        path.write_text(f"examples,avg_tokens,tokens,loss\n{text}\n", encoding="utf-8")
        return read_runs(str(path), metric="loss")


@pytest.mark.parametrize("name", [name for name in names("laws") if load_law(name)["origin"] == "measured"])
def test_laws_of_our_own_runs_are_what_a_fit_of_them_says(name: str) -> None:
    doc = load_law(name)
    law, residual_sd = refitted(name)
    assert law.name == doc["law"]
    assert doc["residual_sd"] == pytest.approx(residual_sd, rel=5e-3)
    for key, p in doc["params"].items():
        found = law.params[key]
        assert p["estimate"] == pytest.approx(found.estimate, rel=2e-3), key
        if found.low is not None:
            assert (p["low"], p["high"]) == (pytest.approx(found.low, rel=1e-2), pytest.approx(found.high, rel=1e-2))


#: tables of other people's results lie beside the checkout and are not part of it
SHARED = Path(__file__).resolve().parents[3] / "shared" / "data"


@pytest.mark.skipif(not SHARED.is_dir(), reason="no ../shared/data beside the checkout")
@pytest.mark.parametrize("task", ["flan", "wmt19"])
def test_laws_of_published_results_are_what_a_fit_of_them_says(task: str) -> None:
    doc = load_law(f"lin-{task}-gpt2-xl")
    runs = read_runs(str(SHARED / "rectified" / f"{task}.csv"), by="model")
    series = fit_runs(runs.subset(np.array([group == "gpt2-xl" for group in runs.group])), [doc["law"]]).series[0]
    for key, p in doc["params"].items():
        found = series.laws[0].params[key]
        assert p["estimate"] == pytest.approx(found.estimate, rel=2e-3), key
        assert (p["low"], p["high"]) == (pytest.approx(found.low, rel=1e-2), pytest.approx(found.high, rel=1e-2)), key
