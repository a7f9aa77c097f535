"""Skew: a length that is too short by some factor may cost more than one that is too long by it."""

from __future__ import annotations

import numpy as np

from ftplan.laws.parts import Floats, Named, Nonlinear, Refs, Rows, Term, linear
from ftplan.laws.terms import drift
from ftplan.laws.terms.composition import FAMILY

B4 = Nonlinear("b4", -1.0, 1.0, (-0.3, 0.3), meaning="above 0, short examples cost more than long ones")


def params(refs: Refs) -> tuple[Nonlinear, ...]:
    return (*drift.params(refs), B4)


def value(rows: Rows, theta: Floats, refs: Refs) -> Floats:
    """b1·x + b2·x^2 + b3·x·ln(T/T_ref) + b4·x^3."""
    return drift.value(rows, theta, refs) + theta[:, 3:4] * rows.x**3


def gradient(rows: Rows, theta: Floats, refs: Refs) -> Floats:
    xt = rows.x * np.where(np.isfinite(rows.t), rows.t, 0.0)
    four = np.stack([rows.x, rows.x**2, xt, rows.x**3], axis=-1)
    return np.broadcast_to(four, (len(theta), *four.shape[-2:]))


def natural(named: Named, refs: Refs) -> Named:
    """As fitted: the best length depends on T, and is reported for one T beside the fit."""
    return dict(named)


TERM = Term(
    name="skew",
    formula="b1·x + b2·x^2 + b3·x·ln(T/T_ref) + b4·x^3, x = ln(L/L_ref)",
    source="ftplan; contains drift at b4 = 0",
    params=params,
    value=value,
    gradient=gradient,
    natural=natural,
    contains=("composition", "length", "drift"),
    null={"b1": 0.0, "b2": 0.0, "b3": 0.0, "b4": 0.0},
    family=FAMILY,
    linear=linear,
)
