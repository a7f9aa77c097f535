"""What a pool holds, from blocks of its rows in constant memory: a histogram of lengths, repeats, empty rows."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace

import numpy as np
import numpy.typing as npt

from ftplan.errors import InputError
from ftplan.measure import Measure
from ftplan.pool import LONGEST_TOKENS, Ints, Pool, from_histogram


@dataclass(frozen=True)
class Uncounted:
    """What is not counted under one column or key: rows that have something there, and its bytes (0 for media)."""

    rows: int = 0
    bytes: int = 0

    def __add__(self, other: Uncounted) -> Uncounted:
        return Uncounted(self.rows + other.rows, self.bytes + other.bytes)


@dataclass(frozen=True)
class Profile:
    """What a pool holds.

    pool       the histogram of all rows with a text
    rows       of the file, blank lines aside
    empty      rows without a text, left out of the pool
    repeated   rows whose texts an earlier row has
    clipped    rows longer than LONGEST_TOKENS, counted as that long
    uncounted  column or key -> the text and media there, most bytes first
    others     forms that rows have as well as the one that is counted
    """

    pool: Pool
    measure: Measure
    rows: int
    empty: int
    repeated: int
    clipped: int
    uncounted: Mapping[str, Uncounted] = field(default_factory=dict)
    others: tuple[str, ...] = ()

    def quantile(self, share: float) -> int:
        """The length in tokens that this share of the examples does not pass."""
        below = np.cumsum(self.pool.counts)
        return int(self.pool.lengths[np.searchsorted(below, share * self.pool.examples)])


class Content:
    """Digest of how many bytes of text each row has, in order: the same whatever rows are written in and packed with.

    A row more, a row less, other texts and another order show; texts of the same size in the same places do not.
    """

    def __init__(self) -> None:
        self.rows = 0
        self._digest = hashlib.sha256()

    def add(self, sizes: Ints) -> None:
        """sizes: (n,) UTF-8 bytes of each row's texts."""
        self.rows += len(sizes)
        self._digest.update(sizes.astype("<i8").tobytes())

    @property
    def sha256(self) -> str:
        return self._digest.hexdigest()


class Tally:
    """Blocks of rows, added one after the other."""

    def __init__(self) -> None:
        self.content = Content()
        self._counts: dict[int, int] = {}
        self._uncounted: dict[str, Uncounted] = {}

    def add(
        self, lengths: npt.NDArray[np.int32], sizes: Ints, uncounted: Mapping[str, Uncounted] | None = None
    ) -> None:
        """lengths: (n,) tokens, 0 for a row without a text; sizes: (n,) UTF-8 bytes of its texts."""
        self.content.add(sizes)
        for place, found in (uncounted or {}).items():
            self._uncounted[place] = self._uncounted.get(place, Uncounted()) + found
        for length, count in zip(*(a.tolist() for a in np.unique(lengths, return_counts=True)), strict=True):
            self._counts[length] = self._counts.get(length, 0) + count

    def profile(self, measure: Measure, name: str, repeated: int) -> Profile:
        """measure: how rows were counted. Raises InputError where no row has a text."""
        rows, empty = self.content.rows, self._counts.get(0, 0)
        if rows == empty:
            raise InputError(f"{name}: none of {rows:,} rows has a text")
        measure = replace(measure, rows=rows, content_sha256=self.content.sha256)
        bins: dict[int, int] = {}
        for length, count in sorted(self._counts.items()):
            if length:
                bins[min(length, LONGEST_TOKENS)] = bins.get(min(length, LONGEST_TOKENS), 0) + count
        every = [(length, length, count) for length, count in bins.items()]
        pool = from_histogram(every, name=name, source=measure.how, measure=measure)
        clipped = sum(count for length, count in self._counts.items() if length > LONGEST_TOKENS)
        uncounted = dict(sorted(self._uncounted.items(), key=lambda item: (-item[1].bytes, item[0])))
        return Profile(pool, measure, rows, empty, repeated, clipped, uncounted)


def longer(pool: Pool, tokens: int) -> int:
    """Rows of more tokens."""
    kept: Ints = pool.counts[pool.lengths > tokens]
    return int(kept.sum())
