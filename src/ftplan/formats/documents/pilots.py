"""Which pilot runs to make first: the runs, what they are expected to leave, and what else was compared."""

from __future__ import annotations

import math
from typing import Any

from ftplan.formats.documents import SCHEMA_VERSION, Block, Cell, Column, Document, Grid, Heading, Prose, section
from ftplan.formats.documents.words import budget_amount, plural, significant
from ftplan.simulate import designs
from ftplan.simulate.advice import Advice, Shortfall, Standing, by_runs
from ftplan.simulate.studies import PilotStudy

#: tied designs that are named
SHOWN = 4
#: a number is shown to this part of the noise of one run
STEPS = 100.0
#: runs that cost less than this share of their budget leave it unused: rounding to whole examples does not
SPENT = 0.8
_HEADER = ("run", "examples", "avg_tokens", "tokens", "band_low_tokens", "band_high_tokens", "cost", "cost_kind")


def document(asked: PilotStudy, advice: Advice) -> Document:
    """Records are the recommended runs; all that was compared is in the data."""
    records = _records(asked, advice.best)
    data: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "kind": "pilots",
        "metric": {k: getattr(asked.study.truth.metric, k) for k in ("name", "direction", "unit")},
        "prior": asked.prior,
        "noise": {"standard_deviation": asked.study.noise, "of_one_run": asked.one_run},
        "seed": asked.study.seed,
        "pilot_budget": vars(asked.budget),
        "plan_budgets": [vars(budget) for budget in asked.plan_budgets],
        "recommended": {
            "design": advice.best.design,
            "runs": [dict(zip(_HEADER, record, strict=True)) for record in records],
            "cost": advice.best.layout.cost,
            "improves_on_no_runs": advice.helps,
            "forecast_shortfall": vars(advice.forecast),
        },
        "no_runs": {
            "plain_sample": vars(advice.sample),
            "plan_by_the_prior": None if advice.as_it_stands is None else vars(advice.as_it_stands),
        },
        "smallest_difference": advice.nothing,
        "compared": [_standing(s) for s in advice.standings],
        "notes": list(asked.notes),
    }
    return Document(data, _HEADER, records, _screen(asked, advice))


def _standing(s: Standing) -> dict[str, Any]:
    return {"design": s.design, "runs": s.runs, "cost": s.layout.cost, "tied": s.tied, "shortfall": vars(s.shortfall)}


def _records(asked: PilotStudy, best: Standing) -> tuple[tuple[Cell, ...], ...]:
    grid, layout = asked.study.grid, best.layout
    out = []
    for place, (point, examples) in enumerate(zip(layout.point.tolist(), layout.examples.tolist(), strict=True)):
        length = float(grid.avg_tokens[point])
        out.append(
            (
                place + 1,
                int(examples),
                float(f"{length:.6g}"),
                round(examples * length),
                int(grid.low[point]),
                int(grid.high[point]),
                float(f"{examples * grid.unit_cost[point]:.6g}"),
                grid.kind,
            )
        )
    return tuple(out)


def _screen(asked: PilotStudy, advice: Advice) -> tuple[Block, ...]:
    return (
        *_answer(asked, advice),
        Heading("The runs" if advice.helps else "Runs that come nearest to being worth it"),
        _runs(asked, advice.best),
        Prose(_next(asked, advice.best)),
        Heading(f"How many runs buy how much, all for {_limit(asked)}"),
        Prose(_again(asked, advice)),
        _by_runs(asked, advice),
        Heading(f"The best of every design, for {_limit(asked)} too"),
        _by_design(asked, advice.standings),
        Prose(_how(asked, advice), tone="quiet"),
        *section("Notes", asked.notes),
    )


def _answer(asked: PilotStudy, advice: Advice) -> tuple[Block, ...]:
    best, unit, metric = advice.best, _unit(asked), asked.study.truth.metric
    plain, then = (_said(seen.median, asked) + unit for seen in (advice.sample, advice.forecast))
    short = f"{metric.name} short of the best" if metric.direction == "max" else f"{metric.name} above the best"
    if not advice.helps:
        why = (
            f"A plan without them, a plain sample of the pool, is expected to end {plain} of {short}; one made from "
            f"the best of {plural(len(advice.standings), 'design')}, {then}. {_why_not(asked, advice)}"
        )
        return (
            Prose(f"For {_limit(asked)}, no pilot runs are expected to improve the plan.", tone="strong"),
            Prose(why),
        )
    first = f"Make these {plural(best.runs, 'run')} first: {designs.words(best.design)}; {_spent(asked, best)} in all"
    first += "." if _uses_up(asked, best) else f" of the {_limit(asked)}: the pool has no examples for larger runs."
    low, high, ninth = (_amount(v, asked) for v in (advice.forecast.low, advice.forecast.high, advice.forecast.ninth))
    why = (
        f"The plan made from them is expected to end {then} of {short} one (median of {advice.forecast.truths} "
        f"simulations, 90 % interval {low} to {high}; in nine of ten at most {ninth}). Without pilot runs, from a "
        f"plain sample of the pool: {plain}."
    )
    return (Prose(first, tone="strong"), Prose(why), *_ties(advice))


def _why_not(asked: PilotStudy, advice: Advice) -> str:
    """What keeps pilot runs from helping, and what to do."""
    grid, none = asked.study.grid, "Make none."
    if advice.sample.median <= advice.nothing:
        if grid.examples[-1] >= grid.eligible[-1]:
            whole = plural(float(grid.eligible[-1]), "example")
            return f"The plan's budget buys the whole pool ({whole}), so there is nothing to choose. {none}"
        return f"There is hardly a better plan for them to find, whatever turns out to be true. {none}"
    if not _uses_up(asked, advice.best):
        return (
            f"The pool has no examples for larger runs (these cost {_spent(asked, advice.best)}), so a larger --pilots "
            "buys nothing; try other numbers of runs (--runs), or make none."
        )
    return "These runs are too few or too small to tell which length is best. Give them more (--pilots), or make none."


def _limit(asked: PilotStudy) -> str:
    return budget_amount(asked.budget.kind, asked.budget.limit)


def _spent(asked: PilotStudy, best: Standing) -> str:
    """What the runs cost: less than the limit where the pool has no more for them."""
    return _limit(asked) if _uses_up(asked, best) else budget_amount(asked.budget.kind, best.layout.cost)


def _uses_up(asked: PilotStudy, best: Standing) -> bool:
    return best.layout.cost >= SPENT * asked.budget.limit


def _ties(advice: Advice) -> tuple[Block, ...]:
    tied = [f"{s.design} ({s.runs} runs)" for s in advice.standings if s.tied]
    if not tied:
        return ()
    more = f" and {len(tied) - SHOWN} more" if len(tied) > SHOWN else ""
    return (Prose(f"As good, as far as these simulations tell: {', '.join(tied[:SHOWN])}{more}."),)


def _runs(asked: PilotStudy, best: Standing) -> Grid:
    columns = ("run", "examples", "tokens each", "tokens", "drawn at random from examples of", "cost")
    rows = []
    for run, examples, length, tokens, low, high, cost, kind in _records(asked, best):
        each, price = float(length or 0.0), budget_amount(str(kind), float(cost or 0.0))
        rows.append((f"{run}", f"{examples:,}", f"{each:,.0f}", f"{tokens:,}", f"{low:,} to {high:,} tokens", price))
    return Grid(tuple(Column(c, right=c != columns[4]) for c in columns), tuple(rows))


def _next(asked: PilotStudy, best: Standing) -> str:
    pairs = list(zip(best.layout.point.tolist(), best.layout.examples.tolist(), strict=True))
    twice = "Runs listed twice are two samples. " if len(set(pairs)) < len(pairs) else ""
    base = ", and of the model before tuning (examples 0)," if asked.study.truth.inside.law.curve.anchored else ""
    return (
        f"{twice}Write examples, avg_tokens and {asked.study.truth.metric.name} of every run{base} into a table, then: "
        "ftplan fit runs.csv -o fit.yaml; ftplan plan PROBLEM --fit fit.yaml"
    )


def _again(asked: PilotStudy, advice: Advice) -> str:
    """Why the best one has two rows."""
    return (
        f"From {plural(asked.study.truths, 'simulation')} of each. The best of so many is partly lucky, so it was "
        f'simulated {advice.forecast.truths:,} times again: the row "best, again" is the one to believe, and what the '
        "first lines say."
    )


def _by_runs(asked: PilotStudy, advice: Advice) -> Grid:
    """The best design of every number of runs, and of the best one what it is expected to leave."""
    standings = advice.standings
    columns = (
        Column("runs", right=True),
        Column("design"),
        Column(f"shortfall, {_unit(asked).strip()}", right=True),
        Column("90 % interval", right=True),
        Column("nine in ten at most", right=True),
        Column(""),
    )
    rows = []
    for s in by_runs(standings):
        rows.append((f"{s.runs}", s.design, *_seen(s.shortfall, asked), _place(s, standings)))
        if s is advice.best:
            rows.append((f"{s.runs}", s.design, *_seen(advice.forecast, asked), "best, again"))
    return Grid(columns, tuple(rows))


def _seen(seen: Shortfall, asked: PilotStudy) -> tuple[str, str, str]:
    """Median, its interval, and the ninth decile."""
    low, high = _amount(seen.low, asked), _amount(seen.high, asked)
    return _amount(seen.median, asked), f"{low} to {high}", _amount(seen.ninth, asked)


def _by_design(asked: PilotStudy, standings: tuple[Standing, ...]) -> Grid:
    """The best number of runs of every design, and what it is."""
    best: dict[str, Standing] = {}
    for s in standings:
        best.setdefault(s.design, s)
    columns = (
        Column("design"),
        Column("runs", right=True),
        Column(f"shortfall at first, {_unit(asked).strip()}", right=True),
        Column(""),
        Column("what it is", wraps=True),
    )
    return Grid(
        columns,
        tuple(
            (s.design, f"{s.runs}", _amount(s.shortfall.median, asked), _place(s, standings), designs.words(s.design))
            for s in best.values()
        ),
    )


def _place(s: Standing, standings: tuple[Standing, ...]) -> str:
    return "best" if s is standings[0] else "as good" if s.tied else ""


def _unit(asked: PilotStudy) -> str:
    """The unit of a difference, with a space before it: points for a score in percent."""
    metric = asked.study.truth.metric
    return {"percent": " points", "nats": " nats"}.get(metric.unit, f" {metric.name}")


def _amount(value: float, asked: PilotStudy) -> str:
    """With the decimals that differences smaller than the noise of one run can have a meaning in."""
    places = min(max(math.ceil(-math.log10(asked.one_run / STEPS)), 0), 6) if asked.one_run > 0.0 else 6
    least = 10.0**-places
    return f"<{least:.{places}f}" if value < least / 2.0 else f"{value:.{places}f}"


def _said(value: float, asked: PilotStudy) -> str:
    """The same in a sentence."""
    return _amount(value, asked).replace("<", "less than ")


def _how(asked: PilotStudy, advice: Advice) -> str:
    metric = asked.study.truth.metric
    limits = " and ".join(budget_amount(b.kind, b.limit) for b in asked.plan_budgets)
    own = ""
    if advice.as_it_stands is not None:
        own = (
            f" Where that law holds for your model and data as it stands, no pilot is needed: the plan by it ends "
            f"{_said(advice.as_it_stands.median, asked)} short."
        )
    return (
        f"Shortfall: how far the {metric.name} of the plan made from the runs is from that of the best for {limits}. "
        f"What may be true: draws of {asked.prior}. Noise of one run: {significant(asked.one_run, 2)}{_unit(asked)}."
        f" Every design was simulated, fitted and planned from under {asked.study.truths} of these truths, the best "
        f"again under {advice.forecast.truths} others.{own}"
    )
