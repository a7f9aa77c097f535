"""Synthetic run tables: what a law says about the runs of a design, with noise. Seeded; nothing is fitted here.

A design is a run table whose metric is not known yet (NaN). A truth is a predictor without its mixture ahead, so that
one law holds everywhere and a fit of the table can be held against its parameters.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from ftplan.errors import InputError
from ftplan.fit.predictor import Predictor
from ftplan.laws.parts import Floats
from ftplan.runs import Metric, RunTable, from_rows

NAN = float("nan")
#: of a simulated metric: more than any noise leaves meaning in
DIGITS = 7


@dataclass(frozen=True)
class RunGrid:
    """Every combination of its values is one run; an empty list says nothing about that column.

    tokens: T, whole examples of each length as near to it as can be; examples: N, where no tokens are given;
    fractions: N as shares of pool_examples, where neither is; seeds: runs of each combination, numbered from 0.
    """

    tokens: tuple[float, ...] = ()
    examples: tuple[float, ...] = ()
    fractions: tuple[float, ...] = ()
    pool_examples: float = NAN
    lengths: tuple[float, ...] = ()
    model_params: tuple[float, ...] = ()
    epochs: tuple[float, ...] = ()
    methods: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    seeds: int = 1


def truth_of(model: Predictor) -> Predictor:
    """The predictor with its law inside the data in force everywhere."""
    return replace(model, ahead=None)


def grid(wanted: RunGrid, metric: Metric) -> RunTable:
    """The runs of a grid, not made yet: small before large, seeds of one run side by side."""
    amounts: Sequence[float] = wanted.tokens or wanted.examples or wanted.fractions
    rows = []
    for group, size, amount, length, epochs, method, seed in product(
        wanted.groups or ("",),
        wanted.model_params or (NAN,),
        amounts,
        wanted.lengths or (NAN,),
        wanted.epochs or (1.0,),
        wanted.methods or ("",),
        range(wanted.seeds),
    ):
        examples = _examples(wanted, amount, length)
        row = {"group": group, "model_params": size, "examples": examples, "avg_tokens": length}
        row |= {"tokens": examples * length, "epochs": epochs, "method": method}
        row |= {"pool_examples": wanted.pool_examples, "seed": float(seed) if wanted.seeds > 1 else NAN}
        rows.append(row)
    return from_rows(rows, metric, source="the design")


def _examples(wanted: RunGrid, amount: float, length: float) -> float:
    """Whole examples, at least 1."""
    if wanted.tokens:
        amount = amount / length
    elif not wanted.examples:
        amount = amount * wanted.pool_examples
    return float(max(round(amount), 1))


def untuned(truth: Predictor, design: RunTable) -> RunTable:
    """The design with a row of 0 examples for each group (or size) without one, where the law starts at that score."""
    if not truth.inside.law.curve.anchored:
        return design
    rows = [{**row, design.metric.name: NAN} for row in design.rows()]
    have = {(row.get("group", ""), row.get("model_params")) for row in rows if row["examples"] == 0}
    kinds = dict.fromkeys((row.get("group", ""), row.get("model_params")) for row in rows)
    first = [
        {"group": group, "examples": 0, "tokens": 0} | ({} if size is None else {"model_params": size})
        for group, size in kinds
        if (group, size) not in have
    ]
    return from_rows([*first, *rows], design.metric, source=design.source, notes=design.notes)


def expected(truth: Predictor, design: RunTable) -> Floats:
    """(n,) the metric of every run without noise.

    InputError for a run that the law says nothing about: an unknown method, or no data under a law without a start.
    """
    out = truth.point(truth.features(design))
    if not np.isfinite(out).all():
        row, law = int(np.flatnonzero(~np.isfinite(out))[0]), truth.inside.law.name
        raise InputError(
            f"{design.source}: row {row + 1}: {law} says nothing of {design.examples[row]:g} examples",
            hint="leave the row out" if design.examples[row] == 0.0 else None,
        )
    return out


def multiplicative(metric: Metric, values: Floats) -> bool:
    """Whether noise is a share of the metric: of a positive one to be lowered; else it is added, in the metric's unit.

    As fits weigh their errors (`fit.features.Data.precision`).
    """
    return metric.direction == "min" and bool((values > 0.0).all())


def noisy(values: Floats, noise: float, metric: Metric, rng: np.random.Generator) -> Floats:
    """Values (..., n) as they might have been measured: times exp(noise·z), or plus noise·z, z standard normal.

    A bounded score stays inside its bounds.
    """
    z = noise * rng.standard_normal(values.shape)
    if multiplicative(metric, values):
        return np.asarray(values * np.exp(z))
    top = {"percent": 100.0, "fraction": 1.0}.get(metric.unit)
    return np.asarray(values + z if top is None else np.clip(values + z, 0.0, top))


def scatter(truth: Predictor, residual_sd: float, values: Floats) -> float:
    """The residual scatter of a fit as a noise level for runs that are expected to measure `values`."""
    return residual_sd / float(values.mean()) if multiplicative(truth.metric, values) else residual_sd


def simulated(truth: Predictor, design: RunTable, noise: float, seed: int | Sequence[int]) -> RunTable:
    """The design with its metric measured once. noise as in `noisy`; the same seed gives the same table.

    The score before tuning is one number however often it is measured: it has no noise.
    """
    values = expected(truth, design)
    drawn = noisy(values, noise, truth.metric, np.random.default_rng(seed))
    return replace(design, metric=truth.metric, value=np.where(design.examples == 0.0, values, drawn))


def measured(
    designs: Iterable[tuple[Predictor, RunTable]], scatters: Mapping[str, float], noise: float | None, seed: int
) -> RunTable:
    """All designs measured, each under its own truth, as one table whose notes say how it was made.

    scatters: residual scatter of each series, for a `noise` of None. The metric has DIGITS digits.
    """
    tables, notes = [], []
    for place, (truth, design) in enumerate(designs):
        runs = untuned(truth, design)
        values = expected(truth, runs)
        level = scatter(truth, scatters[truth.key], values) if noise is None else noise
        tables.append(simulated(truth, runs, level, (seed, place)))
        share = multiplicative(truth.metric, values)
        how = f"{100.0 * level:.3g} % of the value" if share else f"{level:.3g} {truth.metric.unit}".strip()
        name = f"series {truth.key}: " if truth.key else ""
        notes.append(f"simulated, not measured: {name}{truth.inside.law.name}, noise {how} (standard deviation)")
    rows = [row for table in tables for row in table.rows()]
    for row in rows:
        row[tables[0].metric.name] = float(f"{row[tables[0].metric.name]:.{DIGITS}g}")
    source = f"a simulation with seed {seed}"
    return from_rows(rows, tables[0].metric, source=source, notes=tuple(dict.fromkeys(notes)))
