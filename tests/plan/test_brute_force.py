"""The plan against enumeration, on random problems with small explicit pools."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from ftplan.errors import Infeasible
from ftplan.plan import make_plan
from ftplan.plan.result import Plan


def check_plan(case: Any, plan: Plan, found: Any, brute_force: ModuleType) -> None:
    """The plan is reachable, is what it says it is, stays within every budget, and nothing is better."""
    lo, hi = plan.data.recipe.band
    rows = [v for v in brute_force.cut_rows(case) if lo <= v <= hi]
    n, length = plan.data.examples, plan.data.avg_tokens
    assert plan.selection.eligible_examples == len(rows)
    totals = np.flatnonzero(brute_force.takes(rows)[n])
    assert np.abs(totals / n - length).min() <= 0.5
    pick = brute_force.Pick(
        next(m for m in case.models if m.name == plan.training.model),
        plan.training.tuning,
        plan.selection.method,
        next((s for s in case.selectors if s.name == plan.selection.model), None),
        plan.data.epochs,
    )
    assert pick in list(brute_force.picks(case))
    value = brute_force.metric(case, pick, float(n), length, float(len(rows)))
    assert plan.prediction.value == pytest.approx(value, rel=1e-9)
    bill = brute_force.costs(case, pick, float(n), length, [rows], 0)
    for kind in ("train_flops", "selection_flops", "total_flops", "gpu_hours", "wall_hours", "usd"):
        assert getattr(plan.cost, kind) == pytest.approx(bill[kind], rel=1e-9), kind
    for use in plan.budgets:
        assert use.used <= use.limit, use.kind
        assert use.used == pytest.approx(bill[use.kind], rel=1e-9)
    if case.target is None:
        assert case.sign * (plan.prediction.value - found.value) <= 1e-6 * found.spread
    else:
        assert case.sign * plan.prediction.value <= case.sign * case.target
        assert plan.cost.usd <= found.usd * (1.0 + 1e-9)


@pytest.mark.parametrize("seed", range(60))
def test_no_plan_is_better(seed: int, cases: ModuleType, brute_force: ModuleType) -> None:
    case = cases.random_case(seed)
    found = brute_force.best(case)
    if found.value is None:
        with pytest.raises(Infeasible):
            make_plan(cases.to_problem(case), cases.to_fit(case))
        return
    check_plan(case, make_plan(cases.to_problem(case), cases.to_fit(case)), found, brute_force)


@pytest.mark.parametrize("seed", range(60, 80))
def test_no_plan_is_cheaper(seed: int, cases: ModuleType, brute_force: ModuleType) -> None:
    """With a target: three quarters of the way to the best metric there is, and one beyond it."""
    case = cases.random_case(seed)
    found = brute_force.best(case)
    if found.value is None:
        return
    for share in (0.25, -0.1):
        wanted = replace(case, target=found.value + case.sign * share * max(found.spread, 1e-3))
        aimed = brute_force.best(wanted)
        problem, fit = cases.to_problem(wanted), cases.to_fit(wanted)
        if aimed.usd is None:
            with pytest.raises(Infeasible, match="out of reach"):
                make_plan(problem, fit)
        else:
            check_plan(wanted, make_plan(problem, fit), aimed, brute_force)
