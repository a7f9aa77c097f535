"""What must hold of every plan, whatever the problem."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ftplan.errors import Infeasible
from ftplan.plan import set_up
from ftplan.plan.problem import Problem
from ftplan.plan.search import Candidate
from ftplan.pool import from_lengths
from ftplan.units import Budget

SEEDS = st.integers(0, 100_000)
FEW = settings(max_examples=25, deadline=None, derandomize=True)


def best(problem: Problem, case: Any, cases: ModuleType) -> Candidate | None:
    """The optimum alone; None also where no examples have the mean that is held."""
    try:
        return set_up(problem, cases.to_fit(case)).search.best()
    except Infeasible:
        return None


def same(a: Candidate | None, b: Candidate | None) -> bool:
    """Whether two optima are one plan (bands of one pool)."""
    if a is None or b is None:
        return a is b
    mine, its = ((c.examples, c.band, c.choice.method.name, c.choice.epochs, c.choice.selector) for c in (a, b))
    return mine == its and a.avg_tokens == pytest.approx(b.avg_tokens, rel=1e-12)


@FEW
@given(seed=SEEDS, more=st.floats(1.0, 3.0), which=st.integers(0, 3), risk=st.sampled_from([None, None, 0.1]))
def test_more_budget_never_predicts_worse(
    cases: ModuleType, seed: int, more: float, which: int, risk: float | None
) -> None:
    case = replace(cases.random_case(seed, rows=20), avg_tokens=None)
    problem = replace(cases.to_problem(case), risk=risk)
    search = set_up(problem, cases.to_fit(case)).search
    before = search.best()
    budget = problem.budgets[which % len(problem.budgets)]
    after = search.under(Budget(budget.kind, budget.limit * more)).best()
    if before is not None:
        assert after is not None
        assert after.score <= before.score + 1e-12 * abs(before.score)


@FEW
@given(seed=SEEDS, more=st.floats(1.0, 3.0))
def test_more_budget_never_costs_more_for_a_target(cases: ModuleType, seed: int, more: float) -> None:
    case = replace(cases.random_case(seed, rows=20), avg_tokens=None)
    search = set_up(cases.to_problem(case), cases.to_fit(case)).search
    top = search.best()
    if top is None:
        return
    target = case.sign * (top.loss + 0.1 * abs(top.loss))
    aimed = replace(search, target=target)
    raised = aimed.under(*(Budget(b.kind, b.limit * more) for b in aimed.limits))
    before, after = aimed.best(), raised.best()
    assert before is not None
    assert after is not None
    assert after.price <= before.price * (1.0 + 1e-12)
    assert before.loss <= case.sign * target


@FEW
@given(seed=SEEDS, share=st.floats(0.02, 2.0))
def test_a_budget_is_the_same_in_flops_hours_and_money(cases: ModuleType, seed: int, share: float) -> None:
    case = replace(cases.random_case(seed), usd_per_example=0.0, usd_per_1k_tokens=0.0)
    model = case.models[0]
    flops = share * 6.0 * (model.block_params + model.embedding_params) * sum(case.lengths)
    hours = flops / (case.peak_flops * case.mfu * 3600.0)
    limits = {
        "total_flops": flops,
        "gpu_hours": hours,
        "wall_hours": hours / case.gpus,
        "usd": hours * case.usd_per_gpu_hour,
    }
    plans = [best(cases.to_problem(replace(case, budgets={k: v})), case, cases) for k, v in limits.items()]
    for other in plans[1:]:
        assert same(plans[0], other)


@FEW
@given(seed=SEEDS)
def test_adding_a_method_never_hurts(cases: ModuleType, seed: int) -> None:
    case = cases.random_case(seed)
    fewer = replace(cases.to_problem(case), methods=("random",))
    a, b = best(fewer, case, cases), best(cases.to_problem(case), case, cases)
    if a is not None:
        assert b is not None
        assert b.score <= a.score + 1e-12 * abs(a.score)


@FEW
@given(seed=SEEDS)
def test_with_all_of_the_pool_methods_coincide_and_the_cheapest_is_taken(cases: ModuleType, seed: int) -> None:
    """Length is held at the pool's mean, so that all rows are the best choice of every method."""
    case = replace(cases.random_case(seed), b=(), gamma=None, budgets={"examples": 1e9}, epochs=(1.0,))
    case = replace(case, models=case.models[:1], tunings=case.tunings[:1], avg_tokens=None)
    found = set_up(cases.to_problem(case), cases.to_fit(case)).search.best_of_each()
    assert found[0].examples == found[0].eligible == len(case.lengths)
    assert found[0].choice.method.name == "random"
    assert found[0].bill.selection_flops == 0.0
    values = [c.loss for c in found]
    assert values == pytest.approx([values[0]] * len(values), rel=1e-12)
    assert [c.price for c in found] == sorted(c.price for c in found)


@FEW
@given(seed=SEEDS, factor=st.sampled_from([0.01, 100.0, 1024.0]))
def test_units_and_the_order_of_rows_change_nothing(cases: ModuleType, seed: int, factor: float) -> None:
    """Prices and budgets in another currency; rows in another order."""
    case = cases.random_case(seed)
    shuffled = tuple(int(v) for v in np.random.default_rng(seed).permutation(case.lengths))
    budgets = {k: v * (factor if k == "usd" else 1.0) for k, v in case.budgets.items()}
    other = replace(
        case,
        lengths=shuffled,
        budgets=budgets,
        usd_per_gpu_hour=case.usd_per_gpu_hour * factor,
        usd_per_example=case.usd_per_example * factor,
        usd_per_1k_tokens=case.usd_per_1k_tokens * factor,
    )
    a, b = best(cases.to_problem(case), case, cases), best(cases.to_problem(other), other, cases)
    assert same(a, b)


@FEW
@given(seed=SEEDS)
def test_the_order_of_choices_changes_no_number(cases: ModuleType, seed: int) -> None:
    case = cases.random_case(seed, rows=20)
    reordered = replace(case, kap=dict(reversed(case.kap.items())), selectors=case.selectors[::-1])
    a, b = best(cases.to_problem(case), case, cases), best(cases.to_problem(reordered), reordered, cases)
    assert (a is None) == (b is None)
    if a is not None and b is not None:
        assert a.score == pytest.approx(b.score, rel=1e-12)
        assert a.price == pytest.approx(b.price, rel=1e-12)


def test_money_decides_between_equal_metrics(cases: ModuleType) -> None:
    """A law of tokens alone: of all ways to the same tokens the one that costs least."""
    case = replace(cases.random_case(3), b=(), kap={}, lengths=(10,) * 30, avg_tokens=None)
    problem = replace(
        cases.to_problem(case), pool=from_lengths(case.lengths, name="p", source="-"), budgets=(Budget("examples", 12),)
    )
    found = set_up(problem, cases.to_fit(case)).search.best()
    assert found is not None
    assert found.examples == 12
