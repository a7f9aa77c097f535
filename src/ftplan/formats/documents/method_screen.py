"""The screen of `ftplan compare methods`: the answer, then a table or a map for each question."""

from __future__ import annotations

from collections.abc import Callable

from ftplan.compare.arithmetic import Arithmetic, Line
from ftplan.compare.breakeven import Threshold
from ftplan.compare.methods import MethodComparison
from ftplan.compare.ratios import LEAD, Ratio
from ftplan.compare.takeover import BestMethod
from ftplan.formats.documents import Block, Bullets, Column, Grid, Heading, Prose, section
from ftplan.formats.documents.method_map import heat_map
from ftplan.formats.documents.words import (
    BEYOND,
    NONE,
    amount,
    budget_amount,
    interval,
    percent,
    plural,
    significant,
    unit_of,
)
from ftplan.units import BUDGET_UNITS, format_count, format_flops


def screen(found: MethodComparison) -> tuple[Block, ...]:
    return (
        Prose(_answer(found), tone="strong"),
        *_frontier(found),
        *_overs(found),
        *_ratios(found),
        *((Heading("The best method by budget and size ratio"), heat_map(found, found.heat)) if found.heat else ()),
        *_tips(found),
        *(block for a in found.arithmetic for block in _worked(a)),
        *([Prose(found.measured_on, tone="quiet")] if found.measured_on else []),
        *section("Assumptions", tuple(f"{a.name} = {a.value}: {a.why}" for a in found.assumptions)),
        *section("Warnings", found.warnings),
    )


def _budget(found: MethodComparison) -> Callable[[float], str]:
    """A budget's number, its unit being in the heading."""
    return lambda value: amount(value, BUDGET_UNITS[found.own.kind])


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100.0 else significant(value, 2)


def _level(found: MethodComparison) -> str:
    return f"{100 * found.problem.level:g} %"


def _words(t: Threshold, number: Callable[[float], str], never: str) -> str:
    """'3.7 (3.5 to 4.0)', with words for ends beyond the range that was looked at."""

    def end(value: float) -> str:
        return f"below {number(t.start)}" if value < t.start else number(value)

    if not t.told:
        return f"cannot tell, not below {number(t.low)}" if t.start < t.low < t.stop else "cannot tell"
    if t.never:
        return never
    if t.always:
        return f"below {number(t.start)}"
    return f"{end(t.estimate)} ({end(t.low)} to {number(t.high)})"


def _up_to(t: Threshold, begins: Threshold, number: Callable[[float], str]) -> str:
    """Where it stops paying; open where it still does at the end of the range."""
    if begins.never:
        return NONE
    if t.told:
        return _words(t, number, f"beyond {number(t.stop)}")
    return f"above {number(t.low)}" if t.start < t.low < t.stop else "cannot tell"


def _uses_all(p: BestMethod) -> bool:
    """Whether the budget buys all there is to choose from, so that methods are one and the same."""
    return p.plan is not None and p.plan.examples >= p.plan.eligible


def _answer(found: MethodComparison) -> str:
    """The best method as the budget grows, then from which ratio methods pay at the problem's own budget."""
    parts: list[tuple[str, str]] = []
    for p in found.frontier:
        name = "nothing" if p.plan is None else "the whole pool" if _uses_all(p) else p.plan.choice.method.name
        if not parts or parts[-1][0] != name:
            parts.append((name, budget_amount(p.budget.kind, p.budget.limit)))
    said = ", then ".join(name + (f" from {at}" if i else "") for i, (name, at) in enumerate(parts))
    return f"Best as the budget grows: {said}. {_answer_ratio(found)}"


def _answer_ratio(found: MethodComparison) -> str:
    own = [r for r in found.ratios if (r.budget, r.against, r.lead) == (found.own, "random", 0.0)]
    at = budget_amount(found.own.kind, found.own.limit)
    if not own:
        return "How small a selection model must be cannot be told: see below." if found.why_not else ""
    out = []
    for r in own:
        t = r.pays_from
        if not t.told:
            out.append(f"from which size ratio {r.method} pays cannot be told")
        elif t.never:
            out.append(f"{r.method} pays at no size ratio up to {_number(t.stop)}")
        elif t.always:
            out.append(f"{r.method} pays at any size ratio from {_number(t.start)}")
        else:
            least = _number(t.low) if t.low >= t.start else f"below {_number(t.start)}"
            out.append(
                f"{r.method} pays where the trained model is at least {_number(t.estimate)} times its selection model "
                f"({_level(found)} interval {least} to {_number(t.high)})"
            )
    return f"At {at}, {'; '.join(out)}."


def _frontier(found: MethodComparison) -> tuple[Block, ...]:
    unit = unit_of(found.metric).strip()
    columns = (
        Column(f"budget, {BUDGET_UNITS[found.own.kind]}", right=True),
        Column("best method", wraps=True),
        Column("examples", right=True),
        Column(f"{found.metric.name}, {unit}" if unit else found.metric.name, right=True),
        Column("best in", right=True),
    )
    said = f"In brackets: {_level(found)} intervals of a new run. best in: share of draws in which it is the best."
    if any(p.prediction is not None and p.prediction.extrapolation > BEYOND for p in found.frontier):
        said += " *: outside the fitted runs."
    whole = [p for p in found.frontier if _uses_all(p)]
    if whole:
        at = budget_amount(whole[0].budget.kind, whole[0].budget.limit)
        said += f" From {at} on the budget buys the whole pool, and nothing is left to choose."
    rows = tuple(_frontier_row(p, _budget(found)) for p in found.frontier)
    return (Heading("Best method under each budget"), Grid(columns, rows), Prose(said, tone="quiet"))


def _frontier_row(p: BestMethod, number: Callable[[float], str]) -> tuple[str, ...]:
    limit = number(p.budget.limit)
    if p.plan is None or p.prediction is None:
        return (limit, "buys nothing", NONE, NONE, NONE)
    choice, seen = p.plan.choice, p.prediction
    name = "whole pool" if _uses_all(p) else choice.method.name
    return (
        limit,
        name
        + (f" by {choice.selector.name}" if choice.selector else "")
        + (f", {plural(choice.epochs, 'epoch')}" if choice.epochs != 1.0 else ""),
        format_count(p.plan.examples),
        f"{significant(seen.value)} ({interval(seen.low, seen.high)})" + ("*" if seen.extrapolation > BEYOND else ""),
        percent(p.share),
    )


def _pays(lead: str) -> tuple[Column, ...]:
    """Columns of both tables of what pays."""
    return (
        Column("method"),
        Column("against"),
        Column("breaks even at", wraps=True),
        Column(f"{lead} ahead from", wraps=True),
        Column("until", wraps=True),
    )


def _overs(found: MethodComparison) -> tuple[Block, ...]:
    number, lead = _budget(found), percent(LEAD)
    never = f"not up to {number(found.budgets[-1].limit)}"
    more = {t.method: t for t in found.take_overs if t.lead > 0.0}
    rows = tuple(
        (
            t.method + (f" by {t.selector}" if t.selector else ""),
            t.against,
            _words(t.pays_from, number, never),
            _words(more[t.method].pays_from, number, never),
            _up_to(more[t.method].pays_to, more[t.method].pays_from, number),
        )
        for t in found.take_overs
        if t.lead == 0.0
    )
    said = (
        f"At equal totals, scoring included, against the best of all that score more cheaply. {lead} ahead: as good as "
        f"that one is with {lead} more budget. In brackets: {_level(found)} intervals."
    )
    title = f"The budget from which each method pays, {BUDGET_UNITS[found.own.kind]}"
    return (Heading(title), Grid(_pays(lead), rows), Prose(said, tone="quiet"))


def _ratios(found: MethodComparison) -> tuple[Block, ...]:
    own = [r for r in found.ratios if r.budget == found.own]
    untold = tuple(f"{m}: the ratio cannot be told: {why}" for m, why in found.why_not.items())
    bullets = (Bullets(untold),) if untold else ()
    if not own and not untold:
        return ()
    title = Heading(f"The size ratio from which each method pays, at {budget_amount(found.own.kind, found.own.limit)}")
    said = "Ratio: parameters of the trained model over those of the selection model."
    if not own:
        why = (
            "With one size of selection model in the runs, how well a smaller or a larger one would choose is not "
            "known, only what it would cost."
        )
        return (title, *bullets, Prose(f"{said} {why}", tone="quiet"))
    measured = "; ".join(f"{m} {', '.join(map(_number, v))}" for m, v in found.measured.items())
    said += f" The runs measured {measured}; elsewhere the law is extrapolated."
    rows = tuple(_ratio_row(found, r) for r in own if r.lead == 0.0)
    return (title, Grid(_pays(percent(LEAD)), rows), *bullets, Prose(said, tone="quiet"))


def _ratio_row(found: MethodComparison, r: Ratio) -> tuple[str, ...]:
    same = (r.method, r.budget, r.against)
    more = next(o for o in found.ratios if o.lead > 0.0 and (o.method, o.budget, o.against) == same)
    never = f"at no ratio up to {_number(r.pays_from.stop)}"
    return (
        r.method,
        "random" if r.against == "random" else "all cheaper",
        _words(r.pays_from, _number, never),
        _words(more.pays_from, _number, never),
        _up_to(more.pays_to, more.pays_from, _number),
    )


def _tips(found: MethodComparison) -> tuple[Block, ...]:
    number, unit = _budget(found), unit_of(found.metric)
    gain = significant(found.tipping[0].gain, 2) + {" %": " points"}.get(unit, unit)
    title = f"The budget from which doubling it gains less than {gain}, {BUDGET_UNITS[found.own.kind]}"
    rows = tuple(
        (t.method or "best of all", _words(t.budget, number, f"beyond {number(found.budgets[-1].limit)}"))
        for t in found.tipping
    )
    return (Heading(title), Grid((Column("method"), Column("tipping point", wraps=True)), rows))


def _worked(a: Arithmetic) -> tuple[Block, ...]:
    by = f" by {a.selector}" if a.selector else ""
    columns = (
        Column("step"),
        Column(a.rival, right=True),
        Column(a.method, right=True),
        Column("how", wraps=True, quiet=True),
    )
    rows = tuple((_step(line), _value(line, line.rival), _value(line, line.own), line.how) for line in a.lines)
    return (Heading(f"{a.method}{by} {a.what}"), Grid(columns, rows))


def _step(line: Line) -> str:
    return f"{line.name}, {line.unit}" if line.unit else line.name


def _value(line: Line, value: float | None) -> str:
    if value is None:
        return NONE
    if line.unit == "FLOPs":
        return format_flops(value)
    return format_count(value) if value >= 1000.0 else f"{value:.4g}"
