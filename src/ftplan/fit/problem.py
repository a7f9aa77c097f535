"""B weighted fits of one law to the same n rows, as one batch: the object that the solvers work on."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt

from ftplan.laws.law import Law, LawValues
from ftplan.laws.parts import Floats, Refs, Rows

Bools = npt.NDArray[np.bool_]
Index = npt.NDArray[np.intp]


def pick_rows(rows: Rows, keep: Index | Bools) -> Rows:
    """Features of a subset of the fits: only those that differ from fit to fit, (B, n), are cut down."""
    own = {k: v[keep] for k, v in vars(rows).items() if v.ndim == 2}
    return replace(rows, **own) if own else rows


def _picked(values: Floats, keep: Index | Bools) -> Floats:
    """values[keep] of (B, n), without copies of what is the same for all fits."""
    if values.strides[0] or not len(values):
        return values[keep]
    count = int(np.count_nonzero(keep)) if keep.dtype == np.bool_ else len(keep)
    return np.broadcast_to(values[:1], (count, values.shape[1]))


@dataclass(frozen=True)
class Batch:
    """y: (B, n) loss, minus the metric where more is better; w: (B, n) weights >= 0, 0 leaves a row out.

    floor_low: lower bound of every floor: 0 for a loss, -maximum for a bounded score, -inf otherwise.
    prior_noise: None for plain least squares; else the parameters' `log_prior` counts, and this is the smallest noise
    (a standard deviation, on the scale of sqrt(w)·y) that a fit may claim; row_count (B,): how many rows the weights
    are worth.
    """

    law: Law
    refs: Refs
    rows: Rows
    y: Floats
    w: Floats
    floor_low: float
    prior_noise: float | None = None
    row_count: Floats | float = 0.0

    def __len__(self) -> int:
        return len(self.y)

    def take(self, keep: Index | Bools) -> Batch:
        """The fits picked by a mask or an index array."""
        count = self.row_count[keep] if isinstance(self.row_count, np.ndarray) else self.row_count
        y, w = _picked(self.y, keep), _picked(self.w, keep)
        return replace(self, rows=pick_rows(self.rows, keep), y=y, w=w, row_count=count)

    def with_rows(self, some: Index) -> Batch:
        """The same fits to some of the rows."""
        rows = replace(self.rows, **{k: v[..., some] for k, v in vars(self.rows).items()})
        share = len(some) / self.y.shape[1]
        return replace(self, rows=rows, y=self.y[:, some], w=self.w[:, some], row_count=self.row_count * share)

    def with_prior(self, noise: float, row_count: Floats) -> Batch:
        """The same fits with the parameters' priors counted in."""
        return replace(self, prior_noise=noise, row_count=row_count)

    @cached_property
    def theta_low(self) -> Floats:
        return np.array([p.low for p in self.law.nonlinear(self.refs)])

    @cached_property
    def theta_high(self) -> Floats:
        return np.array([p.high for p in self.law.nonlinear(self.refs)])

    @cached_property
    def amplitude_low(self) -> Floats:
        """(K,) floors at `floor_low`; added floors and the amplitude of the curve at 0."""
        names = self.law.linear(self.refs)
        return np.array([self.floor_low if k == "E" or k.startswith("E[") else 0.0 for k in names])

    @cached_property
    def held(self) -> Bools:
        """(K,) amplitudes that stay at their lower bound."""
        return np.array(self.law.held(self.refs))

    @cached_property
    def log_prior(self) -> tuple[Floats, Floats]:
        """(P,) centre and precision (1/variance, 0 without a prior) of the logarithm of each nonlinear parameter."""
        priors = [p.log_prior for p in self.law.nonlinear(self.refs)]
        return (
            np.array([p[0] if p else 0.0 for p in priors]),
            np.array([p[1] ** -2.0 if p else 0.0 for p in priors]),
        )

    def evaluate(self, theta: Floats) -> LawValues:
        return self.law.evaluate(self.rows, theta, self.refs)


@dataclass(frozen=True)
class Solution:
    """theta (B, P), amplitudes (B, K), objective (B,); converged (B,) False where the iterations ran out."""

    theta: Floats
    amplitudes: Floats
    objective: Floats
    converged: Bools

    def take(self, keep: Index | Bools | slice) -> Solution:
        return Solution(self.theta[keep], self.amplitudes[keep], self.objective[keep], self.converged[keep])
