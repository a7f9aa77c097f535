"""The data that a plan may ask for: pairs of a mean length and a length band, with how many examples these can give.

Small pools (`plan.reach`): every N and every mean of N rows, one point each. Large pools: every band from the shortest
row on or up to the longest, drawn from evenly, so that L is the band's own mean (`pool.Pool.edge_bands`); where rows
lumped at one length leave these more than a token apart, also the widest bands with the means between them, every half
token. A mean that is held is that number, in a band within MEAN_TOLERANCE of it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ftplan.errors import Infeasible
from ftplan.laws.parts import Floats
from ftplan.plan.reach import Reached, all_reachable, reachable_at, small
from ftplan.pool import MEAN_TOLERANCE, Bands, Pool

Index = npt.NDArray[np.intp]

#: bands of a large pool that are looked at, evenly in the logarithm of their mean where it has more
MOST_BANDS = 1024


@dataclass(frozen=True)
class Points:
    """p points. band: index into bands (m,); avg_tokens: L; least, most: whole numbers of examples it can give."""

    bands: Bands
    band: Index
    avg_tokens: Floats
    least: Floats
    most: Floats

    def __len__(self) -> int:
        return len(self.band)

    @cached_property
    def fixed(self) -> bool:
        """Whether every point is one number of examples, as in small pools."""
        return bool((self.least == self.most).all())

    @cached_property
    def eligible(self) -> Floats:
        """(p,) P_e, the rows of the point's band."""
        return self.bands.examples[self.band].astype(np.float64)

    @cached_property
    def scale(self) -> Floats:
        """(p,) L over the mean of the band: 1 but in small pools, where rows are drawn for another mean."""
        return np.asarray(self.avg_tokens / self.bands.mean[self.band])

    def take(self, pick: Index) -> Points:
        """The points of these indices, all bands kept."""
        return Points(self.bands, self.band[pick], self.avg_tokens[pick], self.least[pick], self.most[pick])


def free_points(pool: Pool, low: float, high: float) -> Points:
    """All points with L from `low` to `high`, both inclusive; none where the pool has no such mean."""
    if small(pool):
        points = _enumerated(all_reachable(pool))
        return points.take(np.flatnonzero((points.avg_tokens >= low) & (points.avg_tokens <= high)))
    bands = pool.edge_bands()
    bands = _sorted(_joined(bands, _between(pool, bands)))
    return _own_mean(_thinned(bands.take(np.flatnonzero((bands.mean >= low) & (bands.mean <= high)))))


def held_points(pool: Pool, mean: float) -> Points:
    """The points whose L is `mean`. Raises Infeasible where no examples have it within MEAN_TOLERANCE."""
    if small(pool):
        reached = reachable_at(pool, mean)
        if len(reached.examples):
            return _enumerated(reached, mean)
    elif (band := pool.widest_band(mean)) is not None:
        return Points(band, np.zeros(1, np.intp), np.array([mean]), np.ones(1), band.examples.astype(np.float64))
    raise Infeasible(
        f"no examples of the pool have a mean of {mean:g} tokens: they have {pool.shortest:,} to {pool.longest:,} each",
        hint=f"the nearest mean that they can have: --avg-tokens {_nearest(pool, mean):g}",
    )


def _nearest(pool: Pool, mean: float) -> float:
    """The mean nearest to `mean` that some examples of the pool have, as far as its outermost bands tell."""
    if small(pool):
        reached = all_reachable(pool)
        means = reached.tokens / reached.examples
    else:
        means = pool.edge_bands().mean
    return float(f"{means[np.argmin(np.abs(means - mean))]:.6g}")


def _enumerated(reached: Reached, mean: float | None = None) -> Points:
    count = reached.examples.astype(np.float64)
    length = reached.tokens / count if mean is None else np.full(len(count), mean)
    return Points(reached.bands, reached.band, length, count, count)


def _own_mean(bands: Bands) -> Points:
    return Points(bands, np.arange(len(bands)), bands.mean, np.ones(len(bands)), bands.examples.astype(np.float64))


def _between(pool: Pool, bands: Bands) -> Bands:
    """The widest bands with means that no band of `bands` comes near to."""
    means = np.sort(bands.mean)
    gaps = np.flatnonzero(np.diff(means) > 2.0 * MEAN_TOLERANCE)
    inside = [np.arange(means[g] + MEAN_TOLERANCE, means[g + 1], MEAN_TOLERANCE) for g in gaps]
    wanted = np.concatenate(inside) if inside else np.empty(0)
    if len(wanted) > MOST_BANDS:
        wanted = wanted[np.linspace(0, len(wanted) - 1, MOST_BANDS).astype(np.intp)]
    found = pool.band_curve(wanted)
    return found.take(np.flatnonzero(found.examples > 0))


def _joined(a: Bands, b: Bands) -> Bands:
    """Both, each band once."""
    both = Bands(*(np.concatenate([x, y]) for x, y in zip(vars(a).values(), vars(b).values(), strict=True)))
    first = np.unique(np.stack([both.lo, both.hi], axis=1), axis=0, return_index=True)[1]
    return both.take(np.sort(first))


def _sorted(bands: Bands) -> Bands:
    return bands.take(np.argsort(bands.mean, kind="stable"))


def _thinned(bands: Bands) -> Bands:
    """At most MOST_BANDS of sorted bands: those nearest to means spread evenly in the logarithm."""
    if len(bands) <= MOST_BANDS:
        return bands
    wanted = np.geomspace(bands.mean[0], bands.mean[-1], MOST_BANDS)
    right = np.clip(np.searchsorted(bands.mean, wanted), 1, len(bands) - 1)
    left_is_nearer = wanted - bands.mean[right - 1] < bands.mean[right] - wanted
    return bands.take(np.unique(right - left_is_nearer))
