"""A plan: the answer in words first, then what it costs, what else was close, and what it rests on."""

from __future__ import annotations

from ftplan.errors import Infeasible
from ftplan.formats.documents import Block, Bullets, Cell, Check, Column, Document, Grid, Heading, Prose, section
from ftplan.formats.documents.plan_file import plan_to_dict, refusal_to_dict
from ftplan.formats.documents.words import (
    BEYOND,
    INCREDIBLE,
    amount,
    budget_amount,
    interval,
    percent,
    plural,
    significant,
    unit_of,
    unit_of_errors,
)
from ftplan.plan.result import Alternative, Plan
from ftplan.units import format_count, format_used

_HEADER = (
    "choice", "examples", "avg_tokens", "total_tokens", "epochs", "method", "selection_model", "band_low", "band_high",
    "metric", "value", "low", "high", "total_flops", "gpu_hours", "usd", "worse_by", "better_probability",
)  # fmt: skip

#: budget kind -> what it is called in a sentence
_KINDS = {
    "total_flops": "FLOPs",
    "gpu_hours": "GPU-hours",
    "usd": "money",
    "wall_hours": "wall-clock",
    "examples": "examples",
}


#: a runner-up below this share of the plan's FLOPs is said to cost less: whole examples do not fill a budget exactly
CHEAPER = 0.9
#: a share of the metric that nobody would decide by: regret below it is left out
_NOTHING = 1e-6


def document(plan: Plan) -> Document:
    """The plan for every format; its data is the plan file."""
    screen: tuple[Block, ...] = (
        Prose(answer(plan), tone="strong"),
        Prose(expectation(plan)),
        *([Prose(plan.measured_on, tone="quiet")] if plan.measured_on else []),
        *_budgets(plan),
        *frontier(plan),
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
        checks=(Check("feasible", False, f"{error.message}; {error.hint}" if error.hint else error.message),),
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
    every = "all of " if plan.data.examples == plan.selection.eligible_examples else ""
    where = f"{every}the {eligible} of {band[0]:,} to {band[1]:,} tokens"
    if plan.data.recipe.mean_tokens is not None:
        where += f", for a mean of {plan.data.recipe.mean_tokens:g}"
    method = plan.selection.method
    if every:
        return where
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
    if seen.pessimistic is not None:
        text += f", {plan.objective}: {significant(seen.pessimistic)}"
    return f"{text}; {_where(plan)}."


def _where(plan: Plan) -> str:
    """Where the plan lies against the fitted runs, in data and in the size of its model."""
    data, size = plan.prediction.extrapolation, plan.size_beyond
    said = "inside the range of the fitted runs"
    if data > BEYOND:
        said = f"{significant(data, 2)} times beyond the fitted runs"
    if size is None:
        said += ", which do not record the size of their model"
    elif size > 1.0:
        where = f"{significant(size, 2 if size > BEYOND else 3)} times outside the sizes of theirs"
        said = f"its data are {said}, {'and' if data > BEYOND else 'but'} its model is {where}"
    if max(data, size or 1.0) > INCREDIBLE:
        said += ". This number is not to be believed: no rule is known to predict that far"
    return said


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
            *reversed(format_used(use.kind, use.used, use.limit)),
            percent(use.share),
            "binds" if use.kind in plan.binding else "",
        )
        for use in plan.budgets
    )
    also = [Prose(text) for text in _other_limits(plan)]
    changes = tuple(_sensitivity(plan, kind) for kind in dict.fromkeys(s.kind for s in plan.sensitivity))
    return (Heading("Budget"), Grid(columns, rows), *also, *([Bullets(changes)] if changes else []))


def _other_limits(plan: Plan) -> list[str]:
    """What holds the plan back beside its budgets."""
    spent = {use.kind for use in plan.budgets}
    others = [name for name in plan.binding if name not in spent]
    if not others:
        return []
    if others == ["pool"] and not spent & set(plan.binding):
        return [
            "The pool runs out before the budget does: it takes more rows to do better, or more epochs "
            "(--epochs 1,2,4; where the runs have only one, with --assume epochs)."
        ]
    return [f"{'Also b' if spent & set(plan.binding) else 'B'}inding: {', '.join(others)}."]


def _sensitivity(plan: Plan, kind: str) -> str:
    """What a tenth more or less of one budget would change, in one sentence."""
    metric = plan.prediction.metric
    parts = []
    for change in (c for c in plan.sensitivity if c.kind == kind):
        amount_of = f"{abs(change.change):.0%}".replace("%", " %") + (" more" if change.change > 0 else " less")
        if change.gain is None or change.value is None:
            parts.append(f"{amount_of}: not one example")
        elif change.gain == 0.0 and change.examples == plan.data.examples:
            parts.append(f"{amount_of}: no change")
        else:
            word = "better" if change.gain > 0.0 else "worse"
            parts.append(
                f"{amount_of}: {metric.name} {significant(change.value)} ({significant(abs(change.gain), 2)} {word}), "
                f"{plural(change.examples or 0, 'example')} of {change.avg_tokens or 0.0:,.0f} tokens"
                + (f", {change.method}" if change.method != plan.selection.method else "")
            )
    same = len(parts) == 2 and all(part.endswith("no change") for part in parts)
    return f"{_KINDS[kind]}, " + ("10 % more or less: no change" if same else "; ".join(parts))


def frontier(plan: Plan) -> tuple[Block, ...]:
    """What other budgets would buy, one row each; nothing where there is but one."""
    if len(plan.frontier) < 2:
        return ()
    metric = plan.prediction.metric
    models = len({point.model for point in plan.frontier}) > 1
    columns = (
        Column("cost", right=True),
        Column("examples", right=True),
        Column("tokens each", right=True),
        Column("method"),
        *([Column("model")] if models else []),
        Column(metric.name, right=True),
        Column("beyond the runs", right=True),
    )
    rows = tuple(
        (
            budget_amount(point.kind, point.cost),
            f"{point.examples:,}",
            f"{point.avg_tokens:,.0f}",
            point.method + (f", {plural(point.epochs, 'epoch')}" if point.epochs != plan.data.epochs else ""),
            *([point.model] if models else []),
            significant(point.value),
            f"{point.extrapolation:.2g}x" if point.extrapolation > BEYOND else "",
        )
        for point in plan.frontier
    )
    return (Heading("What other budgets would buy"), Grid(columns, rows))


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
    # with a target the cheapest plan wins, so the others are dearer and not worse
    aimed = "target" in plan.binding
    columns = (
        Column("instead", wraps=True),
        Column("examples", right=True),
        Column("tokens each", right=True),
        Column(metric.name, right=True, wraps=True),
        *([Column("cost", right=True)] if aimed else [Column("worse by", right=True), Column("better in", right=True)]),
    )
    rows = tuple(
        (
            other.what,
            f"{other.data.examples:,}",
            f"{other.data.avg_tokens:,.0f}",
            significant(other.prediction.value),
            *([_price(other)] if aimed else [_worse(other), _chance(other)]),
        )
        for other in plan.alternatives
    )
    cheaper = () if aimed else _cheaper(plan)
    return (Heading("Runners-up"), Grid(columns, rows), *cheaper, *_regret(plan))


def _cheaper(plan: Plan) -> tuple[Block, ...]:
    """Runners-up that do not spend what the plan spends: a pool may hold too few examples of another length."""
    shares = {other.what: other.cost.total_flops / plan.cost.total_flops for other in plan.alternatives}
    said = [f"{what} {percent(share)}" for what, share in shares.items() if share < CHEAPER]
    return (Prose(f"Below the plan's cost: {', '.join(said)} of its FLOPs."),) if said else ()


def _price(other: Alternative) -> str:
    if other.cost.usd is not None:
        return budget_amount("usd", other.cost.usd)
    return budget_amount("total_flops", other.cost.total_flops)


def _worse(other: Alternative) -> str:
    return significant(other.worse_by, 2) + (", tied" if other.tied else "")


def _chance(other: Alternative) -> str:
    return "" if other.better_probability is None else f"{percent(other.better_probability)} of draws"


def _regret(plan: Plan) -> tuple[Block, ...]:
    """How much may be lost by this plan being the wrong one."""
    if plan.regret is None:
        return ()
    said = (
        f"Over the bootstrap, {plan.selection.method} is the best method in {percent(plan.regret.same_method)} of draws"
    )
    if plan.regret.expected > _NOTHING * abs(plan.prediction.value):
        short = significant(plan.regret.expected, 2) + unit_of_errors(plan.prediction.metric)
        said += f", and the plan is expected to fall {short} short of the best of {plan.regret.compared} plans"
    return (Prose(f"{said}."),)


def _record(other: Alternative) -> tuple[Cell, ...]:
    data, seen = other.data, other.prediction
    return (
        other.what, data.examples, data.avg_tokens, data.total_tokens, data.epochs, other.selection.method,
        other.selection.model, *data.recipe.band, seen.metric.name, seen.value, seen.low, seen.high,
        other.cost.total_flops, other.cost.gpu_hours, other.cost.usd, other.worse_by, other.better_probability,
    )  # fmt: skip
