"""Choosing a selection method on real fine-tunes of 3B to 7B models, by model and target, from small sizes to large.

Each table is one model and target of `targeted`; every horizon is fitted on the smaller sizes only. What the choice has
to be told, how fast a lead is forgotten, is set on the other models and printed so; the shipped constant is theirs all.
"""

from __future__ import annotations

import csv
from collections import defaultdict
from collections.abc import Callable
from functools import cache
from typing import Any

import numpy as np
from figures import DATA, Absent, Figure
from scipy.stats import spearmanr

from ftplan.fit.features import prepare
from ftplan.fit.result import Winner
from ftplan.fit.winner import CHOICE_MEMORY, winner
from ftplan.runs import Metric, from_rows

SCORE = Metric("score", "max", "percent")
POOL = 197_000.0
SIZES = (500, 1000, 2500, 5000, 10000)
#: (fitted up to, judged at); the memory is set on all of them, the figures are of the first two
HORIZONS = ((5000, 10000), (2500, 10000), (2500, 5000), (1000, 5000), (1000, 2500))
MEMORIES = (0.5, 1.0, 2.5, 6.0)
CLAIMED = 0.9
#: kap, a worth in rows, is told where more random rows raise it by at least this much from the least size to the
#: largest, in standard errors of that
MOVED = 2.0

Key = tuple[str, str]
Rows = list[dict[str, Any]]


@cache
def tables() -> dict[Key, Rows]:
    """(model, target) -> canonical rows with score and dev_loss."""
    path = DATA / "targeted" / "runs.csv"
    if not path.is_file():
        raise Absent(f"{path.name} of targeted is not beside the checkout: left out")
    out: dict[Key, Rows] = defaultdict(list)
    with path.open(newline="", encoding="utf-8") as file:
        for r in csv.DictReader(file):
            if r["method"]:
                method = "random" if r["method"] == "Random" else r["method"]
                row = {"examples": float(r["examples"]), "epochs": 2.0, "method": method, "seed": float(r["seed"])}
                numbers = {"pool_examples": POOL, "score": float(r["score"]), "dev_loss": float(r["dev_loss"])}
                out[r["model"], r["target"]].append({**row, **numbers})
    return dict(out)


def means(rows: Rows, metric: str = "score") -> dict[str, dict[int, float]]:
    """Method -> size -> mean over seeds."""
    values: dict[str, dict[int, list[float]]] = defaultdict(lambda: defaultdict(list))
    for r in rows:
        values[r["method"]][int(r["examples"])].append(r[metric])
    return {m: {n: float(np.mean(v)) for n, v in own.items()} for m, own in values.items()}


@cache
def chosen(key: Key, most: int, memory: float) -> Winner:
    rows = [r for r in tables()[key] if r["examples"] <= most]
    found = winner(prepare(from_rows(rows, SCORE, source="targeted")), memory=memory)
    assert found is not None
    return found


def lost(key: Key, at: int, method: str) -> float:
    """Points below the best method at a size."""
    there = means(tables()[key])
    return max(own[at] for own in there.values()) - there[method][at]


def mean_lost(keys: list[Key], horizon: tuple[int, int], choose: Callable[[Key, int], str]) -> float:
    most, at = horizon
    return float(np.mean([lost(k, at, choose(k, most)) for k in keys]))


def last_best(key: Key, most: int) -> str:
    there = means(tables()[key])
    return max(there, key=lambda m: there[m][most])


def any_best(key: Key, most: int) -> str:
    there = means(tables()[key])
    return max(there, key=lambda m: max(v for n, v in there[m].items() if n <= most))


def best_memory(keys: list[Key]) -> float:
    """The memory that loses least over all horizons."""

    def total(memory: float) -> float:
        return sum(mean_lost(keys, h, lambda k, most: chosen(k, most, memory).method) for h in HORIZONS)

    return min(MEMORIES, key=total)


def kaps(key: Key) -> dict[str, float]:
    """Kap of each method on score: gain over random choice at each size, in ln D of random's own log-linear curve."""
    there = means(tables()[key])
    x = np.log(SIZES)
    line = np.polyfit(x, [there["random"][n] for n in SIZES], 1)
    noise = np.std([there["random"][n] for n in SIZES] - np.polyval(line, x), ddof=2)
    if line[0] * np.ptp(x) < MOVED * noise:
        return {}
    gain = {m: np.mean([(own[n] - there["random"][n]) / np.log(POOL / n) for n in SIZES]) for m, own in there.items()}
    return {m: float(g / line[0]) for m, g in gain.items() if m != "random"}


def correlation(key: Key) -> float:
    """Spearman's of -dev_loss and score over methods and sizes, seeds averaged."""
    score, loss = (means(tables()[key], metric) for metric in ("score", "dev_loss"))
    cells = [(score[m][n], -loss[m][n]) for m in score for n in score[m]]
    return float(spearmanr(*zip(*cells, strict=True)).statistic)


def measure(_full: bool) -> list[Figure]:
    """Points lost, claims, what loss says of score, and what methods are worth by target."""
    keys = list(tables())
    without = {m: best_memory([k for k in keys if k[0] != m]) for m in sorted({model for model, _ in keys})}
    rho = _spread([correlation(k) for k in keys])
    return [
        *(f for horizon in HORIZONS[:2] for f in (_lost(keys, horizon, without), _claimed(keys, horizon, without))),
        Figure("rank correlation of -dev_loss and score within a table, median (range)", rho),
        *_worth(keys),
    ]


def _lost(keys: list[Key], horizon: tuple[int, int], without: dict[str, float]) -> Figure:
    most, at = horizon
    ours = mean_lost(keys, horizon, lambda k, n: chosen(k, n, without[k[0]]).method)
    shipped = mean_lost(keys, horizon, lambda k, n: chosen(k, n, CHOICE_MEMORY).method)
    last, best = (mean_lost(keys, horizon, rule) for rule in (last_best, any_best))
    return Figure(
        f"method for {at:,} from <= {most:,}, {len(keys)} tables: mean points lost, memory set without the model",
        f"{ours:.2f} ({shipped:.2f} with the shipped memory)",
        f"{min(last, best):.2f}",
        ours <= min(last, best) + 0.005,
        f"best at the last size {last:.2f}, at any size {best:.2f}",
    )


def _claimed(keys: list[Key], horizon: tuple[int, int], without: dict[str, float]) -> Figure:
    most, at = horizon
    winners = {k: chosen(k, most, without[k[0]]) for k in keys}
    sure = [k for k, w in winners.items() if w.probability >= CLAIMED]
    wrong = [k for k in sure if not _right(k, at, winners[k])]
    best = sum(lost(k, at, winners[k].method) <= 0.0 for k in sure)
    odds = float(np.mean([winners[k].best for k in sure])) if sure else 0.0
    return Figure(
        f"the same: tables where a method is claimed at {CLAIMED:.0%} to be better than `over`, and wrong ones",
        f"{len(sure)} of {len(keys)}, {len(wrong)} wrong",
        "a quarter, 12 %",
        len(sure) >= 0.25 * len(keys) and len(wrong) <= 0.12 * len(sure),
        f"best of all eight: {best} of the claimed, their mean odds of that {odds:.2f}",
    )


def _worth(keys: list[Key]) -> list[Figure]:
    """Kap of each method by target, and its 5 to 95 % range over targets and models."""
    found: dict[str, dict[str, list[float]]] = defaultdict(lambda: defaultdict(list))
    for key in keys:
        for method, kap in kaps(key).items():
            found[method][key[1]].append(kap)
    out = []
    for method, targets in sorted(found.items()):
        each = ", ".join(f"{t} {np.median(v):+.2f} ({len(v)})" for t, v in sorted(targets.items()))
        low, high = np.quantile([v for values in targets.values() for v in values], [0.05, 0.95])
        out.append(
            Figure(f"kap[{method}] on score, median by target (models)", each, rivals=f"{low:.2f} to {high:.2f}")
        )
    return out


def _right(key: Key, at: int, found: Winner) -> bool:
    there = means(tables()[key])
    return there[found.method][at] > there[found.over][at]


def _spread(values: list[float]) -> str:
    return f"{np.median(values):.2f} ({np.min(values):.2f} to {np.max(values):.2f})"
