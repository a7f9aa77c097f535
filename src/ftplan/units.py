"""Numbers as people write them: 7B, 350M, 1e18flops, 64gpuh; read and printed in one place."""

from __future__ import annotations

import math
import re
from dataclasses import dataclass

from ftplan.errors import InputError

_SCALE = {"": 1.0, "k": 1e3, "m": 1e6, "b": 1e9, "g": 1e9, "t": 1e12}
_COUNT = re.compile(r"((?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)\s*([kKmMbBgGtT]?)")

#: suffix -> (budget kind, factor to the kind's unit)
BUDGET_SUFFIXES = {
    "flops": ("total_flops", 1.0),
    "flop": ("total_flops", 1.0),
    "gpuh": ("gpu_hours", 1.0),
    "usd": ("usd", 1.0),
    "h": ("wall_hours", 1.0),
    "min": ("wall_hours", 1.0 / 60.0),
    "examples": ("examples", 1.0),
}
_BUDGET = re.compile(rf"([0-9.]+(?:e[+-]?[0-9]+)?[kmbgt]?)\s*({'|'.join(BUDGET_SUFFIXES)})", re.IGNORECASE)
#: budget kind -> unit printed after a value
BUDGET_UNITS = {
    "total_flops": "FLOPs",
    "gpu_hours": "GPU-h",
    "usd": "USD",
    "wall_hours": "h",
    "examples": "examples",
}


@dataclass(frozen=True)
class Budget:
    """One limit. `kind` is a key of `BUDGET_UNITS`; `limit` is in that unit."""

    kind: str
    limit: float


def parse_count(text: str) -> float:
    """`7e9`, `7B`, `350M`, `12k` -> a float; ValueError for anything else, NaN and infinities too."""
    match = _COUNT.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"not a count: {text!r}")
    value = float(match[1]) * _SCALE[match[2].lower()]
    if not math.isfinite(value):
        raise ValueError(f"not a finite count: {text!r}")
    return value


def parse_budget(text: str) -> Budget:
    """`1e18flops`, `64gpuh`, `500usd`, `8h` (wall-clock), `30min`, `20000examples` -> Budget.

    Raises InputError (with the accepted suffixes as its hint) for anything else.
    """
    match = _BUDGET.fullmatch(text.strip())
    hint = "write a number and a unit: 1e18flops, 64gpuh, 500usd, 8h (wall-clock), 20000examples"
    if match is None:
        raise InputError(f"budget {text!r} is not a number with a known unit", hint=hint)
    try:
        value = parse_count(match[1])
    except ValueError as error:
        raise InputError(f"budget {text!r} is not a number with a known unit", hint=hint) from error
    if value <= 0.0:
        raise InputError(f"budget {text!r} must be above zero", hint=hint)
    kind, factor = BUDGET_SUFFIXES[match[2].lower()]
    return Budget(kind, value * factor)


def format_count(value: float) -> str:
    """Three significant digits with k, M, B, T: 55776 -> '55.8k'; whole numbers below 1,000 as they are."""
    if not math.isfinite(value) or abs(value) >= 999.5e12:
        return f"{value:.3g}"
    for scale, suffix in ((1e12, "T"), (1e9, "B"), (1e6, "M"), (1e3, "k")):
        # 999,950 must print as 1.00M and not as 1000k
        if abs(value) >= scale * 0.9995:
            return f"{value / scale:#.3g}".rstrip(".") + suffix
    return f"{value:.0f}" if float(value).is_integer() else f"{value:.3g}"


def format_flops(value: float) -> str:
    """1.531e18 -> '1.53e18'."""
    if value == 0.0 or not math.isfinite(value):
        return f"{value:g}"
    mantissa, exponent = f"{value:.2e}".split("e")
    return f"{mantissa}e{int(exponent)}"


def format_used(kind: str, used: float, limit: float) -> tuple[str, str]:
    """Both sides of a budget with their unit, with three digits where they would print the same: 0.0204 of 0.0196 USD
    and not 0.02 of 0.02. A limit that is passed gets as many as show it, up to six.
    """
    both = format_budget(kind, used), format_budget(kind, limit)
    if both[0] != both[1]:
        return both
    for digits in range(3, 7 if used > limit else 4):
        mine, its = (f"{v:#.{digits}g}".rstrip(".").replace("e+", "e") for v in (used, limit))
        if mine != its:
            return f"{mine} {BUDGET_UNITS[kind]}", f"{its} {BUDGET_UNITS[kind]}"
    return both


def format_budget(kind: str, value: float) -> str:
    """A value of a budget kind with its unit: ('usd', 500) -> '500 USD'."""
    unit = BUDGET_UNITS[kind]
    if kind == "total_flops":
        return f"{format_flops(value)} {unit}"
    if kind == "examples":
        return f"{value:,.0f} {unit}"
    if kind == "usd" and 0.0 < abs(value) < 0.1:
        return f"{value:.2g} {unit}"
    if kind == "usd":
        return f"{value:,.2f} {unit}"
    return f"{value:,.0f} {unit}" if abs(value) >= 999.5 else f"{value:.3g} {unit}"
