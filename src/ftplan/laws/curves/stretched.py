"""Stretched saturation (Weibull): the exponential law with an exponent, for gains that spread over decades of data."""

from __future__ import annotations

import numpy as np

from ftplan.laws.curves import saturating
from ftplan.laws.parts import Curve, Floats, Named, Nonlinear, Refs, beside

PARAMS = (
    # fits of scores over rows and epochs lie at 0.2 to 0.5; 1 is the saturating law
    Nonlinear("beta", 0.05, 2.0, (0.15, 1.2), meaning="how steep the rise is: 1 = saturating"),
    # counts fresh rows: where repeats are worth more than those, no run need have come near it
    Nonlinear("ln_D_s", -12.0, 40.0, (-4.0, 7.0), meaning="data for 63 % of the gain, over T_ref"),
)


def _power(z: Floats, theta: Floats) -> Floats:
    """(D/D_s)^beta; beyond exp(50) the shape is 0 to the last bit, and the clip keeps exp from overflowing."""
    return np.asarray(np.exp(np.minimum(theta[:, :1] * (z - theta[:, 1:2]), 50.0)))


def shape(z: Floats, theta: Floats) -> Floats:
    """exp(-(D/D_s)^beta)."""
    return np.asarray(np.exp(-_power(z, theta)))


def slopes(z: Floats, theta: Floats, g: Floats) -> tuple[Floats, Floats]:
    beta, ln_d_s = theta[:, :1], theta[:, 1:2]
    steep = -_power(z, theta) * g  # d shape / d (beta (z - ln D_s))
    # z = -inf (no data) has slope 0; the product would be 0·inf
    away = np.where(np.isfinite(z), z - ln_d_s, 0.0)
    return beta * steep, beside(away * steep, -beta * steep)


def natural(params: Named, refs: Refs) -> Named:
    """Pbar (after ever more data), P0 (before any), D_s in tokens, and beta."""
    return saturating.natural(params, refs)


def fitted(params: Named) -> Named:
    """From Pbar, P0, D_s, beta."""
    return saturating.fitted(params)


CURVE = Curve(
    name="stretched",
    formula="Pbar - (Pbar - P0)·exp(-(D/D_s)^beta)",
    source="Weibull learning curve, as in Viering & Loog 2022, arXiv 2103.10948; contains saturating at beta = 1",
    params=PARAMS,
    shape=shape,
    slopes=slopes,
    natural=natural,
    fitted=fitted,
    alone=False,
)
