"""Strategies side by side: what each buys with the same budget, what to expect of it, and what it loses."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict
from typing import Any

from ftplan.compare.strategies import OPTIMUM, STRATEGIES, Comparison, Contest, Outcome
from ftplan.formats.documents import SCHEMA_VERSION, Block, Cell, Column, Document, Grid, Heading, Prose, section
from ftplan.formats.documents.words import (
    NONE,
    budget_amount,
    decimals,
    decimals_for,
    interval,
    percent,
    significant,
    unit_of,
)
from ftplan.runs import Metric
from ftplan.units import Budget

_HEADER = (
    "budget", "strategy", "examples", "avg_tokens", "total_tokens", "band_low", "band_high", "method", "epochs",
    "total_flops", "gpu_hours", "wall_hours", "usd", "budget_share", "metric", "value", "low", "high", "extrapolation",
    "worse_by", "worse_by_low", "worse_by_high", "worse_by_se", "tied",
)  # fmt: skip


def document(found: Comparison) -> Document:
    """The comparison for every format; one record per budget and strategy."""
    records = tuple(_record(found.metric, contest, o) for contest in found.contests for o in contest.outcomes)
    data: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "kind": "strategies",
        "problem": found.problem,
        "metric": asdict(found.metric),
        "level": found.level,
        "length_identified": found.told,
        "length_reason": found.why,
        "strategies": [{"name": s.name, "why": s.why} for s in STRATEGIES],
        "budgets": [_contest(found.metric, contest) for contest in found.contests],
        "measured_on": found.measured_on,
        "warnings": list(found.warnings),
    }
    return Document(data, _HEADER, records, _screen(found), found.warnings)


def _contest(metric: Metric, contest: Contest) -> dict[str, Any]:
    return {
        "limits": [asdict(limit) for limit in contest.limits],
        "feasible": contest.refused is None,
        "reason": None if contest.refused is None else contest.refused.message,
        "rows": [dict(zip(_HEADER[1:], _record(metric, contest, o)[1:], strict=True)) for o in contest.outcomes],
    }


def _record(metric: Metric, contest: Contest, o: Outcome) -> tuple[Cell, ...]:
    seen, short = o.prediction, o.shortfall
    return (
        limits_in_words(contest.limits), o.strategy, o.data.examples, o.data.avg_tokens, o.data.total_tokens,
        *o.data.recipe.band, o.selection.method, o.data.epochs,
        o.cost.total_flops, o.cost.gpu_hours, o.cost.wall_hours, o.cost.usd, o.spent,
        metric.name, *((seen.value, seen.low, seen.high, seen.extrapolation) if seen else (None,) * 4),
        *((short.value, short.low, short.high, short.standard_error, short.tied) if short else (None,) * 5),
    )  # fmt: skip


def limits_in_words(limits: Sequence[Budget]) -> str:
    """'8.00 USD, 4 h'."""
    return ", ".join(budget_amount(limit.kind, limit.limit) for limit in limits)


def _screen(found: Comparison) -> tuple[Block, ...]:
    blocks: list[Block] = []
    for contest in found.contests:
        blocks.append(Heading(f"Budget {limits_in_words(contest.limits)}"))
        if contest.refused is not None:
            blocks.append(Prose(f"Nothing fits: {contest.refused.message}."))
            continue
        blocks += [Prose(_answer(found, contest), tone="strong"), _grid(found, contest), *_coincide(contest)]
    level = f"{100 * found.level:g} %"
    legend = f"In brackets: {level} intervals, of {found.metric.name} in a new run"
    legend += " and of the difference under the fitted law. " if found.told else ". "
    legend += "tied: within two standard errors of each other. " if found.told else ""
    emptied = ", or as much of it as the pool allows" if _left_over(found.contests) else ""
    legend += f"Every strategy spends the whole budget{emptied}, with the optimum's method, epochs and model."
    return (
        *blocks,
        Prose(legend, tone="quiet"),
        *section("Strategies", tuple(f"{s.name}: {s.why}" for s in STRATEGIES)),
        *([Prose(found.measured_on, tone="quiet")] if found.measured_on else []),
        *section("Warnings", (*_left_over(found.contests), *found.warnings)),
    )


def _answer(found: Comparison, contest: Contest) -> str:
    """What to do with a budget, and what each strategy loses."""
    best, *others = contest.outcomes
    start = f"Best: {best.data.examples:,} examples of about {best.data.avg_tokens:,.0f} tokens, for {_cost(best)}"
    if not found.told:
        return f"{start}. The law does not say what length does at a fixed cost: only what it buys is shown."
    known = [(o.strategy, o.shortfall) for o in others if o.shortfall is not None and not _same(o, best)]
    unit = {" nats": " nats", " %": " points"}.get(unit_of(found.metric), "")
    digits = _digits(contest)
    behind = [f"{name} loses {decimals(s.value, digits)}{unit}" for name, s in known if not s.tied]
    level = [name for name, s in known if s.tied]
    said = [*behind, *([f"{_listed(level)} cannot be told from it"] if level else [])]
    return f"{start}; {', '.join(said)}." if said else f"{start}."


def _same(one: Outcome, other: Outcome) -> bool:
    """Whether two strategies come to one plan, as they do where the pool has no more to choose from."""
    return (one.data, one.selection) == (other.data, other.selection)


def _distinct(contest: Contest) -> list[list[Outcome]]:
    """The strategies, those that come to one plan together, in their order."""
    groups: list[list[Outcome]] = []
    for o in contest.outcomes:
        own = next((group for group in groups if _same(group[0], o)), None)
        if own is None:
            groups.append([o])
        else:
            own.append(o)
    return groups


def _coincide(contest: Contest) -> tuple[Block, ...]:
    """Which strategies are one plan, in one line for each such plan."""
    said = []
    for first, *others in (group for group in _distinct(contest) if len(group) > 1):
        why = ": the pool has no more examples" if first.pool_runs_out else ""
        names = [o.strategy for o in others]
        if first.strategy == OPTIMUM:
            said.append(f"{_listed(names)} {'is' if len(names) == 1 else 'are'} the optimum's own plan here{why}.")
        else:
            said.append(f"{_listed([first.strategy, *names])} come to one plan here{why}.")
    return (Prose(" ".join(said)),) if said else ()


def _listed(names: Sequence[str]) -> str:
    """'few long, many short and balanced'."""
    return " and ".join([*([", ".join(names[:-1])] if names[1:] else []), names[-1]])


def _cost(o: Outcome) -> str:
    """What a strategy costs, in every unit that is known."""
    known = {"total_flops": o.cost.total_flops, "gpu_hours": o.cost.gpu_hours, "usd": o.cost.usd}
    return " = ".join(budget_amount(kind, value) for kind, value in known.items() if value is not None)


def _digits(contest: Contest) -> int:
    """Decimals that show two digits of the largest standard error."""
    return decimals_for([max((o.shortfall.standard_error for o in contest.outcomes if o.shortfall), default=0.0)])


def _grid(found: Comparison, contest: Contest) -> Grid:
    unit = unit_of(found.metric).strip()
    digits = _digits(contest)
    columns = (
        Column("strategy"),
        Column("examples", right=True),
        Column("tokens each", right=True),
        Column(f"{found.metric.name}, {unit}" if unit else found.metric.name, right=True),
        Column("worse by", right=True, wraps=True),
    )
    return Grid(columns, tuple(_row(group, digits) for group in _distinct(contest)))


def _row(group: Sequence[Outcome], digits: int) -> tuple[str, ...]:
    """One plan. group: the strategies that come to it."""
    o = group[0]
    name = OPTIMUM if o.strategy == OPTIMUM else _listed([each.strategy for each in group])
    if len(group) == len(STRATEGIES):
        name = "all others"
    seen = o.prediction
    expected = NONE if seen is None else f"{significant(seen.value)} ({interval(seen.low, seen.high)})"
    return (name, f"{o.data.examples:,}", f"{o.data.avg_tokens:,.0f}", expected, _worse(o, digits))


def _worse(o: Outcome, digits: int) -> str:
    short = o.shortfall
    if o.strategy == OPTIMUM:
        return "best"
    if short is None:
        return "not known"
    between = f"({decimals(short.low, digits)} to {decimals(short.high, digits)})"
    return f"tied {between}" if short.tied else f"{decimals(short.value, digits)} {between}"


def _left_over(contests: Sequence[Contest]) -> tuple[str, ...]:
    """Where the pool runs out before the budget does."""
    out = []
    for contest in contests:
        short = [o for o in contest.outcomes if o.pool_runs_out]
        every = len(short) == len(contest.outcomes)
        for o in short[:1] if every else short:
            who = "every strategy" if every else o.strategy
            out.append(f"the pool runs out: {who} uses {percent(o.spent)} of {limits_in_words(contest.limits)}")
    return tuple(out)
