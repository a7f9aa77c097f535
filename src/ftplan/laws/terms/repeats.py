"""Repeats: for a score another pass over few rows may be worth more than fresh rows, up to a peak, and then less.

At equal updates few rows many times beat many rows once (arXiv 2602.11149, long reasoning traces): at first each epoch
counts for more than as many fresh rows do (gain > 1), past the peak for less than nothing.
"""

from __future__ import annotations

import numpy as np

from ftplan.laws.parts import Floats, Named, Nonlinear, Refs, Rows, Term

#: epochs at the peak, where no run is beyond it: the middle of 8 to 32, which holds the four best cells of table 2 of
#: arXiv 2602.11149 (two teachers at two totals of updates: 16, 16, 32 and 16 epochs) and its fits (10, and 32 or more)
PEAK, PEAK_LOW, PEAK_HIGH = 16.0, 8.0, 32.0
#: how wide the peak is, in ln(epochs): wider ones fit the same table worse
WIDTH = 0.35
#: past the peak a doubling of epochs takes what halving the rows does: the same table says 0 to 1
FALL = 1.0

GAIN = Nonlinear("gain", 0.0, 12.0, (0.5, 4.0), meaning="fresh rows that a repeat is worth, in powers: 1 = as fresh")
LN_PEAK = Nonlinear(
    "ln_peak",
    float(np.log(PEAK_LOW)),
    float(np.log(PEAK_HIGH)),
    (float(np.log(PEAK_LOW)), float(np.log(PEAK_HIGH))),
    meaning="log of the epochs past which more take the score down",
)


def params(refs: Refs) -> tuple[Nonlinear, ...]:
    """The gain, and the peak where a run reached the last place that it can be at."""
    return (GAIN, LN_PEAK) if refs.most_epochs >= PEAK_HIGH else (GAIN,)


def _soft(v: Floats) -> Floats:
    """ln(1 + exp(v))."""
    return np.logaddexp(0.0, v)


def _past(rows: Rows, theta: Floats) -> tuple[Floats, Floats, Floats]:
    """Ln(epochs), how far it is past the peak (softly, 0 at one epoch), and the derivative of that by ln_peak."""
    u = np.log1p(np.maximum(rows.repeats, 0.0)) + np.zeros((len(theta), 1))
    peak = theta[:, 1:2] if theta.shape[1] > 1 else np.full((len(theta), 1), np.log(PEAK))
    ahead, start = (u - peak) / WIDTH, -peak / WIDTH
    past = WIDTH * (_soft(ahead) - _soft(start))
    by_peak = 1.0 / (1.0 + np.exp(-start)) - 1.0 / (1.0 + np.exp(-ahead))
    return u, past, by_peak


def value(rows: Rows, theta: Floats, refs: Refs) -> Floats:
    """gain·(u - past) - FALL·past, u = ln(epochs); ln(epochs) below one epoch, where nothing is repeated."""
    u, past, _ = _past(rows, theta)
    gain = theta[:, :1]
    return np.asarray(gain * (u - past) - FALL * past + np.log1p(np.minimum(rows.repeats, 0.0)))


def gradient(rows: Rows, theta: Floats, refs: Refs) -> Floats:
    u, past, by_peak = _past(rows, theta)
    columns = [u - past]
    if theta.shape[1] > 1:
        columns.append(-(theta[:, :1] + FALL) * by_peak)
    return np.stack(columns, axis=-1)


def varied(rows: Rows, refs: Refs) -> bool:
    """Whether runs had different numbers of epochs; one where a table does not say."""
    return len(np.unique(np.nan_to_num(rows.repeats, nan=0.0))) > 1


def leverage(rows: Rows, refs: Refs) -> Floats:
    """What the gain multiplies, with the peak in its middle."""
    flat = np.reshape(rows.repeats, (1, -1))
    u, past, _ = _past(Rows(*(flat,) * 9), np.zeros((1, 1)))  # type: ignore[arg-type]
    return np.asarray((u - past).reshape(rows.repeats.shape)[..., None])


def natural(named: Named, refs: Refs) -> Named:
    out = {k: v for k, v in named.items() if k != "ln_peak"}
    return {**out, "peak_epochs": np.exp(named["ln_peak"])} if "ln_peak" in named else out


TERM = Term(
    name="repeats",
    formula=f"gain·(u - p) - {FALL:g}·p, u = ln(epochs), p = how far past the peak (e* = {PEAK:g}, or fitted)",
    source="ftplan; the peak and fall of arXiv 2602.11149 (2026), table 2",
    params=params,
    value=value,
    gradient=gradient,
    natural=natural,
    family="repetition",
    varied=varied,
    leverage=leverage,
    reads=("repeats",),
    of_scores=True,
    curves=("stretched",),
    range="epochs",
)
