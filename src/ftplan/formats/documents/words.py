"""How numbers read on a screen; data files keep them in full."""

from __future__ import annotations

import math
from collections.abc import Iterable

from ftplan.runs import Metric
from ftplan.units import BUDGET_UNITS, format_budget, format_count, format_flops

#: what a table shows for a number that does not exist
NONE = "-"
#: a factor outside the fitted runs below which nothing is extrapolated: means and sizes are known no better
BEYOND = 1.05
#: a factor outside the fitted runs from which on a number is not to be believed: at 128 times, 90 % intervals on 60
#: published fine-tuning curves are half as wide as the loss is high
INCREDIBLE = 100.0


def significant(value: float | None, digits: int = 4) -> str:
    """`digits` significant digits, trailing zeros kept: 4.5 -> '4.500', 181234 -> '181,200'; '-' for None."""
    if value is None:
        return NONE
    size = abs(value)
    if size >= 1e7 or 0.0 < size < 1e-4:
        mantissa, exponent = f"{value:.{digits - 1}e}".split("e")
        return f"{mantissa}e{int(exponent)}"
    if size >= 10.0**digits:
        return f"{float(f'{value:.{digits}g}'):,.0f}"
    return f"{value:#.{digits}g}".rstrip(".")


def decimals(value: float | None, digits: int = 3) -> str:
    """Fixed decimals, so that a column lines up; '-' for None."""
    return NONE if value is None else f"{value:.{digits}f}"


def decimals_for(values: Iterable[float | None]) -> int:
    """Decimals that show two digits of the smallest of some errors, and no more than six."""
    sizes = [abs(value) for value in values if value]
    return min(max(1 - math.floor(math.log10(min(sizes))), 0), 6) if sizes else 0


def unit_of(metric: Metric) -> str:
    """The metric's unit with a space before it, '' where it has none to show."""
    return {"percent": " %", "nats": " nats"}.get(metric.unit, "")


def unit_of_errors(metric: Metric) -> str:
    """The unit of differences between values of the metric: those of a score in per cent are points."""
    return " points" if metric.unit == "percent" else unit_of(metric)


def interval(low: float | None, high: float | None, digits: int = 4) -> str:
    """'4.470 to 4.583'; '-' where there is no interval."""
    if low is None or high is None:
        return NONE
    return f"{significant(low, digits)} to {significant(high, digits)}"


def percent(share: float) -> str:
    """0.9996 -> '100 %', 0.0123 -> '1.2 %', 0.0001 -> '<0.1 %'."""
    value = 100.0 * share
    if 0.0 < value < 0.095:
        return "<0.1 %"
    return f"{value:.0f} %" if value >= 9.95 else f"{value:.2g} %"


def plural(count: float, singular: str) -> str:
    """'1 epoch', '1.5 epochs', '2,018 examples'."""
    text = f"{count:,.0f}" if float(count).is_integer() else f"{count:g}"
    return f"{text} {singular}" if count == 1 else f"{text} {singular}s"


def amount(value: float, unit: str) -> str:
    """A number of the cost chain in the way its unit is read: counts in full below a million, FLOPs as powers."""
    if unit == "FLOPs":
        return format_flops(value)
    if unit == "USD":
        return format_budget("usd", value).removesuffix(" USD")
    if float(value).is_integer() and value < 1e6:
        return f"{value:,.0f}"
    return format_count(value) if value >= 1e3 else f"{value:.3g}"


def budget_amount(kind: str, value: float) -> str:
    """A budget's limit or use, with its unit."""
    return f"{amount(value, BUDGET_UNITS[kind])} {BUDGET_UNITS[kind]}"
