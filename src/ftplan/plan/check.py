"""A committed plan against today's prices, budgets and pool: its costs counted again, and one verdict per constraint.

A plan's inputs hold all that this needs (`plan.inputs`); a reader makes a `Committed` out of a plan file. What the plan
predicts is taken from the file: no fit is needed, and none is made.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from ftplan.costs.bill import Bill, Job, spent
from ftplan.costs.model import Selector
from ftplan.errors import Infeasible
from ftplan.origin import Origin
from ftplan.plan.evaluator import band_cost
from ftplan.plan.require import CheckedRequirement, Requirement, judge
from ftplan.plan.result import Plan, Prediction
from ftplan.pool import MEAN_TOLERANCE, Pool
from ftplan.selection import load
from ftplan.units import BUDGET_SUFFIXES, Budget, format_used

#: a bill may pass its limit by this share: counting in another order changes the last digits
ROUNDING = 1e-9
_SUFFIX = {kind: suffix for suffix, (kind, factor) in reversed(BUDGET_SUFFIXES.items()) if factor == 1.0}


@dataclass(frozen=True)
class Committed:
    """A plan as its file tells it. job: model, GPU, utilisation and prices; gpu: the GPU's name, '' for none.

    mfu_origin, price_origin   where these numbers come from; None where there are none
    pool_path            what `--pool` would take, '' where the pool came through a pipe; pool_sha256: its lengths then
    mean_tokens          the mean length to draw for where it is not the band's own
    cost                 the bill when the plan was made, by budget kind
    """

    name: str
    job: Job
    gpu: str
    mfu_origin: Origin | None
    price_origin: Origin | None
    examples: int
    avg_tokens: float
    epochs: float
    band: tuple[int, int]
    mean_tokens: float | None
    method: str
    selector: Selector | None
    max_length: int
    packing: bool
    batch_examples: int
    budgets: tuple[Budget, ...]
    prediction: Prediction
    pool_path: str
    pool_sha256: str
    cost: dict[str, float | None]
    requirements: tuple[Requirement, ...] = ()


@dataclass(frozen=True)
class Verdict:
    """One constraint. limit and used in the kind's unit; kind: a budget kind, 'pool' or 'requirement'.

    detail says in one sentence what was seen, hint what the smallest change is that would make it hold.
    """

    name: str
    kind: str
    passed: bool
    limit: float
    used: float | None
    detail: str
    hint: str = ""


@dataclass(frozen=True)
class Report:
    """All verdicts on a committed plan. bill: None where the pool has nothing left in the plan's length band."""

    plan: Committed
    verdicts: tuple[Verdict, ...]
    bill: Bill[float] | None
    eligible_examples: int
    warnings: tuple[str, ...]

    @property
    def passed(self) -> bool:
        return all(verdict.passed for verdict in self.verdicts)


def check(plan: Committed, pool: Pool) -> Report:
    """Every budget, the pool and every requirement of the plan. Raises InputError for a budget nothing can count."""
    cut = pool.cut(plan.max_length).pool
    try:
        band = cut.band(*plan.band)
    except Infeasible:
        band = None
    warnings = _changes(plan, pool, band)
    bill = None if band is None else count(plan, band, plan.examples)
    verdicts = [_pool_verdict(plan, 0 if band is None else band.examples)]
    verdicts += [_budget_verdict(plan, budget, bill, band) for budget in plan.budgets]
    verdicts += [requirement_verdict(judge(wanted, plan.prediction)) for wanted in plan.requirements]
    return Report(plan, tuple(verdicts), bill, 0 if band is None else band.examples, warnings)


def count(plan: Committed, band: Pool, examples: float) -> Bill[float]:
    """The bill of the plan with `examples` drawn from `band`, the pool's rows in its length band after the cut.

    Rows drawn for another mean than the band's own count as that much longer or shorter, as in `plan.points`.
    """
    how = plan.max_length, plan.packing, plan.batch_examples
    mean = band.mean if plan.mean_tokens is None else plan.mean_tokens
    return band_cost(
        plan.job,
        band,
        how,
        examples=examples,
        mean=mean,
        epochs=plan.epochs,
        method=load(plan.method),
        selector=plan.selector,
    )[0]


def plan_verdicts(plan: Plan, requirements: Sequence[Requirement]) -> tuple[Verdict, ...]:
    """The verdicts on a plan just made: it keeps its budgets, but maybe not what is required of it."""
    budgets = tuple(
        Verdict(_named(use.kind), use.kind, True, use.limit, use.used, _used(use.kind, use.used, use.limit))
        for use in plan.budgets
    )
    return budgets + tuple(requirement_verdict(judge(wanted, plan.prediction)) for wanted in requirements)


def requirement_verdict(seen: CheckedRequirement) -> Verdict:
    wanted = seen.requirement
    limit = wanted.value if wanted.probability is None else wanted.probability
    return Verdict(str(wanted), "requirement", seen.passed, limit, seen.value, seen.detail, seen.hint)


def _pool_verdict(plan: Committed, eligible: int) -> Verdict:
    low, high = plan.band
    detail = f"{eligible:,} examples of {low:,} to {high:,} tokens, {plan.examples:,} needed"
    passed = eligible >= plan.examples
    hint = f"train on at most {eligible:,} examples, or plan again with this pool" if eligible else "plan again"
    return Verdict("pool", "pool", passed, float(plan.examples), float(eligible), detail, "" if passed else hint)


def _budget_verdict(plan: Committed, budget: Budget, bill: Bill[float] | None, band: Pool | None) -> Verdict:
    name = _named(budget.kind)
    if bill is None or band is None:
        detail = "not counted: the pool has no example in the plan's length band"
        return Verdict(name, budget.kind, False, budget.limit, None, detail, "plan again")
    used = spent(bill, budget, float(plan.examples))
    detail = _used(budget.kind, used, budget.limit)
    if used <= budget.limit * (1.0 + ROUNDING):
        return Verdict(name, budget.kind, True, budget.limit, used, detail)
    return Verdict(name, budget.kind, False, budget.limit, used, detail, _remedy(plan, budget, used, band))


def _remedy(plan: Committed, budget: Budget, used: float, band: Pool) -> str:
    """The smallest budget that would do, and how many examples this one buys: costs are linear in their number."""
    raised = f"raise it to {rounded_up(used):g}{_SUFFIX[budget.kind]}".replace("e+", "e")
    fixed = spent(count(plan, band, 0.0), budget, 0.0)
    slope = spent(count(plan, band, 1.0), budget, 1.0) - fixed
    most = math.floor((budget.limit - fixed) / slope * (1.0 + ROUNDING)) if slope > 0.0 else 0
    return f"{raised}, or train on at most {most:,} examples" if most >= 1 else raised


def _changes(plan: Committed, pool: Pool, band: Pool | None) -> tuple[str, ...]:
    """What is no longer as it was when the plan was made, apart from costs."""
    out = []
    if pool.sha256 and plan.pool_sha256 and pool.sha256 != plan.pool_sha256:
        out.append(f"the pool {pool.name} has changed since the plan was made")
    if band is not None and plan.mean_tokens is None and abs(band.mean - plan.avg_tokens) > MEAN_TOLERANCE:
        out.append(
            f"examples in the plan's length band now have {band.mean:.1f} tokens on average, the prediction is for "
            f"{plan.avg_tokens:.1f}: plan again to know what to expect"
        )
    return tuple(out)


def rounded_up(value: float) -> float:
    """Three digits, rounded up, so that the number printed is enough."""
    if value <= 0.0:
        return value
    step = 10.0 ** (math.floor(math.log10(value)) - 2)
    return float(f"{math.ceil(value / step * (1.0 - ROUNDING)) * step:.3g}")


def _named(kind: str) -> str:
    return f"budget {kind}"


def _used(kind: str, used: float, limit: float) -> str:
    return f"{' of '.join(format_used(kind, used, limit))}, {100.0 * used / limit:.4g} %"
