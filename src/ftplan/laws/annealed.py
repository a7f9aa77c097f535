"""The curve of a run that is evaluated on the way, over rate-weighted tokens S, with what a falling rate adds.

    metric = y0 - (y0 - E)·h·(1 + C·fall·h)        h = 1 - 1/(1 + (S/S0)^beta)

y0: the untuned metric; E: what S without end leads to at the peak rate; fall: how far the rate has come down from the
highest so far, as a share of its peak. S stands for the area under the rate, `L0 + A·S^-alpha - C·S2` in Tissue et al.
2024, arXiv 2408.11029; the flat start of a fine-tune is Lin et al. 2024, arXiv 2402.02314. Theirs and the constant
drop C·fall are wrong for a fine-tune in one way: a fall before there is anything to settle gains nothing, and its gain
has an end. So it grows here with the square of the share gained, as the loss drop of Luo et al. 2025 (multi-power law,
arXiv 2503.12811) grows with what is trained after the fall, and is bounded as theirs is.

For a loss, or an error (1 - accuracy): positive, lower is better, E above 0.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: places of the parameters: ln y0, logit(E/y0), ln S0, ln beta, ln C; then one per column of `shifts`
LEVEL, FLOOR, SCALE, SHAPE, ANNEAL = range(5)
CORE = 5
#: the share of y0 that a prediction never falls below, so that no logarithm is of nothing
_LEAST = 1e-3


@dataclass(frozen=True)
class Points:
    """Where the law is asked. rate_tokens, fall: (n,); shifts: (n, k), added to ln S with a weight each."""

    rate_tokens: Floats
    fall: Floats
    shifts: Floats

    def __len__(self) -> int:
        return len(self.rate_tokens)


def log_metric(theta: Floats, points: Points) -> Floats:
    """(m, n) ln metric for (m, 5 + k) parameters."""
    h, gain, _ = _parts(theta, points)
    del h
    return theta[:, LEVEL, None] + np.log(np.maximum(1.0 - gain, _LEAST))


def log_metric_and_slopes(theta: Floats, points: Points) -> tuple[Floats, Floats]:
    """(m, n) as above, and (m, n, 5 + k) its derivatives."""
    h, gain, u = _parts(theta, points)
    floor, beta, drop = _expit(theta[:, FLOOR, None]), np.exp(theta[:, SHAPE, None]), np.exp(theta[:, ANNEAL, None])
    left = 1.0 - gain
    slopes = np.empty((*h.shape, theta.shape[1]))
    slopes[..., LEVEL] = 1.0
    slopes[..., FLOOR] = floor * gain
    by_t = -(1.0 - floor) * (1.0 + 2.0 * drop * points.fall * h) * h * (1.0 - h)
    slopes[..., SCALE] = -beta * by_t
    slopes[..., SHAPE] = beta * u * by_t
    slopes[..., ANNEAL] = -(1.0 - floor) * drop * points.fall * h**2
    slopes[..., CORE:] = (beta * by_t)[..., None] * points.shifts
    slopes[..., FLOOR:] /= np.maximum(left, _LEAST)[..., None]
    slopes[..., FLOOR:][left < _LEAST] = 0.0
    return theta[:, LEVEL, None] + np.log(np.maximum(left, _LEAST)), slopes


def _parts(theta: Floats, points: Points) -> tuple[Floats, Floats, Floats]:
    """(m, n) each: share gained at the peak rate, share of y0 gained in all, and ln S/S0 (of S = 0: far below)."""
    s = np.log(np.maximum(points.rate_tokens, 1e-9))
    u = s + theta[:, CORE:] @ points.shifts.T - theta[:, SCALE, None]
    h = _expit(np.exp(theta[:, SHAPE, None]) * u)
    gain = (1.0 - _expit(theta[:, FLOOR, None])) * h * (1.0 + np.exp(theta[:, ANNEAL, None]) * points.fall * h)
    return h, gain, u


def _expit(x: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-np.clip(x, -500.0, 500.0)))
