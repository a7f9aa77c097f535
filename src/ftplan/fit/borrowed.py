"""Planning without runs: a law from a preset as a `Fit`, and predictions from its published intervals.

Each parameter is drawn by itself from its own 90 % range: papers give no covariances, so the spread is too wide where
errors compensate each other, and the plan says so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from ftplan.fit.predictor import Inside, Predictor
from ftplan.fit.problem import Solution
from ftplan.fit.result import Fit, Identified, LawFit, Param, SeriesFit, Weighted
from ftplan.laws.law import Law, parse
from ftplan.laws.parts import Floats, Named, Refs
from ftplan.runs import Metric

#: standard normal quantile of 95 %: a 90 % range is that many standard deviations either side
Z90 = 1.6448536269514722
DRAWS = 1000


def borrowed_fit(doc: Mapping[str, Any], seed: int = 0) -> Fit:
    """A validated law preset (`presets.load_law`) as a fit of one series without runs."""
    methods = doc.get("selection", {})
    law_parts = parse(doc["law"])
    params = {key: _param(value) for key, value in doc["params"].items()}
    for method, value in methods.items():
        params[f"kap[{method}]"] = _param(value)
        if "selector_params" in value:
            params[f"S_ref[{method}]"] = Param(float(value["selector_params"]), status="fixed", unit="parameters")
    if "L_ref_tokens" in doc:
        params["L_ref"] = Param(float(doc["L_ref_tokens"]), status="fixed", unit="tokens")
    law = LawFit(law_parts.name, params, len(params), float(doc["residual_sd"]), None, None, None, None)
    source = f"{doc['title']} ({doc['source']})"
    silent = "the borrowed law does not say"
    held = {"avg_tokens": silent, "model_params": silent, "epochs": silent, "selector_params": silent}
    what = {
        "avg_tokens": law_parts.has("composition"),
        "model_params": False,
        "epochs": False,
        "selector_params": False,
    }
    series = SeriesFit(
        key="",
        selected=(Weighted(law_parts.name, 1.0),),
        laws=(law,),
        identified=Identified({**what, **{f"method:{m}": True for m in methods}}, held),
        ranges={k: (float(low), float(high)) for k, (low, high) in doc["ranges"].items()},
        residual_sd=float(doc["residual_sd"]),
        n_runs=0,
        verdict=(f"Borrowed, not fitted: measured on {doc['measured_on']}.",),
    )
    return Fit(
        metric=Metric(**doc["metric"]),
        objective="squares",
        seed=seed,
        draws=DRAWS,
        bootstrap="none",
        runs=None,
        runs_sha256="",
        series=(series,),
        borrowed=source,
        warnings=("parameters of a borrowed law are drawn independently of each other",),
    )


def _param(value: Mapping[str, Any]) -> Param:
    return Param(
        float(value["estimate"]), float(value["low"]), float(value["high"]), "borrowed", str(value.get("unit", ""))
    )


def two_piece(estimate: float, low: float, high: float, draws: Floats) -> Floats:
    """Standard normal draws as draws around an estimate whose 5 % and 95 % points are low and high."""
    z = draws / Z90
    return estimate + np.where(z > 0.0, z * (high - estimate), z * (estimate - low))


def borrowed_predictor(fit: Fit, series: SeriesFit) -> Predictor:
    """The predictor of a borrowed law: references are 1, so that parameters are the paper's own."""
    fitted = series.laws[0]
    law = parse(fitted.name)
    methods = tuple(k[4:-1] for k in fitted.params if k.startswith("kap["))
    sizes = {k[6:-1]: p.estimate or 1.0 for k, p in fitted.params.items() if k.startswith("S_ref[")}
    length = fitted.params.get("L_ref", Param(1.0)).estimate or 1.0
    refs = Refs(T=1.0, L=length, methods=("random", *methods), S=sizes)
    sign = 1.0 if fit.metric.direction == "min" else -1.0
    rng = np.random.default_rng(fit.seed)
    point, drawn = {}, {}
    for name, p in fitted.params.items():
        if p.estimate is None or p.low is None or p.high is None:
            continue
        point[name] = np.array([p.estimate])
        z = rng.standard_normal(fit.draws)
        # amounts of data are positive and known to a factor: drawn in logarithms
        drawn[name] = (
            np.exp(two_piece(np.log(p.estimate), np.log(p.low), np.log(p.high), z))
            if p.unit == "tokens"
            else two_piece(p.estimate, p.low, p.high, z)
        )
    inside = Inside(law, _solution(law, refs, point, sign), _solution(law, refs, drawn, sign))
    quantiles = (np.arange(200) + 0.5) / 200.0
    normal = np.sort(np.random.default_rng(0).standard_normal(20_000))[(quantiles * 20_000).astype(int)]
    return Predictor(
        key="",
        inside=inside,
        ahead=None,
        refs=refs,
        sign=sign,
        residuals=series.residual_sd * normal,
        ranges=series.ranges,
        base={},
        seed=fit.seed,
        metric=fit.metric,
    )


def _solution(law: Law, refs: Refs, natural: Named, sign: float) -> Solution:
    """Reported parameters back as the solver's, sign turned."""
    own = law.curve.fitted(natural)
    theta = np.stack([own[p.name] for p in law.nonlinear(refs)], axis=1)
    amplitudes = sign * np.stack([own[name] for name in law.linear(refs)], axis=1)
    return Solution(theta, amplitudes, np.zeros(len(theta)), np.ones(len(theta), dtype=bool))
