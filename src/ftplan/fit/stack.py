"""Beside the mixture of laws ahead of the data: the prior over curves, and a line through the last three sizes.

The mixture does best on noisy curves, the line on clean straight ones, the prior between them; so what each counts for
follows from the noise. All three see a curve against ln D of the law inside: effective data. Methods that
share their sizes are forecast together elsewhere (`ftplan.fit.methods`).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from scipy.special import ndtri

from ftplan.fit.curve_prior import shipped
from ftplan.fit.features import Data
from ftplan.fit.forecast import Curve, Forecast, Gap, forecast
from ftplan.fit.problem import Solution
from ftplan.laws.law import Law
from ftplan.laws.parts import Floats, Refs, Rows

#: what the two are called beside the laws of the mixture
PRIOR, LINE = "prior", "last-three"
#: relative noise of one run at which the mixture counts for a half; 0.015 to 0.03 as chosen with each family left out
NOISY = 0.015
#: sizes that prior and line need before they count in full: FULL more than NONE. Few sizes of a curve that steepens
#: (FLAN, WMT19) want the mixture; clean straight ones would take 5
NONE, FULL = 3, 7
#: sizes of the line
LAST = 3
#: where the prior's forecast is worked out, in ln D from the largest size, straight lines between
NODES: Floats = np.array([-3.0, -1.5, -0.7, 0.0, 0.35, 0.7, 1.05, 1.4, 2.1, 2.8, 3.5, 5.0, 7.0, 9.0, 12.0])
#: half of a 90 % interval in ln(gap): times the noise, the noise times ln of the distance, the members' spread, and the
#: half widths of the prior and of the mixture. Near what minimises the interval score
#: over families of curves, each left out in turn
BY_NOISE, BY_DISTANCE, BY_SPREAD, BY_PRIOR, BY_MIXTURE = 1.2, 0.4, 1.4, 0.25, 0.08
LEVEL = 0.9


@dataclass(frozen=True)
class Tail:
    """What prior and line say of one series. law, point: of the axis; curve: (levels,) which one a run is on.

    top: (c,) ln(D/T_ref) of the largest size of each curve; ends: (c, 2) ln(gap) there and slope of the line;
    shares: of the prior and of the line in a forecast, the rest is the mixture's; noise: relative, of one run.
    """

    law: Law
    point: Solution
    refs: Refs
    curve: np.typing.NDArray[np.intp]
    top: Floats
    ends: Floats
    found: tuple[Forecast, ...]
    shares: tuple[float, float]
    noise: float

    def place(self, rows: Rows) -> tuple[np.typing.NDArray[np.intp], Floats]:
        """(n,) which curve, (B, n) ln D from its largest size."""
        own = self.curve[rows.level]
        # rows may have an amount of their own for each draw
        theta = np.repeat(self.point.theta, len(rows.t), axis=0) if rows.t.ndim == 2 else self.point.theta
        return own, self.law.log_data(rows, theta, self.refs) - self.top[own]

    def line(self, rows: Rows) -> Floats:
        """(B, n) ln(gap) on the line."""
        own, away = self.place(rows)
        return np.asarray(self.ends[own, 0] + self.ends[own, 1] * away)

    def quantile(self, rows: Rows, p: float) -> Floats:
        """(B, n) of a new run's ln(gap), as the prior has it."""
        own, away = self.place(rows)
        nodes = np.stack([f.log_gap([p])[0] for f in self.found])
        return between(nodes[own], away)

    def wanders(self, rows: Rows, count: int, seed: int) -> Floats:
        """(count, n) draws of the prior's curve, less their median."""
        own, away = self.place(rows)
        drawn = np.stack([f.drawn(count, seed) for f in self.found], axis=1)
        drawn = drawn - np.median(drawn, axis=0)
        out = np.empty((count, len(own)))
        for k in np.unique(own):
            at = own == k
            index, share = _steps(np.broadcast_to(away[:, at], (count, int(at.sum()))))
            draws = np.arange(count)[:, None]
            out[:, at] = (1.0 - share) * drawn[draws, k, index] + share * drawn[draws, k, index + 1]
        return out


def between(nodes: Floats, away: Floats) -> Floats:
    """(B, n) values of (n, K) nodes at `away` (B, n)."""
    index, share = _steps(away)
    row = np.arange(len(nodes))[None, :]
    return np.asarray((1.0 - share) * nodes[row, index] + share * nodes[row, index + 1])


def _steps(away: Floats) -> tuple[np.typing.NDArray[np.intp], Floats]:
    """The node below each, and the share of the way to the one above."""
    inside = np.clip(away, NODES[0], NODES[-1])
    index = np.clip(np.searchsorted(NODES, inside, side="right") - 1, 0, len(NODES) - 2).astype(np.intp)
    return index, (inside - NODES[index]) / (NODES[index + 1] - NODES[index])


def shares(noise: float, sizes: int, *, straight: bool) -> tuple[float, float]:
    """Of the prior and of the line, by the noise of one run. straight: whether sizes are in one row, for a line; its
    share is the mixture's where there is none.
    """
    rest = min(max((sizes - NONE) / FULL, 0.0), 1.0) / (1.0 + (noise / NOISY) ** 2)
    return rest / 2.0, rest / 2.0 if straight else 0.0


def is_one_row(law: Law) -> bool:
    """Whether sizes are all that a table varies, as far as the law knows."""
    return not law.terms and law.size is None


def tail(data: Data, law: Law, point: Solution, given: tuple[float, float], noise: float) -> Tail:
    """The tail of a series whose law inside was fitted to `point` (one)."""
    z = law.log_data(data.rows, point.theta, data.refs)[0]
    own = data.rows.level
    keys = np.unique(own)
    gap = Gap(data.floor_low, -data.floor_low if data.sign < 0.0 else np.inf)
    curves = [Curve.of(z[own == k], data.y[own == k], gap, stderr=data.table.stderr[own == k]) for k in keys]
    top = np.array([c.u[-1] for c in curves])
    found = forecast(curves, [t + NODES for t in top], gap, shipped("score" if data.sign < 0.0 else "loss"))
    place = np.searchsorted(keys, np.arange(len(data.refs.levels))).astype(np.intp)
    place = np.minimum(place, len(keys) - 1)
    ends = np.array([_end(c) for c in curves])
    return Tail(law, point, data.refs, place, top, ends, tuple(found), given, noise)


def _end(curve: Curve) -> tuple[float, float]:
    """ln(gap) at the largest size, and the slope, of the line through the last sizes."""
    u, z = curve.u[-LAST:] - curve.u[-1], curve.z[-LAST:]
    if len(u) < 2:
        return float(z[-1]), 0.0
    slope, level = np.polyfit(u, z, 1)
    return float(level), float(slope)


def half_width(own: Tail, rows: Rows, spread: Floats, widths: tuple[Floats, Floats], level: float) -> Floats:
    """(n,) half of an interval in ln(gap) that holds a new run with probability `level`, to one side.

    spread: the members' own; widths: half widths of prior and mixture on that side, at that level.
    """
    wider = float(ndtri(0.5 + level / 2.0) / ndtri(0.5 + LEVEL / 2.0))
    away = np.maximum(own.place(rows)[1][0], 0.0)
    noise = own.noise * (BY_NOISE + BY_DISTANCE * away) + BY_SPREAD * spread
    return np.asarray(wider * noise + BY_PRIOR * widths[0] + BY_MIXTURE * widths[1])
