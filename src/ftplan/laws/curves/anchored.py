"""The rectified law held at the measured score before tuning (the N = 0 row) instead of a fitted y0."""

from __future__ import annotations

from dataclasses import replace

from ftplan.laws.curves import rectified
from ftplan.laws.parts import Named, Refs


def natural(params: Named, refs: Refs) -> Named:
    """As the rectified law's, without y0: that one is measured. B needs one amplitude, which rows here do not share."""
    full = rectified.natural({**params, "A": params["beta"] * 0.0}, refs)
    return {k: v for k, v in full.items() if k not in ("y0", "B")}


CURVE = replace(
    rectified.CURVE,
    name="anchored",
    formula="E + (base - E)/(1 + (D/D0)^beta), base the N = 0 row",
    natural=natural,
    anchored=True,
)
