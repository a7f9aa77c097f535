"""Exponential saturation: the form of compute-constrained data selection, over data instead of compute."""

from __future__ import annotations

import numpy as np

from ftplan.laws.parts import Curve, Floats, Named, Nonlinear, Refs


def shape(z: Floats, theta: Floats) -> Floats:
    """exp(-D/D_s)."""
    # beyond exp(50) the shape is 0 to the last bit; the clip only keeps exp from overflowing
    return np.exp(-np.exp(np.minimum(z - theta, 50.0)))


def slopes(z: Floats, theta: Floats, g: Floats) -> tuple[Floats, Floats]:
    dz = -np.exp(np.minimum(z - theta, 50.0)) * g
    return dz, -dz[:, :, None]


def natural(params: Named, refs: Refs) -> Named:
    """Pbar (after ever more data), P0 (before any), D_s in tokens."""
    out = {k: v for k, v in params.items() if k not in ("ln_D_s", "A", "E")}
    if "E" in params:
        out["Pbar"] = params["E"]
        out["P0"] = params["E"] + params["A"]
    out["D_s"] = refs.T * np.exp(params["ln_D_s"])
    return out


def fitted(params: Named) -> Named:
    """From Pbar, P0, D_s."""
    out = {k: v for k, v in params.items() if k not in ("Pbar", "P0", "D_s")}
    return {**out, "E": params["Pbar"], "A": params["P0"] - params["Pbar"], "ln_D_s": np.log(params["D_s"])}


CURVE = Curve(
    name="saturating",
    formula="Pbar - (Pbar - P0)·exp(-D/D_s)",
    source="Yin & Rush 2025, arXiv 2410.16208 (theirs in total compute)",
    params=(
        Nonlinear("ln_D_s", -12.0, 12.0, (-5.0, 5.0), meaning="data for 63 % of the gain, over T_ref", in_ln_data=True),
    ),
    shape=shape,
    slopes=slopes,
    natural=natural,
    fitted=fitted,
)
