"""JSON Schemas of the files that ftplan reads and writes, shipped beside this module: problem, fit and plan.

Editors and other tools can use the files as they are; `check` is what every reader of ftplan calls.
"""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from ftplan.errors import InputError
from ftplan.registry import stems
from ftplan.schemas.validate import first_fault

_FOLDER = Path(__file__).parent


def names() -> list[str]:
    """Every schema, by listing the folder."""
    return stems(_FOLDER, ".json")


@cache
def load(name: str) -> dict[str, Any]:
    """A schema (one of `names()`) as plain values."""
    schema: dict[str, Any] = json.loads((_FOLDER / f"{name}.json").read_text(encoding="utf-8"))
    return schema


def check(name: str, value: Any, source: str, *, hint: str | None = None) -> None:
    """Raises InputError with the path to the first thing in `value` that its schema does not allow.

    source: what the message calls the file; hint: said where the fault itself has none.
    """
    fault = first_fault(value, load(name))
    if fault is not None:
        raise InputError(f"{source}: {fault}", hint=fault.hint or hint)
