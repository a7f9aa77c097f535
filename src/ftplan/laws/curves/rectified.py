"""Rectified law: fine-tuning starts flat, at the score before tuning, and turns into a power law."""

from __future__ import annotations

import numpy as np

from ftplan.laws.parts import Curve, Floats, Named, Nonlinear, Refs, beside

PARAMS = (
    # centre and width of the prior: nineteen in twenty published data exponents lie between 0.19 and 1.33
    Nonlinear("beta", 0.05, 4.0, (0.15, 1.8), meaning="slope far beyond D0", log_prior=(np.log(0.5), 0.5)),
    # 12 e-folds either side of the table's mean: further out the curve is flat or a pure power law
    Nonlinear("ln_D0", -12.0, 12.0, (-6.0, 5.0), meaning="where the curve bends, over T_ref", in_ln_data=True),
)


def shape(z: Floats, theta: Floats) -> Floats:
    """1 / (1 + (D/D0)^beta)."""
    # where the power overflows the shape is 0; scipy's logistic costs four times as much
    with np.errstate(over="ignore"):
        return np.reciprocal(1.0 + np.exp(theta[:, :1] * (z - theta[:, 1:2])))


def slopes(z: Floats, theta: Floats, g: Floats) -> tuple[Floats, Floats]:
    beta, ln_d0 = theta[:, :1], theta[:, 1:2]
    steep = g * (1.0 - g)  # -d shape / d(beta (z - ln D0))
    # z = -inf (no data) has slope 0; the product would be 0·inf
    away = np.where(np.isfinite(z), z - ln_d0, 0.0)
    return -beta * steep, beside(-away * steep, beta * steep)


def natural(params: Named, refs: Refs) -> Named:
    """D0 in tokens, and the paper's own B = (y0 - E)·D0^beta and D_l = D0^beta."""
    out = {k: v for k, v in params.items() if k not in ("ln_D0", "A")}
    d0 = refs.T * np.exp(params["ln_D0"])
    if "E" in params:
        out["y0"] = params["E"] + params["A"]
    out["D0"] = d0
    out["B"] = params["A"] * d0 ** params["beta"]
    out["D_l"] = d0 ** params["beta"]
    return out


def fitted(params: Named) -> Named:
    """From E, y0, D0, beta."""
    out = {k: v for k, v in params.items() if k not in ("y0", "D0", "B", "D_l")}
    if "y0" in params:
        out["A"] = params["y0"] - params["E"]
    return {**out, "ln_D0": np.log(params["D0"])}


CURVE = Curve(
    name="rectified",
    formula="E + (y0 - E)/(1 + (D/D0)^beta)",
    source="Lin et al. 2024, arXiv 2402.02314",
    params=PARAMS,
    shape=shape,
    slopes=slopes,
    natural=natural,
    fitted=fitted,
)
