"""The learning rate of every step of a run, from those that were logged, or from the name of its schedule.

Trainers log it at some steps only. Where one schedule explains all that was logged, it gives the others exactly, and
the warm-up that no logged step lies in; otherwise rates lie on straight lines between the logged ones.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from ftplan.laws.schedules import SCHEDULES, rate_at

Floats = npt.NDArray[np.float64]

#: a schedule explains rates that it meets to this share of the peak: they may be written with four digits
_MET = 1e-3
#: fits that are as good as the best: rates of 32 bits, and rounding
_ALIKE = 3e-7
#: warm-ups tried between two logged steps, and logged rates that a schedule is tried on
_TRIED, _SAMPLED = 64, 200
#: digits of a peak rate that people write: 2e-5, 1.25e-4
_DIGITS = 4
#: logged rates that tell a course; fewer go with any
_FEWEST = 2
#: where Hugging Face's `polynomial` ends
_POLYNOMIAL_END = 1e-7
#: schedules whose rates after a warm-up do not tell how long that was
_FLAT = ("constant", "warmup_stable_decay")
#: names of trainers for the shapes of `laws.schedules`
NAMES = {
    **{name: name for name in SCHEDULES},
    "constant_with_warmup": "constant",
    "wsd": "warmup_stable_decay",
    "cosine_with_min_lr": "cosine",
    "polynomial": "linear",
}


@dataclass(frozen=True)
class Rates:
    """shares: (steps + 1,) rate after i steps, which step i + 1 is taken with, over the peak of the run.

    schedule, warmup (share of the run) and peak: '' and None where they are not known.
    """

    shares: Floats
    schedule: str = ""
    warmup: float | None = None
    peak: float | None = None
    #: whether several warm-ups go with all that was logged, of which the shortest was taken
    open: bool = False


@dataclass(frozen=True)
class _Shape:
    """A schedule that explains rates. warm: steps; floor: the share of the peak that it falls to."""

    name: str
    warm: int
    late: int
    peak: float
    floor: float
    error: float

    def at(self, done: Floats, total: float) -> Floats:
        return _with_floor(rate_at(self.name, self.warm / total, done / total), done, self.warm, self.floor)


def _with_floor(shares: Floats, done: Floats, warm: float, floor: float) -> Floats:
    return np.where(done < warm, shares, floor + (1.0 - floor) * shares)


def named(schedule: str, warmup: float, total: float, steps: int, peak: float | None = None) -> Rates:
    """Of a schedule by its name, over `total` steps of which `steps` are asked for."""
    shares = rate_at(schedule, warmup, np.arange(steps + 1) / total)
    return Rates(shares, schedule, warmup, peak)


def logged(
    at: Sequence[float],
    rates: Sequence[float],
    total: float,
    steps: int,
    *,
    peak: float | None = None,
    said: tuple[str, float] | None = None,
    ahead: bool = False,
) -> Rates | None:
    """From the rates that were logged at some steps, of a run of `total` steps; None where they are too few to tell.

    peak, said: the peak, and (schedule, warm-up as a share), as the settings have them. ahead: whether a rate is that
    of the step after, where nothing tells.
    """
    order = np.argsort(np.asarray(at), kind="stable")
    x, y = np.asarray(at, dtype=float)[order], np.asarray(rates, dtype=float)[order]
    keep = np.append(x[1:] > x[:-1], True)
    x, y = x[keep], y[keep]
    if said is not None and (met := _as_said(x, y, total, *said)) is not None:
        return named(*said, total, steps, met)
    if len(x) < _FEWEST < total:
        return None
    shape = _explained(x, y, total, peak) if y.max() > 0.0 else None
    if shape is not None:
        more = bool(x[0] > 1.0 and shape.name in _FLAT and shape.warm < x[0] - 1.0)
        return Rates(shape.at(np.arange(steps + 1.0), total), shape.name, shape.warm / total, shape.peak, open=more)
    return _between(x - (not ahead), y, steps, peak)


def _as_said(x: Floats, y: Floats, total: float, schedule: str, warmup: float) -> float | None:
    """The peak with which a schedule meets all rates, None where it does not."""
    for late in (1, 0):
        f = rate_at(schedule, warmup, (x - late) / total)
        peak = _slope(f, y)
        if _error(y, peak * f, peak) <= _MET:
            return peak
    return None


def _between(done: Floats, y: Floats, steps: int, peak: float | None) -> Rates:
    """Straight lines between what was logged after so many steps; before the first the line goes on, or up from 0."""
    done = np.maximum(done, 0.0)
    grid = np.arange(steps + 1.0)
    out = np.interp(grid, done, y)
    if len(done) > 1:
        first, last = (np.polyfit(done[part], y[part], 1) for part in (slice(0, 2), slice(-2, None)))
        before = y[0] * grid / done[0] if y[1] > y[0] and done[0] else np.polyval(first, grid)
        out = np.where(grid < done[0], before, np.where(grid > done[-1], np.polyval(last, grid), out))
    out = np.clip(out, 0.0, None)
    top = max(float(out.max()), float(y.max()))
    if peak is not None and peak >= top * (1.0 - _MET):
        top = peak
    return Rates(out / top if top > 0.0 else out, peak=top or None)


def _explained(x: Floats, y: Floats, total: float, peak: float | None) -> _Shape | None:
    """The schedule that meets all rates, None where none does; of several the one whose peak people would write."""
    if len(x) > _SAMPLED:
        kept = np.unique(np.append(np.linspace(0, len(x) - 1, _SAMPLED).round().astype(int), np.argmax(y)))
        x, y = x[kept], y[kept]
    found = [shape for late in (1, 0) for name in SCHEDULES for shape in _tried(name, late, x, y, total)]
    found = [shape for shape in found if shape.error <= _MET and _goes(shape, peak)]
    if not found:
        return None
    best = min(shape.error for shape in found)
    alike = [shape for shape in found if shape.error <= best + _ALIKE]
    return min(alike, key=lambda shape: (_digits(shape.peak), shape.floor > 0.0, -shape.late, shape.warm))


def _goes(shape: _Shape, peak: float | None) -> bool:
    return peak is None or abs(shape.peak - peak) <= _MET * peak


def _tried(name: str, late: int, x: Floats, y: Floats, total: float) -> list[_Shape]:
    """The best warm-ups of a schedule. late: 1 where a row holds the rate of its own step, 0 of the next one."""
    done = x - late
    top = int(np.argmax(y))
    low, high = done[top - 1] if top else 0.0, done[min(top + 1, len(x) - 1)]
    if name == "constant" or top == len(x) - 1:
        high = done[top]
    ends = max(int(low), 0), min(math.ceil(high), int(total) - 1)
    if ends[1] < ends[0]:
        return []
    tried = np.unique(np.linspace(*ends, _TRIED).round().astype(int))
    shapes = [_fitted(name, late, warm, done, y, total) for warm in tried]
    if ends[1] - ends[0] >= _TRIED:
        near = min(shapes, key=lambda shape: shape.error).warm
        step = (ends[1] - ends[0]) // _TRIED + 1
        more = range(max(near - step, ends[0]), min(near + step, ends[1]) + 1)
        shapes += [_fitted(name, late, warm, done, y, total) for warm in more]
    return shapes


def _fitted(name: str, late: int, warm: int, done: Floats, y: Floats, total: float) -> _Shape:
    """With the peak, and where it ends above 0 the floor, that meet the rates best."""
    f = rate_at(name, warm / total, done / total)
    falls = done >= warm
    lows = [0.0]
    if name == "linear" and y.min() >= _POLYNOMIAL_END:
        lows.append(_POLYNOMIAL_END)
    if name == "cosine" and falls.sum() > _FEWEST and np.ptp(f[falls]) > _MET:
        lows.append(max(float(np.polyfit(f[falls], y[falls], 1)[1]), 0.0))
    shapes = []
    for low in lows:
        g = np.where(falls, f, 0.0)
        peak = _slope(g, y - low) + low if low else _slope(f, y)
        floor = low / peak if peak > 0.0 else 0.0
        shapes.append(_Shape(name, warm, late, peak, floor, _error(y, peak * _with_floor(f, done, warm, floor), peak)))
    return min(shapes, key=lambda shape: shape.error + _ALIKE * (shape.floor > 0.0))


def _slope(f: Floats, y: Floats) -> float:
    """Of the line through 0 that meets y best."""
    return float(f @ y) / max(float(f @ f), 1e-300)


def _error(y: Floats, met: Floats, peak: float) -> float:
    return float(np.abs(y - met).max() / peak) if peak > 0.0 else math.inf


def _digits(peak: float) -> int:
    """How many digits a peak rate is written with, up to _DIGITS."""
    return next((d for d in range(1, _DIGITS) if abs(float(f"{peak:.{d - 1}e}") - peak) <= _ALIKE * peak), _DIGITS)
