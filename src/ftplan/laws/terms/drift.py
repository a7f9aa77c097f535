"""Drift: a best length that moves with the amount of data."""

from __future__ import annotations

import numpy as np

from ftplan.laws.parts import Floats, Named, Nonlinear, Refs, Rows, Term, linear
from ftplan.laws.terms.composition import B1, FAMILY
from ftplan.laws.terms.length import B2

B3 = Nonlinear("b3", -1.0, 1.0, (-0.3, 0.3), meaning="how the worth of length changes with more tokens")


def params(refs: Refs) -> tuple[Nonlinear, ...]:
    return (B1, B2, B3)


def value(rows: Rows, theta: Floats, refs: Refs) -> Floats:
    """b1·x + b2·x^2 + b3·x·ln(T/T_ref); 0 for the last one where there is no data."""
    xt = rows.x * np.where(np.isfinite(rows.t), rows.t, 0.0)
    return theta[:, :1] * rows.x + theta[:, 1:2] * rows.x**2 + theta[:, 2:3] * xt


def gradient(rows: Rows, theta: Floats, refs: Refs) -> Floats:
    xt = rows.x * np.where(np.isfinite(rows.t), rows.t, 0.0)
    three = np.stack([rows.x, rows.x**2, xt], axis=-1)
    return np.broadcast_to(three, (len(theta), *three.shape[-2:]))


def natural(named: Named, refs: Refs) -> Named:
    """As fitted: with drift the best length depends on T, and is reported for one T beside the fit."""
    return dict(named)


TERM = Term(
    name="drift",
    formula="b1·x + b2·x^2 + b3·x·ln(T/T_ref), x = ln(L/L_ref)",
    source="ftplan; contains length at b3 = 0",
    params=params,
    value=value,
    gradient=gradient,
    natural=natural,
    contains=("composition", "length"),
    null={"b1": 0.0, "b2": 0.0, "b3": 0.0},
    family=FAMILY,
    linear=linear,
)
