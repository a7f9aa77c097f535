"""Parameters as they are reported: natural units, bootstrap intervals, and a status that advises."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from ftplan.fit.features import Data
from ftplan.fit.identify import SIZES_NEEDED, varies_length
from ftplan.fit.problem import Bools, Solution
from ftplan.fit.result import Identified, Param, Status
from ftplan.laws.law import Law
from ftplan.laws.parts import Floats, Named

LEVEL = 0.9
#: an interval this wide for a positive parameter (a factor), or this share of a bounded one's range, says nothing
WIDE_FACTOR, WIDE_SHARE = 1e4, 0.9
#: a parameter missing (no interior best length) in more of the draws than the interval leaves out has no interval
MISSING_SHARE = 1.0 - LEVEL
#: singular values of the scaled derivatives below this share of the largest are none
DEGENERATE = 1e-7
#: an amplitude below this share of the metric, or a derivative below this share of the largest one, is rounding
ROUNDING = 1e-10


def untold(law: Law, data: Data, identified: Identified) -> set[str]:
    """Names of parameters that the design cannot tell, whatever numbers a fit comes up with."""
    out: set[str] = set()
    if law.size is not None and law.size.params and len(np.unique(data.rows.m)) < SIZES_NEEDED:
        # and what only means something beside the exponent: the floor of an endless model, the amplitude at M = 1
        out |= {p.name for p in law.size.params} | ({"A"} if law.size.factor else {"A_M", "E", "y0", "Pbar", "P0"})
    for name in data.refs.methods[1:]:
        if not identified.what[f"method:{name}"]:
            out.add(f"kap[{name}]")
    if not identified.what["epochs"]:
        out |= {"Rstar", "gain", "peak_epochs"}
    if not varies_length(data)[0]:
        out |= {"b1", "b2", "b3", "lam", "Lstar"}
    return out


def _is_level(name: str) -> bool:
    """Whether a reported parameter is a value of the metric, which may be any number down to its bound."""
    return name in ("E", "y0", "Pbar", "P0") or name.startswith("E[")


def _flat(law: Law, data: Data, fits: Solution) -> Bools:
    """(B,) whether a fit found nothing that falls with more data, so that no exponent and no bend was seen."""
    top = data.rows.anchor.max() - fits.amplitudes.min(axis=1) if law.curve.anchored else fits.amplitudes[:, -1]
    return np.asarray(top <= ROUNDING * np.abs(data.y).max(), dtype=np.bool_)


def _reported(law: Law, data: Data, fits: Solution) -> Named:
    """Natural parameters of B fits; NaN in a flat fit for all but the levels."""
    named = law.natural(fits.theta, data.sign * fits.amplitudes, data.refs)
    flat = _flat(law, data, fits)
    return {k: v if _is_level(k) else np.where(flat, np.nan, v) for k, v in named.items()}


def report(
    law: Law, data: Data, point: Solution, draws: Solution | None, hidden: set[str]
) -> tuple[dict[str, Param], list[str]]:
    """Every parameter of one fitted law with its interval, then L_ref and T_ref; and warnings in words."""
    estimates = _reported(law, data, point)
    drawn = None if draws is None else _reported(law, data, draws)
    bounds = _bounds(law, data)
    on_bounds = _on_bounds(law, data, point)
    edges = _shown(on_bounds, law)
    hidden = hidden | _shown(_loose(law, data, point, on_bounds), law)
    out: dict[str, Param] = {}
    warnings = []
    for name, value in estimates.items():
        if name in hidden:
            out[name] = Param(None, status="not_identified")
            continue
        if law.curve.floor_held and (name == "E" or name.startswith("E[")):
            out[name] = Param(float(value[0]), status="fixed")
            continue
        out[name] = _param(name, float(value[0]), None if drawn is None else drawn[name], bounds, name in edges)
        if out[name].status == "at_bound":
            warnings.append(f"{name} is at its bound ({value[0]:.4g})")
    unknown = [k for k, p in out.items() if p.status == "not_identified"]
    if unknown:
        warnings.append(f"not identified by these runs: {', '.join(unknown)}")
    if bool(_flat(law, data, point)[0]):
        warnings.append(f"{data.table.metric.name} does not improve with more data in these runs")
    if law.terms and np.isfinite(data.table.avg_tokens).any():
        out["L_ref"] = Param(data.refs.L, status="fixed", unit="tokens")
    out["T_ref"] = Param(data.refs.T, status="fixed", unit=data.table.data_unit)
    return out, warnings


def _bounds(law: Law, data: Data) -> dict[str, tuple[float, float]]:
    own = {p.name: (p.low, p.high) for p in law.nonlinear(data.refs)}
    return own | ({"lam": (1.0 + own["b1"][0], 1.0 + own["b1"][1])} if "b1" in own else {})


def _on_bounds(law: Law, data: Data, point: Solution) -> set[str]:
    """Names, as fitted, of parameters whose estimate lies on a bound."""
    names = {p.name for i, p in enumerate(law.nonlinear(data.refs)) if _touches(point.theta[0, i], p.low, p.high)}
    for k, name in enumerate(law.linear(data.refs)):
        low = data.floor_low if name == "E" or name.startswith("E[") else 0.0
        if np.isfinite(low) and point.amplitudes[0, k] <= low + 1e-9 * max(1.0, abs(low)):
            names.add(name)
    return names


def _loose(law: Law, data: Data, point: Solution, on_bounds: set[str]) -> set[str]:
    """Names, as fitted, of parameters that can be changed together without changing any fitted value."""
    at = law.evaluate(data.rows, point.theta, data.refs)
    slope = law.jacobian(data.rows, point.theta, point.amplitudes, at, data.refs)[0]
    slope = np.concatenate([slope, np.broadcast_to(at.columns[0], (len(data), point.amplitudes.shape[1]))], axis=1)
    names = [*(p.name for p in law.nonlinear(data.refs)), *law.linear(data.refs)]
    free = [i for i, name in enumerate(names) if name not in on_bounds]
    size = np.linalg.norm(slope[:, free], axis=0)
    # a column of rounding errors must not be scaled up to look like another
    scaled = slope[:, free] * np.where(size > ROUNDING * size.max(), 1.0 / np.maximum(size, 1e-300), 0.0)
    # of the triangle of many rows: the same singular values and directions
    _, spread, directions = np.linalg.svd(np.linalg.qr(scaled, mode="r"))
    spread = np.pad(spread, (0, len(free) - len(spread)))
    share = np.abs(directions[spread <= DEGENERATE * spread[0]]).max(axis=0, initial=0.0)
    return {names[i] for i, s in zip(free, share, strict=True) if s > 0.01}


def _shown(names: set[str], law: Law) -> set[str]:
    """Reported names that stand for fitted ones."""
    floor = "Pbar" if law.curve.name in ("saturating", "stretched") else "E"
    shown = {"ln_D0": ("D0", "B", "D_l"), "ln_D_s": ("D_s",), "ln_Rstar": ("Rstar",), "E": (floor,), "A": ("A", "B")}
    shown |= {"ln_peak": ("peak_epochs",)}
    shown |= {"b1": ("b1", "lam", "Lstar"), "b2": ("b2", "Lstar")}
    return {s for name in names for s in shown.get(name, (name,))}


def _touches(value: float, low: float, high: float) -> bool:
    return bool(min(value - low, high - value) <= 1e-7 * (high - low))


def _param(
    name: str, value: float, drawn: Floats | None, bounds: Mapping[str, tuple[float, float]], at_bound: bool
) -> Param:
    status: Status = "at_bound" if at_bound else "ok"
    if drawn is None:
        return Param(value, status=status) if np.isfinite(value) else Param(None, status="not_identified")
    known = drawn[np.isfinite(drawn)]
    if not np.isfinite(value) or len(known) < (1.0 - MISSING_SHARE) * len(drawn):
        return Param(None, status="not_identified")
    low, high = (float(q) for q in np.quantile(known, [(1.0 - LEVEL) / 2.0, (1.0 + LEVEL) / 2.0]))
    wide = name in bounds and high - low >= WIDE_SHARE * (bounds[name][1] - bounds[name][0])
    far = (low > 0.0 and high / low > WIDE_FACTOR) or (high < 0.0 and low / high > WIDE_FACTOR)
    if wide or (far and not _is_level(name)):
        return Param(None, status="not_identified")
    return Param(value, low, high, status)


def best_length(data: Data, law: Law, point: Solution, draws: Solution | None, tokens: float) -> Param | None:
    """The length worth most at `tokens`, with its interval where there are draws; None where no interior one exists.

    d ln D / dx = b1 + b3·t + 2·b2·x + 3·b4·x^2 = 0, with b2 < 0; where b4 is not 0, at the turn that is a maximum.
    """

    def at(named: Named) -> Floats:
        t = np.log(tokens / data.refs.T)
        none = np.zeros_like(named["b1"])
        slope = named["b1"] + named.get("b3", none) * t
        with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
            root = np.sqrt(named["b2"] ** 2 - 3.0 * named.get("b4", none) * slope)
            best = data.refs.L * np.exp(slope / (root - named["b2"]))
        return np.where(named["b2"] < 0.0, best, np.nan)

    if not law.has("length"):
        return None
    names = [p.name for p in law.nonlinear(data.refs)]
    value = at({n: point.theta[:, i] for i, n in enumerate(names)})
    drawn = None if draws is None else at({n: draws.theta[:, i] for i, n in enumerate(names)})
    found = _param("Lstar", float(value[0]), drawn, {}, False)
    return found if found.status == "ok" else None
