"""TRL's running count of tokens: where it stands in a log, and where it began again.

`num_tokens` of a training row and `eval_num_tokens` of an evaluation are one running total (`SFTTrainer.compute_loss`,
TRL 1.16), of which the later one counts. A resumed run counts from 0 again: it falls, or rises by far less than a step
brings (123 tokens at step 6, 135 at step 12, where 258 were seen).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import pairwise
from statistics import median
from typing import Any

from ftplan.readers.logs.values import finite

_NAMES = ("num_tokens", "eval_num_tokens")
#: a rise below this share of the usual one is no chance where a restart explains it: the data are shuffled
_BREAK = 0.6

Point = tuple[float | None, float]


def points(rows: Sequence[Mapping[str, Any]]) -> list[Point]:
    """(step, count) of every row that counts, in the order of the log."""
    return [
        (finite(row.get("step")), count)
        for row in rows
        for name in _NAMES
        if (count := finite(row.get(name))) is not None
    ]


def tokens_seen(rows: Sequence[Mapping[str, Any]]) -> float:
    """Tokens at the end, 0 where nothing counts them; after a resume the parts add up."""
    counts = points(rows)
    ends = (*_restarts(counts), len(counts)) if counts else ()
    return sum(counts[end - 1][1] for end in ends)


def began_again(rows: Sequence[Mapping[str, Any]]) -> bool:
    """Whether the count began again on the way: what passed between the last row and the resume is not in it."""
    return bool(_restarts(points(rows)))


def _restarts(counts: Sequence[Point]) -> list[int]:
    """Places of the first count after each restart."""
    rises = [
        ((after - before) / (later - step), place)
        for place, ((step, before), (later, after)) in enumerate(pairwise([(0.0, 0.0), *counts]))
        if step is not None and later is not None and later > step and after > before
    ]
    found = []
    for place, ((step, before), (later, after)) in enumerate(pairwise(counts), start=1):
        if after < before or _broken(before, after, step, later, [rise for rise, at in rises if at != place]):
            found.append(place)
    return found


def _broken(before: float, after: float, step: float | None, later: float | None, usual: Sequence[float]) -> bool:
    """Whether a count that rose is explained by a restart, and not by what a step usually brings."""
    if step is None or later is None or later <= step or not usual or before <= 0.0:
        return False
    rate, gone_on, anew = median(usual), (after - before) / (later - step), after / (later - step)
    return gone_on < _BREAK * rate and anew * gone_on < rate * rate
