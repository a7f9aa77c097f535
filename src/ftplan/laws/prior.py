"""A curve that no law gives: what the prior over curves makes of runs too few for one, as values at fixed places.

Never fitted by squares: `ftplan.fit.standing` fills it in. With it, runs that carry no law are predicted, planned
with and written to a fit file as others are.
"""

from __future__ import annotations

import numpy as np

from ftplan.laws.parts import Curve, Floats, Named, Nonlinear, Refs

#: places of the values, ln(D/T_ref): from a thousandth of the runs to a million times as much, closer near the runs
NODES: Floats = np.concatenate([np.arange(-7.0, -3.0, 2.0), np.arange(-3.0, 8.0, 0.5), np.arange(8.0, 15.0, 2.0)])
#: ln(gap) to the best value that the metric can take: beyond these it is nothing, or everything
LEAST, MOST = -40.0, 40.0


def shape(z: Floats, theta: Floats) -> Floats:
    """The gap: a straight line between two places in logarithms, and level beyond the outermost."""
    index, share = _between(z)
    rows = np.arange(len(theta))[:, None]
    return np.asarray(np.exp((1.0 - share) * theta[rows, index] + share * theta[rows, index + 1]))


def slopes(z: Floats, theta: Floats, g: Floats) -> tuple[Floats, Floats]:
    """By z, and by every value."""
    index, share = _between(z)
    rows = np.arange(len(theta))[:, None]
    inside = (z > NODES[0]) & (z < NODES[-1])
    steep = (theta[rows, index + 1] - theta[rows, index]) / (NODES[index + 1] - NODES[index])
    of = np.arange(len(NODES))
    hats = (1.0 - share)[..., None] * (of == index[..., None]) + share[..., None] * (of == index[..., None] + 1)
    return np.where(inside, steep * g, 0.0), hats * g[..., None]


def _between(z: Floats) -> tuple[np.typing.NDArray[np.intp], Floats]:
    """The place below each z, and the share of the way to the one above."""
    inside = np.clip(z, NODES[0], NODES[-1])
    index = np.clip(np.searchsorted(NODES, inside, side="right") - 1, 0, len(NODES) - 2).astype(np.intp)
    return index, (inside - NODES[index]) / (NODES[index + 1] - NODES[index])


def natural(params: Named, refs: Refs) -> Named:
    """The floor alone: values at places are no parameters to report."""
    del refs
    return {k: v for k, v in params.items() if not k.startswith("ln_gap")}


def fitted(params: Named) -> Named:
    """Nothing is published of such a curve."""
    return params


CURVE = Curve(
    name="prior",
    formula="the prior over curves, updated by the runs",
    source="benchmarks/curve_prior.py: curves of twelve families",
    params=tuple(Nonlinear(f"ln_gap{i}", LEAST, MOST, (-5.0, 5.0)) for i in range(len(NODES))),
    shape=shape,
    slopes=slopes,
    natural=natural,
    fitted=fitted,
    floor_held=True,
    monotone=False,
)
