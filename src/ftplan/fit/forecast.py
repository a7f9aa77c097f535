"""Ahead of a curve's points, from one size on: the prior over curves, updated by them and by the curves of its table.

Every shape, wander and noise of the prior (`ftplan.fit.curve_prior`) is a Gaussian process with the shape as its mean;
what each counts for is its prior weight times the marginal likelihood of the points. So how many points to trust, and
how far to carry a bend, follows from the curve's own noise against its bend. Curves of one table are shrunk together:
the prior of each is mixed with what the others turned out to be.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.special import ndtr

from ftplan.fit import panel
from ftplan.fit.curve_prior import CurvePrior
from ftplan.laws.parts import Floats

#: variance of the level before the first point: nothing is known of it
LEVEL = 25.0
#: sizes closer than this in ln D are replicates of one size
REPLICATE_LN = 0.02
#: gaps are not followed below this share of a bounded metric's range: a score at its ceiling has no logarithm
LEAST_GAP = 1e-3
#: parts of the mixture that weigh less than exp(-NEGLIGIBLE) of the greatest are left out
NEGLIGIBLE = 9.0
#: where more parts than that count, as many, spread evenly over the weight: after one or two runs nearly all do
PARTS = 800
#: rounds in which the curves of a table learn from each other
ROUNDS = 3
BISECTIONS = 30


@dataclass(frozen=True)
class Gap:
    """How a metric becomes ln(gap): best is the value that it can at best take, span its worst distance from there."""

    best: float = 0.0
    span: float = np.inf
    less_is_better: bool = True

    def __call__(self, values: Floats) -> Floats:
        gap = values - self.best if self.less_is_better else self.best - values
        least = LEAST_GAP * self.span if np.isfinite(self.span) else 1e-300
        return np.asarray(np.log(np.clip(gap, least, self.span)))

    def metric(self, log_gap: Floats) -> Floats:
        """The metric again, inside its bounds."""
        gap = np.minimum(np.exp(np.minimum(log_gap, 700.0)), self.span)
        return np.asarray(self.best + gap if self.less_is_better else self.best - gap)


@dataclass(frozen=True)
class Curve:
    """One curve: u (n,) ln D of its sizes, ascending; z (n,) mean ln(gap) there, counts (n,) of how many runs,
    squares (n,) their sum of squares around it; known (n,) variance of z that the table tells. group: its table.
    """

    u: Floats
    z: Floats
    counts: Floats
    squares: Floats
    known: Floats
    group: str = ""

    @classmethod
    def of(cls, ln_data: Floats, values: Floats, gap: Gap, *, stderr: Floats | None = None, group: str = "") -> Curve:
        """From runs in any order: those of one size are averaged. ln_data, values, stderr: (n,), the last in the
        metric's unit. Raises ValueError where there is no run, or a number is not finite.
        """
        if len(ln_data) == 0 or not (np.isfinite(ln_data).all() and np.isfinite(values).all()):
            raise ValueError("a curve needs at least one run, and finite numbers")
        order = np.argsort(ln_data, kind="stable")
        u, each = np.asarray(ln_data, dtype=np.float64)[order], gap(np.asarray(values, dtype=np.float64)[order])
        size = np.concatenate([[0], np.cumsum(np.diff(u) > REPLICATE_LN)]).astype(np.intp)
        counts = np.bincount(size).astype(np.float64)
        z: Floats = np.bincount(size, each) / counts
        known: Floats = np.zeros(len(z))
        if stderr is not None:
            errors = np.nan_to_num(np.asarray(stderr, dtype=np.float64)[order])
            known = np.bincount(size, (errors / np.exp(each)) ** 2) / counts**2
        squares: Floats = np.bincount(size, (each - z[size]) ** 2).astype(np.float64)
        return cls(np.bincount(size, u) / counts, z, counts, squares, known, group)


@dataclass(frozen=True)
class Forecast:
    """A mixture of Gaussians at m amounts of data. weight (k,); mean (k, m) of ln(gap); root (k, m, m), lower
    triangular: a square root of each part's covariance, without the noise of new runs; noise (k, m) its variance.
    widen: factor on distances from the median.
    """

    weight: Floats
    mean: Floats
    root: Floats
    noise: Floats
    gap: Gap
    widen: float = 1.0

    @property
    def sd(self) -> Floats:
        """(k, m) of a new measurement, each part's."""
        return np.asarray(np.sqrt((self.root**2).sum(axis=2) + self.noise))

    def log_gap(self, probabilities: Sequence[float]) -> Floats:
        """(p, m) quantiles of ln(gap) of a new measurement."""
        found = self._mixture(np.asarray([0.5, *probabilities]))
        return np.asarray(found[:1] + self.widen * (found[1:] - found[:1]))

    def quantiles(self, probabilities: Sequence[float]) -> Floats:
        """(p, m) quantiles of a new measurement of the metric, ascending in p whichever way is better."""
        turned = probabilities if self.gap.less_is_better else [1.0 - p for p in probabilities]
        return self.gap.metric(self.log_gap(turned))

    @property
    def median(self) -> Floats:
        """(m,) of the metric."""
        return np.asarray(self.quantiles([0.5])[0])

    def draws(self, count: int, seed: int) -> Floats:
        """(count, m) of the metric, as `drawn`."""
        return self.gap.metric(self.drawn(count, seed))

    def drawn(self, count: int, seed: int) -> Floats:
        """(count, m) of ln(gap), noise of new runs left out: one part and one wander a draw, so that amounts compared
        within a draw share its luck.
        """
        rng = np.random.default_rng(seed)
        part = rng.choice(len(self.weight), size=count, p=self.weight)
        luck = rng.standard_normal((count, self.mean.shape[1]))
        drawn = self.mean[part] + np.matmul(self.root[part], luck[:, :, None])[:, :, 0]
        middle = np.median(drawn, axis=0)
        return np.asarray(middle + self.widen * (drawn - middle))

    def _mixture(self, probabilities: Floats) -> Floats:
        mean, sd = self.mean, np.maximum(self.sd, 1e-12)
        p = probabilities[:, None]
        low = np.repeat((mean - 8.0 * sd).min(axis=0)[None], len(p), axis=0)
        high = np.repeat((mean + 8.0 * sd).max(axis=0)[None], len(p), axis=0)
        for _ in range(BISECTIONS):
            middle = 0.5 * (low + high)
            reached = np.einsum("k,pkm->pm", self.weight, ndtr((middle[:, None] - mean) / sd))
            low, high = np.where(reached < p, middle, low), np.where(reached < p, high, middle)
        return np.asarray(0.5 * (low + high))


@dataclass(frozen=True)
class Seen:
    """One curve under every part of the prior: evidence (C, S) ln of the marginal likelihood of its points; root
    (C, n + m, n + m), a square root of the covariance at its points and then at the m asked for; luck (C, S, n), its
    points whitened; mean (S, n + m) of the shapes.
    """

    evidence: Floats
    root: Floats
    luck: Floats
    mean: Floats


def see(curve: Curve, at: Floats, prior: CurvePrior) -> Seen:
    """A curve's points, and the amounts of data `at` (m,), in ln D, that will be asked for."""
    n, m = len(curve.u), len(at)
    u = np.concatenate([curve.u, at]) - curve.u[0]
    covariance = LEVEL + prior.wander(u)
    own = np.arange(n)
    covariance[:, own, own] += prior.noise(curve.counts, curve.known)
    # one amount may be asked for twice, or be a measured one: the wander alone is then singular
    every = np.arange(n, n + m)
    covariance[:, every, every] += 1e-10
    root = np.asarray(np.linalg.cholesky(covariance), dtype=np.float64)
    shapes = prior.shapes(u)
    apart = (curve.z - curve.z[0])[None, :] - shapes[:, :n]
    luck: Floats = np.einsum("cij,sj->csi", np.linalg.inv(root[:, :n, :n]), apart)
    sd = prior.processes[:, 2]
    replicates = -np.log(sd) * (curve.counts - 1.0).sum() - curve.squares.sum() / (2.0 * sd**2)
    determinant = np.log(np.einsum("cii->ci", root[:, :n, :n])).sum(axis=1)
    evidence = np.asarray(-0.5 * (luck**2).sum(axis=2) + (replicates - determinant)[:, None])
    return Seen(evidence, root, luck, shapes + curve.z[0])


def ahead(seen: Seen, log_weight: Floats, gap: Gap, prior: CurvePrior, counts: Floats) -> Forecast:
    """The mixture at the amounts asked for. log_weight: (C, S) prior of this curve; counts (m,): runs that a new
    measurement averages, infinite for the curve itself.
    """
    n, m = seen.luck.shape[2], len(counts)
    log = log_weight + seen.evidence
    process, shape = np.nonzero(log > log.max() - NEGLIGIBLE)
    weight = np.exp(log[process, shape] - log.max())
    if len(weight) > PARTS:
        reached = np.cumsum(weight)
        some = np.searchsorted(reached, (np.arange(PARTS) + 0.5) / PARTS * reached[-1])
        process, shape, weight = process[some], shape[some], np.ones(PARTS)
    lower = seen.root[:, n:, :]
    mean = seen.mean[shape, n:] + np.einsum("kmj,kj->km", lower[process][:, :, :n], seen.luck[process, shape])
    noise = prior.noise(counts, np.zeros(m))[process]
    return Forecast(weight / weight.sum(), mean, lower[process][:, :, n:], noise, gap, prior.widen)


def shared(seen: Sequence[Seen], prior: CurvePrior) -> list[Floats]:
    """(C, S) ln prior of each curve of one table: the prior, mixed with what the other curves turned out to be."""
    start = np.exp(prior.log_weight)
    if len(seen) == 1:
        return [prior.log_weight]
    likely = np.stack([np.exp(s.evidence - s.evidence.max()) for s in seen])
    weights = np.repeat(start[None], len(seen), axis=0)
    for _ in range(ROUNDS):
        posterior = likely * weights
        posterior /= posterior.sum(axis=(1, 2), keepdims=True)
        others = posterior.sum(axis=0)[None] - posterior
        weights = (prior.sharing * start[None] + others) / (prior.sharing + len(seen) - 1.0)
    return list(np.log(np.maximum(weights, 1e-300)))


def forecast(
    curves: Sequence[Curve],
    at: Sequence[Floats],
    gap: Gap,
    prior: CurvePrior,
    *,
    counts: Sequence[Floats] | None = None,
) -> list[Forecast]:
    """One forecast for each curve at its amounts of data.

    at: per curve (m,) ln D; counts: per curve (m,), the runs that a new measurement there averages, 1 by default.
    Curves of one group, not the empty one, are shrunk together.
    """
    seen = [see(curve, np.asarray(u, dtype=np.float64), prior) for curve, u in zip(curves, at, strict=True)]
    weights = [prior.log_weight] * len(seen)
    groups: dict[str, list[int]] = {}
    for index, curve in enumerate(curves):
        if curve.group:
            groups.setdefault(curve.group, []).append(index)
    for members in groups.values():
        for index, weight in zip(members, shared([seen[i] for i in members], prior), strict=True):
            weights[index] = weight
    averaged = [np.ones(len(u)) for u in at] if counts is None else counts
    found = [
        ahead(s, w, gap, prior, np.asarray(c, dtype=np.float64))
        for s, w, c in zip(seen, weights, averaged, strict=True)
    ]
    for members in groups.values():
        own = [curves[i] for i in members]
        if (table := panel_of(own, prior)) is not None:
            for place, row in table[0].items():
                i = members[place]
                if len(at[i]) and np.min(at[i]) > table[1].u[-1] + REPLICATE_LN:
                    found[i] = _of_panel(table[1], row, np.asarray(at[i]), np.asarray(averaged[i]), gap, prior)
    return found


def panel_of(curves: Sequence[Curve], prior: CurvePrior) -> tuple[dict[int, int], panel.Panel] | None:
    """Curves of one table as a panel, and the row of each curve in it; None where they are none to be trusted."""
    if prior.panel is None:
        return None
    members, sizes = panel.common_sizes([curve.u for curve in curves], REPLICATE_LN)
    if not members:
        return None
    z = np.stack([curves[i].z[[int(np.abs(curves[i].u - x).argmin()) for x in sizes]] for i in members])
    spare = sum(float((curves[i].counts - 1.0).sum()) for i in members)
    told = sum(float(curves[i].squares.sum()) for i in members)
    noise = float(np.sqrt(told / spare)) if spare and told else prior.panel.noise
    found = panel.Panel(sizes, z, noise)
    # a table of two sizes does not say how its curves go on; where kinds of metric differ, the prior does
    if not panel.trusted(found, prior.panel, usual=prior.panel.usual):
        return None
    return {i: row for row, i in enumerate(members)}, found


def _of_panel(table: panel.Panel, row: int, u: Floats, counts: Floats, gap: Gap, prior: CurvePrior) -> Forecast:
    """One curve of a panel: every part has the same middle, and a scale of Student's t."""
    assert prior.panel is not None, "a panel was made"
    ahead_of_all = panel.ahead(table, u, prior.panel)
    scales = panel.scales(prior.panel.degrees)
    variance = scales[:, None] * (ahead_of_all.common + ahead_of_all.each[row])
    root = np.zeros((len(scales), len(u), len(u)))
    root[:, :, 0] = np.sqrt(variance)
    weight = np.full(len(scales), 1.0 / len(scales))
    middle = np.repeat(ahead_of_all.middle[row][None], len(scales), axis=0)
    noise = np.repeat(panel.of_single(table.noise, counts)[None], len(scales), axis=0)
    return Forecast(weight, middle, root, noise, gap)
