"""How far the utilisation (MFU) of a new run may be from what is reckoned with: what published runs had.

Runs of one source share its software and its cluster: each source counts once, by its mean. What is known of a GPU,
tuning, length and number of GPUs is what the nearest runs say, and the range is one of a new source: log-normal, its
spread shrunk to what sources differ by in general.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from math import exp, log, sqrt
from statistics import fmean

#: standard normal quantile of 95 %: a 90 % range
Z90 = 1.6448536269514722
#: what sources differ by, as a standard deviation of ln MFU, and how many sources that counts for: two sources of 8
#: GPUs lie 0.31 apart on the A100 and on the H100, one source at another length or tuning 0.1 to 0.3
BETWEEN, PRIOR_VALUES = 0.2, 3.0
#: runs of one team's own: the same rows twice differ by 1 % (training-hub.toml), other lengths by 16 %
OWN = 0.1
#: lengths, and numbers of GPUs, within this factor are alike
LIKE_LENGTH, LIKE_GPUS = 4.0, 8.0
#: no run gets more out of a GPU
MOST = 0.85


@dataclass(frozen=True)
class MeasuredRun:
    """One published run. gpu: name of a preset; length: tokens that attention spans, 0 where nothing tells."""

    gpu: str
    gpus: int
    tuning: str
    length: float
    mfu: float
    source: str


@dataclass(frozen=True)
class Spread:
    """A 90 % range of MFU, the runs behind it, and in words what they have in common with the plan."""

    low: float
    high: float
    runs: tuple[MeasuredRun, ...]
    alike: str

    def __str__(self) -> str:
        sources = len({r.source for r in self.runs})
        return (
            f"{100 * self.low:.0f} to {100 * self.high:.0f} % by {len(self.runs)} published "
            f"run{'s' * (len(self.runs) > 1)} of {sources} source{'s' * (sources > 1)} ({self.alike})"
        )


def spread(
    measured: Sequence[MeasuredRun], gpu: str, tuning: str, length: float, gpus: int, centre: float
) -> Spread | None:
    """The range of a new run that is reckoned with at `centre`, which it always holds. None without runs of the tuning.

    Runs of the same GPU are taken where there are any, of those the ones of like length, of those on like many GPUs.
    """
    near, alike = [r for r in measured if r.tuning == tuning], [f"{tuning} tuning"]
    if not near:
        return None
    for same, words in (
        ([r for r in near if r.gpu == gpu], gpu),
        ([r for r in near if r.length and _within(r.length, length, LIKE_LENGTH)], f"near {length:,.0f} tokens"),
        ([r for r in near if _within(r.gpus, gpus, LIKE_GPUS)], f"near {gpus} GPU{'s' * (gpus > 1)}"),
    ):
        kept = [r for r in near if r in same]
        if kept:
            near, alike = kept, [*alike, words]
    by_source = {r.source: [x.mfu for x in near if x.source == r.source] for r in near}
    means = [fmean(map(log, mfus)) for mfus in by_source.values()]
    wide = Z90 * _sd(means, BETWEEN) * sqrt(1.0 + 1.0 / len(means))
    low, high = exp(fmean(means) - wide), min(exp(fmean(means) + wide), MOST)
    return Spread(min(low, centre), max(high, centre), tuple(near), ", ".join(alike))


def own_spread(mfus: Sequence[float]) -> tuple[float, float, float]:
    """The mean MFU of one's own runs, and the 90 % range of the next one."""
    logs = [log(mfu) for mfu in mfus]
    wide = Z90 * _sd(logs, OWN) * sqrt(1.0 + 1.0 / len(logs))
    middle = exp(fmean(logs))
    return middle, middle * exp(-wide), min(middle * exp(wide), 1.0)


def _sd(values: Sequence[float], before: float) -> float:
    """Standard deviation, with a prior that is worth PRIOR_VALUES of them."""
    middle = fmean(values)
    squares = sum((v - middle) ** 2 for v in values)
    return sqrt((PRIOR_VALUES * before**2 + squares) / (PRIOR_VALUES + len(values) - 1.0))


def _within(a: float, b: float, factor: float) -> bool:
    return 1.0 / factor <= a / b <= factor
