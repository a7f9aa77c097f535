"""How many packs a plan's examples fill in a trainer: counted by packing examples drawn evenly from its band.

A trainer does not pack all examples at once: TRL 1.16 and LLaMA-Factory 0.9 pack PACKED_AT_ONCE at a time in the order
of the file, and every such group ends in packs that nothing is left to fill. Costs, which must be quick, take the packs
that very many examples fill (`costs.packing`): up to half a per cent off, which in an epoch of a thousand steps is
several of them.
"""

from __future__ import annotations

import numpy as np

from ftplan.costs.packing import packs_filled
from ftplan.pool import Pool

#: rows in one batch of `datasets.map`, the default that both trainers keep
PACKED_AT_ONCE = 1_000
#: of more examples so many are packed, and packs taken in proportion: half a second's work
MOST_PACKED = 256_000


def packs(band: Pool, examples: int, avg_tokens: float, max_length: int, seed: int) -> int:
    """Packs of max_length tokens that `examples` rows of `band` (cut at max_length) fill, avg_tokens on average.

    The rows taken are every P/N-th by length, in random order. Where their mean is not avg_tokens, as where a mean is
    held or a pool is small, packs are in proportion; but the whole band has the mean that it has.
    """
    tokens = examples * (avg_tokens if examples < band.examples else band.mean)
    packed = min(examples, MOST_PACKED)
    middles = (np.arange(packed) + 0.5) * (band.examples / packed)
    drawn = band.lengths[np.searchsorted(np.cumsum(band.counts), middles, side="right")]
    groups = np.split(np.random.default_rng(seed).permutation(drawn), range(PACKED_AT_ONCE, packed, PACKED_AT_ONCE))
    filled = sum(packs_filled(group, max_length) for group in groups)
    return max(1, round(filled * tokens / float(drawn.sum())))
