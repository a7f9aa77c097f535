"""The curve of a run that is evaluated on the way: what its tokens bring at the rate they are trained at.

    metric = y0 - (y0 - E)·h·(1 + C·fall)        h = 1 - 1/(1 + (P/S0)^beta)        P = S + kappa·(T - S)

y0: the untuned metric; E: what tokens without end lead to at the peak rate. T: tokens seen; S: the same weighted with
the rate over its peak, the area under the rate of Tissue et al. 2024, arXiv 2408.11029 (`L0 + A·S^-alpha - C·S2`). The
flat start of a fine-tune is Lin et al. 2024, arXiv 2402.02314. A falling rate brings two things more:

- tokens at a low rate bring more than the rate says, a share kappa of what is missing. T - S is the annealing area S2
  of Tissue et al., put inside the curve: a term beside it grows without end where the curve has an end;
- what is gained settles, by a share C of it when all of the rate is gone (`fall`: how far the rate has come down from
  its highest so far, as a share of the peak). Before there is a gain there is nothing to settle, and the drop has an
  end, as in the multi-power law of Luo et al. 2025, arXiv 2503.12811.

With kappa = 0 it is a law over S with a term for the rate that is left.

For a loss, or an error (1 - accuracy): positive, lower is better, E above 0.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]

#: places of the parameters: ln y0, logit(E/y0), ln S0, ln beta, ln C, logit kappa; then one per column of `shifts`
LEVEL, FLOOR, SCALE, SHAPE, ANNEAL, SLOW = range(6)
CORE = 6
#: the share of y0 that a prediction never falls below, so that no logarithm is of nothing
_LEAST = 1e-3
#: tokens, where there are none
_NOTHING = 1e-9


@dataclass(frozen=True)
class HistoryPoints:
    """Where the law is asked. tokens, rate_tokens, fall: (n,); shifts: (n, k), added to ln P with a weight each."""

    tokens: Floats
    rate_tokens: Floats
    fall: Floats
    shifts: Floats

    def __len__(self) -> int:
        return len(self.rate_tokens)

    def take(self, rows: npt.NDArray[np.bool_] | npt.NDArray[np.int64] | slice) -> HistoryPoints:
        """Some of them."""
        return HistoryPoints(self.tokens[rows], self.rate_tokens[rows], self.fall[rows], self.shifts[rows])


def joined(parts: Sequence[HistoryPoints]) -> HistoryPoints:
    """All of them, one after the other."""
    names = ("tokens", "rate_tokens", "fall", "shifts")
    return HistoryPoints(*(np.concatenate([getattr(part, name) for part in parts]) for name in names))


def knees(theta: Floats, points: HistoryPoints) -> Floats:
    """(m, n) ln P/S0: above 0 past the knee, where half of all there is to gain at the peak rate is gained."""
    return _parts(theta, points)[2]


def log_metric(theta: Floats, points: HistoryPoints) -> Floats:
    """(m, n) ln metric for (m, 6 + k) parameters."""
    h, gain, _ = _parts(theta, points)
    del h
    return theta[:, LEVEL, None] + np.log(np.maximum(1.0 - gain, _LEAST))


def log_metric_and_slopes(theta: Floats, points: HistoryPoints) -> tuple[Floats, Floats]:
    """(m, n) as above, and (m, n, 6 + k) its derivatives."""
    h, gain, u = _parts(theta, points)
    floor, beta, drop = _expit(theta[:, FLOOR, None]), np.exp(theta[:, SHAPE, None]), np.exp(theta[:, ANNEAL, None])
    left = 1.0 - gain
    slopes = np.empty((*h.shape, theta.shape[1]))
    slopes[..., LEVEL] = 1.0
    slopes[..., FLOOR] = floor * gain
    by_t = -(1.0 - floor) * (1.0 + drop * points.fall) * h * (1.0 - h)
    slopes[..., SCALE] = -beta * by_t
    slopes[..., SHAPE] = beta * u * by_t
    slopes[..., ANNEAL] = -(1.0 - floor) * drop * points.fall * h
    low = np.maximum(points.tokens - points.rate_tokens, 0.0)
    slow = _expit(theta[:, SLOW, None])
    slopes[..., SLOW] = beta * by_t * slow * (1.0 - slow) * low / np.maximum(points.rate_tokens + slow * low, _NOTHING)
    slopes[..., CORE:] = (beta * by_t)[..., None] * points.shifts
    slopes[..., FLOOR:] /= np.maximum(left, _LEAST)[..., None]
    slopes[..., FLOOR:][left < _LEAST] = 0.0
    return theta[:, LEVEL, None] + np.log(np.maximum(left, _LEAST)), slopes


def _parts(theta: Floats, points: HistoryPoints) -> tuple[Floats, Floats, Floats]:
    """(m, n) each: share gained at the peak rate, share of y0 gained in all, and ln P/S0 (of P = 0: far below)."""
    low = np.maximum(points.tokens - points.rate_tokens, 0.0)
    progress = points.rate_tokens + _expit(theta[:, SLOW, None]) * low
    u = np.log(np.maximum(progress, _NOTHING)) + theta[:, CORE:] @ points.shifts.T - theta[:, SCALE, None]
    h = _expit(np.exp(theta[:, SHAPE, None]) * u)
    gain = (1.0 - _expit(theta[:, FLOOR, None])) * h * (1.0 + np.exp(theta[:, ANNEAL, None]) * points.fall)
    return h, gain, u


def _expit(x: Floats) -> Floats:
    return 1.0 / (1.0 + np.exp(-np.clip(x, -500.0, 500.0)))
