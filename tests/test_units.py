"""Numbers as people write them."""

from __future__ import annotations

import math
import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftplan.errors import InputError
from ftplan.units import (
    BUDGET_SUFFIXES,
    BUDGET_UNITS,
    Budget,
    format_budget,
    format_count,
    format_flops,
    format_used,
    parse_budget,
    parse_count,
)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("7e9", 7e9),
        ("7B", 7e9),
        ("7b", 7e9),
        ("350M", 3.5e8),
        (" 12 k ", 12e3),
        ("1.5G", 1.5e9),
        ("2T", 2e12),
        ("0", 0.0),
        ("7.", 7.0),
        (".5k", 500.0),
        ("1e+3", 1000.0),
        ("1E3k", 1e6),
    ],
)
def test_counts(text: str, value: float) -> None:
    assert parse_count(text) == value


@pytest.mark.parametrize("text", ["", "B", "7X", "7BB", "-7", "1,000", "1_000", "nan", "inf", "1e999", ".", "٧", "7 0"])
def test_no_counts(text: str) -> None:
    with pytest.raises(ValueError):
        parse_count(text)


@pytest.mark.parametrize(
    ("text", "kind", "limit"),
    [
        ("1e18flops", "total_flops", 1e18),
        ("1e18 FLOPs", "total_flops", 1e18),
        ("3Tflop", "total_flops", 3e12),
        ("64gpuh", "gpu_hours", 64.0),
        ("64GPUh", "gpu_hours", 64.0),
        ("2kgpuh", "gpu_hours", 2000.0),
        ("500usd", "usd", 500.0),
        ("500 USD", "usd", 500.0),
        ("8h", "wall_hours", 8.0),
        ("30min", "wall_hours", 0.5),
        ("30MIN", "wall_hours", 0.5),
        ("20000examples", "examples", 20000.0),
        ("20k examples", "examples", 20000.0),
    ],
)
def test_budgets(text: str, kind: str, limit: float) -> None:
    assert parse_budget(text) == Budget(kind, limit)


@pytest.mark.parametrize("text", ["", "500", "usd", "500eur", "-5usd", "1.2.3usd", "1e999usd", "5 5h", "infh", ".usd"])
def test_no_budgets(text: str) -> None:
    with pytest.raises(InputError) as caught:
        parse_budget(text)
    assert caught.value.message == f"budget {text!r} is not a number with a known unit"
    assert caught.value.hint is not None
    assert all(suffix in caught.value.hint for suffix in ("flops", "gpuh", "usd", "h ", "examples"))


def test_a_budget_of_nothing() -> None:
    with pytest.raises(InputError, match=r"budget '0usd' must be above zero"):
        parse_budget("0usd")


@given(st.sampled_from(sorted(BUDGET_SUFFIXES)), st.floats(1e-3, 1e30))
def test_any_number_with_any_suffix(suffix: str, value: float) -> None:
    budget = parse_budget(f"{value!r}{suffix}")
    kind, factor = BUDGET_SUFFIXES[suffix]
    assert budget == Budget(kind, value * factor)
    assert BUDGET_UNITS[kind] in format_budget(budget.kind, budget.limit)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (12, "12"),
        (12.345, "12.3"),
        (999, "999"),
        (999.6, "1.00k"),
        (1000, "1.00k"),
        (55776, "55.8k"),
        (262144, "262k"),
        (999_950, "1.00M"),
        (7e9, "7.00B"),
        (1.53e13, "15.3T"),
        (9.999e14, "1e+15"),
        (-55776, "-55.8k"),
        (math.nan, "nan"),
    ],
)
def test_printed_counts(value: float, text: str) -> None:
    assert format_count(value) == text


@given(st.floats(1000, 9e14))
def test_printed_counts_read_back(value: float) -> None:
    text = format_count(value)
    assert re.fullmatch(r"[0-9]{3}[kMBT]|[0-9]{2}\.[0-9][kMBT]|[0-9]\.[0-9]{2}[kMBT]", text)
    assert math.isclose(parse_count(text), value, rel_tol=0.0051)


@pytest.mark.parametrize(
    ("value", "text"),
    [(1.531e18, "1.53e18"), (0.0, "0"), (1.0, "1.00e0"), (9.999e20, "1.00e21"), (math.inf, "inf"), (math.nan, "nan")],
)
def test_printed_flops(value: float, text: str) -> None:
    assert format_flops(value) == text


@pytest.mark.parametrize(
    ("kind", "value", "text"),
    [
        ("total_flops", 1e18, "1.00e18 FLOPs"),
        ("gpu_hours", 64, "64 GPU-h"),
        ("gpu_hours", 12345.6, "12,346 GPU-h"),
        ("usd", 1500, "1,500.00 USD"),
        ("usd", 0.1, "0.10 USD"),
        ("usd", 0.00437, "0.0044 USD"),
        ("usd", 0.0, "0.00 USD"),
        ("wall_hours", 0.123456, "0.123 h"),
        ("wall_hours", 999.7, "1,000 h"),
        ("examples", 20000, "20,000 examples"),
    ],
)
def test_printed_budgets(kind: str, value: float, text: str) -> None:
    assert format_budget(kind, value) == text


@pytest.mark.parametrize(
    ("kind", "used", "limit", "texts"),
    [
        ("usd", 0.001201, 0.001, ("0.0012 USD", "0.001 USD")),
        ("usd", 0.0204, 0.0196, ("0.0204 USD", "0.0196 USD")),
        ("usd", 0.100001, 0.1, ("0.100001 USD", "0.100000 USD")),
        ("usd", 499.9999, 500.0, ("500.00 USD", "500.00 USD")),
        ("total_flops", 4.001e11, 4e11, ("4.001e11 FLOPs", "4.000e11 FLOPs")),
        ("total_flops", 3.9999e11, 4e11, ("4.00e11 FLOPs", "4.00e11 FLOPs")),
        ("gpu_hours", 64.0, 64.0, ("64 GPU-h", "64 GPU-h")),
    ],
)
def test_what_is_used_of_a_limit(kind: str, used: float, limit: float, texts: tuple[str, str]) -> None:
    assert format_used(kind, used, limit) == texts
