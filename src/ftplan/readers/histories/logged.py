"""What a log says at its rows, as series over the steps: tokens, epochs, learning rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import isfinite

from ftplan.readers.columns import CANONICAL
from ftplan.readers.histories import Row
from ftplan.readers.logs.counters import totals

Series = list[tuple[float, float]]

#: running counts of tokens besides TRL's, which goes first; what may count padding is last
_SEEN = ("tokens_seen", "total_tokens", "tokens")
MAY_BE_PADDED = "num_input_tokens_seen"
RATES = ("learning_rate", "lr")
EPOCHS = ("epoch", "epochs")


def series(rows: Sequence[Row], *names: str) -> Series:
    """(step, value) of the first of these names that any row has, where it is a number; from 0 on."""
    for name in names:
        found = [(row.step, value) for row in rows if isfinite(value := row.values.get(name, float("nan")))]
        if found:
            return found
    return []


def tokens(rows: Sequence[Row]) -> tuple[Series, str]:
    """Running count of the tokens seen, and the name it was logged under; ([], '') where nothing counts them."""
    own = totals([{"step": row.step, **row.values} for row in rows])
    if own:
        return own, "num_tokens"
    seen = [_canonical(row) for row in rows]
    for name in (*_SEEN, MAY_BE_PADDED):
        found = series(seen, name)
        if found and found[-1][1] > 0.0:
            return found, name
    return [], ""


def _canonical(row: Row) -> Row:
    """A row whose counts have their canonical names; `total_tokens` runs, where `tokens` may be those of one step."""
    values: Mapping[str, float] = {
        (name if name in (*_SEEN, MAY_BE_PADDED) else CANONICAL.get(name, name)): value
        for name, value in row.values.items()
    }
    return Row(row.step, values)


def last_attempts(rows: Sequence[Row]) -> list[Row]:
    """Without what was done again: after a resume from an earlier step, the rows from there on count no more."""
    kept: list[Row] = []
    for row in rows:
        again = bool(kept) and kept[-1].step > row.step
        while again and kept and kept[-1].step >= row.step:
            kept.pop()
        kept.append(row)
    return kept
