"""The plan under each budget of a sweep."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ftplan.errors import Infeasible
from ftplan.fit import borrowed_fit
from ftplan.plan import make_plan
from ftplan.plan.result import Plan
from ftplan.presets import load_law
from ftplan.readers.problems import Flags, read_problem
from ftplan.simulate.budgets import budget_sweep
from ftplan.units import Budget


def test_each_plan_is_the_one_made_alone() -> None:
    problem = read_problem("lora-8b", Flags(usd_per_gpu_hour=2.0, gpu="a100-80gb:2", mfu=0.35)).problem
    fit = borrowed_fit(load_law("ccds-mmlu-7b"))
    budgets = [Budget("usd", usd) for usd in (1e-6, 2.0, 8.0)]
    nothing, *plans = budget_sweep(problem, fit, budgets)
    assert isinstance(nothing, Infeasible)
    assert nothing.message.startswith("the budget of 1e-06 USD is below one example")
    for plan, budget in zip(plans, budgets[1:], strict=True):
        assert isinstance(plan, Plan)
        others = tuple(b for b in problem.budgets if b.kind != "usd")
        assert plan == make_plan(replace(problem, budgets=(*others, budget)), fit)
    values = [plan.prediction.value for plan in plans if isinstance(plan, Plan)]
    assert values == sorted(values)


def test_no_budgets_no_plans() -> None:
    problem = read_problem("lora-8b", Flags()).problem
    assert budget_sweep(problem, borrowed_fit(load_law("ccds-mmlu-7b")), []) == []


@pytest.mark.parametrize("kind", ["usd", "total_flops"])
def test_a_swept_budget_stands_beside_the_others(kind: str) -> None:
    problem = read_problem("lora-8b", Flags()).problem
    (plan,) = budget_sweep(
        problem, borrowed_fit(load_law("ccds-mmlu-7b")), [Budget(kind, 1.0 if kind == "usd" else 1e18)]
    )
    assert isinstance(plan, Plan)
    assert {use.kind for use in plan.budgets} == {"usd", "wall_hours", kind}
