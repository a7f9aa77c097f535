"""What each of several budgets would buy: the best plan under it, one row each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ftplan.errors import Infeasible
from ftplan.formats.documents import SCHEMA_VERSION, Block, Cell, Column, Document, Grid, Prose
from ftplan.formats.documents.words import budget_amount, interval, plural, significant, unit_of
from ftplan.formats.plot import Axis, Plot, Series
from ftplan.plan.result import Plan
from ftplan.units import BUDGET_UNITS, Budget

_HEADER = (
    "budget_kind", "budget_limit", "feasible", "examples", "avg_tokens", "total_tokens", "epochs", "method", "metric",
    "value", "low", "high", "extrapolation", "used",
)  # fmt: skip
#: lines of the picture
_ROWS = 12


def document(budgets: Sequence[Budget], plans: Sequence[Plan | Infeasible]) -> Document:
    """The sweep for every format; budgets and plans go together."""
    records = tuple(_record(budget, plan) for budget, plan in zip(budgets, plans, strict=True))
    data: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "kind": "budget_sweep",
        "rows": [dict(zip(_HEADER, record, strict=True)) for record in records],
    }
    return Document(data, _HEADER, records, _screen(budgets, plans))


def _record(budget: Budget, plan: Plan | Infeasible) -> tuple[Cell, ...]:
    if isinstance(plan, Infeasible):
        return (budget.kind, budget.limit, False, *[None] * (len(_HEADER) - 3))
    data, seen = plan.data, plan.prediction
    return (
        budget.kind, budget.limit, True, data.examples, data.avg_tokens, data.total_tokens, data.epochs,
        plan.selection.method, seen.metric.name, seen.value, seen.low, seen.high, seen.extrapolation,
        next((use.used for use in plan.budgets if use.kind == budget.kind), None),
    )  # fmt: skip


def _screen(budgets: Sequence[Budget], plans: Sequence[Plan | Infeasible]) -> tuple[Block, ...]:
    feasible = [plan for plan in plans if isinstance(plan, Plan)]
    if not feasible:
        return (Prose("No budget of the sweep buys a plan.", tone="strong"),)
    first = feasible[0]
    metric, level = first.prediction.metric, 100 * first.prediction.level
    unit = unit_of(metric).strip()
    intro = Prose(f"The best plan under each of {plural(len(budgets), 'budget')}; problem {first.name}.", tone="strong")
    columns = (
        Column("budget", right=True),
        Column("examples", right=True),
        Column("tokens each", right=True),
        Column("method"),
        Column(f"{metric.name}, {unit}" if unit else metric.name, right=True),
        Column(f"{level:g} % interval", right=True),
        Column("beyond", right=True),
    )
    rows = tuple(_row(budget, plan) for budget, plan in zip(budgets, plans, strict=True))
    notes = [Prose(first.measured_on, tone="quiet")] if first.measured_on else []
    told = Prose("beyond: how many times outside the fitted runs a plan lies; 1 is inside.", tone="quiet")
    more = [Prose(text) for text in _no_longer_binding(budgets, plans)]
    return (intro, Grid(columns, rows), told, *more, *(plot for _, plot in panels(budgets, plans)), *notes)


def _no_longer_binding(budgets: Sequence[Budget], plans: Sequence[Plan | Infeasible]) -> list[str]:
    """From which budget on the plan stays the same, and what holds it back."""
    last = plans[-1]
    if isinstance(last, Infeasible):
        return []
    same = [b for b, p in zip(budgets, plans, strict=True) if isinstance(p, Plan) and p.data == last.data]
    own = budgets[-1].kind
    held = [budget_amount(u.kind, u.limit) for u in last.budgets if u.kind in last.binding and u.kind != own]
    held += ["the size of the pool"] * ("pool" in last.binding)
    if len(same) < 2 or not held:
        return []
    start = budget_amount(own, same[0].limit)
    return [f"From {start} on more buys nothing: the plan is held back by {' and '.join(held)}."]


def panels(budgets: Sequence[Budget], plans: Sequence[Plan | Infeasible]) -> list[tuple[str, Plot]]:
    """The predicted metric with its interval against the budget, with a title; nothing where fewer than two budgets
    buy a plan.
    """
    bought = [(b.limit, plan) for b, plan in zip(budgets, plans, strict=True) if isinstance(plan, Plan)]
    if len(bought) < 2:
        return []
    seen = [plan.prediction for _, plan in bought]
    metric = seen[0].metric
    series = Series(
        f"expected {metric.name}, {100.0 * seen[0].level:g} % interval",
        tuple(limit for limit, _ in bought),
        tuple(p.value for p in seen),
        low=tuple(p.low for p in seen),
        high=tuple(p.high for p in seen),
    )
    x = Axis("budget", BUDGET_UNITS[budgets[0].kind], log=True)
    plot = Plot(x, Axis(metric.name, unit_of(metric).strip()), (series,), _ROWS)
    return [(f"The best plan for {bought[0][1].name}", plot)]


def _row(budget: Budget, plan: Plan | Infeasible) -> tuple[str, ...]:
    limit = budget_amount(budget.kind, budget.limit)
    if isinstance(plan, Infeasible):
        return (limit, "-", "-", "infeasible", "-", "-", "-")
    seen = plan.prediction
    return (
        limit,
        f"{plan.data.examples:,}",
        f"{plan.data.avg_tokens:,.0f}",
        plan.selection.method,
        significant(seen.value),
        interval(seen.low, seen.high),
        f"{max(seen.extrapolation, 1.0):.2g}",
    )
