"""Selection methods side by side: the best under each budget, where each takes over, from which size ratio it pays."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ftplan.compare.breakeven import Threshold
from ftplan.compare.methods import MethodComparison
from ftplan.compare.ratios import LEAD, Heat, Ratio
from ftplan.compare.takeover import BestMethod, TakeOver, Tipping
from ftplan.formats.documents import SCHEMA_VERSION, Cell, Document, finite
from ftplan.formats.documents.method_screen import screen

_HEADER = (
    "what", "budget_kind", "budget", "ratio", "method", "selector", "against", "lead", "value", "low", "high",
    "share_of_draws", "told", "examples", "avg_tokens", "extrapolation",
)  # fmt: skip


def document(found: MethodComparison) -> Document:
    """The comparison for every format; records hold one number a line, `what` says which."""
    records = (
        *(_best_record(found, p) for p in found.frontier),
        *(r for t in found.take_overs for r in _over_records(found, t)),
        *(r for ratio in found.ratios for r in _ratio_records(ratio)),
        *(_tipping_record(found, t) for t in found.tipping),
        *(_map_records(found.heat) if found.heat else ()),
    )
    data: dict[str, Any] = {
        "schema_version": SCHEMA_VERSION,
        "kind": "method_comparison",
        "problem": found.problem.name,
        "metric": asdict(found.metric),
        "level": found.problem.level,
        "lead": LEAD,
        "model_params": found.model_params,
        "budget": asdict(found.own),
        "frontier": [_named(_best_record(found, p)) for p in found.frontier],
        "take_overs": [_take_over(t) for t in found.take_overs],
        "ratios": [_ratio(r) for r in found.ratios],
        "ratio_cannot_be_told": found.why_not,
        "measured_ratios": {m: list(v) for m, v in found.measured.items()},
        "tipping_points": [
            {"method": t.method or None, "gain": t.gain, "budget": _threshold(t.budget)} for t in found.tipping
        ],
        "map": None if found.heat is None else _map(found.heat),
        "explained": [asdict(a) for a in found.arithmetic],
        "measured_on": found.measured_on,
        "assumptions": [asdict(a) for a in found.assumptions],
        "warnings": list(found.warnings),
    }
    return Document(data, _HEADER, records, screen(found), found.warnings)


def _named(record: tuple[Cell, ...]) -> dict[str, Cell]:
    return {k: v for k, v in zip(_HEADER, record, strict=True) if v is not None and k != "what"}


def _threshold(t: Threshold) -> dict[str, Any]:
    """Ends beyond the range are null; which side they lie on is said beside them."""
    return {
        "told": t.told,
        "estimate": finite(t.estimate),
        "low": finite(t.low),
        "high": finite(t.high),
        "from_the_start": t.always,
        "never": t.never,
        "share_of_draws": t.share,
        "range": [t.start, t.stop],
    }


def _take_over(t: TakeOver) -> dict[str, Any]:
    own = {"method": t.method, "selector": t.selector, "against": t.against, "lead": t.lead}
    return {**own, "budget": _threshold(t.pays_from), "up_to_budget": _threshold(t.pays_to)}


def _ratio(r: Ratio) -> dict[str, Any]:
    own = {"method": r.method, "budget": asdict(r.budget), "against": r.against, "lead": r.lead}
    return {**own, "ratio": _threshold(r.pays_from), "up_to_ratio": _threshold(r.pays_to)}


def _map(heat: Heat) -> dict[str, Any]:
    return {
        "budget_kind": heat.budgets[0].kind,
        "budgets": [b.limit for b in heat.budgets],
        "ratios": heat.ratios.tolist(),
        "methods": [[heat.methods[k] if k >= 0 else None for k in row] for row in heat.best.tolist()],
        "share_of_draws": heat.share.tolist(),
        "values": [[finite(v) for v in row] for row in heat.value.tolist()],
    }


def _best_record(found: MethodComparison, p: BestMethod) -> tuple[Cell, ...]:
    head = ("best", p.budget.kind, p.budget.limit, None)
    if p.plan is None or p.prediction is None:
        return (*head, *[None] * (len(_HEADER) - len(head)))
    selector, seen = p.plan.choice.selector, p.prediction
    return (
        *head[:3], found.model_params / selector.params if selector else None, p.plan.choice.method.name,
        selector.name if selector else None, None, None, seen.value, seen.low, seen.high, p.share, None,
        p.plan.examples, p.plan.avg_tokens, seen.extrapolation,
    )  # fmt: skip


def _cells(t: Threshold) -> tuple[Cell, ...]:
    return (finite(t.estimate), finite(t.low), finite(t.high), t.share, t.told, None, None, None)


def _over_records(found: MethodComparison, t: TakeOver) -> list[tuple[Cell, ...]]:
    own = (found.own.kind, None, None, t.method, t.selector or None, t.against, t.lead)
    return [
        ("takes_over_at_budget", *own, *_cells(t.pays_from)),
        ("pays_up_to_budget", *own, *_cells(t.pays_to)),
    ]


def _ratio_records(r: Ratio) -> list[tuple[Cell, ...]]:
    own = (r.budget.kind, r.budget.limit, None, r.method, None, r.against, r.lead)
    return [("pays_from_ratio", *own, *_cells(r.pays_from)), ("pays_up_to_ratio", *own, *_cells(r.pays_to))]


def _tipping_record(found: MethodComparison, t: Tipping) -> tuple[Cell, ...]:
    return ("doubling_pays_until_budget", found.own.kind, None, None, t.method or None, None, None, None,
            *_cells(t.budget))  # fmt: skip


def _map_records(heat: Heat) -> list[tuple[Cell, ...]]:
    return [
        ("map", budget.kind, budget.limit, float(heat.ratios[j]),
         heat.methods[heat.best[i, j]] if heat.best[i, j] >= 0 else None, None, None, None,
         finite(float(heat.value[i, j])), None, None, float(heat.share[i, j]), None, None, None, None)
        for i, budget in enumerate(heat.budgets)
        for j in range(len(heat.ratios))
    ]  # fmt: skip
