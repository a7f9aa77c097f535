"""What one example of each length band becomes in a batch, worked out only for the bands that can still win.

Packing a band takes half a millisecond and a pool has a thousand bands. Until a band is packed it counts as packed
perfectly: every pack full, or one pack for each row longer than half of it. Real packing is never cheaper, so a plan
that loses with perfect packs loses anyway (`plan.search`). What is left gets tighter bounds before it is packed.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ftplan.costs.packing import PACKING_GROUPS, Batching, batching, least_packs_per_example
from ftplan.laws.parts import Floats
from ftplan.pool import Bands, Pool

#: bounds are this much lower, so that no rounding puts one above the cost itself
ROUNDING = 1e-9


class Batches:
    """Batching of every band, bounds first. computed, attention, rows: (m,), as in `costs.packing.Batching`.

    exact: (m,) where these are no longer bounds.
    """

    def __init__(self, pool: Pool, bands: Bands, max_length: int, packing: bool, batch_examples: int) -> None:
        self.pool, self.bands, self.packing = pool, bands, packing
        self.max_length, self.batch_examples = max_length, batch_examples
        self.rows: Floats = np.maximum(bands.mean / max_length, _own_pack(pool, bands, max_length)) * (1.0 - ROUNDING)
        if not packing:
            self.rows = np.ones(len(bands))
        # padded to the longest of several, rows and what a token attends to are at least what they are alone
        self.computed: Floats = self.rows * max_length if packing else bands.mean.copy()
        self.attention: Floats = bands.attention_tokens.copy()
        self.exact: npt.NDArray[np.bool_] = np.zeros(len(bands), dtype=bool)
        # lengths are packed in groups only where there are many of them
        grouped = packing & (len(pool.lengths) > PACKING_GROUPS)
        self.tight: npt.NDArray[np.bool_] = np.full(len(bands), not grouped)

    def at(self, bands: Bands) -> Batches:
        """The same pool and batching for other bands."""
        return Batches(self.pool, bands, self.max_length, self.packing, self.batch_examples)

    def tighten(self, bands: npt.NDArray[np.intp]) -> None:
        """Raise the bounds of these bands to what full packs of grouped lengths take."""
        for i in np.unique(bands[~(self.tight | self.exact)[bands]]):
            least = least_packs_per_example(self._band(i), self.max_length)
            self.rows[i] = max(self.rows[i], least * (1.0 - ROUNDING))
            self.computed[i] = self.rows[i] * self.max_length
            self.tight[i] = True

    def _band(self, i: int) -> Pool:
        return self.pool.band(int(self.bands.lo[i]), int(self.bands.hi[i]))

    def make_exact(self, bands: npt.NDArray[np.intp]) -> None:
        """Work out the batching of these bands."""
        for i in np.unique(bands[~self.exact[bands]]):
            found = batching(self._band(i), self.max_length, self.packing, self.batch_examples)
            self.computed[i], self.attention[i] = found.computed_tokens, found.attention_tokens
            self.rows[i], self.exact[i] = found.rows, True

    def of(self, band: int, scale: float) -> Batching:
        """Batching of one band, for rows `scale` times as long as its own on average."""
        self.make_exact(np.array([band]))
        rows = float(self.rows[band])
        return Batching(
            float(self.computed[band]) * scale,
            float(self.attention[band]),
            rows * scale if self.packing else rows,
        )


def _own_pack(pool: Pool, bands: Bands, max_length: int) -> Floats:
    """(m,) share of each band's rows that no other such row fits beside."""
    below = np.concatenate([[0], np.cumsum(pool.counts)])
    long = int(below[np.searchsorted(pool.lengths, max_length // 2, side="right")])
    up_to = below[np.searchsorted(pool.lengths, bands.hi, side="right")]
    from_ = below[np.searchsorted(pool.lengths, bands.lo, side="left")]
    return np.asarray(np.maximum(up_to - np.maximum(from_, long), 0) / bands.examples)
