"""The layout of a plan file (design section 6, `kind: plan`)."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from ftplan.errors import Infeasible
from ftplan.formats.documents import SCHEMA_VERSION
from ftplan.plan.result import Alternative, Data, Plan, Prediction


def plan_to_dict(plan: Plan) -> dict[str, Any]:
    """A plan as plain values."""
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "plan",
        "name": plan.name,
        "feasible": True,
        "inputs": plan.inputs,
        "data": _data(plan.data),
        "selection": asdict(plan.selection),
        "training": asdict(plan.training),
        "cost": asdict(plan.cost),
        "budgets": [
            {"kind": use.kind, "limit": use.limit, "used": use.used, "share": use.share} for use in plan.budgets
        ],
        "prediction": _prediction(plan.prediction),
        "binding": list(plan.binding),
        "objective": plan.objective,
        "sensitivity": [asdict(change) for change in plan.sensitivity],
        "frontier": [asdict(point) for point in plan.frontier],
        "regret": None if plan.regret is None else asdict(plan.regret),
        "alternatives": [_alternative(other) for other in plan.alternatives],
        "chain": [asdict(step) for step in plan.chain],
        "assumptions": [asdict(assumption) for assumption in plan.assumptions],
        "warnings": list(plan.warnings),
        "measured_on": plan.measured_on,
    }


def refusal_to_dict(refusal: Infeasible) -> dict[str, Any]:
    """What a script reads when the answer is no."""
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "plan",
        "feasible": False,
        "reason": refusal.message,
        "hint": refusal.hint,
    }


def _data(data: Data) -> dict[str, Any]:
    plain = asdict(data)
    plain["recipe"]["band"] = list(data.recipe.band)
    return plain


def _prediction(prediction: Prediction) -> dict[str, Any]:
    metric = prediction.metric
    return {
        "metric": metric.name,
        "direction": metric.direction,
        "unit": metric.unit,
        "value": prediction.value,
        "low": prediction.low,
        "high": prediction.high,
        "level": prediction.level,
        "extrapolation": prediction.extrapolation,
        "pessimistic": prediction.pessimistic,
    }


def _alternative(other: Alternative) -> dict[str, Any]:
    return {
        "what": other.what,
        "worse_by": other.worse_by,
        "better_probability": other.better_probability,
        "tied": other.tied,
        "data": _data(other.data),
        "selection": asdict(other.selection),
        "cost": asdict(other.cost),
        "prediction": _prediction(other.prediction),
    }
