"""Length: composition with curvature, so that one length can be best at fixed tokens."""

from __future__ import annotations

import numpy as np

from ftplan.laws.parts import Floats, Named, Nonlinear, Refs, Rows, Term, linear
from ftplan.laws.terms.composition import B1, FAMILY

B2 = Nonlinear("b2", -2.0, 1.0, (-1.2, 0.4), meaning="curvature: below 0 there is a best length")


def params(refs: Refs) -> tuple[Nonlinear, ...]:
    return (B1, B2)


def value(rows: Rows, theta: Floats, refs: Refs) -> Floats:
    """b1·x + b2·x^2."""
    return theta[:, :1] * rows.x + theta[:, 1:2] * rows.x**2


def gradient(rows: Rows, theta: Floats, refs: Refs) -> Floats:
    both = np.stack([rows.x, rows.x**2], axis=-1)
    return np.broadcast_to(both, (len(theta), *both.shape[-2:]))


def natural(named: Named, refs: Refs) -> Named:
    """Adds Lstar = L_ref·exp(-b1/(2·b2)) where b2 < 0, NaN elsewhere: there is no interior best length."""
    with np.errstate(divide="ignore", over="ignore", invalid="ignore"):
        best = refs.L * np.exp(-named["b1"] / (2.0 * named["b2"]))
    return {**named, "Lstar": np.where(named["b2"] < 0.0, best, np.nan)}


TERM = Term(
    name="length",
    formula="b1·x + b2·x^2, x = ln(L/L_ref)",
    source="ftplan; contains composition (arXiv 2505.06150) at b2 = 0",
    params=params,
    value=value,
    gradient=gradient,
    natural=natural,
    contains=("composition",),
    null={"b1": 0.0, "b2": 0.0},
    family=FAMILY,
    linear=linear,
)
