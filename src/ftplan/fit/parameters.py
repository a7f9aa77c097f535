"""Parameters as they are reported: natural units, bootstrap intervals, and a status that advises."""

from __future__ import annotations

import numpy as np

from ftplan.fit.features import Data
from ftplan.fit.identify import SIZES_NEEDED
from ftplan.fit.problem import Solution
from ftplan.fit.result import Identified, Param
from ftplan.laws.law import Law
from ftplan.laws.parts import Floats, Named

LEVEL = 0.9
#: an interval this wide for a positive parameter (a factor), or this share of a bounded one's range, says nothing
WIDE_FACTOR, WIDE_SHARE = 1e4, 0.9
#: a parameter missing (no interior best length) in more of the draws than the interval leaves out has no interval
MISSING_SHARE = 1.0 - LEVEL


def untold(law: Law, data: Data, identified: Identified) -> set[str]:
    """Names of parameters that the design cannot tell, whatever numbers a fit comes up with."""
    out: set[str] = set()
    if law.size is not None and law.size.params and len(np.unique(data.rows.m)) < SIZES_NEEDED:
        out |= {p.name for p in law.size.params} | {"A_M"}
    for name in data.refs.methods[1:]:
        if not identified.what[f"method:{name}"]:
            out.add(f"kap[{name}]")
    if not identified.what["epochs"]:
        out.add("Rstar")
    if float(np.ptp(data.rows.x)) == 0.0:
        out |= {"b1", "b2", "b3", "lam", "Lstar"}
    return out


def report(
    law: Law, data: Data, point: Solution, draws: Solution | None, hidden: set[str]
) -> tuple[dict[str, Param], list[str]]:
    """Every parameter of one fitted law with its interval, then L_ref and T_ref; and warnings in words."""
    estimates = law.natural(point.theta, data.sign * point.amplitudes, data.refs)
    drawn = None if draws is None else law.natural(draws.theta, data.sign * draws.amplitudes, data.refs)
    bounds = _bounds(law, data)
    edges = _at_bound(law, data, point)
    out: dict[str, Param] = {}
    warnings = []
    for name, value in estimates.items():
        if name in hidden:
            out[name] = Param(None, status="not_identified")
            continue
        if law.curve.floor_held and (name == "E" or name.startswith("E[")):
            out[name] = Param(float(value[0]), status="fixed")
            continue
        out[name] = _param(float(value[0]), None if drawn is None else drawn[name], bounds.get(name), name in edges)
        if out[name].status == "at_bound":
            warnings.append(f"{name} is at its bound ({value[0]:.4g})")
    flat = [k for k, p in out.items() if p.status == "not_identified"]
    if flat:
        warnings.append(f"not identified by these runs: {', '.join(flat)}")
    if law.terms and np.isfinite(data.table.avg_tokens).any():
        out["L_ref"] = Param(data.refs.L, status="fixed", unit="tokens")
    out["T_ref"] = Param(data.refs.T, status="fixed", unit=data.table.data_unit)
    return out, warnings


def _bounds(law: Law, data: Data) -> dict[str, tuple[float, float]]:
    return {p.name: (p.low, p.high) for p in law.nonlinear(data.refs)}


def _at_bound(law: Law, data: Data, point: Solution) -> set[str]:
    """Reported names whose estimate lies on a bound; D0 and D_s stand for their logarithms."""
    names = {p.name for i, p in enumerate(law.nonlinear(data.refs)) if _touches(point.theta[0, i], p.low, p.high)}
    shown = {"ln_D0": ("D0",), "ln_D_s": ("D_s",), "ln_Rstar": ("Rstar",)}
    out = {s for name in names for s in shown.get(name, (name,))}
    floor = data.floor_low
    for k, name in enumerate(law.linear(data.refs)):
        low = floor if name == "E" or name.startswith("E[") else 0.0
        if np.isfinite(low) and point.amplitudes[0, k] <= low + 1e-9 * max(1.0, abs(low)):
            out.add("Pbar" if law.curve.name == "saturating" and name == "E" else name)
    return out


def _touches(value: float, low: float, high: float) -> bool:
    return bool(min(value - low, high - value) <= 1e-7 * (high - low))


def _param(value: float, drawn: Floats | None, bounds: tuple[float, float] | None, at_bound: bool) -> Param:
    if drawn is None:
        return (
            Param(value, status="at_bound" if at_bound else "ok")
            if np.isfinite(value)
            else Param(None, status="not_identified")
        )
    known = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or len(known) < (1.0 - MISSING_SHARE) * len(drawn):
        return Param(None, status="not_identified")
    low, high = (float(q) for q in np.quantile(known, [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0]))
    wide = bounds is not None and high - low >= WIDE_SHARE * (bounds[1] - bounds[0])
    far = (low > 0.0 and high / low > WIDE_FACTOR) or (high < 0.0 and low / high > WIDE_FACTOR)
    if wide or far:
        return Param(None, status="not_identified")
    return Param(value, low, high, "at_bound" if at_bound else "ok")


def best_length(data: Data, law: Law, point: Solution, draws: Solution, tokens: float) -> Param | None:
    """The length that is worth most at `tokens`, with its interval; None where no interior one exists.

    d ln D / dx = b1 + 2·b2·x + b3·t = 0, with b2 < 0.
    """

    def at(named: Named) -> Floats:
        t = np.log(tokens / data.refs.T)
        slope = named["b1"] + named.get("b3", np.zeros_like(named["b1"])) * t
        with np.errstate(divide="ignore", over="ignore"):
            best = data.refs.L * np.exp(-slope / (2.0 * named["b2"]))
        return np.where(named["b2"] < 0.0, best, np.nan)

    if not law.has("length"):
        return None
    names = [p.name for p in law.nonlinear(data.refs)]
    value = at({n: point.theta[:, i] for i, n in enumerate(names)})
    drawn = at({n: draws.theta[:, i] for i, n in enumerate(names)})
    found = _param(float(value[0]), drawn, None, False)
    return found if found.status == "ok" else None
