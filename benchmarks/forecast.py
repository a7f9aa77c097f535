"""Curves of many families forecast by the prior over curves, made without the family judged, beside the plain rules.

Every cut from three sizes on, and the sizes nearest to 2, 4 and 8 times its largest. Errors are in % of a loss and in
points of a bounded metric. Curves of one table (a model and target, all methods) are forecast together; no other curve
is seen.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from curve_prior import AHEAD, later, prior
from extrapolation_rivals import (
    last_three_rule,
    log_linear_rule,
    power_rule,
    rectified_rule,
    rectified_zero_rule,
)
from families import Floats, Measured, every
from figures import Figure, cpu_seconds, share

from ftplan.fit.curve_prior import CurvePrior
from ftplan.fit.forecast import Curve, forecast

#: left out together: two tasks of the same models, and metrics of the same runs
APART = {"flan": ("flan", "wmt19"), "wmt19": ("flan", "wmt19"), "targeted score": ("targeted",)}
APART["targeted dev_loss"] = ("targeted",)
JUDGED = (
    "flan",
    "wmt19",
    "pet",
    "georgian",
    "vision-transfer",
    "targeted score",
    "targeted dev_loss",
    "big-IC",
    "big-LM",
)
#: (fitted up to, predicted) of the table that rivals are known on
HORIZONS = ((12_800, 51_200), (51_200, 204_800), (204_800, 819_200), (204_800, 1_638_400), (51_200, 1_638_400))
LEAST = 3
FEW = (1, 2, 3, 4)
PROBABILITIES = (0.05, 0.5, 0.95)


@dataclass(frozen=True)
class Case:
    """One curve cut: its last `window` of the first `cut` sizes are known, size `f` is asked for."""

    measured: Measured
    cut: int
    f: int
    times: int
    window: int

    @property
    def known(self) -> Curve:
        c = self.measured.curve
        own = slice(max(self.cut - self.window, 0), self.cut)
        return Curve(c.u[own], c.z[own], c.counts[own], c.squares[own], c.known[own], c.group)

    @property
    def unit(self) -> float:
        """What one unit of error is in the metric: 1 % of a loss, a point of a score."""
        m = self.measured
        return float(m.values[self.f]) / 100.0 if m.kind == "loss" else m.gap.span / 100.0


def cases(curves: Sequence[Measured], least: int = LEAST, window: int = 10_000) -> list[Case]:
    return [
        Case(m, cut, f, times, window)
        for m in curves
        for cut in range(least, len(m))
        for times, f in later(m.sizes, cut).items()
    ]


def forecasts(asked: Sequence[Case], found: CurvePrior) -> Floats:
    """(n, 3) quantiles 5, 50 and 95 % of each case's metric, tables together cut by cut."""
    together: dict[tuple[int, int], list[int]] = defaultdict(list)
    for index, case in enumerate(asked):
        together[case.cut, case.times].append(index)
    out = np.empty((len(asked), 3))
    for members in together.values():
        own = [asked[i] for i in members]
        counts = [c.measured.curve.counts[[c.f]] for c in own]
        # gaps of one family are all of one form
        answers = forecast(
            [c.known for c in own], [c.measured.curve.u[[c.f]] for c in own], own[0].measured.gap, found, counts=counts
        )
        for index, answer in zip(members, answers, strict=True):
            out[index] = answer.quantiles(PROBABILITIES)[:, 0]
    return out


def on_gap(rule: Callable[[Floats, Floats, Floats], Floats]) -> Callable[[Case], float]:
    """A rule for positive values that fall, applied to the gap to the best value."""

    def predict(case: Case) -> float:
        m, own = case.measured, slice(0, case.cut)
        z = rule(np.log(m.sizes[own]), np.exp(m.curve.z[None, own]), np.log(m.sizes[[case.f]]))
        return float(m.gap.metric(np.log(np.maximum(z, 1e-12)))[0, 0])

    return predict


def log_linear(case: Case) -> float:
    m, own = case.measured, slice(0, case.cut)
    return float(log_linear_rule(np.log(m.sizes[own]), m.values[None, own], np.log(m.sizes[[case.f]]))[0, 0])


RULES: dict[str, Callable[[Case], float]] = {
    "last value": lambda case: float(case.measured.values[case.cut - 1]),
    "last three": on_gap(last_three_rule),
    "power": on_gap(power_rule),
    "log-linear": log_linear,
}
#: judged on losses alone, and slow
SHAPED = {"rectified": on_gap(rectified_rule), "rectified with E = 0": on_gap(rectified_zero_rule)}


def misses(asked: Sequence[Case], values: Floats) -> Floats:
    """(n,) absolute errors in each case's unit."""
    return np.array([abs(v - c.measured.values[c.f]) / c.unit for c, v in zip(asked, values, strict=True)])


def own_prior(family: str, kind: str) -> CurvePrior:
    return prior(kind, APART.get(family, (family,)))


def by_family(family: str) -> Iterator[Figure]:
    curves = [m for m in every() if m.family == family]
    asked = cases(curves)
    found = forecasts(asked, own_prior(family, curves[0].kind))
    measured = np.array([c.measured.values[c.f] for c in asked])
    held = (found[:, 0] <= measured) & (measured <= found[:, 2])
    width = (found[:, 2] - found[:, 0]) / np.array([c.unit for c in asked])
    ours = misses(asked, found[:, 1])
    theirs = {name: misses(asked, np.array([rule(c) for c in asked])) for name, rule in RULES.items()}
    times = np.array([c.times for c in asked])
    for horizon in AHEAD:
        own = times == horizon
        if not own.any():
            continue
        rivals = {name: float(error[own].mean()) for name, error in theirs.items()}
        ratio = float(ours[own].mean()) / min(rivals.values())
        enough = int(own.sum()) >= 60
        yield Figure(
            f"{family}, {horizon}x, {int(own.sum())} points: mean error",
            f"{ours[own].mean():.2f}, {ratio:.2f} of the best rule; covered {held[own].mean():.0%}, median width "
            f"{np.median(width[own]):.1f}",
            "1.1; 80-97 %" if enough and horizon <= 4 else "",
            (ratio <= 1.1 and 0.80 <= held[own].mean() <= 0.97) if enough and horizon <= 4 else None,
            "; ".join(f"{name} {value:.2f}" for name, value in rivals.items()),
        )
    yield Figure(
        f"{family}: 90 % intervals to 8x", share(int(held.sum()), len(held)), "86-94 %", 0.86 <= held.mean() <= 0.94
    )


def tables() -> Iterator[Figure]:
    """The table that rivals are known on: both tasks together, the prior without both."""
    curves = [m for m in every() if m.family in ("flan", "wmt19")]
    ratios = []
    for cut, size in HORIZONS:
        asked = [
            Case(m, int((m.sizes <= cut).sum()), int(np.argmin(np.abs(m.sizes - size))), 0, 10_000) for m in curves
        ]
        found = forecasts(asked, own_prior("flan", "loss"))
        ours = float(misses(asked, found[:, 1]).mean())
        theirs = {
            name: float(misses(asked, np.array([rule(c) for c in asked])).mean())
            for name, rule in (RULES | SHAPED).items()
        }
        ratios.append(ours / min(theirs.values()))
        held = np.mean([q[0] <= c.measured.values[c.f] <= q[2] for c, q in zip(asked, found, strict=True)])
        yield Figure(
            f"FLAN and WMT19, {cut:,} to {size:,}: mean error",
            f"{ours:.2f} %, {ratios[-1]:.2f} of the best rule; covered {held:.0%}",
            "1",
            ratios[-1] <= 1.0,
            "; ".join(f"{name} {value:.1f}" for name, value in theirs.items()),
        )
    mean = float(np.mean(ratios))
    yield Figure("FLAN and WMT19: mean ratio to the best rule of each horizon", f"{mean:.2f}", "0.9", mean <= 0.9)


def few(family: str) -> Iterator[Figure]:
    """2x ahead from the last sizes alone, against all earlier ones."""
    curves = [m for m in every() if m.family == family]
    found = own_prior(family, curves[0].kind)
    for window in FEW:
        alone = [c for c in cases(curves, max(LEAST, window), window) if c.times == 2]
        everything = [Case(c.measured, c.cut, c.f, c.times, 10_000) for c in alone]
        narrow, wide = forecasts(alone, found), forecasts(everything, found)
        ours, full = float(misses(alone, narrow[:, 1]).mean()), float(misses(alone, wide[:, 1]).mean())
        held = np.mean([q[0] <= c.measured.values[c.f] <= q[2] for c, q in zip(alone, narrow, strict=True)])
        yield Figure(
            f"{family}, 2x from the last {window} alone",
            f"{ours:.2f}, {ours / full:.2f} of that from all; covered {held:.0%}",
            "1.1" if window >= 3 else "",
            ours <= 1.1 * full if window >= 3 else None,
        )


def speed() -> Iterator[Figure]:
    curves = [m for m in every() if m.family in ("flan", "wmt19")]
    ninety = (curves * 2)[:90]
    known = [Case(m, 8, 9, 2, 10_000).known for m in ninety]
    at = [m.curve.u[[8, 9, 10]] for m in ninety]
    found = prior("loss")
    _, spent = cpu_seconds(lambda: [f.quantiles(PROBABILITIES) for f in forecast(known, at, ninety[0].gap, found)])
    yield Figure("90 curves of 8 sizes, forecast at three: CPU s", f"{spent:.2f}", "3", spent < 3.0)


def measure(full: bool) -> list[Figure]:
    del full
    return [
        *tables(),
        *(figure for family in JUDGED for figure in by_family(family)),
        *(figure for family in ("wmt19", "pet") for figure in few(family)),
        *speed(),
    ]
