"""Simulated runs of selection methods with a truth that is known, for the tests of `compare methods`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from ftplan.plan.problem import Problem
from ftplan.pool import from_lengths
from ftplan.presets import load_model
from ftplan.runs import Metric, RunTable, from_rows
from ftplan.units import Budget

POOL, LENGTH = 50_000, 200
MODEL = load_model("llama-2-7b")
SIZES = (0.1e9, 0.7e9, 5e9)
#: geometric mean of SIZES
REFERENCE = float(np.prod(SIZES) ** (1.0 / 3.0))
FRACTIONS = (0.01, 0.03, 0.1, 0.3, 0.9)
LOSS = Metric("loss", "min", "nats")


def worth(kap: float, eta: float, size: float) -> float:
    """kap(S)."""
    return float(1.0 - (1.0 - kap) ** ((size / REFERENCE) ** eta)) if size else kap


def curve(data: float) -> float:
    return 1.0 + 1.5 * float((data / 1e6) ** -0.3)


def table(
    methods: Mapping[str, tuple[float, float]],
    sizes: Sequence[float] = SIZES,
    noise: float = 1e-4,
    *,
    fractions: bool = True,
) -> RunTable:
    """Random choice and others, method -> (kap, eta); those without eta need no selection model."""
    rng = np.random.default_rng(0)
    rows: list[dict[str, object]] = []
    for fraction in FRACTIONS:
        examples = fraction * POOL
        arms = [("random", 0.0, 0.0)]
        for name, (kap, eta) in methods.items():
            arms += [(name, s, worth(kap, eta, s)) for s in (sizes if eta else (0.0,))]
        for name, size, kap in arms:
            value = curve(examples * LENGTH * (POOL / examples) ** kap) * (1.0 + noise * float(rng.standard_normal()))
            row: dict[str, object] = {"examples": examples, "avg_tokens": LENGTH, "tokens": examples * LENGTH}
            row |= {"model_params": 6.74e9, "method": name, "loss": value}
            row |= {"pool_examples": POOL} if fractions else {}
            rows.append(row | ({"selector_params": size} if size else {}))
    return from_rows(rows, LOSS)


def problem(flops: float, **changes: object) -> Problem:
    pool = from_lengths(np.full(POOL, LENGTH), name="pool", source="made up")
    settings: dict[str, object] = {"packing": False, "batch_examples": 1} | changes
    return Problem("made", pool, MODEL, (Budget("total_flops", flops),), **settings)  # type: ignore[arg-type]
