"""Strategies: what each is, that all of the budget is spent, and what they lose, against the plan and by hand."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ftplan.compare.strategies import Comparison, Contest, Outcome, compare_strategies, judged
from ftplan.errors import Infeasible, InputError
from ftplan.fit import borrowed_fit, predictor
from ftplan.fit.result import Fit
from ftplan.plan import make_plan
from ftplan.plan.problem import Problem
from ftplan.plan.reach import all_reachable
from ftplan.pool import from_lengths
from ftplan.presets import load_law
from ftplan.readers.problems import Flags, read_problem
from ftplan.units import Budget, parse_budget

BUDGETS = ("5e10flops", "4e11flops", "3.2e12flops")


def limits(*texts: str) -> list[tuple[Budget, ...]]:
    return [(parse_budget(text),) for text in texts]


@pytest.fixture(scope="module")
def problem() -> Problem:
    return read_problem("quickstart", Flags()).problem


@pytest.fixture(scope="module")
def fit() -> Fit:
    """A law with an interior best length, without the seconds that a fit takes."""
    return replace(borrowed_fit(load_law("pyfunc-s")), draws=200)


@pytest.fixture(scope="module")
def alone(problem: Problem) -> Problem:
    return replace(problem, series="")


@pytest.fixture(scope="module")
def found(alone: Problem, fit: Fit) -> Comparison:
    return compare_strategies(alone, fit, limits(*BUDGETS))


def named(contest: Contest) -> dict[str, Outcome]:
    return {o.strategy: o for o in contest.outcomes}


def test_the_optimum_is_what_plan_says(found: Comparison, alone: Problem, fit: Fit) -> None:
    for contest in found.contests:
        plan = make_plan(replace(alone, budgets=contest.limits), fit)
        best = contest.outcomes[0]
        assert (best.strategy, best.data, best.cost) == ("optimum", plan.data, plan.cost)
        assert best.prediction == plan.prediction
        assert found.measured_on == plan.measured_on


def test_strategies_are_in_the_order_of_their_names_and_inside_the_runs(found: Comparison, fit: Fit) -> None:
    low, high = fit.series[0].ranges["avg_tokens"]
    assert found.told
    for contest in found.contests:
        o = named(contest)
        assert low <= o["many short"].data.avg_tokens < o["balanced"].data.avg_tokens < o["few long"].data.avg_tokens
        assert o["few long"].data.avg_tokens <= high
        assert o["many short"].data.examples > o["balanced"].data.examples > o["few long"].data.examples


def test_balanced_is_the_whole_pool_drawn_at_random(found: Comparison, problem: Problem) -> None:
    for contest in found.contests:
        balanced = named(contest)["balanced"]
        assert balanced.data.avg_tokens == pytest.approx(problem.pool.mean, rel=1e-12)
        assert balanced.selection.eligible_examples == problem.pool.examples


def test_nobody_beats_the_optimum_and_everybody_spends(found: Comparison) -> None:
    for contest in found.contests:
        for o in contest.outcomes:
            assert o.shortfall is not None
            assert o.shortfall.value >= 0.0
            assert o.binding == (found.contests[0].limits[0].kind,)
            assert 0.95 < o.spent <= 1.0


def test_the_ends_are_where_the_pool_or_the_runs_end(found: Comparison, alone: Problem, fit: Fit) -> None:
    """With a token less (or more), the mean is outside the runs, or the plan takes every example there is."""
    low, high = fit.series[0].ranges["avg_tokens"]
    for contest in found.contests:
        o = named(contest)
        for name, step in (("few long", 1.5), ("many short", -1.5)):
            beyond = o[name].data.avg_tokens + step
            if low <= beyond <= high:
                plan = make_plan(replace(alone, avg_tokens=beyond, budgets=contest.limits), fit)
                assert plan.data.examples == plan.selection.eligible_examples
    # both ways of ending are there
    assert named(found.contests[0])["many short"].data.avg_tokens < low + 1.5
    assert named(found.contests[-1])["many short"].data.avg_tokens > low + 1.5


def test_what_a_strategy_loses_is_counted_draw_by_draw(found: Comparison, fit: Fit) -> None:
    model = predictor(fit, "")
    best, other = (named(found.contests[1])[name] for name in ("optimum", "few long"))
    rows = model.design(
        examples=np.array([float(o.data.examples) for o in (best, other)]),
        avg_tokens=np.array([o.data.avg_tokens for o in (best, other)]),
        epochs=1.0,
        method="random",
        selector_params=0.0,
        eligible=np.full(2, 1e6),
        model_params=333_120.0,
        counts="tokens",
    )
    apart = model.draws(rows) @ np.array([-1.0, 1.0])
    short = other.shortfall
    assert short is not None
    assert short.value == pytest.approx(model.point(rows)[1] - model.point(rows)[0], rel=1e-9)
    assert (short.low, short.high) == pytest.approx(tuple(np.quantile(apart, [0.05, 0.95])), rel=1e-9)
    assert short.standard_error == pytest.approx(float(apart.std()), rel=1e-9)
    # the two share a draw's luck: their difference is known better than either of them
    assert apart.std() < model.draws(rows).std(axis=0).max()


def test_only_one_budget_is_too_small(alone: Problem, fit: Fit) -> None:
    first, second = compare_strategies(alone, fit, limits("1e3flops", "4e11flops")).contests
    assert first.refused is not None
    assert first.outcomes == ()
    assert second.refused is None
    with pytest.raises(Infeasible):
        compare_strategies(alone, fit, limits("1e3flops"))


def test_where_the_law_is_silent_about_length_only_counts_are_shown() -> None:
    problem = read_problem("lora-8b", Flags()).problem
    found = compare_strategies(problem, borrowed_fit(load_law("ccds-mmlu-7b")), [problem.budgets])
    o = named(found.contests[0])
    assert not found.told
    for end in (o["few long"], o["many short"]):
        assert end.prediction is None
        assert end.shortfall is None
    assert o["few long"].data.avg_tokens > o["balanced"].data.avg_tokens > o["many short"].data.avg_tokens
    assert replace(o["balanced"], strategy="optimum") == o["optimum"]
    assert not any(x.pool_runs_out for x in found.contests[0].outcomes)
    assert any("average length is not varied" in text for text in found.warnings)


def test_a_budget_beyond_the_pool_buys_all_of_it(alone: Problem, fit: Fit) -> None:
    small = replace(alone, pool=from_lengths([100] * 700 + [200] * 800, name="few", source=""))
    (contest,) = compare_strategies(small, fit, limits("1e16flops")).contests
    assert {o.data.examples for o in contest.outcomes} == {1500}
    assert all(o.pool_runs_out for o in contest.outcomes)
    assert contest.tied == ("few long", "many short", "balanced")


def test_every_set_of_a_small_pool_is_looked_at(alone: Problem) -> None:
    fit = replace(borrowed_fit(load_law("pyfunc-s")), draws=10)
    lengths = [40, 45, 60, 80, 120, 150, 200, 300, 420]
    small = replace(alone, pool=from_lengths(lengths, name="few", source=""))
    limit = Budget("total_flops", 2e9)
    (contest,) = compare_strategies(small, fit, [(limit,)]).contests
    o = named(contest)
    low, high = fit.series[0].ranges["avg_tokens"]
    reached = all_reachable(small.pool)
    means = []
    for count, tokens in zip(reached.examples, reached.tokens, strict=True):
        mean = float(tokens / count)
        if not low <= mean <= high:
            continue
        try:
            plan = make_plan(replace(small, avg_tokens=mean, budgets=(limit,)), fit)
        except Infeasible:
            continue
        # the cost of one more such example, as linear as costs are
        if plan.data.examples == count and plan.cost.total_flops * (count + 1) / count > limit.limit:
            means.append(mean)
    assert o["few long"].data.avg_tokens == pytest.approx(max(means))
    assert o["many short"].data.avg_tokens == pytest.approx(min(means))


def test_what_cannot_be_compared_is_refused(alone: Problem, fit: Fit) -> None:
    with pytest.raises(InputError, match="holds examples at 128 tokens") as caught:
        compare_strategies(replace(alone, avg_tokens=128.0), fit, limits("4e11flops"))
    assert caught.value.hint
    for none in ([], [()]):
        with pytest.raises(InputError, match="no budget for the strategies to spend"):
            compare_strategies(alone, fit, none)


def test_judged_by_hand() -> None:
    draws = np.array([[4.0, 4.3, 4.1], [5.0, 5.1, 5.1], [6.0, 6.2, 5.8]])
    best, far, near = judged(np.array([5.0, 5.2, 5.01]), draws, 0.5)
    assert (best.value, best.low, best.high, best.standard_error) == (0.0, 0.0, 0.0, 0.0)
    assert far.value == pytest.approx(0.2)
    assert far.low == pytest.approx(0.15)
    assert far.high == pytest.approx(0.25)
    assert far.standard_error == pytest.approx(np.std([0.3, 0.1, 0.2]))
    assert not far.tied
    assert near.tied
    # against one that is named
    assert judged(np.array([5.0, 5.2, 5.01]), draws, 0.5, best=1)[0].value == pytest.approx(-0.2)


@given(st.integers(0, 1000))
def test_luck_that_all_plans_share_changes_nothing(seed: int) -> None:
    rng = np.random.default_rng(seed)
    expected, draws = rng.normal(size=4), rng.normal(size=(50, 4))
    shared = rng.normal(size=(50, 1)) * 100.0
    for own, other in zip(judged(expected, draws, 0.9), judged(expected, draws + shared, 0.9), strict=True):
        assert own.low == pytest.approx(other.low, abs=1e-9)
        assert own.standard_error == pytest.approx(other.standard_error, abs=1e-9)
        assert own.tied == other.tied
