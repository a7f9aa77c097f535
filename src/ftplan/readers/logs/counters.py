"""TRL's running count of tokens: where it stands in a log, and where it began again.

`num_tokens` of a training row and `eval_num_tokens` of an evaluation are one running total (`SFTTrainer.compute_loss`,
TRL 1.16), of which the later one counts. A resumed run counts from 0 again: it falls, or rises by far less than a step
brings (123 tokens at step 6, 135 at step 12, where 258 were seen).
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median
from typing import Any

from ftplan.readers.logs.values import finite

_NAMES = ("num_tokens", "eval_num_tokens")
#: a rise below this share of the usual one is no chance where a restart explains it: the data are shuffled
_BREAK = 0.6

#: over fewer steps chance alone may bring as little; there a count that began again falls
_FEWEST = 3
#: epochs are logged with two decimals at least
_ROUNDED = 0.006


@dataclass(frozen=True)
class _Point:
    """A row that counts. epoch: 0 where the row does not say."""

    step: float | None
    epoch: float
    count: float


def tokens_seen(rows: Sequence[Mapping[str, Any]]) -> float:
    """Tokens at the end, 0 where nothing counts them; after a resume the parts add up."""
    counts = _points(rows)
    ends = (*_restarts(counts), len(counts)) if counts else ()
    return sum(counts[end - 1].count for end in ends)


def totals(rows: Sequence[Mapping[str, Any]]) -> list[tuple[float, float]]:
    """(step, tokens so far) of every row that counts and says its step.

    Where the count began again after the last row before a resume, what passed between is taken to be as much a step as
    elsewhere.
    """
    counts = _points(rows)
    restarts = set(_restarts(counts))
    usual = median(_rises(counts) or [0.0])
    out, offset = [], 0.0
    for place, point in enumerate(counts):
        if place in restarts:
            steps = _steps(counts[place - 1], point)
            unseen = round(steps - point.count / usual) if usual else 0
            offset += counts[place - 1].count + usual * max(unseen, 0)
        if point.step is not None:
            out.append((point.step, offset + point.count))
    return out


def _rises(counts: Sequence[_Point]) -> list[float]:
    """Tokens a step between neighbouring rows, where they rise."""
    pairs = pairwise([_Point(0.0, 0.0, 0.0), *counts])
    return [(b.count - a.count) / steps for a, b in pairs if b.count > a.count and (steps := _steps(a, b))]


def began_again(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the count began again on the way: what passed between the last row and the resume is not in it."""
    return bool(_restarts(_points(rows)))


def _points(rows: Sequence[Mapping[str, Any]]) -> list[_Point]:
    """Every row that counts, in the order of the log."""
    return [
        _Point(finite(row.get("step")), finite(row.get("epoch")) or 0.0, count)
        for row in rows
        for name in _NAMES
        if (count := finite(row.get(name))) is not None
    ]


def _restarts(counts: Sequence[_Point]) -> list[int]:
    """Places of the first count after each restart."""
    pairs = list(pairwise([_Point(0.0, 0.0, 0.0), *counts]))
    rises = [
        (after.count - before.count) / steps if (steps := _steps(before, after)) else 0.0 for before, after in pairs
    ]
    found = []
    for place, (before, after) in enumerate(pairs):
        others = [rise for at, rise in enumerate(rises) if at != place and rise > 0.0]
        if place and (after.count < before.count or (others and _broken(before, after, others))):
            found.append(place)
    return found


def _steps(before: _Point, after: _Point) -> float:
    """Steps between two rows, 0 where they do not say."""
    return 0.0 if before.step is None or after.step is None else max(after.step - before.step, 0.0)


def _broken(before: _Point, after: _Point, usual: Sequence[float]) -> bool:
    """Whether a count that rose is explained by a restart, and not by what a step brings in the other rows (`usual`).

    The last step of an epoch may be of few rows: one a border of epochs is taken to bring as much as any.
    """
    steps, rate = _steps(before, after), median(usual)
    if steps < _FEWEST or before.count <= 0.0:
        return False
    borders = math.floor(after.epoch + _ROUNDED) - math.floor(before.epoch + _ROUNDED) if after.epoch else 1
    gone_on = (after.count - before.count) / steps + rate * min(borders / steps, 1.0)
    return gone_on < _BREAK * min(usual) and after.count / steps * gone_on < rate * rate
