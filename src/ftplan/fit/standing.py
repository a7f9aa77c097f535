"""Where runs are too few for any law: the forecast of the prior over curves, in the form of a law.

Sizes and replicates update the prior; what comes out is a curve through fixed places (`ftplan.laws.prior`) with its
draws, so that everything downstream treats it as a fitted law. The model before tuning counts only where no run was
made: on public curves an anchor there, near or far, sure or not, made forecasts from one to three sizes worse (FLAN 4.8
to 6.3 %, 2.6 to 2.8, 1.5 to 2.0 at best; WMT19 alike): it is off the curve.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import ndtri

from ftplan.fit.curve_prior import CurvePrior, shipped
from ftplan.fit.features import Data
from ftplan.fit.forecast import Curve, Forecast, Gap, forecast
from ftplan.fit.identify import identify
from ftplan.fit.predictor import Inside, Predictor, bases, bounds, ranges
from ftplan.fit.problem import Solution
from ftplan.fit.result import Identified, LawFit, Param, SeriesFit, Weighted
from ftplan.laws.law import parse
from ftplan.laws.parts import Floats
from ftplan.laws.prior import CURVE, LEAST, MOST, NODES

NAME = CURVE.name
#: draws of the curve, at least: its median is the point
DRAWS = 1000
#: of a model that no run was made with there is its score before tuning alone: that of one example, give or take
UNTUNED_SD = 0.2
#: quantiles of the noise that new runs are given
NOISES = 101


@dataclass(frozen=True)
class Standing:
    """The forecast of one series: point (K,) and draws (B, K) of ln(gap) at the places; noise: its sd, of one run, in
    ln(gap); width: (2,) 90 % width of ln(gap) at four times the largest size, as it is and with one run more at twice.
    """

    gap: Gap
    point: Floats
    draws: Floats
    noise: float
    width: tuple[float, float]


def turned_gap(data: Data) -> Gap:
    """From the turned metric to ln(gap). Without a best value known it is taken to lie as far from the best run as that
    is from 0: a metric doubles before it reaches it.
    """
    if np.isfinite(data.floor_low):
        span = -data.floor_low if data.sign < 0.0 else np.inf
        return Gap(data.floor_low, span)
    return Gap(float(data.y.min() - np.abs(data.y).max() - 1e-12))


def kind_of(data: Data) -> str:
    """Which prior: of a score with a best and a worst value, or of a loss."""
    return "score" if data.sign < 0.0 else "loss"


def curve_of(data: Data, gap: Gap, group: str = "") -> Curve:
    """The runs of a series against ln(T/T_ref)."""
    own = Curve.of(data.rows.t, data.y, gap, stderr=data.table.stderr, group=group)
    return replace(own, known=own.known + UNTUNED_SD**2) if data.untuned else own


def stand(data: Data, draws: int, seed: int) -> Standing:
    """The forecast of one series."""
    gap, prior = turned_gap(data), shipped(kind_of(data))
    curve = curve_of(data, gap)
    found = forecast([curve], [NODES], gap, prior, counts=[np.full(len(NODES), np.inf)])[0]
    drawn = np.clip(found.drawn(max(draws, DRAWS), seed), LEAST, MOST)
    twice = float(data.rows.t.max() + np.log(2.0))
    point = np.median(drawn, axis=0)
    grown = _with_one_more(curve, twice, float(np.interp(twice, NODES, point)))
    far = [np.array([twice + np.log(2.0)])]
    now, then = (_width(forecast([c], far, gap, prior)[0]) for c in (curve, grown))
    return Standing(gap, point, drawn[: max(draws, 1)], _noise(curve, gap, prior), (now, then))


def _noise(curve: Curve, gap: Gap, prior: CurvePrior) -> float:
    """Standard deviation of one run in ln(gap), as the prior and the runs have it."""
    one = forecast([curve], [curve.u[-1:]], gap, prior)[0]
    return float(np.sqrt(one.weight @ one.noise[:, 0]))


def _width(found: Forecast) -> float:
    """Of the 90 % interval of a new run, in ln(gap)."""
    low, high = found.log_gap([0.05, 0.95])[:, 0]
    return float(high - low)


def _with_one_more(curve: Curve, at: float, z: float) -> Curve:
    """The curve after one more run at `at` that comes out as expected."""
    return Curve(
        np.append(curve.u, at),
        np.append(curve.z, z),
        np.append(curve.counts, 1.0),
        np.append(curve.squares, 0.0),
        np.append(curve.known, 0.0),
        curve.group,
    )


def predictor_of(data: Data, found: Standing, seed: int, key: str) -> Predictor:
    """A predictor whose law is the forecast."""
    # the noise of a run is relative to its gap: as it is at the largest run
    gap = float(np.exp(np.interp(data.rows.t.max(), NODES, found.point)))
    middle = (np.arange(NOISES) + 0.5) / NOISES
    own = np.exp(found.noise * ndtri(middle)) - 1.0
    return Predictor(
        key=key,
        inside=Inside(parse(NAME), _solution(found.point[None], found.gap), _solution(found.draws, found.gap)),
        ahead=None,
        refs=data.refs,
        sign=data.sign,
        residuals=gap * own,
        ranges=ranges(data),
        base=bases(data),
        seed=seed,
        metric=data.table.metric,
        runs=data.rows,
        bounds=bounds(data),
    )


def _solution(log_gap: Floats, gap: Gap) -> Solution:
    """Floors at the best value, and the gap as it is."""
    count = len(log_gap)
    amplitudes = np.column_stack([np.full(count, gap.best), np.ones(count)])
    return Solution(log_gap, amplitudes, np.zeros(count), np.ones(count, dtype=bool))


def series_of(data: Data, key: str, found: Standing, why: str) -> SeriesFit:
    """The record of a series without a law. why: what keeps laws away, in words."""
    law = parse(NAME)
    point = _solution(found.point[None], found.gap)
    fitted = law.evaluate(data.rows, point.theta, data.refs).predict(point.amplitudes)[0]
    rmse = float(np.sqrt(np.mean((data.y - fitted) ** 2)))
    slope = _exponent(data, found)
    record = LawFit(NAME, {"exponent": slope}, 0, rmse, None, None, None, None)
    sizes = len(np.unique(np.round(data.rows.t, 6)))
    gap = float(np.exp(np.interp(data.rows.t.max(), NODES, found.point)))
    known = identify(data, False, "no law could be fitted")
    what, because = dict(known.what), dict(known.why)
    what["law"], because["law"] = False, why
    return SeriesFit(
        key=key,
        selected=(Weighted(NAME, 1.0),),
        laws=(record,),
        identified=Identified(what, because),
        ranges=ranges(data),
        residual_sd=found.noise * gap,
        n_runs=len(data),
        verdict=_said(data, found, sizes),
        warnings=(f"no law is fitted: {why}",),
    )


def _exponent(data: Data, found: Standing) -> Param:
    """How fast the gap falls from the largest run to twice its data, with the interval of the draws."""
    t = float(data.rows.t.max())
    ends = np.array([t, t + np.log(2.0)])
    draws = np.stack([np.interp(ends, NODES, d) for d in (found.point, *found.draws)])
    slopes = (draws[:, 0] - draws[:, 1]) / np.log(2.0)
    low, high = np.quantile(slopes, [0.05, 0.95])
    return Param(float(slopes[0]), float(low), float(high))


def _said(data: Data, found: Standing, sizes: int) -> tuple[str, ...]:
    """What it rests on, and what one more run would do."""
    now, then = (np.expm1(w / 2.0) for w in found.width)
    gap = float(np.exp(np.interp(data.rows.t.max() + np.log(4.0), NODES, found.point)))
    unit = {"nats": " nats", "percent": " points"}.get(data.table.metric.unit, "")
    before = "no run, only the model before tuning"
    rests = before if data.untuned else f"{sizes} size{'s' * (sizes != 1)}"
    return (
        f"{rests}: the forecast rests mostly on a prior over curves, learnt from other fine-tunes; no law is fitted.",
        f"A run of four times the largest is told to ± {now * gap:.2g}{unit} (90 %); after one more run, of twice the "
        f"largest, to ± {then * gap:.2g}{unit}.",
    )
