"""Several curves of one table at the same sizes (a panel): what they share goes on, what sets them apart shrinks.

Methods of choosing data, judged on one target at the same sizes, say more together than one by one: how the table moves
tells what the next size does to all of them, and a method that is ahead at the last size is so partly by luck. With z
the ln(gap) of a curve, bar its mean over the table, d = ln(D_ahead / D_last), and step the change per e-fold between
the last two sizes:

    bar z_ahead - bar z        = d·(drift + carried·step of bar z)
    (z - bar z)_ahead - (z - bar z) = d·(-shrink·(z - bar z) + own·step of (z - bar z))

Each has errors of its own, of Student's t, whose variances are sums of what the table shows (noise of a run, its step,
the spread of its curves), with weights learnt from other tables (`benchmarks/panel.py`). Losses that fall steadily are
no panel of this kind: the earlier sizes tell (`trusted`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import gammaincinv

from ftplan.laws.parts import Floats

#: fewer curves have no spread to speak of
LEAST_CURVES = 3
#: parts that stand for a t distribution, a mixture of normal ones
PARTS = 15
#: runs whose mean the weights were learnt on, and what of the rest of a single run's noise is added: with a quarter of
#: it 90 % intervals hold 92 % of means of three and 88 % of single runs; with half 94 and 90, with none 92 and 87
AVERAGED, OF_SINGLE = 3.0, 0.25
#: curves go on as they went where that would have been right to this share of the panel's own errors: where neither is
#: clearly better, shrinking is the safer; a loss that falls by a law is foretold to a third or less
CLEARLY = 0.6
#: no variance in ln(gap) is below this: values are written with so many digits
LEAST_VARIANCE = 1e-8


@dataclass(frozen=True)
class PanelPrior:
    """drift, carried, shrink, own: as above; common, each: weights of the variances of both errors, on (noise, carried
    step, spread) and (noise, spread, deviation, own step); noise: sd of a run in ln(gap) where no replicates tell;
    degrees: of freedom of t; usual: whether tables with too few sizes to tell are panels.
    """

    drift: float
    carried: float
    shrink: float
    own: float
    common: tuple[float, float, float]
    each: tuple[float, float, float, float]
    noise: float
    degrees: float
    usual: bool


@dataclass(frozen=True)
class Panel:
    """Curves at common sizes. u (n,) ln D, ascending; z (c, n) ln(gap); noise: sd of one run in ln(gap)."""

    u: Floats
    z: Floats
    noise: float


@dataclass(frozen=True)
class Ahead:
    """At m amounts: middle (c, m) of z; common (m,) and each (c, m): variances of what all share and of their own."""

    middle: Floats
    common: Floats
    each: Floats


def ahead(panel: Panel, u: Floats, prior: PanelPrior) -> Ahead:
    """At u (m,) ln D beyond the last size. Shapes as in `Ahead`."""
    bar = panel.z.mean(axis=0)
    apart = panel.z - bar
    run = panel.u[-1] - panel.u[-2]
    step, own = (bar[-1] - bar[-2]) / run, (apart[:, -1] - apart[:, -2]) / run
    d = np.maximum(u - panel.u[-1], 0.0)
    last = apart[:, -1:]
    shift = d * (prior.drift + prior.carried * step)
    middle = bar[-1] + shift + last + d * (-prior.shrink * last + prior.own * own[:, None])
    noise, spread = panel.noise**2, float(panel.z[:, -1].var())
    common = np.stack([np.full_like(d, noise), (d * step) ** 2, d * spread])
    each = np.stack(np.broadcast_arrays(noise, d * spread, d * last**2, (d * own[:, None]) ** 2))
    return Ahead(
        middle,
        np.asarray(prior.common) @ common + LEAST_VARIANCE,
        np.tensordot(prior.each, each, axes=1) + LEAST_VARIANCE,
    )


def trusted(panel: Panel, prior: PanelPrior, *, usual: bool) -> bool:
    """Whether, size by size, the panel would have foretold the next one nearly as well as, or better than, every curve
    going on as it went.

    usual: the answer where there are too few sizes to tell.
    """
    ours, theirs = [], []
    for cut in range(2, len(panel.u)):
        known = Panel(panel.u[:cut], panel.z[:, :cut], panel.noise)
        found = ahead(known, panel.u[cut : cut + 1], prior).middle[:, 0]
        slope = (known.z[:, -1] - known.z[:, -2]) / (known.u[-1] - known.u[-2])
        goes_on = known.z[:, -1] + slope * (panel.u[cut] - known.u[-1])
        ours.append(np.abs(panel.z[:, cut] - found).mean())
        theirs.append(np.abs(panel.z[:, cut] - goes_on).mean())
    return usual if not ours else bool(CLEARLY * np.mean(ours) <= np.mean(theirs))


def of_single(noise: float, counts: Floats) -> Floats:
    """(m,) variance to add for a measurement that is the mean of `counts` (m,) runs."""
    return np.asarray(OF_SINGLE * noise**2 * np.maximum(1.0 / np.maximum(counts, 1.0) - 1.0 / AVERAGED, 0.0))


def scales(degrees: float) -> Floats:
    """(PARTS,) factors on a variance: normal distributions with these, mixed evenly, are nearly Student's t."""
    return np.asarray(degrees / (2.0 * gammaincinv(degrees / 2.0, (np.arange(PARTS) + 0.5) / PARTS)))


def common_sizes(sizes: Sequence[Floats], within: float) -> tuple[list[int], Floats]:
    """Which curves end at the table's last size, and the ln D of the sizes that these share. within: of one size."""
    end = max(u[-1] for u in sizes)
    members = [i for i, u in enumerate(sizes) if abs(u[-1] - end) <= within and len(u) >= 2]
    if len(members) < LEAST_CURVES:
        return [], np.empty(0)
    first = sizes[members[0]]
    shared = [x for x in first if all(np.abs(sizes[i] - x).min() <= within for i in members)]
    return (members, np.array(shared)) if len(shared) >= 2 else ([], np.empty(0))
