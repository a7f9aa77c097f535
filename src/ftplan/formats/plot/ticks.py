"""Where an axis begins and ends, and the round numbers on it, as people write them: 64k, 1.0M, 1e18."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ftplan.formats.plot import Axis
from ftplan.units import format_count

#: share of an axis that stays free at each end
_MARGIN = 0.02
#: a range this narrow, relative to its ends, is one value: it gets room around it
_ONE_VALUE = 1e-9
#: round numbers of a decade, the fewest first
_ROUND = ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0), (1.0, 1.5, 2.0, 3.0, 5.0, 7.0))


@dataclass(frozen=True)
class Scale:
    """low, high: ends of the axis, in logarithms where `log`; ticks: (value, label), rising."""

    low: float
    high: float
    log: bool
    ticks: tuple[tuple[float, str], ...]

    def place(self, value: float) -> float:
        """Where a value lies, 0 to 1; NaN where it has no place."""
        if not math.isfinite(value) or (self.log and value <= 0.0):
            return math.nan
        return ((math.log10(value) if self.log else value) - self.low) / (self.high - self.low)


def scale_of(axis: Axis, values: list[float], most: int) -> Scale:
    """The scale that holds all (finite, on a log axis positive) values, with about `most` ticks at the most."""
    known = [v for v in values if math.isfinite(v) and (v > 0.0 or not axis.log)] or [1.0]
    low, high = min(known), max(known)
    ends = (math.log10(low), math.log10(high)) if axis.log else (low, high)
    if ends[1] - ends[0] <= _ONE_VALUE * max(map(abs, ends)):
        around = 0.3 if axis.log else max(abs(low) / 2.0, 0.5)
        ends = (ends[0] - around, ends[1] + around)
    spare = _MARGIN * (ends[1] - ends[0])
    start, end = ends[0] - spare, ends[1] + spare
    first, last = (10.0**start, 10.0**end) if axis.log else (start, end)
    ticks = _log_ticks(first, last, most) if axis.log else []
    if len(ticks) < 2:
        # 0 has no place on a logarithmic axis, however little of it lies below the first step
        ticks = [value for value in _even_ticks(first, last, most) if value > 0.0 or not axis.log]
    return Scale(start, end, axis.log, tuple(zip(ticks, _labels(ticks, axis.unit), strict=True)))


def _log_ticks(low: float, high: float, most: int) -> list[float]:
    """The most round numbers between the ends that there is room for: 1, or 1 and 3, or 1, 2 and 5 of each decade."""
    first, last = math.floor(math.log10(low)), math.ceil(math.log10(high))
    every = max(1, math.ceil((last - first) / most))
    found = [10.0**k for k in range(first, last + 1) if k % every == 0 and low <= 10.0**k <= high]
    for numbers in _ROUND:
        finer = [m * 10.0**k for k in range(first, last + 1) for m in numbers if low <= m * 10.0**k <= high]
        if len(finer) <= most:
            found = max(found, finer, key=len)
    return found


def _even_ticks(low: float, high: float, most: int) -> list[float]:
    rough = (high - low) / max(most, 1)
    decade = 10.0 ** math.floor(math.log10(rough))
    step = next(m * decade for m in (1.0, 2.0, 2.5, 5.0, 10.0) if m * decade >= rough * (1.0 - 1e-9))
    return [k * step for k in range(math.ceil(low / step - 1e-9), math.floor(high / step + 1e-9) + 1)]


def _labels(ticks: list[float], unit: str) -> list[str]:
    """Labels that tell the ticks apart, all with as many decimals."""
    if unit == "FLOPs" or max(map(abs, ticks), default=0.0) >= 1e15:
        return [f"{value:.1e}".replace("e+", "e").replace(".0e", "e") for value in ticks]
    if max(map(abs, ticks), default=0.0) >= 1000.0:
        return [_short(value) for value in ticks]
    for digits in range(7):
        labels = [f"{value + 0.0:.{digits}f}" for value in ticks]
        pairs = zip(labels, ticks, strict=True)
        if all(math.isclose(float(text), value, rel_tol=1e-9, abs_tol=1e-12) for text, value in pairs):
            return labels
    return [f"{value:.3g}" for value in ticks]


def _short(value: float) -> str:
    """1.00M -> 1M, 65.5k as it is."""
    text = format_count(value)
    number, suffix = (text[:-1], text[-1]) if text[-1:].isalpha() else (text, "")
    return f"{float(number):g}{suffix}"
