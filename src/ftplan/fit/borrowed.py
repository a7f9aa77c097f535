"""Planning without runs: a law from a preset as a `Fit`, and predictions from its published intervals.

Each parameter is drawn from its own 90 % range, and where the preset gives correlations, together with the others (a
Gaussian copula). Papers give none, so that the spread is too wide where errors compensate each other, and the plan says
so.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

import numpy as np

from ftplan.fit.predictor import Inside, Predictor
from ftplan.fit.problem import Solution
from ftplan.fit.result import Fit, Identified, LawFit, Param, SeriesFit, Weighted
from ftplan.laws.law import Law, parse
from ftplan.laws.parts import Floats, Named, Refs, Rows
from ftplan.runs import Metric

#: standard normal quantile of 95 %: a 90 % range is that many standard deviations either side
Z90 = 1.6448536269514722
DRAWS = 1000
#: where the numbers come from, in words (`presets.ORIGINS`)
ORIGINS = {
    "quoted": "numbers as printed in",
    "recovered": "our fit of results in",
    "measured": "our fit of our own runs,",
}


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
    source = f"{doc['title']} ({ORIGINS[doc['origin']]} {doc['source']})"
    counts: Literal["tokens", "examples"] = "examples" if doc.get("counts") == "examples" else "tokens"
    ranges = {k: (float(low), float(high)) for k, (low, high) in doc["ranges"].items()}
    silent = "the borrowed law does not say"
    held = {"avg_tokens": silent, "model_params": silent, "epochs": silent, "selector_params": silent}
    what = {
        "avg_tokens": law_parts.has("composition"),
        "model_params": law_parts.size is not None,
        "epochs": False,
        "selector_params": False,
    }
    series = SeriesFit(
        key="",
        selected=(Weighted(law_parts.name, 1.0),),
        laws=(law,),
        identified=Identified({**what, **{f"method:{m}": True for m in methods}}, held),
        # as in a fit: T in the law's own unit
        ranges={**ranges, "tokens": ranges["examples"]} if counts == "examples" else ranges,
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
        borrowed_counts=counts,
        borrowed_correlation=tuple((str(a), str(b), float(r)) for a, b, r in doc.get("correlation", ())),
        warnings=_doubts(law_parts, params, told="correlation" in doc),
    )


def _doubts(law: Law, params: Mapping[str, Param], *, told: bool) -> tuple[str, ...]:
    """What an interval from a borrowed law leaves out."""
    bare = [
        name
        for name, p in params.items()
        if p.low == p.high and p.status != "fixed" and not (law.curve.floor_held and name == "E")
    ]
    if len(bare) == len([p for p in params.values() if p.status != "fixed"]):
        return ("the borrowed law was printed without intervals: what is shown is the scatter of single runs alone",)
    without = (f"the borrowed law gives no interval for {', '.join(bare)}",) if bare else ()
    how = "from their ranges and correlations alone" if told else "independently of each other"
    return (*without, f"parameters of a borrowed law are drawn {how}, which widens intervals")


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
    refs = Refs(T=1.0, L=length, methods=("random", *methods), S=sizes, counts=fit.counts)
    sign = 1.0 if fit.metric.direction == "min" else -1.0
    rng = np.random.default_rng(fit.seed)
    known = {
        name: (p.estimate, p.low, p.high, p.unit)
        for name, p in fitted.params.items()
        if p.estimate is not None and p.low is not None and p.high is not None
    }
    scores = _root(tuple(known), fit.borrowed_correlation) @ rng.standard_normal((len(known), fit.draws))
    point, drawn = {}, {}
    for (name, (estimate, low, high, unit)), z in zip(known.items(), scores, strict=True):
        point[name] = np.array([estimate])
        # amounts of data are positive and known to a factor: drawn in logarithms
        drawn[name] = (
            np.exp(two_piece(np.log(estimate), np.log(low), np.log(high), z))
            if unit in ("tokens", "examples")
            else two_piece(estimate, low, high, z)
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
        runs=_largest(series),
    )


def _largest(series: SeriesFit) -> Rows:
    """The most data that the law was measured with, drawn at random, at the most epochs."""
    zero, none = np.zeros(1), np.zeros(1, dtype=np.intp)
    most, epochs = np.array([series.ranges["tokens"][1]]), series.ranges.get("epochs", (1.0, 1.0))[1]
    return Rows(np.log(most), zero, zero, zero, zero, zero + epochs - 1.0, none, none, zero * np.nan)


def _root(names: tuple[str, ...], pairs: tuple[tuple[str, str, float], ...]) -> Floats:
    """(p, p) what turns independent normal scores into correlated ones."""
    matrix = np.eye(len(names))
    for a, b, r in pairs:
        i, j = names.index(a), names.index(b)
        matrix[i, j] = matrix[j, i] = r
    values, vectors = np.linalg.eigh(matrix)
    # rounded correlations may be impossible by a little; scores keep their variance of 1
    root = vectors * np.sqrt(np.maximum(values, 0.0))
    return np.asarray(root / np.sqrt((root**2).sum(axis=1, keepdims=True))) if pairs else np.eye(len(names))


def _solution(law: Law, refs: Refs, natural: Named, sign: float) -> Solution:
    """Reported parameters back as the solver's, of a loss."""
    own = law.curve.fitted(natural)
    theta = np.stack([own[p.name] for p in law.nonlinear(refs)], axis=1)
    amplitudes = sign * np.stack([own[name] for name in law.linear(refs)], axis=1)
    return Solution(theta, amplitudes, np.zeros(len(theta)), np.ones(len(theta), dtype=bool))
