"""A committed plan held against today: one line per constraint, then what it costs now and what has changed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, replace
from typing import Any

from ftplan.formats.documents import SCHEMA_VERSION, Block, Check, Column, Document, Grid, Heading, Prose, section
from ftplan.formats.documents.words import NONE, budget_amount, plural, significant
from ftplan.plan.check import Report, Verdict
from ftplan.plan.explain import cost_of_bill
from ftplan.units import BUDGET_UNITS

_HEADER = ("constraint", "kind", "passed", "limit", "used", "detail", "hint")
_COSTS = ("train_flops", "selection_flops", "total_flops", "gpu_hours", "wall_hours", "usd", "compute_usd", "data_usd")


def document(report: Report, source: str, notes: Sequence[str] = ()) -> Document:
    """The report for every format. source: the plan file as it was named; notes: what changed in prices."""
    warnings = (*notes, *report.warnings)
    data: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "kind": "check",
        "plan": report.plan.name,
        "passed": report.passed,
        "checks": [verdict_to_dict(verdict) for verdict in report.verdicts],
        "cost": _cost(report),
        "cost_when_planned": {key: value for key, value in report.plan.cost.items() if key in _COSTS},
        "rates": _rates(report),
        "eligible_examples": report.eligible_examples,
        "warnings": list(warnings),
    }
    screen: tuple[Block, ...] = (
        Prose(_answer(report, source), tone="strong"),
        _grid(report.verdicts),
        *section("To make it hold", tuple(f"{v.name}: {v.hint}" for v in report.verdicts if v.hint)),
        *_then_and_now(report),
        *section("Warnings", warnings),
    )
    records = tuple((v.name, v.kind, v.passed, v.limit, v.used, v.detail, v.hint) for v in report.verdicts)
    return Document(data, _HEADER, records, screen, warnings, tuple(map(as_check, report.verdicts)))


def judged(plan: Document, verdicts: Sequence[Verdict]) -> Document:
    """The document of a plan just made, with the constraints it was held to; requirements get their own section."""
    required = [verdict for verdict in verdicts if verdict.kind == "requirement"]
    checks = tuple(map(as_check, verdicts))
    if not required:
        return replace(plan, checks=checks)
    told = [
        {"requirement": v.name, "passed": v.passed, "value": v.used, "detail": v.detail, "hint": v.hint}
        for v in required
    ]
    said = (Heading("Required"), _grid(required))
    hints = section("To make it hold", tuple(f"{v.name}: {v.hint}" for v in required if v.hint))
    # the answer to what was asked stands before what explains the plan
    first = next((i for i, block in enumerate(plan.screen) if isinstance(block, Heading)), len(plan.screen))
    return replace(
        plan,
        data={**plan.data, "requirements": told},
        screen=(*plan.screen[:first], *said, *hints, *plan.screen[first:]),
        checks=checks,
    )


def as_check(verdict: Verdict) -> Check:
    hint = f"; {verdict.hint}" if verdict.hint else ""
    return Check(verdict.name, verdict.passed, verdict.detail + hint)


def verdict_to_dict(verdict: Verdict) -> dict[str, Any]:
    return {
        "constraint": verdict.name,
        "kind": verdict.kind,
        "passed": verdict.passed,
        "limit": verdict.limit,
        "used": verdict.used,
        "detail": verdict.detail,
        "hint": verdict.hint,
    }


def _cost(report: Report) -> dict[str, float | None] | None:
    return None if report.bill is None else asdict(cost_of_bill(report.plan.job, report.bill))


def _rates(report: Report) -> dict[str, Any]:
    plan, job = report.plan, report.plan.job
    return {
        "gpu": plan.gpu or None,
        "gpu_count": job.gpus,
        "mfu": job.mfu or None,
        "mfu_source": str(plan.mfu_origin or ""),
        "mfu_origin": asdict(plan.mfu_origin) if plan.mfu_origin else None,
        "usd_per_gpu_hour": job.usd_per_gpu_hour,
        "price_source": str(plan.price_origin or ""),
        "price_origin": asdict(plan.price_origin) if plan.price_origin else None,
    }


def _answer(report: Report, source: str) -> str:
    failed = [verdict.name for verdict in report.verdicts if not verdict.passed]
    every = plural(len(report.verdicts), "constraint")
    if not failed:
        return f"{source} holds today: {every} kept."
    return f"{source} does not hold today: {len(failed)} of {every} broken ({', '.join(failed)})."


def _grid(verdicts: Sequence[Verdict]) -> Grid:
    columns = (Column("constraint"), Column(""), Column("seen", wraps=True))
    rows = tuple((v.name, "holds" if v.passed else "FAILS", v.detail) for v in verdicts)
    return Grid(columns, rows)


def _then_and_now(report: Report) -> tuple[Block, ...]:
    """What the plan costs now beside what it cost when it was made, for every cost that is known."""
    if report.bill is None:
        return ()
    rows = []
    for kind in BUDGET_UNITS:
        now = None if kind == "examples" else getattr(report.bill, kind)
        then = report.plan.cost.get(kind)
        if now is not None:
            change = NONE if not then else f"{100.0 * (now / then - 1.0):+.1f} %".replace("-0.0", "+0.0")
            rows.append((budget_amount(kind, now), NONE if then is None else budget_amount(kind, then), change))
    columns = (Column("today", right=True), Column("when planned", right=True), Column("change", right=True))
    return (Heading("Cost"), Grid(columns, tuple(rows)), *section("Counted with", _counted_with(report)))


def _counted_with(report: Report) -> tuple[str, ...]:
    plan, job = report.plan, report.plan.job
    if not plan.gpu:
        return ()
    hardware = f"{job.gpus} x {plan.gpu} at {job.mfu:.0%} of the peak: {plan.mfu_origin}"
    if job.usd_per_gpu_hour is None:
        return (hardware,)
    return (hardware, f"{significant(job.usd_per_gpu_hour, 3)} USD per GPU-hour: {plan.price_origin}")
