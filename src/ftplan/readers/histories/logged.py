"""What a log says at its rows, as series over the steps: tokens, epochs, learning rates."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import isfinite

from ftplan.readers.columns import CANONICAL
from ftplan.readers.histories import Row
from ftplan.readers.logs.counters import totals

Series = list[tuple[float, float]]

#: running counts of tokens besides TRL's, which goes first; what may count padding is last
_SEEN = ("tokens_seen", "total_tokens", "tokens", "batch_tokens", "tokens_per_step", "ntokens")
MAY_BE_PADDED = "num_input_tokens_seen"
#: a running count that restarts or stands still more often is none
_RISES = 0.9
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
            return (found if _runs(found) else _summed(found)), name
    return [], ""


def _runs(found: Series) -> bool:
    """Whether a count of tokens is of all steps so far: it rises nearly always, where that of one step does not."""
    pairs = [(a, b) for (at, a), (then, b) in pairwise(found) if then > at]
    return sum(b > a for a, b in pairs) >= _RISES * len(pairs)


def _summed(found: Series) -> Series:
    """Tokens of single steps, summed up; a step that was not logged has had as many as the next that was."""
    total = before = 0.0
    out = []
    for step, count in found:
        total += count * max(step - before, 0.0)
        before = step
        out.append((step, total))
    return out


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
