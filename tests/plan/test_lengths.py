"""Estimated lengths: the plan with all of them off by the same share."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ftplan.fit import borrowed_fit
from ftplan.measure import Measure
from ftplan.plan import set_up, solve
from ftplan.plan.lengths import band_before_cut, ends, longer_pool, scaled
from ftplan.plan.search import Candidate, Search
from ftplan.pool import Pool, from_lengths
from ftplan.presets import load_law
from ftplan.readers.problems import Flags, read_problem
from ftplan.units import parse_budget

LENGTHS = np.exp(np.random.default_rng(0).normal(5.5, 0.8, 3000)).astype(np.int64) + 1


@pytest.fixture
def pool() -> Pool:
    return replace(from_lengths(LENGTHS, name="pool", source=""), measure=Measure("text", conversation=False))


@pytest.fixture
def setup(pool: Pool) -> tuple[Search, Candidate]:
    asked = read_problem("lora-8b", Flags(methods=("random",)))
    problem = replace(asked.problem, pool=pool, budgets=(parse_budget("2usd"),), max_length=1024)
    found = set_up(problem, borrowed_fit(load_law(asked.law)))
    best = found.search.best()
    assert best is not None
    return found.search, best


def test_lengths_that_are_right_change_nothing(pool: Pool, setup: tuple[Search, Candidate]) -> None:
    search, best = setup
    problem = replace(read_problem("lora-8b", Flags()).problem, pool=pool, max_length=1024)
    same = scaled(problem, search, best, 1.0)
    assert vars(same.bill) == pytest.approx(vars(best.bill))
    assert same.total_tokens == pytest.approx(best.examples * best.avg_tokens)


def test_both_ends_bracket_the_plan_and_a_cut_bounds_them(pool: Pool, setup: tuple[Search, Candidate]) -> None:
    search, best = setup
    problem = replace(read_problem("lora-8b", Flags()).problem, pool=pool, max_length=1024)
    found = ends(problem, search, best)
    assert found is not None
    low, high = found
    rows = LENGTHS[(np.minimum(LENGTHS, 1024) >= best.band[0]) & (np.minimum(LENGTHS, 1024) <= best.band[1])]
    for end, factor in ((low, 0.8), (high, 1.2)):
        mean = np.minimum(np.rint(rows * factor), 1024).mean()
        assert end.total_tokens == pytest.approx(best.examples * mean)
    assert low.bill.total_flops < best.bill.total_flops < high.bill.total_flops
    assert low.steps < high.steps


def test_counted_lengths_have_no_ends(pool: Pool, setup: tuple[Search, Candidate]) -> None:
    search, best = setup
    counted = replace(pool, measure=Measure("text", tokenizer="t", tokenizer_sha256="x"))
    problem = replace(read_problem("lora-8b", Flags()).problem, pool=counted, max_length=1024)
    assert ends(problem, search, best) is None


def test_a_longer_pool_keeps_every_row(pool: Pool) -> None:
    longer = longer_pool(pool, 0.01)
    assert longer.examples == pool.examples
    assert longer.shortest == 1
    assert longer_pool(pool, 1.2).total_tokens == np.rint(LENGTHS * 1.2).sum()
    assert band_before_cut(pool, (100, 512), 512).examples == (LENGTHS >= 100).sum()
    assert band_before_cut(pool, (100, 500), 512).examples == ((LENGTHS >= 100) & (LENGTHS <= 500)).sum()


def test_a_plan_warns_of_budgets_that_the_error_may_break(pool: Pool) -> None:
    asked = read_problem("lora-8b", Flags(methods=("random",)))
    problem = replace(asked.problem, pool=pool, budgets=(parse_budget("0.1usd"),), max_length=1024)
    plan = solve(set_up(problem, borrowed_fit(load_law(asked.law))))
    assert any(w.startswith("lengths are estimated: if they are 20 % longer the plan takes 0.1") for w in plan.warnings)
