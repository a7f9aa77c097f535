"""Plan files, as `ftplan compare plans` needs them: every fact that they state."""

from __future__ import annotations

from typing import Any

from ftplan.compare.facts import FACTS, Value
from ftplan.compare.plans import Stated
from ftplan.readers.plans import committed, plan_values
from ftplan.readers.source import source_name


def read_stated(path: str) -> Stated:
    """The plan in a file. Raises as `plan_values`."""
    plain = plan_values(path)
    inputs = plain["inputs"]
    return Stated(
        source=source_name(path),
        plan=committed(plain),
        facts={fact.key: value for fact in FACTS if (value := _fact(plain, fact.key)) is not None},
        eligible=int(plain["selection"]["eligible_examples"]),
        fit_sha256=inputs.get("fit_sha256", ""),
        series=inputs.get("series", ""),
        laws=tuple(str(law.get("law", "")) for law in inputs.get("laws", ())),
        law=plain.get("measured_on", ""),
        size_told=inputs.get("model_size_told"),
    )


def _fact(plain: dict[str, Any], key: str) -> Value:
    """The value at a path; None where the file leaves it out, or says that it has none."""
    if key.startswith("budgets."):
        kind = key.removeprefix("budgets.")
        return next((float(budget["limit"]) for budget in plain["budgets"] if budget["kind"] == kind), None)
    value: Any = plain
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if key == "data.recipe.band":
        return f"{value[0]:,} to {value[1]:,}"
    return None if value == "" else value
