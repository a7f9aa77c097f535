"""Planning by enumeration, independent of the planner: its own geometry, costs and law, from the formulas in print.

Every way to take rows out of the pool is counted (how many rows, how many tokens), every choice is tried with each.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise, product
from math import log
from typing import Any

import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
#: half a token: how near the mean of a set of rows must come to the one that is named
NEAR = 0.5
#: rows times tokens beyond which neighbouring totals are all reachable, and bands are drawn from evenly
LARGE = 2**18


@dataclass(frozen=True)
class Draw:
    """What can be drawn: N rows with mean L, from the band (shortest, longest)."""

    examples: Floats
    length: Floats
    band: npt.NDArray[np.intp]
    bands: list[list[int]]


@dataclass(frozen=True)
class Pick:
    """One discrete choice."""

    model: Any
    tuning: str
    method: str
    selector: Any
    epochs: float


def cut_rows(case: Any) -> list[int]:
    return sorted(min(v, case.max_length) for v in case.lengths)


def takes(rows: list[int]) -> npt.NDArray[np.bool_]:
    """(rows + 1, tokens + 1) whether some n of the rows have s tokens together."""
    table = np.zeros((len(rows) + 1, sum(rows) + 1), dtype=bool)
    table[0, 0] = True
    for done, row in enumerate(rows):
        # from the fullest down, so that no row is taken twice
        for n in range(done, -1, -1):
            table[n + 1, row:] |= table[n, : table.shape[1] - row]
    return table


def bands_of(rows: list[int]) -> list[list[int]]:
    """The rows of every length band, from the one that starts and then ends at the shortest length."""
    sizes = sorted(set(rows))
    return [[v for v in rows if lo <= v <= hi] for i, lo in enumerate(sizes) for hi in sizes[i:]]


def draws(case: Any) -> Draw:
    """Every (N, L) of the pool, with the band nearest to L in mean (half a token counts as nothing) and then widest.

    In a large pool L is the mean of a band: of those that start at the shortest row or end at the longest, and where
    these are more than a token apart, of the widest band for every half token between.
    """
    rows = cut_rows(case)
    bands = bands_of(rows)
    if len(rows) * sum(rows) > LARGE:
        return _large(case, rows, bands)
    mean = sum(rows) / len(rows)
    held = case.avg_tokens if case.avg_tokens is not None else None if case.free_length else mean
    if held is None:
        found = _free(rows, bands, *case.length_range)
        if len(found.examples):
            return found
        held = mean
    return _held(rows, bands, held)


def _large(case: Any, rows: list[int], bands: list[list[int]]) -> Draw:
    means = [sum(b) / len(b) for b in bands]
    low, high = case.length_range

    def widest(mean: float) -> int | None:
        near = [i for i in range(len(bands)) if abs(means[i] - mean) <= NEAR]
        return max(near, key=lambda i: len(bands[i])) if near else None

    held = case.avg_tokens if case.avg_tokens is not None else None if case.free_length else sum(rows) / len(rows)
    if held is None:
        chosen = [i for i, b in enumerate(bands) if b[0] == rows[0] or b[-1] == rows[-1]]
        at = sorted(means[i] for i in chosen)
        for left, right in pairwise(at):
            if right - left > 2 * NEAR:
                chosen += [k for k in map(widest, np.arange(left + NEAR, right, NEAR)) if k is not None]
        lengths = {i: means[i] for i in dict.fromkeys(chosen) if low <= means[i] <= high}
        held = sum(rows) / len(rows)
    if case.avg_tokens is not None or not case.free_length or not lengths:
        only = widest(held)
        lengths = {} if only is None else {only: held}
    sizes = [np.arange(1.0, len(bands[i]) + 1.0) for i in lengths]
    count = [len(n) for n in sizes]
    band = np.repeat(np.arange(len(sizes)), count)
    kept = [bands[i] for i in lengths]
    return Draw(np.concatenate([np.empty(0), *sizes]), np.repeat(list(lengths.values()), count), band, kept)


def _free(rows: list[int], bands: list[list[int]], low: float, high: float) -> Draw:
    shape = (len(rows) + 1, sum(rows) + 1)
    away, width, band = np.full(shape, np.inf), np.zeros(shape), np.full(shape, -1)
    n, s = np.arange(shape[0])[:, None], np.arange(shape[1])[None, :]
    length = s / np.maximum(n, 1)
    for i, inside in enumerate(bands):
        table = takes(inside)
        r, t = table.shape
        distance = np.round(np.maximum(np.abs(sum(inside) / len(inside) - length[:r, :t]), NEAR), 9)
        part = (slice(0, r), slice(0, t))
        nearer = (distance < away[part]) | ((distance == away[part]) & (len(inside) > width[part]))
        take = table & nearer & (n[:r] > 0)
        away[part][take], width[part][take], band[part][take] = distance[take], len(inside), i
    keep = (band >= 0) & (length >= low) & (length <= high)
    return Draw(np.broadcast_to(n, shape)[keep].astype(float), length[keep], band[keep], bands)


def _held(rows: list[int], bands: list[list[int]], mean: float) -> Draw:
    order = sorted(
        range(len(bands)),
        key=lambda i: (round(max(abs(sum(bands[i]) / len(bands[i]) - mean), NEAR), 9), -len(bands[i]), i),
    )
    tables = {i: takes(bands[i]) for i in order}
    examples, chosen = [], []
    for n in range(1, len(rows) + 1):
        for i in order:
            if n < len(tables[i]):
                totals = np.flatnonzero(tables[i][n])
                if (np.abs(totals / n - mean) <= NEAR).any():
                    examples.append(float(n))
                    chosen.append(i)
                    break
    return Draw(np.array(examples), np.full(len(examples), mean), np.array(chosen, dtype=np.intp), bands)


def packs(rows: list[int], size: int) -> float:
    """Packs per row under best-fit decreasing, for so many copies of the rows that no pack is left half empty."""
    room: dict[int, float] = {}
    opened = 0.0
    for length in sorted(set(rows), reverse=True):
        left = rows.count(length) / len(rows)
        while left > 1e-15:
            fitting = [r for r, share in room.items() if r >= length and share > 0.0]
            if fitting:
                r = min(fitting)
                share = min(room[r], left / (r // length))
                room[r] -= share
            else:
                r = size
                share = left / (r // length)
                opened += share
            room[r - (r // length) * length] = room.get(r - (r // length) * length, 0.0) + share
            left -= share * (r // length)
    return opened


def batch(case: Any, rows: list[int]) -> tuple[float, float]:
    """(tokens computed per row, tokens that each attends to) for rows drawn evenly."""
    if case.packing:
        return packs(rows, case.max_length) * case.max_length, sum(v * v for v in rows) / sum(rows)
    sizes = sorted(set(rows))
    at_most = [sum(v <= s for v in rows) / len(rows) for s in sizes]
    longest = np.diff([0.0, *(p**case.batch_examples for p in at_most)])
    first = sum(p * s for p, s in zip(longest, sizes, strict=True))
    return first, sum(p * s * s for p, s in zip(longest, sizes, strict=True)) / first


def picks(case: Any) -> Iterator[Pick]:
    methods: list[tuple[str, Any]] = [("random", None)]
    for method, (_, size) in case.kap.items():
        if method in ("length", "bm25"):
            methods.append((method, None))
            continue
        for s in case.selectors:
            right_kind = (s.layers == 0) == (method == "embedding")
            if right_kind and (case.eta is not None or abs(s.params / size - 1.0) < 0.1):
                methods.append((method, s))
    epochs = case.epochs if case.rstar is not None else (1.0,)
    for m, tuning, (method, selector), e in product(case.models, case.tunings, methods, epochs):
        yield Pick(m, tuning, method, selector, e)


def forward(params: float, layers: int, width: int, attention: Any) -> Any:
    return 2.0 * params + 4.0 * layers * attention * width


def training_flops(case: Any, pick: Pick, attention: Any) -> Any:
    """FLOPs per computed token and epoch."""
    m = pick.model
    params = m.block_params + m.embedding_params
    if pick.tuning == "full":
        return 3.0 * forward(params, m.layers, m.q_dim, attention)
    ways = 2 * (m.d_model + m.q_dim) + 2 * (m.d_model + m.kv_dim) + (3 if m.gated else 2) * (m.d_model + m.d_ff)
    return 4.0 * params + 6.0 * case.lora_r * m.layers * ways + 12.0 * m.layers * m.q_dim * attention


def scoring_flops(pick: Pick, rows: list[int]) -> float:
    tokens, attention = float(sum(rows)), sum(v * v for v in rows) / sum(rows)
    s = pick.selector
    if s is None:
        return 0.0
    if pick.method == "embedding":
        return float(2.0 * s.params * tokens)
    passes = 1.0 if pick.method == "perplexity" else 3.0 * (4 + 0.05 * 4)
    return float(passes * forward(s.flop_params, s.layers, s.q_dim, attention) * tokens)


def costs(case: Any, pick: Pick, examples: Any, length: Any, bands: list[list[int]], band: Any) -> dict[str, Any]:
    """Every cost of N rows of mean L out of bands; numbers or arrays of one shape."""
    per_row = np.array([batch(case, rows) for rows in bands])
    mean = np.array([sum(rows) / len(rows) for rows in bands])
    scoring = np.array([scoring_flops(pick, rows) for rows in bands])
    computed = per_row[band, 0] * (length / mean[band])
    train = examples * computed * training_flops(case, pick, per_row[band, 1]) * pick.epochs
    total = train + scoring[band]
    hours = total / (case.peak_flops * case.mfu) / 3600.0
    data = examples * case.usd_per_example + examples * length / 1000.0 * case.usd_per_1k_tokens
    return {
        "train_flops": train,
        "selection_flops": scoring[band],
        "total_flops": total,
        "gpu_hours": hours,
        "wall_hours": hours / case.gpus,
        "usd": hours * case.usd_per_gpu_hour + data,
        "examples": examples,
    }


def metric(case: Any, pick: Pick, examples: Any, length: Any, eligible: Any) -> Any:
    """The law: curve(D, M) with ln D = ln T + b1·x + b2·x^2 + b3·x·ln T + kap·ln(P_e/N) + ln r."""
    tokens = np.log(examples * length)
    x = np.log(length / case.length_ref)
    ln_d = tokens
    for slope, term in zip(case.b, (x, x * x, x * tokens), strict=False):
        ln_d = ln_d + slope * term
    if pick.method != "random":
        kap, size = case.kap[pick.method]
        if pick.selector is not None and case.eta is not None and abs(pick.selector.params / size - 1.0) >= 0.1:
            kap = 1.0 - (1.0 - kap) ** ((pick.selector.params / size) ** case.eta)
        ln_d = ln_d + kap * np.log(eligible / examples)
    if case.rstar is not None:
        ln_d = ln_d + log(1.0 + case.rstar * (1.0 - np.exp(-(pick.epochs - 1.0) / case.rstar)))
    factor = 1.0 if case.gamma is None else pick.model.total_params**-case.gamma
    p = case.law
    if case.curve == "power":
        return p["E"] + p["A"] * np.exp(-p["beta"] * ln_d) * factor
    if case.curve == "rectified":
        return p["E"] + (p["y0"] - p["E"]) * factor / (1.0 + np.exp(p["beta"] * (ln_d - log(p["D0"]))))
    return p["Pbar"] - (p["Pbar"] - p["P0"]) * factor * np.exp(-np.exp(np.minimum(ln_d - log(p["D_s"]), 50.0)))


@dataclass(frozen=True)
class Best:
    """value: the best metric within all budgets; usd: the least money that reaches the target; spread: the metric's
    range over all that is feasible. None where nothing is.
    """

    value: float | None
    usd: float | None
    spread: float


def best(case: Any) -> Best:
    """Everything that the budgets allow, and the best of it."""
    d = draws(case)
    if not len(d.examples):
        return Best(None, None, 0.0)
    eligible = np.array([len(rows) for rows in d.bands])[d.band]
    values, money = [], []
    for pick in picks(case):
        bill = costs(case, pick, d.examples, d.length, d.bands, d.band)
        allowed = np.ones(len(d.examples), dtype=bool)
        for kind, limit in case.budgets.items():
            allowed &= bill[kind] <= limit
        values.append(metric(case, pick, d.examples, d.length, eligible)[allowed])
        money.append(bill["usd"][allowed])
    value, usd = np.concatenate(values), np.concatenate(money)
    if not len(value):
        return Best(None, None, 0.0)
    top = float(case.sign * np.min(case.sign * value))
    reached = case.sign * value <= case.sign * case.target if case.target is not None else np.zeros(len(value), bool)
    return Best(top, float(usd[reached].min()) if reached.any() else None, float(np.ptp(value)))
