"""Model size as an added floor: the larger the model, the lower the score that no data can undercut."""

from __future__ import annotations

import numpy as np

from ftplan.laws.parts import Floats, Named, Nonlinear, Refs, Rows, Size, beside


def floor_names(refs: Refs) -> tuple[str, ...]:
    return ("E", "A_M")


def floors(rows: Rows, theta: Floats, refs: Refs) -> Floats:
    """[1, (M/M_ref)^-alpha]."""
    own = np.exp(-theta * rows.m)
    return beside(np.ones_like(own), own)


def floors_gradient(rows: Rows, theta: Floats, refs: Refs) -> Floats:
    own = -rows.m * np.exp(-theta * rows.m)
    return beside(np.zeros_like(own), own)


def natural(named: Named, refs: Refs) -> Named:
    """A_M in the metric's unit at M = 1: the fit holds A_M·M_ref^-alpha."""
    return {**named, "A_M": named["A_M"] * refs.M ** named["alpha"]}


SIZE = Size(
    name="added",
    formula="E + A_M·M^-alpha",
    source="Hoffmann et al. 2022, arXiv 2203.15556",
    params=(Nonlinear("alpha", 0.01, 3.0, (0.05, 1.0), meaning="how fast a larger model helps"),),
    floor_names=floor_names,
    floors=floors,
    floors_gradient=floors_gradient,
    natural=natural,
)
