"""Repetition: a second pass over the same data is worth less than fresh data."""

from __future__ import annotations

import numpy as np

from ftplan.laws.parts import Floats, Named, Nonlinear, Refs, Rows, Term

#: R* = 15.4 on pre-training data (Muennighoff et al. 2023, table 2); fine-tunes may differ a hundredfold either way
LN_RSTAR = Nonlinear("ln_Rstar", -4.0, 6.0, (-2.0, 4.0), meaning="log of the repeats after which more hardly help")


def params(refs: Refs) -> tuple[Nonlinear, ...]:
    return (LN_RSTAR,)


def _worth(rows: Rows, theta: Floats) -> tuple[Floats, Floats, Floats]:
    """Worth r of each row, with R* and the decay; a run stopped within its first epoch has repeated nothing."""
    scale = np.exp(theta[:, :1])
    repeats = np.maximum(rows.repeats, 0.0)
    decay = np.exp(-repeats / scale)
    return 1.0 + scale * (1.0 - decay) + np.minimum(rows.repeats, 0.0), scale, decay


def value(rows: Rows, theta: Floats, refs: Refs) -> Floats:
    """Ln r, r = 1 + R*·(1 - exp(-repeats/R*)), repeats = epochs - 1; r = epochs below one epoch."""
    return np.log(_worth(rows, theta)[0])


def gradient(rows: Rows, theta: Floats, refs: Refs) -> Floats:
    worth, scale, decay = _worth(rows, theta)
    by_log_scale = scale * (1.0 - decay) - np.maximum(rows.repeats, 0.0) * decay
    return (by_log_scale / worth)[:, :, None]


def varied(rows: Rows, refs: Refs) -> bool:
    """Whether runs had different numbers of epochs; one where a table does not say."""
    return len(np.unique(np.nan_to_num(rows.repeats, nan=0.0))) > 1


def leverage(rows: Rows, refs: Refs) -> Floats:
    """ln(epochs): what repeats were worth if they were fresh data."""
    return np.log1p(rows.repeats)[..., None]


def natural(named: Named, refs: Refs) -> Named:
    out = {k: v for k, v in named.items() if k != "ln_Rstar"}
    return {**out, "Rstar": np.exp(named["ln_Rstar"])}


TERM = Term(
    name="repetition",
    formula="ln(1 + R*·(1 - exp(-(epochs - 1)/R*)))",
    source="Muennighoff et al. 2023, arXiv 2305.16264, eq. 5",
    params=params,
    value=value,
    gradient=gradient,
    natural=natural,
    family="repetition",
    varied=varied,
    leverage=leverage,
    reads=("repeats",),
)
