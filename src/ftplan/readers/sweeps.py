"""`--from X --to Y --steps K`: a sweep of budgets as people write it."""

from __future__ import annotations

import math
from collections.abc import Sequence

from ftplan.errors import InputError
from ftplan.units import Budget, parse_budget


def spaced(own: Sequence[Budget], first: str | None, last: str | None, steps: int) -> tuple[Budget, ...]:
    """`steps` budgets evenly spaced in log between `first` and `last`, three significant digits each.

    own: the problem's budgets; a missing end is a tenth of, or ten times, the one of the same kind (else the first).
    Raises InputError where the ends are of two kinds or in the wrong order, or where nothing tells them.
    """
    low = None if first is None else parse_budget(first)
    high = None if last is None else parse_budget(last)
    given = low or high
    middle = next((budget for budget in own if given is None or budget.kind == given.kind), None)
    if middle is None and (low is None or high is None):
        raise InputError(
            "the problem has no such budget to sweep around", hint="give both: --from 1e12flops --to 1e14flops"
        )
    low = low or Budget(middle.kind, middle.limit / 10.0)  # type: ignore[union-attr]
    high = high or Budget(middle.kind, middle.limit * 10.0)  # type: ignore[union-attr]
    if low.kind != high.kind:
        raise InputError(f"--from is in {low.kind} and --to in {high.kind}", hint="sweep one kind of budget at a time")
    if low.limit >= high.limit:
        raise InputError(f"--from {low.limit:g} is not below --to {high.limit:g}", hint="exchange them")
    ratio = math.log(high.limit / low.limit) / (steps - 1)
    return tuple(Budget(low.kind, float(f"{low.limit * math.exp(ratio * step):.3g}")) for step in range(steps))


def one_of_each_kind(texts: Sequence[str]) -> tuple[str, ...]:
    """The first of some budgets of each kind: what a problem must be able to count, whichever of them is meant."""
    first: dict[str, str] = {}
    for text in texts:
        first.setdefault(parse_budget(text).kind, text)
    return tuple(first.values())
