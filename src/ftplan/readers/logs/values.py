"""A logged value as a number or as the text of a cell."""

from __future__ import annotations

import math
from collections.abc import Mapping

from ftplan.readers.numbers import INFINITE, NOTHING, CellError, parse


def text_of(value: object) -> str:
    """A logged value as the text of a cell: '' for None, NaN, N/A and infinities, which are no results."""
    text = repr(value) if isinstance(value, float) else str(value).strip()
    return "" if text.lower() in NOTHING | INFINITE else text


def finite(value: object) -> float | None:
    """A logged value if it is a finite number."""
    number_ = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if number_ and abs(value) < math.inf else None  # type: ignore[arg-type]


def number(facts: Mapping[str, str], *names: str) -> float | None:
    """The first of these facts that is a number above 0: trainers write 0 for what they did not count."""
    for name in names:
        try:
            value = parse(facts.get(name, "") or "0")
        except CellError:
            continue
        if value > 0.0:
            return value
    return None
