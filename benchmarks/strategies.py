"""Which length at a fixed number of tokens (pyfunc): what the predicted best of five lengths loses, cells left out.

The runs have 20 design points (T, L) for each of three sizes. At each size and T the best of the five lengths is
predicted, each length by a fit without its own design point, the choice of law done again; what was measured there is
held against the best measured. Differences are judged by what `ftplan compare strategies` judges with.

Two runs of 4,096 tokens with other seeds differ by as much as lengths do. `strategies_seeds.csv` has twelve of each of
those cells, made later by the same scripts: the pool differs in three of 58,949 functions, the pre-training texts a
little more (untuned loss of m 4.790, 4.835 in the shipped runs). They say what the best of the five lengths is worth
where two seeds cannot.
"""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from figures import Figure, pyfunc, series

from ftplan.compare.strategies import TIED_ERRORS, judged
from ftplan.fit import fit_runs, predictor
from ftplan.fit.result import Fit
from ftplan.laws.parts import Floats
from ftplan.runs import RunTable

LENGTHS = (32, 64, 128, 256, 448)
VOLUMES = (4_096, 16_384, 65_536, 262_144)
#: nats that the predicted best length may lose
ALLOWED = 0.02
#: twelve seeds of every cell of VOLUMES[0]
SEEDS = Path(__file__).with_name("strategies_seeds.csv")
#: runs belong to the design point that they are nearest to, and lie within 30 % of it
NEAR = 0.3


@dataclass(frozen=True)
class Cell:
    """One size and design point, left out. predicted: expected loss; draws: (B,); measured: mean over seeds; length: L
    of the design.
    """

    length: int
    predicted: float
    draws: Floats
    measured: float


#: (size, T) -> its five lengths
Rows = dict[tuple[str, int], list[Cell]]


def measure(full: bool) -> list[Figure]:
    del full
    runs = pyfunc(untuned=True)
    noise = {volume: seed_noise(runs, volume) for volume in VOLUMES}
    alone: Rows = {}
    for size in runs.groups:
        alone |= left_out(series(runs, size), lambda rows: fit_runs(rows, draws=0), size)
    jointly = left_out(runs, lambda rows: fit_runs(rows, draws=0, share="shape"), "")
    return [
        *figures("each size by itself", alone, noise),
        *figures("three sizes jointly, (T, L) out of all", jointly, noise),
        *again(alone),
    ]


def again(rows: Rows) -> list[Figure]:
    """What the predicted best length of the smallest runs loses, by twelve seeds of every length."""
    with SEEDS.open(newline="", encoding="utf-8") as lines:
        found = {(r["size"], int(r["target_len"]), r["seed"]): float(r["loss"]) for r in csv.DictReader(lines)}
    seeds = sorted({seed for _, _, seed in found})
    out = []
    for (size, volume), cells in rows.items():
        if volume != VOLUMES[0]:
            continue
        losses = np.array([[found[size, cell.length, seed] for seed in seeds] for cell in cells])
        chosen, best = int(np.argmin([c.predicted for c in cells])), int(np.argmin(losses.mean(axis=1)))
        gaps = losses[chosen] - losses[best]
        error = float(gaps.std(ddof=1)) / len(seeds) ** 0.5
        said = f"{cells[chosen].length}: {gaps.mean():.3f} ± {error:.3f}, best measured {cells[best].length}"
        held = bool(gaps.mean() <= ALLOWED)
        out.append(Figure(f"{size}, {volume:,} tokens, {len(seeds)} seeds each, made again", said, "", held))
    return out


def left_out(runs: RunTable, fit: Callable[[RunTable], Fit], key: str) -> Rows:
    """Every design point predicted by a fit without it, in all sizes that are fitted together."""
    points, rng = design_points(runs), np.random.default_rng(0)
    out: Rows = {}
    for volume in VOLUMES:
        for length in LENGTHS:
            here = np.array([point == (volume, length) for point in points])
            model = predictor(fit(runs.subset(~here)), key)
            for size in runs.groups:
                rows = runs.subset(here & np.array([group == size for group in runs.group]))
                seen = model.features(rows)
                # every length has draws of a fit of its own: they share no luck, whatever the seed
                draws = rng.permutation(model.draws(seen).mean(axis=1))
                cell = Cell(length, float(model.point(seen).mean()), draws, float(rows.value.mean()))
                out.setdefault((size, volume), []).append(cell)
    return out


def figures(what: str, rows: Rows, noise: dict[int, float]) -> list[Figure]:
    """How many of the cells of size and T hold, then each of them."""
    each = [row_figure(size, volume, cells, noise[volume]) for (size, volume), cells in rows.items()]
    held = sum(bool(figure.holds) for figure in each)
    return [Figure(f"{what}: cells within {ALLOWED} nats", f"{held} of {len(each)}", "all", held == len(each)), *each]


def row_figure(size: str, volume: int, cells: list[Cell], noise: float) -> Figure:
    """The predicted best length, what it loses, and how the first two of both rankings compare."""
    predicted = np.array([cell.predicted for cell in cells])
    measured = np.array([cell.measured for cell in cells])
    chosen, best = int(np.argmin(predicted)), int(np.argmin(measured))
    lost = float(measured[chosen] - measured[best])
    short = judged(predicted, np.stack([cell.draws for cell in cells], axis=1), 0.9)
    second = int(np.argsort(predicted)[1])
    next_best = int(np.argsort(measured)[1])
    # the mean of two seeds against that of two others
    between, error = float(measured[next_best] - measured[best]), noise
    said = [
        f"predicted {cells[chosen].length} before {cells[second].length} by {short[second].value:.3f} "
        f"± {short[second].standard_error:.3f}{': tied' if short[second].tied else ''}",
        f"measured {cells[best].length} before {cells[next_best].length} by {between:.3f} ± {error:.3f}"
        f"{': tied' if between <= TIED_ERRORS * error else ''}",
    ]
    return Figure(
        f"{size}, {volume:,} tokens", f"{cells[chosen].length}: {lost:.3f}", "", lost <= ALLOWED, "; ".join(said)
    )


def design_points(runs: RunTable) -> list[tuple[int, int] | None]:
    """(T, L) of each run; None before tuning."""
    out: list[tuple[int, int] | None] = []
    for volume, length in zip(runs.tokens, runs.avg_tokens, strict=True):
        if not np.isfinite(length):
            out.append(None)
            continue
        t, at = (min(points, key=lambda p: abs(np.log(v / p))) for points, v in ((VOLUMES, volume), (LENGTHS, length)))
        assert max(abs(np.log(volume / t)), abs(np.log(length / at))) < NEAR
        out.append((t, at))
    return out


def seed_noise(runs: RunTable, volume: int) -> float:
    """Standard deviation of a run at one T over seeds, pooled over sizes and lengths."""
    cells: dict[tuple[str, int], list[float]] = {}
    for group, point, value in zip(runs.group, design_points(runs), runs.value, strict=True):
        if point is not None and point[0] == volume:
            cells.setdefault((group, point[1]), []).append(float(value))
    return float(np.sqrt(np.mean([np.var(values, ddof=1) for values in cells.values()])))
