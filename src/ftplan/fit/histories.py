"""A law from runs that evaluated themselves on the way: from one history, or many, finished runs beside them.

The posterior of `laws.annealed` in ln metric. Three errors are told apart: the luck of a run (one draw for all its
evaluations), the noise of one evaluation, and the law's own misfit, which wanders with ln S away from the end of the
data. The prior says what one run cannot tell; few evaluations take most from it, many take little.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import numpy.typing as npt
from scipy.linalg import cholesky, solve_triangular
from scipy.special import logsumexp

from ftplan.laws.annealed import CORE, FLOOR, LEVEL, SCALE, SHAPE, Floats, HistoryPoints, knees, log_metric
from ftplan.laws.annealed import log_metric_and_slopes as _law

Ints = npt.NDArray[np.int64]

#: LM steps at most from each start, and what a step must gain for the search to go on
_STEPS, _GAIN = 60, 1e-6
#: modes that draws are proposed from, and draws kept; proposals are Student's t, wider than the modes say
_MODES, _KEPT, _DEGREES, _WIDER = 4, 1000, 5, 1.3
#: evaluations that the starts are searched with, spread evenly; the modes found there are taken to all of them
_SEARCHED = 200
#: draws proposed: a few evaluations leave a ridge that needs many, many evaluations leave a peak and cost more each
_FEWEST, _MOST, _WORK = 3000, 10_000, 200_000
#: and walked this many steps, over the number of evaluations, at most so many
_WALKS, _LONGEST = 1000, 40
#: starts: quantiles of the prior that ln S0, ln beta and logit(E/y0) begin at
_NORMAL = (-1.2, 0.0, 1.2)
#: of an evaluation of the untuned model, where S is 0: as far from the data's end as this in ln S
_FARTHEST = 8.0


#: what the columns of `shifts` are, each the logarithm of its ratio to what the runs have most: a history that varies
#: none of them says nothing of their weights, and the prior's doubt is in every forecast of a run made otherwise
SHIFTS = ("peak_rate", "batch_tokens", "epochs")


@dataclass(frozen=True)
class Evaluations:
    """A table of evaluations; those of one run share a number. Finished runs are runs with one evaluation.

    metric: (n,) positive, lower is better; run: (n,); points: where they were made.
    """

    metric: Floats
    run: Ints
    points: HistoryPoints

    def __post_init__(self) -> None:
        if not (len(self.metric) == len(self.run) == len(self.points) > 0):
            raise ValueError("as many metrics as runs and points, and at least one")
        if not (np.isfinite(self.metric).all() and (self.metric > 0).all()):
            raise ValueError("a law over rate-weighted tokens needs a positive metric where lower is better")

    @cached_property
    def end(self) -> float:
        """Logarithm of the most rate-weighted tokens."""
        return float(np.log(max(self.points.rate_tokens.max(), 1.0)))

    def take(self, rows: npt.NDArray[np.bool_] | Ints) -> Evaluations:
        """Some of them."""
        return Evaluations(self.metric[rows], self.run[rows], self.points.take(rows))


@dataclass(frozen=True)
class Errors:
    """Relative sd: `luck` between runs, `noise` of an evaluation, `misfit` of the law per square root of ln S."""

    luck: float
    noise: float
    misfit: float
    #: how many evaluations' worth of knowledge the three are; the data scale them together
    known: float


@dataclass(frozen=True)
class Prior:
    """Normal; of ln y0 - ln(untuned metric), logit(E/y0), ln S0 - ln(end), ln beta, ln C, logit kappa, and `SHIFTS`."""

    mean: tuple[float, ...]
    sd: tuple[float, ...]
    #: where no untuned model was evaluated, ln y0 - ln(highest metric): the first evaluation comes after some gain
    unseen: tuple[float, float]
    errors: Errors

    def at(self, evaluations: Evaluations) -> tuple[Floats, Floats]:
        """(6 + k,) mean and sd of the parameters themselves."""
        mean, sd = np.array(self.mean), np.array(self.sd)
        untuned = evaluations.metric[evaluations.points.rate_tokens <= 0.0]
        if not len(untuned):
            mean[LEVEL], sd[LEVEL] = self.unseen
        mean[LEVEL] += np.log(untuned.mean() if len(untuned) else evaluations.metric.max())
        mean[SCALE] += evaluations.end
        count = CORE + evaluations.points.shifts.shape[1]
        if len(mean) < count:
            raise ValueError(f"the prior weighs {len(mean) - CORE} shifts of {count - CORE}")
        return mean[:count], sd[:count]


@dataclass(frozen=True)
class HistoryForecast:
    """(d, n) draws of the metric of runs not seen, each with its own luck, at n points."""

    draws: Floats

    @property
    def value(self) -> Floats:
        """(n,) medians."""
        return np.asarray(np.median(self.draws, axis=0))

    def interval(self, level: float = 0.9) -> tuple[Floats, Floats]:
        """(n,) low and high."""
        low, high = np.quantile(self.draws, [0.5 - level / 2, 0.5 + level / 2], axis=0)
        return low, high


@dataclass(frozen=True)
class HistoryLaw:
    """draws: (d, 6 + k) of the posterior; scale: (d,) of the errors; best: (6 + k,) the highest mode."""

    evaluations: Evaluations
    errors: Errors
    draws: Floats
    scale: Floats
    best: Floats

    @property
    def past_knee(self) -> float:
        """The chance that the data reach beyond the knee: before it the end of the curve cannot be seen."""
        return float(np.mean(knees(self.draws, self.evaluations.points).max(axis=1) > 0.0))

    def forecast(self, points: HistoryPoints, seed: int = 0) -> HistoryForecast:
        """Separate runs at these points; where the data are, the law follows what they say of its misfit."""
        own, errors = self.evaluations, self.errors
        lower = cholesky(covariance(own, errors), lower=True)
        shared = errors.misfit**2 * _wander(own, own.points, points)
        carried = solve_triangular(lower, shared, lower=True)
        residual = np.log(own.metric) - log_metric(self.draws, own.points)
        towards = solve_triangular(lower, residual.T, lower=True).T @ carried
        alone = errors.misfit**2 * np.abs(_apart(own, points)) + errors.luck**2 + errors.noise**2
        sd = np.sqrt(np.maximum(alone - (carried**2).sum(axis=0), 0.0))
        noise = np.random.default_rng([seed, len(points)]).standard_normal(towards.shape)
        return HistoryForecast(np.exp(log_metric(self.draws, points) + towards + self.scale[:, None] * sd * noise))


def fit(evaluations: Evaluations, prior: Prior, seed: int = 0) -> HistoryLaw:
    """The posterior: the highest modes by Levenberg-Marquardt, then draws around them, weighed."""
    mean, sd = prior.at(evaluations)
    lower = cholesky(covariance(evaluations, prior.errors), lower=True)
    target = _Target(evaluations, mean, sd, lower, prior.errors.known)
    starts = _starts(mean, sd)
    if len(evaluations.metric) > _SEARCHED:
        few = evaluations.take(_spread(evaluations))
        own = cholesky(covariance(few, prior.errors), lower=True)
        starts, _ = _Target(few, mean, sd, own, prior.errors.known).modes(starts)
    modes, heights = target.modes(starts)
    rng = np.random.default_rng([seed, len(evaluations.metric)])
    draws = _weighed(target, modes, heights, rng)
    rest = target.misses(draws)
    # given the parameters, the scale of the errors is inverse gamma: drawn, so that few points stay uncertain of it
    known = prior.errors.known
    scale = np.sqrt((known + rest) / rng.chisquare(known + len(evaluations.metric), len(draws)))
    return HistoryLaw(evaluations, prior.errors, draws, scale, modes[0])


def _spread(evaluations: Evaluations) -> npt.NDArray[np.bool_]:
    """(n,) `_SEARCHED` of them at steps of the golden ratio, which no length of a history is a multiple of, and those
    of the untuned model.
    """
    n = len(evaluations.metric)
    place = np.argsort(np.argsort((np.arange(n) * 0.6180339887498949) % 1.0))
    return np.asarray((place < _SEARCHED) | (evaluations.points.rate_tokens <= 0.0))


def covariance(evaluations: Evaluations, errors: Errors) -> Floats:
    """(n, n) of ln metric about the law, at scale 1."""
    wander = errors.misfit**2 * _wander(evaluations, evaluations.points, evaluations.points)
    same = evaluations.run[:, None] == evaluations.run[None, :]
    return np.asarray(wander + errors.luck**2 * same + errors.noise**2 * np.eye(len(same)))


def _apart(evaluations: Evaluations, points: HistoryPoints) -> Floats:
    """(n,) ln S from the end of the data, negative before it."""
    s = np.log(np.maximum(points.rate_tokens, 1e-300))
    return np.maximum(s - evaluations.end, -_FARTHEST)


def _wander(evaluations: Evaluations, a: HistoryPoints, b: HistoryPoints) -> Floats:
    """(len(a), len(b)) covariance of a Brownian walk in ln S that begins at the end of the data, both ways."""
    left, right = _apart(evaluations, a)[:, None], _apart(evaluations, b)[None, :]
    return np.where(left * right > 0.0, np.minimum(np.abs(left), np.abs(right)), 0.0)


def _starts(mean: Floats, sd: Floats) -> Floats:
    """(27, p) over the three parameters that make modes."""
    grid = np.array(np.meshgrid(_NORMAL, _NORMAL, _NORMAL)).reshape(3, -1).T
    starts = np.tile(mean, (len(grid), 1))
    starts[:, [SCALE, SHAPE, FLOOR]] += grid * sd[[SCALE, SHAPE, FLOOR]]
    return starts


@dataclass(frozen=True)
class _Target:
    """-ln posterior, the errors' scale integrated out: Student's t about the law, normal about the prior."""

    evaluations: Evaluations
    mean: Floats
    sd: Floats
    lower: Floats
    known: float

    def _white(self, values: Floats) -> Floats:
        """(m, n) or (m, n, p), whitened along n."""
        moved = np.moveaxis(values, 1, 0)
        flat = solve_triangular(self.lower, moved.reshape(len(moved), -1), lower=True, check_finite=False)
        return np.moveaxis(flat.reshape(moved.shape), 0, 1)

    def misses(self, theta: Floats) -> Floats:
        """(m,) squared whitened residuals."""
        residual = np.log(self.evaluations.metric) - log_metric(theta, self.evaluations.points)
        return np.asarray((self._white(residual) ** 2).sum(axis=1))

    def height(self, theta: Floats) -> Floats:
        """(m,) -ln posterior."""
        degrees = self.known + len(self.evaluations.metric)
        miss = 0.5 * degrees * np.log1p(self.misses(theta) / self.known)
        return np.asarray(miss + 0.5 * (((theta - self.mean) / self.sd) ** 2).sum(axis=1))

    def _normal(self, theta: Floats) -> tuple[Floats, Floats]:
        """(m, p) gradient and (m, p, p) Gauss-Newton curvature of the height."""
        predicted, slopes = _law(theta, self.evaluations.points)
        residual = self._white(np.log(self.evaluations.metric) - predicted)
        slopes = self._white(slopes)
        weight = (self.known + residual.shape[1]) / (self.known + (residual**2).sum(axis=1))
        gradient = -weight[:, None] * np.einsum("mn,mnp->mp", residual, slopes) + (theta - self.mean) / self.sd**2
        curvature = weight[:, None, None] * (slopes.transpose(0, 2, 1) @ slopes) + np.diag(self.sd**-2.0)
        return gradient, curvature

    def modes(self, theta: Floats) -> tuple[Floats, Floats]:
        """Ends of the searches from (m, p) starts, the best `_MODES` first that differ, and their heights."""
        height, damping = self.height(theta), np.full(len(theta), 1e-2)
        for _ in range(_STEPS):
            gradient, curvature = self._normal(theta)
            damped = curvature + damping[:, None, None] * np.einsum("mpp->mp", curvature)[:, :, None] * np.eye(
                theta.shape[1]
            )
            moved = theta - np.clip(np.linalg.solve(damped, gradient[..., None])[..., 0], -2 * self.sd, 2 * self.sd)
            reached = self.height(moved)
            better = reached < height
            gained = np.where(better, height - reached, 0.0)
            theta, height = np.where(better[:, None], moved, theta), np.where(better, reached, height)
            damping = np.clip(np.where(better, damping * 0.3, damping * 5.0), 1e-8, 1e8)
            if gained.max() < _GAIN and (better | (damping > 1e3)).all():
                break
        order = np.argsort(height, kind="stable")
        kept: list[int] = []
        for i in order:
            if all(np.abs((theta[i] - theta[k]) / self.sd).max() > 0.05 for k in kept):
                kept.append(int(i))
            if len(kept) == _MODES:
                break
        return theta[kept], height[kept]

    def spread(self, theta: Floats) -> Floats:
        """(m, p, p) lower factor of the covariance about each mode."""
        return np.asarray(np.linalg.cholesky(np.linalg.inv(self._normal(theta)[1])))


def _weighed(target: _Target, modes: Floats, heights: Floats, rng: np.random.Generator) -> Floats:
    """(_KEPT, p) draws of the posterior: proposed about the modes and about the prior, then resampled by weight."""
    p = modes.shape[1]
    count = int(np.clip(_WORK / len(target.evaluations.metric), _FEWEST, _MOST))
    spread = np.concatenate([target.spread(modes) * _WIDER, np.diag(target.sd)[None]])
    centres = np.concatenate([modes, target.mean[None]])
    share = np.exp(-0.5 * (heights - heights.min()))
    # a tenth from the prior itself: a ridge that no mode stands on is still walked
    share = np.append(0.9 * share / share.sum(), 0.1)
    from_mode = rng.choice(len(share), count, p=share)
    tail = np.sqrt(_DEGREES / rng.chisquare(_DEGREES, count))
    step = rng.standard_normal((count, p)) * tail[:, None]
    draws = centres[from_mode] + np.einsum("mpq,mq->mp", spread[from_mode], step)
    proposal = np.empty((len(share), count))
    for k, (centre, lower) in enumerate(zip(centres, spread, strict=True)):
        far = (solve_triangular(lower, (draws - centre).T, lower=True) ** 2).sum(axis=0)
        logdet = float(np.log(np.diag(lower)).sum())
        proposal[k] = np.log(share[k]) - logdet - 0.5 * (_DEGREES + p) * np.log1p(far / _DEGREES)
    weight = -target.height(draws) - logsumexp(proposal, axis=0)
    weight = np.exp(weight - weight.max())
    # systematic resampling: no more noise than the weights have
    places = (np.arange(_KEPT) + rng.random()) / _KEPT
    chosen = np.searchsorted(np.cumsum(weight) / weight.sum(), places)
    return _walked(target, draws[np.minimum(chosen, count - 1)], rng)


def _walked(target: _Target, draws: Floats, rng: np.random.Generator) -> Floats:
    """The same draws after some steps of differential-evolution MCMC (ter Braak 2006): copies part, ridges fill."""
    half, p = len(draws) // 2, draws.shape[1]
    height = target.height(draws)
    for step in range(int(np.clip(_WALKS / len(target.evaluations.metric), 2, _LONGEST))):
        for own, other in ((slice(0, half), slice(half, None)), (slice(half, None), slice(0, half))):
            first, second = (draws[other][rng.integers(0, half, half)] for _ in range(2))
            # every fifth step as far as two draws lie apart, from mode to mode
            stride = 1.0 if step % 5 == 4 else 2.38 / np.sqrt(2 * p)
            moved = draws[own] + stride * (first - second) + 1e-4 * target.sd * rng.standard_normal((half, p))
            reached = target.height(moved)
            taken = np.log(rng.random(half)) < height[own] - reached
            draws[own][taken], height[own][taken] = moved[taken], reached[taken]
    return draws


#: what one run cannot tell. A fine-tune keeps between a third and three quarters of its untuned loss however long it
#: goes on; the knee may be anywhere within three powers of e of the end of a run; beta about a half (Lin et al. 2024
#: have 0.3 over five decades, single histories 0.4 to 1); a rate that has gone adds a sixteenth to what is gained, and
#: tokens at no rate would count for a third. Then `SHIFTS`: steps that are twice as large, or half as many, bring less
#: than twice and more than half. `benchmarks/histories.py` prints what the shipped histories teach.
PRIOR = Prior(
    mean=(0.01, -0.1, 0.0, -0.45, -2.9, -0.6, 0.7, -0.7, -0.3),
    sd=(0.04, 0.6, 3.0, 0.35, 0.6, 0.9, 0.3, 0.3, 0.2),
    unseen=(0.2, 0.15),
    errors=Errors(luck=0.006, noise=0.002, misfit=0.012, known=10.0),
)
