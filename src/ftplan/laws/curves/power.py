"""Power law with a floor: the token-only baseline, and the published volume law."""

from __future__ import annotations

import numpy as np

from ftplan.laws.parts import Curve, Floats, Named, Nonlinear, Refs


def shape(z: Floats, theta: Floats) -> Floats:
    """(D/T_ref)^-beta."""
    return np.exp(-theta[:, :1] * z)


def slopes(z: Floats, theta: Floats, g: Floats) -> tuple[Floats, Floats]:
    return -theta[:, :1] * g, (-z * g)[:, :, None]


def natural(params: Named, refs: Refs) -> Named:
    """A in the metric's unit at D = 1: the fit holds A·T_ref^-beta."""
    return {**params, "A": params["A"] * refs.T ** params["beta"]}


def fitted(params: Named) -> Named:
    return dict(params)


CURVE = Curve(
    name="power",
    formula="E + A·D^-beta",
    source="token-only baseline; Zhang et al. 2024, arXiv 2402.17193; with V = N·L: Lagasse et al. 2025, "
    "arXiv 2505.06150",
    params=(Nonlinear("beta", 0.01, 3.0, (0.02, 1.2), meaning="how fast more data helps"),),
    shape=shape,
    slopes=slopes,
    natural=natural,
    fitted=fitted,
)
