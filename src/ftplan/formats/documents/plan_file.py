"""Plan files: a plan as plain values, and back as itself."""

from __future__ import annotations

from typing import Any

from ftplan.errors import Infeasible
from ftplan.formats.documents import SCHEMA_VERSION
from ftplan.plan.result import Alternative, Plan, Prediction
from ftplan.records import plain, record

#: what a file tells of the models; their names stand where they are trained or score
_MODEL = (
    "layers", "d_model", "d_ff", "q_dim", "kv_dim", "gated", "tied", "context_tokens", "block_params",
    "embedding_params", "position_params", "total_params", "hub_id",
)  # fmt: skip
_SELECTOR = ("params", "flop_params", "layers", "q_dim")
#: parts of a plan in the order of its file
_PARTS = (
    "name", "feasible", "inputs", "data", "selection", "training", "cost", "budgets", "prediction", "binding",
    "objective", "sensitivity", "frontier", "regret", "alternatives", "chain", "assumptions", "warnings", "measured_on",
    "size_beyond",
)  # fmt: skip


def plan_to_dict(plan: Plan) -> dict[str, Any]:
    """A plan as plain values."""
    values = plain(plan) | {
        "feasible": True,
        "inputs": _inputs(plan),
        "budgets": [plain(use) | {"share": use.share} for use in plan.budgets],
        "prediction": _prediction(plan.prediction),
        "alternatives": [_alternative(other) for other in plan.alternatives],
    }
    parts = (*_PARTS, "requirements") if plan.requirements else _PARTS
    return {"schema_version": SCHEMA_VERSION, "kind": "plan", **{part: values[part] for part in parts}}


def plan_of_dict(values: dict[str, Any]) -> Plan:
    """The plan that these values tell of; they fit the schema."""
    inputs, training, selection = values["inputs"], values["training"], values["selection"]
    costs, selector = inputs["costs"], inputs["costs"]["selector"]
    known = {
        "model": {"name": training["model"], "source": "", **costs["model"]},
        "selector": selector and {"name": selection["model"], "source": "", **selector},
    }
    whole = {
        "name": "plan",
        **values,
        "inputs": {**inputs, "costs": {**costs, **known}},
        "prediction": _with_metric(values["prediction"]),
        "alternatives": [
            {**other, "prediction": _with_metric(other["prediction"])} for other in values.get("alternatives", ())
        ],
    }
    return record(Plan, whole)


def refusal_to_dict(refusal: Infeasible) -> dict[str, Any]:
    """What a script reads when the answer is no."""
    return {
        "schema_version": SCHEMA_VERSION,
        "kind": "plan",
        "feasible": False,
        "reason": refusal.message,
        "hint": refusal.hint,
    }


def _inputs(plan: Plan) -> dict[str, Any]:
    costs = plan.inputs.costs
    values: dict[str, Any] = plain(plan.inputs)
    values["costs"]["model"] = {name: getattr(costs.model, name) for name in _MODEL}
    values["costs"]["selector"] = costs.selector and {name: getattr(costs.selector, name) for name in _SELECTOR}
    return values


def _prediction(prediction: Prediction) -> dict[str, Any]:
    """The metric's name, direction and unit stand beside the numbers."""
    values: dict[str, Any] = plain(prediction)
    metric = values.pop("metric")
    return {"metric": metric["name"], "direction": metric["direction"], "unit": metric["unit"], **values}


def _with_metric(values: dict[str, Any]) -> dict[str, Any]:
    metric = {"name": values["metric"], "direction": values["direction"], "unit": values["unit"]}
    return {**values, "metric": metric}


def _alternative(other: Alternative) -> dict[str, Any]:
    values = plain(other) | {"tied": other.tied, "prediction": _prediction(other.prediction)}
    order = ("what", "worse_by", "better_probability", "tied", "data", "selection", "cost", "prediction")
    return {key: values[key] for key in order}
