"""A plan: the answer in words first, then what it costs, what else was close, and what it rests on."""

from __future__ import annotations

from ftplan.errors import Infeasible
from ftplan.formats.documents import Block, Cell, Column, Document, Grid, Heading, Prose, section
from ftplan.formats.documents.plan_file import plan_to_dict, refusal_to_dict
from ftplan.formats.documents.words import (
    amount,
    budget_amount,
    interval,
    percent,
    plural,
    significant,
    unit_of,
)
from ftplan.plan.result import Alternative, Plan
from ftplan.units import format_count

_HEADER = (
    "choice", "examples", "avg_tokens", "total_tokens", "epochs", "method", "selection_model", "band_low", "band_high",
    "metric", "value", "low", "high", "total_flops", "gpu_hours", "usd", "loss", "better_probability",
)  # fmt: skip


def document(plan: Plan) -> Document:
    """The plan for every format; its data is the plan file."""
    screen: tuple[Block, ...] = (
        Prose(answer(plan), tone="strong"),
        Prose(expectation(plan)),
        *([Prose(plan.measured_on, tone="quiet")] if plan.measured_on else []),
        *_budgets(plan),
        Heading("From pool to cost"),
        _chain(plan),
        *_runners_up(plan),
        *section("Assumptions", tuple(f"{a.name} = {a.value}: {a.why}" for a in plan.assumptions)),
        *section("Warnings", plan.warnings),
    )
    chosen = Alternative("plan", plan.data, plan.selection, plan.prediction, plan.cost, 0.0, None)
    records = tuple(_record(other) for other in (chosen, *plan.alternatives))
    return Document(plan_to_dict(plan), _HEADER, records, screen, plan.warnings)


def refusal(error: Infeasible) -> Document:
    """The answer no, for formats that a program reads."""
    return Document(
        refusal_to_dict(error),
        ("feasible", "reason"),
        ((False, error.message),),
        (Prose(error.message, tone="strong"),),
    )


def answer(plan: Plan) -> str:
    """The plan in one sentence."""
    data = plan.data
    return (
        f"Train on {plural(data.examples, 'example')} of about {data.avg_tokens:,.0f} tokens "
        f"({format_count(data.total_tokens)} tokens), {plural(data.epochs, 'epoch')}: {_chosen(plan)}."
    )


def _chosen(plan: Plan) -> str:
    band, eligible = plan.data.recipe.band, plural(plan.selection.eligible_examples, "example")
    where = f"the {eligible} of {band[0]:,} to {band[1]:,} tokens"
    method = plan.selection.method
    if method == "random":
        return f"drawn at random from {where}"
    scored = f" with {plan.selection.model}" if plan.selection.model else ""
    return f"chosen by {method}{scored} among {where}"


def expectation(plan: Plan) -> str:
    """The prediction in one sentence, and how far outside the runs it lies."""
    seen = plan.prediction
    text = (
        f"Expected {seen.metric.name} {significant(seen.value)}{unit_of(seen.metric)}, "
        f"{100 * seen.level:g} % interval {interval(seen.low, seen.high)}"
    )
    if seen.extrapolation > 1.0:
        return f"{text}; {seen.extrapolation:.2g} times beyond the fitted runs."
    return f"{text}; inside the range of the fitted runs."


def _budgets(plan: Plan) -> tuple[Block, ...]:
    if not plan.budgets:
        return ()
    columns = (
        Column("limit", right=True),
        Column("used", right=True),
        Column("share", right=True),
        Column(""),
    )
    rows = tuple(
        (
            budget_amount(use.kind, use.limit),
            budget_amount(use.kind, use.used),
            percent(use.share),
            "binds" if use.kind in plan.binding else "",
        )
        for use in plan.budgets
    )
    others = [name for name in plan.binding if name not in {use.kind for use in plan.budgets}]
    also = [Prose(f"Also binding: {', '.join(others)}.")] if others else []
    return (Heading("Budget"), Grid(columns, rows), *also)


def _chain(plan: Plan) -> Grid:
    columns = (
        Column("step"),
        Column("value", right=True),
        Column("unit"),
        Column("how", wraps=True, quiet=True),
    )
    rows = tuple((step.name, amount(step.value, step.unit), step.unit, step.how) for step in plan.chain)
    return Grid(columns, rows, headed=False)


def _runners_up(plan: Plan) -> tuple[Block, ...]:
    if not plan.alternatives:
        return ()
    metric = plan.prediction.metric
    columns = (
        Column("instead", wraps=True),
        Column("examples", right=True),
        Column("tokens each", right=True),
        Column(metric.name, right=True, wraps=True),
        Column("worse by", right=True),
        Column("better in", right=True),
    )
    rows = tuple(
        (
            other.what,
            f"{other.data.examples:,}",
            f"{other.data.avg_tokens:,.0f}",
            significant(other.prediction.value),
            significant(other.loss, 2),
            "" if other.better_probability is None else f"{percent(other.better_probability)} of draws",
        )
        for other in plan.alternatives
    )
    return (Heading("Runners-up"), Grid(columns, rows))


def _record(other: Alternative) -> tuple[Cell, ...]:
    data, seen = other.data, other.prediction
    return (
        other.what, data.examples, data.avg_tokens, data.total_tokens, data.epochs, other.selection.method,
        other.selection.model, *data.recipe.band, seen.metric.name, seen.value, seen.low, seen.high,
        other.cost.total_flops, other.cost.gpu_hours, other.cost.usd, other.loss, other.better_probability,
    )  # fmt: skip
