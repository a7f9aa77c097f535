"""The pool of candidate examples, as counts per length in tokens, and what can be drawn from it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields, replace
from functools import cached_property
from itertools import pairwise

import numpy as np
import numpy.typing as npt

from ftplan.errors import Infeasible, InputError
from ftplan.measure import Measure

Ints = npt.NDArray[np.int64]
Floats = npt.NDArray[np.float64]

#: longest example a pool may hold; beyond any context window, and small enough to spread a bin over
LONGEST_TOKENS = 2**22
#: a mean length counts as reached within this many tokens
MEAN_TOLERANCE = 0.5


@dataclass(frozen=True)
class Cut:
    """A pool after truncation: how many rows were longer, and the share of all tokens that is left."""

    pool: Pool
    rows_cut: int
    tokens_kept: float


@dataclass(frozen=True)
class Bands:
    """Length bands [lo, hi] in tokens, both ends inclusive; every array has shape (m,).

    examples is P_e, the pool's rows in the band; 0 (and NaN elsewhere) where no band has the wanted mean.
    mean: E[S]; second_moment: E[S^2].
    """

    lo: Ints
    hi: Ints
    examples: Ints
    mean: Floats
    second_moment: Floats

    def __len__(self) -> int:
        return len(self.lo)

    @property
    def attention_tokens(self) -> Floats:
        """(m,) E[S^2] / E[S]: the mean length as a token sees it."""
        return self.second_moment / self.mean

    def take(self, pick: npt.NDArray[np.intp]) -> Bands:
        """The bands of these indices, in their order."""
        return Bands(*(getattr(self, f.name)[pick] for f in fields(self)))


@dataclass(frozen=True)
class Pool:
    """lengths: (k,) distinct lengths in tokens, ascending, >= 1; counts: (k,) examples of each, >= 1.

    name: what to call it; source: where the numbers come from; exact: False where lengths were spread evenly
    over histogram bins. measure: how they were counted, where the pool was profiled; None where only they are known.
    repairs: what was mended in a histogram kept by hand.
    """

    lengths: Ints
    counts: Ints
    name: str
    source: str
    exact: bool = True
    sha256: str = ""
    measure: Measure | None = None
    repairs: tuple[str, ...] = ()

    @cached_property
    def _rows_below(self) -> Ints:
        """(k + 1,) rows of the first 0, 1, .. k lengths."""
        return np.concatenate([[0], np.cumsum(self.counts)]).astype(np.int64)

    @cached_property
    def _tokens_below(self) -> Ints:
        """(k + 1,) tokens of the first 0, 1, .. k lengths."""
        return np.concatenate([[0], np.cumsum(self.lengths * self.counts)]).astype(np.int64)

    @cached_property
    def _squares_below(self) -> Floats:
        # floating point: a billion rows of 1e5 tokens squared would overflow 64 bits
        return np.concatenate([[0.0], np.cumsum(self.lengths.astype(float) ** 2 * self.counts)])

    @property
    def examples(self) -> int:
        """Rows of the pool."""
        return int(self._rows_below[-1])

    @property
    def total_tokens(self) -> int:
        """Tokens of all rows."""
        return int(self._tokens_below[-1])

    @property
    def mean(self) -> float:
        """E[S], tokens per row."""
        return self.total_tokens / self.examples

    @property
    def second_moment(self) -> float:
        """E[S^2], tokens squared."""
        return float(self._squares_below[-1]) / self.examples

    @property
    def attention_tokens(self) -> float:
        """E[S^2] / E[S]: the length of the example a random *token* is in; what attention costs when isolated."""
        return self.second_moment / self.mean

    @property
    def shortest(self) -> int:
        return int(self.lengths[0])

    @property
    def longest(self) -> int:
        return int(self.lengths[-1])

    def cut(self, max_length: int) -> Cut:
        """Every row truncated to max_length tokens (what TRL and LLaMA-Factory do; Axolotl only when told to)."""
        if max_length < 1:
            raise InputError(f"max_length must be at least 1 token, got {max_length}")
        inside = int(np.searchsorted(self.lengths, max_length, side="right"))
        rows_cut = self.examples - int(self._rows_below[inside])
        if rows_cut == 0:
            return Cut(self, 0, 1.0)
        lengths = np.append(self.lengths[:inside], max_length)
        counts = np.append(self.counts[:inside], rows_cut)
        if inside and lengths[inside - 1] == max_length:
            lengths, counts = lengths[:-1], np.append(counts[: inside - 1], counts[inside - 1] + rows_cut)
        pool = replace(self, lengths=lengths, counts=counts)
        return Cut(pool, rows_cut, pool.total_tokens / self.total_tokens)

    def band(self, lo: int, hi: int) -> Pool:
        """The rows of lo to hi tokens, both inclusive. Raises Infeasible where there are none."""
        first = int(np.searchsorted(self.lengths, lo, side="left"))
        end = int(np.searchsorted(self.lengths, hi, side="right"))
        if first >= end:
            raise Infeasible(
                f"the pool has no example of {lo} to {hi} tokens",
                hint=f"its examples have {self.shortest} to {self.longest} tokens",
            )
        return replace(self, lengths=self.lengths[first:end], counts=self.counts[first:end])

    def widest_band(self, mean: float, at_least: int = 1) -> Bands | None:
        """The band with the most rows among those whose mean is within MEAN_TOLERANCE of `mean`, or None.

        As Bands of shape (1,); None where there is no such band, or none with `at_least` rows.
        """
        bands = self.band_curve([mean])
        return bands if bands.examples[0] >= at_least and bands.examples[0] > 0 else None

    def band_curve(self, means: Sequence[float] | Floats) -> Bands:
        """For each wanted mean length (m,) the band with the most rows whose own mean is within MEAN_TOLERANCE of it.

        For a first length i let j(i) be the last length at which the mean of [i, j] is still at most the wanted mean
        plus the tolerance. j(i) never rises with i, so the bands [i, j(i)] are nested, and the first of them whose
        mean is not too low either is the widest of all. Below the pool's mean that is most often the band from the
        shortest row, above it the band up to the longest; a lump of rows at one length can rule both out.
        """
        wanted = np.asarray(means, dtype=np.float64)
        low, high = wanted - MEAN_TOLERANCE, wanted + MEAN_TOLERANCE
        from_shortest = self._tokens_below[1:] / self._rows_below[1:]
        to_longest = (self.total_tokens - self._tokens_below[:-1]) / (self.examples - self._rows_below[:-1])
        end = np.searchsorted(from_shortest, high, side="right")
        opened = (end > 0) & (from_shortest[np.maximum(end - 1, 0)] >= low)
        first = np.searchsorted(to_longest, low, side="left")
        whole = len(self.lengths)
        closed = (first < whole) & (to_longest[np.minimum(first, whole - 1)] <= high)
        first, end = np.where(opened, 0, first), np.where(opened, end, whole)
        for k in np.flatnonzero(~opened & ~closed):
            first[k], end[k] = self._widest(float(low[k]), float(high[k]))
        return self.bands_at(first, end)

    def edge_bands(self) -> Bands:
        """Every band from the shortest row on or up to the longest, the whole pool once: (2k - 1,).

        At the mean of each of them there is no wider band, but for what MEAN_TOLERANCE leaves open.
        """
        every = np.arange(len(self.lengths))
        first = np.concatenate([np.zeros_like(every), every[1:]])
        end = np.concatenate([every + 1, np.full(len(every) - 1, len(every))])
        return self.bands_at(first, end)

    def _widest(self, low: float, high: float) -> tuple[int, int]:
        """Index of the first length of the widest band with a mean of low to high, and one past its last; else (0, 0).

        A band's mean is at most `high` when the sum of (length - high) over it is at most 0: with running sums
        `excess`, when excess[end] <= excess[first]. They fall while lengths are below `high` and rise after it.
        """
        excess = self._tokens_below - high * self._rows_below
        turn = int(np.searchsorted(self.lengths, high, side="right"))
        first = np.arange(turn)
        end = turn + np.searchsorted(excess[turn:], excess[:turn], side="right") - 1
        rows = self._rows_below[end] - self._rows_below[first]
        enough = self._tokens_below[end] - self._tokens_below[first] >= low * rows
        found = int(np.argmax(enough)) if enough.any() else -1
        return (found, int(end[found])) if found >= 0 else (0, 0)

    def bands_at(self, first: Ints, end: Ints) -> Bands:
        """Bands from indices (m,) of their first length and one past their last; no rows where these are equal."""
        rows = self._rows_below[end] - self._rows_below[first]
        exists = rows > 0
        divisor = np.where(exists, rows, 1).astype(float)
        last = np.maximum(end - 1, 0)
        return Bands(
            lo=np.where(exists, self.lengths[first % len(self.lengths)], 0),
            hi=np.where(exists, self.lengths[last], 0),
            examples=rows,
            mean=np.where(exists, (self._tokens_below[end] - self._tokens_below[first]) / divisor, np.nan),
            second_moment=np.where(exists, (self._squares_below[end] - self._squares_below[first]) / divisor, np.nan),
        )


def from_lengths(
    lengths: Sequence[int] | Ints, *, name: str, source: str, sha256: str = "", exact: bool = True
) -> Pool:
    """A pool from the length in tokens of every example. Raises InputError where empty or below 1 token."""
    values = np.asarray(lengths)
    if values.size == 0:
        raise InputError(f"pool {name!r} has no examples", hint=f"source: {source}")
    if not np.issubdtype(values.dtype, np.integer) or values.min() < 1 or values.max() > LONGEST_TOKENS:
        raise InputError(f"pool {name!r}: lengths must be whole, 1 to {LONGEST_TOKENS:,}", hint=f"source: {source}")
    distinct, counts = np.unique(values.astype(np.int64), return_counts=True)
    return Pool(distinct, counts.astype(np.int64), name, source, exact, sha256)


def from_histogram(
    bins: Sequence[Sequence[int]], *, name: str, source: str, sha256: str = "", measure: Measure | None = None
) -> Pool:
    """A pool from histogram bins (lo, hi, count), tokens, both ends inclusive.

    Each bin is spread evenly over its lengths; the counts are whole and add up to the bin's exactly. The pool is
    exact only where every bin is one length. Raises InputError for a bin that is not three whole numbers with
    1 <= lo <= hi and count >= 0, for overlapping bins, and where nothing is left.
    """
    lengths: list[Ints] = []
    counts: list[Ints] = []
    for lo, hi, count in _checked_bins(bins, name):
        width = hi - lo + 1
        # rounded running totals: bins keep their sum, and neither end is favoured
        totals = (2 * np.arange(width + 1, dtype=np.int64) * count + width) // (2 * width)
        lengths.append(np.arange(lo, hi + 1, dtype=np.int64))
        counts.append(np.diff(totals))
    every, rows = np.concatenate(lengths), np.concatenate(counts)
    if not rows.any():
        raise InputError(f"pool {name!r} has no examples: every bin of its histogram is empty")
    kept = rows > 0
    return Pool(every[kept], rows[kept], name, source, all(b[0] == b[1] for b in bins), sha256, measure)


def _checked_bins(bins: Sequence[Sequence[int]], name: str) -> list[tuple[int, int, int]]:
    """The bins in order of length."""
    checked: list[tuple[int, int, int]] = []
    for number, row in enumerate(bins, start=1):
        whole = len(row) == 3 and all(isinstance(v, int | np.integer) and not isinstance(v, bool) for v in row)
        if not whole or not 1 <= row[0] <= row[1] <= LONGEST_TOKENS or not 0 <= row[2] < 2**40:
            raise InputError(
                f"pool {name!r}: histogram bin {number} is {list(row)!r}",
                hint="a bin is [shortest, longest, count] in whole tokens and examples, both ends inclusive",
            )
        checked.append((int(row[0]), int(row[1]), int(row[2])))
    checked.sort()
    for left, right in pairwise(checked):
        if right[0] <= left[1]:
            raise InputError(f"pool {name!r}: histogram bins {list(left)} and {list(right)} overlap")
    if not checked:
        raise InputError(f"pool {name!r} has no histogram bins")
    return checked
