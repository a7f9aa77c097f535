"""What a plan becomes where every length of the pool is off by one share: for pools whose lengths are estimated."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ftplan.costs.bill import Bill
from ftplan.costs.chain import Chosen, total_steps
from ftplan.plan.evaluator import band_cost
from ftplan.plan.problem import Problem
from ftplan.plan.result import Assumption
from ftplan.plan.search import Candidate, Search
from ftplan.pool import LONGEST_TOKENS, Pool
from ftplan.units import BUDGET_UNITS, Budget, format_budget, format_count, format_used


@dataclass(frozen=True)
class Scaled:
    """The same examples, all of them `factor` times as long as was estimated. total_tokens: N times L after the cut."""

    factor: float
    total_tokens: float
    steps: int
    bill: Bill[float]


def scaled(problem: Problem, search: Search, best: Candidate, factor: float) -> Scaled:
    """The rows of the plan's band, drawn as planned, with lengths times `factor`, cut and batched again."""
    band = (
        longer_pool(band_before_cut(problem.pool, best.band, problem.max_length), factor).cut(problem.max_length).pool
    )
    choice, mean = best.choice, band.mean * float(search.points.scale[best.point])
    bill, rows = band_cost(
        choice.trained.job,
        band,
        problem.batched,
        examples=best.examples,
        mean=mean,
        epochs=choice.epochs,
        method=choice.method,
        selector=choice.selector,
    )
    chosen = Chosen(
        examples=best.examples,
        avg_tokens=mean,
        epochs=choice.epochs,
        band=best.band,
        eligible_examples=best.eligible,
        method=choice.method.name,
        selector="",
        max_length=problem.max_length,
        packing=problem.packing,
        batching=rows,
        batch_examples=problem.batch_examples,
        grad_accum=problem.grad_accum,
    )
    return Scaled(factor, best.examples * mean, total_steps(choice.trained.job, chosen), bill)


def band_before_cut(pool: Pool, band: tuple[int, int], max_length: int) -> Pool:
    """The rows that are in the band once they are cut, as long as they are before it."""
    return pool.band(band[0], LONGEST_TOKENS if band[1] >= max_length else band[1])


def longer_pool(pool: Pool, factor: float) -> Pool:
    """Every length times `factor`, at least 1."""
    lengths = np.clip(np.rint(pool.lengths * factor), 1, LONGEST_TOKENS).astype(np.int64)
    distinct, place = np.unique(lengths, return_inverse=True)
    counts = np.bincount(place, weights=pool.counts).astype(np.int64)
    return replace(pool, lengths=distinct, counts=counts)


def ends(problem: Problem, search: Search, best: Candidate) -> tuple[Scaled, Scaled] | None:
    """The plan with lengths at both ends of their error; None where they are counted."""
    measure = problem.pool.measure
    if measure is None or not measure.relative_error:
        return None
    shorter, longer = (scaled(problem, search, best, 1.0 + sign * measure.relative_error) for sign in (-1, 1))
    return shorter, longer


def assumption(problem: Problem, found: tuple[Scaled, Scaled]) -> Assumption:
    """The error of the lengths, with what it does to tokens, steps and costs."""
    low, high = found
    measure = problem.pool.measure
    assert measure is not None
    parts = [
        f"{format_count(low.total_tokens)} to {format_count(high.total_tokens)} tokens",
        f"{low.steps:,} to {high.steps:,} steps" if low.steps != high.steps else f"{low.steps:,} steps either way",
        _range("total_flops", low.bill.total_flops, high.bill.total_flops),
    ]
    for kind in ("gpu_hours", "usd"):
        if (value := getattr(low.bill, kind)) is not None:
            parts.append(_range(kind, value, getattr(high.bill, kind)))
    off = f"±{measure.relative_error:.0%}".replace("%", " %")
    counted = "ftplan profile --tokenizer tokenizer.json counts them"
    return Assumption("pool lengths", f"estimated, {off}", f"{measure.how}; so {', '.join(parts)}; {counted}")


def _range(kind: str, low: float, high: float) -> str:
    """'8.01 to 12.10 USD'."""
    return f"{format_budget(kind, low).removesuffix(BUDGET_UNITS[kind]).strip()} to {format_budget(kind, high)}"


def over_budget(found: tuple[Scaled, Scaled], limits: Sequence[Budget]) -> list[str]:
    """Budgets that the plan would break if lengths were at the upper end of their error."""
    high, out = found[1], []
    for limit in (b for b in limits if b.kind != "examples"):
        used = getattr(high.bill, limit.kind)
        if used is not None and used > limit.limit:
            out.append(
                f"lengths are estimated: if they are {high.factor - 1.0:.0%} longer the plan takes "
                f"{' of '.join(format_used(limit.kind, used, limit.limit))}".replace("%", " %")
            )
    return out
