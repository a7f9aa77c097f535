"""Model size as a factor on what data can still win."""

from __future__ import annotations

import numpy as np

from ftplan.laws.parts import Floats, Named, Nonlinear, Refs, Rows, Size


def floor_names(refs: Refs) -> tuple[str, ...]:
    return ("E",)


def floors(rows: Rows, theta: Floats, refs: Refs) -> Floats:
    return np.ones((len(theta), rows.t.shape[-1], 1))


def factor(rows: Rows, theta: Floats) -> Floats:
    """(M/M_ref)^-gamma."""
    return np.exp(-theta * rows.m)


def factor_gradient(rows: Rows, theta: Floats) -> Floats:
    return -rows.m * np.exp(-theta * rows.m)


def natural(named: Named, refs: Refs) -> Named:
    """A in the metric's unit at M = 1, beside what the curve does to it."""
    return {**named, "A": named["A"] * refs.M ** named["gamma"]} if "A" in named else dict(named)


SIZE = Size(
    name="factor",
    formula="(amplitude)·M^-gamma",
    source="Zhang et al. 2024, arXiv 2402.17193; Lagasse et al. 2025, arXiv 2505.06150",
    params=(Nonlinear("gamma", -1.0, 3.0, (-0.2, 1.0), meaning="how fast a larger model shrinks the gap"),),
    floor_names=floor_names,
    floors=floors,
    factor=factor,
    factor_gradient=factor_gradient,
    natural=natural,
)
