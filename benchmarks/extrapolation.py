"""Fine-tuning losses of 30 models on two tasks: error beyond the data, coverage of intervals, error inside.

Every curve is fitted and predicted by itself: no figure here uses the other series of its table.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

import numpy as np
from extrapolation_rivals import RULES, Floats
from figures import Figure, table

from ftplan.fit import fit_runs, predict_rows
from ftplan.runs import RunTable

TASKS = ("flan", "wmt19")
#: (fitted up to, predicted, error to stay under in %)
HORIZONS = (
    (12_800, 51_200, 3.4),
    (51_200, 204_800, 2.8),
    (204_800, 819_200, 2.4),
    (204_800, 1_638_400, 4.0),
    (51_200, 1_638_400, 8.4),
)
CUTS = tuple(12_800 * 2**k for k in range(7))
LOG_RMSD = {"flan": 0.0064, "wmt19": 0.0116}
WIDTH = {(51_200, 204_800): 9.0, (204_800, 819_200): 9.0}


@dataclass(frozen=True)
class Forecast:
    """All curves at one size beyond a cut, each (60,)."""

    measured: Floats
    value: Floats
    low: Floats
    high: Floats

    @property
    def error(self) -> float:
        """Mean absolute relative error in %."""
        return float(100.0 * np.mean(np.abs(self.value / self.measured - 1.0)))

    @property
    def covered(self) -> int:
        return int(((self.low <= self.measured) & (self.measured <= self.high)).sum())

    @property
    def width(self) -> float:
        """Median width in % of the loss."""
        return float(100.0 * np.median((self.high - self.low) / self.measured))


@cache
def tuned(task: str) -> RunTable:
    runs = table(f"rectified/{task}.csv", by="model")
    return runs.subset(runs.examples > 0.0)


@cache
def forecasts(cut: int) -> dict[int, Forecast]:
    """By size: both tasks fitted on sizes up to `cut` with `auto`, predicted beyond it."""
    parts: dict[int, list[Floats]] = {}
    for task in TASKS:
        runs = tuned(task)
        beyond = runs.subset(runs.examples > cut)
        found = predict_rows(fit_runs(runs.subset(runs.examples <= cut), draws=0), beyond)
        numbers = np.array([(p.value, p.low, p.high) for p in found])
        for size in sorted(set(beyond.examples.tolist())):
            own = beyond.examples == size
            parts.setdefault(int(size), []).append(np.column_stack([beyond.value[own], numbers[own]]))
    return {size: Forecast(*np.concatenate(rows).T) for size, rows in parts.items()}


def matrix() -> tuple[Floats, Floats]:
    """Sizes (14,), and losses (60, 14) of all curves."""
    rows = []
    for task in TASKS:
        runs = tuned(task)
        sizes = np.array(sorted(set(runs.examples.tolist())))
        for key in runs.groups:
            own = np.array([group == key for group in runs.group])
            rows.append(runs.value[own][np.argsort(runs.examples[own])])
    return sizes, np.array(rows)


def errors() -> Iterator[Figure]:
    sizes, losses = matrix()
    for cut, size, target in HORIZONS:
        known, wanted = sizes <= cut, sizes == size
        theirs = {}
        for name, rule in RULES.items():
            predicted = rule(np.log(sizes[known]), losses[:, known], np.log(sizes[wanted]))
            theirs[name] = float(100.0 * np.mean(np.abs(predicted / losses[:, wanted] - 1.0)))
        ours = forecasts(cut)[size].error
        yield Figure(
            f"mean error {cut:,} to {size:,} examples",
            f"{ours:.2f} %",
            f"< {target} %",
            ours < min(target, *theirs.values()),
            "; ".join(f"{name} {value:.1f}" for name, value in theirs.items()),
        )


def coverage() -> Iterator[Figure]:
    for times in (2, 4, 8, 128):
        every = [forecasts(cut)[cut * times] for cut in CUTS if cut * times in forecasts(cut)]
        hits, points = sum(f.covered for f in every), sum(len(f.value) for f in every)
        target = "85-95 %" if times <= 8 else "wide"
        widths = ", ".join(f"{f.width:.1f}" for f in every)
        holds = 0.85 <= hits / points <= 0.95 if times <= 8 else None
        what = f"90 % intervals at {times}x, all cuts: covered"
        yield Figure(
            what, f"{hits / points:.1%} of {points}", target, holds, f"median widths by cut, % of the loss: {widths}"
        )
    for (cut, size), limit in WIDTH.items():
        found = forecasts(cut)[size]
        yield Figure(
            f"median width {cut:,} to {size:,}",
            f"{found.width:.1f} % ({found.covered / len(found.value):.0%} covered)",
            f"<= {limit:.0f} %",
            found.width <= limit,
            "PyPI simple-scaling-laws 0.2.0, not in this run: 11.7 %, 91 % covered at nominal 95 %",
        )


def inside() -> Iterator[Figure]:
    """Log-RMSD of the rectified law fitted to whole curves."""
    for task, target in LOG_RMSD.items():
        runs = tuned(task)
        fit = fit_runs(runs, ["rectified"], draws=0)
        logs = np.log([p.value for p in predict_rows(fit, runs)]) - np.log(runs.value)
        each = [np.sqrt(np.mean(logs[[g == key for g in runs.group]] ** 2)) for key in runs.groups]
        ours = float(np.mean(each))
        yield Figure(f"rectified on {task}, mean log-RMSD", f"{ours:.4f}", f"<= {target}", round(ours, 4) <= target)


def measure(full: bool) -> list[Figure]:
    del full
    return [*errors(), *coverage(), *inside()]
