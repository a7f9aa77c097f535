"""What curves of a metric against data look like before one is seen: a grid of shapes, wanders and noises, weighted.

A curve is the logarithm of the gap between the metric and the best value that it can take, against u = ln D. It is
one of the shapes of the law grammar (a straight line: a power law; a bend that starts late and ends in a floor: the
rectified law), plus a wander away from it (an integrated Ornstein-Uhlenbeck process: the slope differs from the
shape's, and forgets by how much), plus noise. The weights are learnt from many families of curves, for each
kind of metric, by a script of the repository (`benchmarks/curve_prior.py`), and a curve's own points update them
(`ftplan.fit.forecast`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property

import numpy as np

from ftplan.fit.panel import PanelPrior
from ftplan.laws.parts import Floats

#: axes of the grid. Wander and memory: sd of the change of slope over one e-fold of data, and e-folds until it is
#: forgotten; noise: sd of one run in ln(gap). Bends: exponent, ln D from the curve's first size to the middle of the
#: bend, floor as a share of the top. Slopes: exponents of the straight lines. Forms: straight, bent.
AXES = ("wander", "memory", "noise", "exponent", "start", "floor", "slope", "form")
#: how much of the noise's variance replicates do not average away: they share the test set and, often, the rows
SHARED_NOISE = 0.3


@dataclass(frozen=True)
class CurvePrior:
    """values, log_weights: by axis, the points of the grid and ln of what each counts for. widen: factor on half
    widths; sharing: how many curves the prior counts for beside the others of its table; panel: what curves of one
    table at the same sizes tell of each other, None where that is not known.
    """

    values: Mapping[str, tuple[float, ...]]
    log_weights: Mapping[str, tuple[float, ...]]
    widen: float = 1.0
    sharing: float = 1.0
    panel: PanelPrior | None = None

    def __post_init__(self) -> None:
        for axis in AXES:
            if len(self.values.get(axis, ())) != len(self.log_weights.get(axis, ())) or not self.values.get(axis):
                raise ValueError(f"a prior needs as many weights as values of {axis!r}, at least one")

    def __hash__(self) -> int:
        return id(self)

    @cached_property
    def processes(self) -> Floats:
        """(C, 3) wander, memory and noise of each process around a shape."""
        return _product([self.values[axis] for axis in AXES[:3]])

    @cached_property
    def bends(self) -> Floats:
        """(B, 3) exponent, start and floor of the bent shapes; the straight ones stand before them."""
        return _product([self.values[axis] for axis in AXES[3:6]])

    @cached_property
    def log_weight(self) -> Floats:
        """(C, S) ln of the prior probability of each process and shape; the exponentials add up to 1."""
        w = {axis: np.asarray(self.log_weights[axis]) for axis in AXES}
        process = _sum_of([w[axis] for axis in AXES[:3]])
        bent = _log_normalised(_sum_of([w[axis] for axis in AXES[3:6]]))
        straight, form = _log_normalised(w["slope"]), _log_normalised(w["form"])
        shape = np.concatenate([form[0] + straight, form[1] + bent])
        return np.asarray(_log_normalised(process)[:, None] + shape[None, :])

    def shapes(self, u: Floats) -> Floats:
        """(S, n) shapes at u (n,), ln D less that of the curve's first size; 0 at u = 0."""
        straight = -np.asarray(self.values["slope"])[:, None] * u
        exponent, start, floor = (column[:, None] for column in self.bends.T)

        def bend(at: Floats) -> Floats:
            return np.asarray(
                np.log(floor + (1.0 - floor) / (1.0 + np.exp(np.clip(exponent * (at - start), -60.0, 60.0))))
            )

        return np.concatenate([straight, bend(u) - bend(np.zeros(1))])

    def wander(self, u: Floats) -> Floats:
        """(C, n, n) covariance of the wander at u (n,): of the integral of its slope from u = 0."""
        step, memory, _ = (column[:, None, None] for column in self.processes.T)
        variance = step**2 / (2.0 * (1.0 - np.exp(-1.0 / memory)))

        def twice(apart: Floats) -> Floats:
            x = np.abs(apart) / memory
            return np.asarray(memory**2 * (x - 1.0 + np.exp(-x)))

        a, b = u[None, :, None], u[None, None, :]
        return np.asarray(variance * (twice(a) + twice(b) - twice(a - b)))

    def noise(self, counts: Floats, known: Floats) -> Floats:
        """(C, n) variance of the mean of `counts` runs (infinite: of none), `known` of it told by the table."""
        sd = self.processes[:, 2:]
        each = np.where(np.isinf(counts), 0.0, SHARED_NOISE + (1.0 - SHARED_NOISE) / np.maximum(counts, 1.0))
        return np.asarray(sd**2 * each + known)


@cache
def shipped(kind: str) -> CurvePrior:
    """The prior that ships for a kind of metric: 'loss' or 'score'."""
    from ftplan.presets import load_prior  # numbers of the package, not of a user: read when first needed

    return load_prior(kind)


def _product(axes: Sequence[Sequence[float]]) -> Floats:
    return np.stack(np.meshgrid(*axes, indexing="ij"), axis=-1).reshape(-1, len(axes)).astype(np.float64)


def _sum_of(parts: Sequence[Floats]) -> Floats:
    return np.asarray(sum(np.meshgrid(*parts, indexing="ij")), dtype=np.float64).reshape(-1)


def _log_normalised(log_weight: Floats) -> Floats:
    top = log_weight.max()
    return np.asarray(log_weight - top - np.log(np.exp(log_weight - top).sum()))
