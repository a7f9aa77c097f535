"""From shortfalls to advice: which design is best, what is as good, and what it can be expected to leave."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from ftplan.fit.borrowed import Z90
from ftplan.laws.parts import Floats
from ftplan.simulate.layout import Layout
from ftplan.simulate.pilots import Study, Work, done, without_runs

#: resamples of the truths behind "as good as"
RESAMPLES = 1000
#: a difference of medians below this share of the noise of one run is no difference: no one could ever measure it
RESOLUTION = 0.02
#: medians within this share of it are one number, and the mean decides: where the best length is the longest there is,
#: most plans are exactly right
SAME = 0.05


@dataclass(frozen=True)
class Shortfall:
    """By how much plans fall short of the best one, over truths, in the metric's unit.

    low, high: 90 % interval of the median for the number of truths; ninth: nine in ten truths are not above it.
    """

    median: float
    low: float
    high: float
    mean: float
    ninth: float
    truths: int


@dataclass(frozen=True)
class Standing:
    """A design with a number of runs. tied: not told from the best one, by the truths that both were tried on."""

    design: str
    runs: int
    layout: Layout
    shortfall: Shortfall
    tied: bool


@dataclass(frozen=True)
class Advice:
    """The answer. standings: best first, the recommended design at the top; forecast: of that one, on other truths.

    sample: of a plain sample of the pool, without any pilot run; as_it_stands: of the plan by the prior's estimates,
    worth what it says only where the prior is about this very model and data; nothing: differences below it are none;
    helps: whether the recommended runs leave less than the plain sample, beyond chance.
    """

    standings: tuple[Standing, ...]
    forecast: Shortfall
    sample: Shortfall
    as_it_stands: Shortfall | None
    nothing: float
    helps: bool

    @property
    def best(self) -> Standing:
        return self.standings[0]


def advise(study: Study, work: Work, own_plan: tuple[int, float] | None, nothing: float) -> Advice:
    """Compare all candidates, and forecast the best. own_plan: row of the grid and examples of the prior's own plan."""
    found = done(study, list(study.layouts), work)
    order = sorted(
        found, key=lambda name: (round(float(np.median(found[name])) / (SAME * nothing)), found[name].mean())
    )
    best = order[0]
    standings = [
        Standing(
            design=name.split("/")[0],
            runs=len(study.layouts[name]),
            layout=study.layouts[name],
            shortfall=summary(found[name]),
            tied=name != best and not worse(found[name], found[best], nothing, study.seed),
        )
        for name in order
    ]
    forecast = done(study, [best], work, forecast=True)[best]
    sample = without_runs(study)
    return Advice(
        standings=tuple(standings),
        forecast=summary(forecast),
        sample=summary(sample),
        as_it_stands=None if own_plan is None else summary(without_runs(study, *own_plan)),
        nothing=nothing,
        helps=worse(sample, forecast, nothing, study.seed),
    )


def summary(values: Floats) -> Shortfall:
    """Median with its distribution-free interval (order statistics), mean and ninth decile."""
    ordered = np.sort(values)
    n = len(ordered)
    away = Z90 * np.sqrt(n) / 2.0
    low, high = max(int(np.floor(n / 2.0 - away)), 0), min(int(np.ceil(n / 2.0 + away)), n - 1)
    return Shortfall(
        median=float(np.median(ordered)),
        low=float(ordered[low]),
        high=float(ordered[high]),
        mean=float(ordered.mean()),
        ninth=float(np.quantile(ordered, 0.9)),
        truths=n,
    )


def worse(values: Floats, best: Floats, nothing: float, seed: int) -> bool:
    """Whether the median of one is above that of the other by more than chance: 95 % of resampled truths agree, and
    the difference is more than nothing. Both under the same truths.
    """
    if np.median(values) - np.median(best) <= nothing:
        return False
    pick = np.random.default_rng(seed).integers(0, len(values), size=(RESAMPLES, len(values)))
    gap = np.median(values[pick], axis=1) - np.median(best[pick], axis=1)
    return bool(np.mean(gap > 0.0) >= 0.95)


def by_runs(standings: Sequence[Standing]) -> tuple[Standing, ...]:
    """The best design of every number of runs, fewest first."""
    best: Mapping[int, Standing] = {s.runs: s for s in reversed(standings)}
    return tuple(best[runs] for runs in sorted(best))
