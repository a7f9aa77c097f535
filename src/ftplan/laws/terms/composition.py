"""Composition: what a token is worth for being in a longer example."""

from __future__ import annotations

import numpy as np

from ftplan.laws.parts import Floats, Named, Nonlinear, Refs, Rows, Term, linear

#: |b1| beyond 3 would say that a twice as long example is worth 8 times its tokens: not data, but a bad fit
B1 = Nonlinear("b1", -3.0, 3.0, (-1.5, 1.5), meaning="worth of a token for being in a longer example")

#: of the terms that say what a token is worth in examples of another length
FAMILY = "tokens per example"


def params(refs: Refs) -> tuple[Nonlinear, ...]:
    return (B1,)


def value(rows: Rows, theta: Floats, refs: Refs) -> Floats:
    """b1·x."""
    return theta[:, :1] * rows.x


def gradient(rows: Rows, theta: Floats, refs: Refs) -> Floats:
    x = np.broadcast_to(rows.x, (len(theta), rows.x.shape[-1]))
    return x[:, :, None]


def natural(named: Named, refs: Refs) -> Named:
    """Adds lam = 1 + b1: 0 counts examples only, 1 counts tokens only."""
    return {**named, "lam": 1.0 + named["b1"]}


TERM = Term(
    name="composition",
    formula="b1·ln(L/L_ref)",
    source="Lagasse et al. 2025, arXiv 2505.06150 (composition matters), as an exponent on L",
    params=params,
    value=value,
    gradient=gradient,
    natural=natural,
    null={"b1": 0.0},
    family=FAMILY,
    linear=linear,
)
