"""Small pools, exactly: which totals N rows can have, and the length band that each plan draws its rows from.

A plan of N examples with mean length L is reachable when N rows of the cut pool have that mean. Its band is, among
all length bands that hold N such rows, the one whose own mean is nearest to L; bands within MEAN_TOLERANCE of L count
as equally near, and of those the widest is taken (most rows), then the one that starts, then the one that ends, at the
shorter length. So P_e is what it is in a large pool, the rows of the widest band with that mean; a band with another
mean is used only where rows are so few that none has this one, and the recipe then names the mean to draw for. What
the rows cost is what the band's own rows cost on average, per token: its padding or packing, its E[S^2]/E[S].

Everything is counted in whole tokens, so that no rounding decides what is reachable.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import numpy.typing as npt

from ftplan.pool import MEAN_TOLERANCE, Bands, Ints, Pool

#: rows times tokens of the largest pool that is enumerated; beyond it neighbouring totals are all reachable
SMALL = 2**18


@dataclass(frozen=True)
class Reached:
    """Reachable plans: examples N, their tokens N·L and their band (an index), arrays of shape (p,)."""

    bands: Bands
    band: npt.NDArray[np.intp]
    examples: Ints
    tokens: Ints


def small(pool: Pool) -> bool:
    """Whether the pool is small enough to enumerate."""
    return pool.examples * pool.total_tokens <= SMALL


def subset_totals(pool: Pool) -> Iterator[tuple[int, int, list[int]]]:
    """(first, end, totals) of every band, as indices of its first length and one past its last.

    totals[n] has bit s set where n rows of the band have s tokens in all: one row more shifts by its length.
    """
    for first in range(len(pool.lengths)):
        totals = [1]
        for end in range(first, len(pool.lengths)):
            length = int(pool.lengths[end])
            for _ in range(int(pool.counts[end])):
                totals.append(0)
                for n in range(len(totals) - 1, 0, -1):
                    totals[n] |= totals[n - 1] << length
            yield first, end + 1, totals


def all_reachable(pool: Pool) -> Reached:
    """Every reachable (N, total tokens) with its band."""
    shape = (pool.examples + 1, pool.total_tokens + 1)
    # how far the best band's mean is from L, as the fraction away / rows; 1 / 0 before there is one
    away, rows, chosen = np.ones(shape, np.int64), np.zeros(shape, np.int64), np.full(shape, -1, np.intp)
    ends: list[tuple[int, int]] = []
    n, s = np.arange(shape[0])[:, None], np.arange(shape[1])[None, :]
    for first, end, totals in subset_totals(pool):
        r, t = len(totals) - 1, totals[-1].bit_length() - 1
        part = np.s_[1 : r + 1, : t + 1]
        distance = np.abs(t * n[1 : r + 1] - s[:, : t + 1] * r)
        distance[distance <= MEAN_TOLERANCE * r * n[1 : r + 1]] = 0
        mine, theirs = distance * rows[part], away[part] * r
        better = _bits(totals[1:], t + 1) & ((mine < theirs) | ((mine == theirs) & (r > rows[part])))
        away[part][better], rows[part][better], chosen[part][better] = distance[better], r, len(ends)
        ends.append((first, end))
    examples, tokens = np.nonzero(chosen >= 0)
    used, band = np.unique(chosen[examples, tokens], return_inverse=True)
    index = np.array(ends, dtype=np.int64)[used]
    return Reached(pool.bands_at(index[:, 0], index[:, 1]), band.reshape(-1), examples, tokens)


def _bits(numbers: list[int], width: int) -> npt.NDArray[np.bool_]:
    """(len(numbers), width) whether bit s of each number is set."""
    size = (width + 7) // 8
    packed = np.frombuffer(b"".join(v.to_bytes(size, "little") for v in numbers), dtype=np.uint8)
    return np.unpackbits(packed.reshape(len(numbers), size), axis=1, count=width, bitorder="little").astype(bool)


def reachable_at(pool: Pool, mean: float) -> Reached:
    """Every N for which N rows have a mean within MEAN_TOLERANCE of the one that is held, with its band.

    tokens are left at 0: L is the mean that is held, not that of one set of rows.
    """
    wanted, tolerance = Fraction(mean), Fraction(MEAN_TOLERANCE)

    def order(found: tuple[int, int, list[int]]) -> tuple[Fraction, int, int, int]:
        first, end, totals = found
        rows, tokens = len(totals) - 1, totals[-1].bit_length() - 1
        return max(abs(Fraction(tokens, rows) - wanted), tolerance), -rows, first, end

    bands = sorted(((first, end, totals.copy()) for first, end, totals in subset_totals(pool)), key=order)
    examples, index = [], []
    for n in range(1, pool.examples + 1):
        low, high = math.ceil(n * (wanted - tolerance)), math.floor(n * (wanted + tolerance))
        window = ((1 << max(high - max(low, 0) + 1, 0)) - 1) << max(low, 0)
        place = next((k for k, (_, _, t) in enumerate(bands) if n < len(t) and t[n] & window), None)
        if place is not None:
            examples.append(n)
            index.append(place)
    used, band = np.unique(np.array(index, dtype=np.intp), return_inverse=True)
    edges = np.array([bands[k][:2] for k in used], dtype=np.int64).reshape(-1, 2)
    count = np.array(examples, dtype=np.int64)
    return Reached(pool.bands_at(edges[:, 0], edges[:, 1]), band.reshape(-1), count, np.zeros_like(count))
