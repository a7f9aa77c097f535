"""Bounds, large searches, turns of the metric, and the numbers of examples."""

from __future__ import annotations

from dataclasses import replace
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from ftplan.costs.packing import batching
from ftplan.fit import fit_runs
from ftplan.fit.result import Fit
from ftplan.plan import PlanSetup, set_up
from ftplan.plan import search as searching
from ftplan.plan.batches import Batches
from ftplan.plan.points import free_points
from ftplan.plan.problem import Problem
from ftplan.plan.search import Search
from ftplan.plan.trials import Trials, every_pair
from ftplan.pool import from_lengths
from ftplan.presets import runs_path
from ftplan.readers.problems import Flags, read_problem
from ftplan.readers.tables import read_runs
from ftplan.selection import load, names
from ftplan.units import Budget


@pytest.fixture(scope="module")
def quickstart() -> Problem:
    return read_problem("quickstart", Flags()).problem


@pytest.fixture(scope="module")
def fit() -> Fit:
    """The runs of the quickstart with a mixture ahead of them."""
    table = read_runs(str(runs_path("pyfunc")))
    return fit_runs(dict(table.series())["s"], draws=50)


@pytest.fixture(scope="module")
def setup(quickstart: Problem, fit: Fit) -> PlanSetup:
    return set_up(replace(quickstart, series=""), fit)


@pytest.mark.parametrize("packing", [True, False])
def test_bounds_are_never_above_the_cost(packing: bool) -> None:
    rng = np.random.default_rng(0)
    pool = from_lengths(rng.integers(1, 500, 3000).tolist(), name="pool", source="-")
    points = free_points(pool, 1.0, 500.0).take(np.arange(0, 900, 60))
    batches = Batches(pool, points.bands, 600, packing, 4)
    computed, attention = batches.computed.copy(), batches.attention.copy()
    batches.tighten(points.band)
    sharper = batches.computed.copy()
    batches.make_exact(points.band)
    assert (sharper[points.band] >= computed[points.band]).all()
    assert (sharper[points.band] <= batches.computed[points.band]).all()
    assert (attention[points.band] <= batches.attention[points.band] * (1.0 + 1e-12)).all()
    for k in points.band[:3]:
        band = pool.band(int(points.bands.lo[k]), int(points.bands.hi[k]))
        assert batches.of(int(k), 1.0) == batching(band, 600, packing, 4)


@pytest.mark.parametrize("method", names())
def test_selection_costs_take_arrays(method: str) -> None:
    """The evaluator scores all bands in one call."""
    chosen = load(method)
    selector = None if not chosen.needs_model else _selector(language=chosen.selector_kind == "models")
    tokens, attention = np.array([1e5, 2e6]), np.array([100.0, 300.0])
    flops: Any = chosen.selection_flops
    each = [flops(selector, float(t), float(a)) for t, a in zip(tokens, attention, strict=True)]
    assert np.broadcast_to(flops(selector, tokens, attention), 2) == pytest.approx(each, rel=1e-15)


def _selector(*, language: bool) -> Any:
    from ftplan.costs.model import Selector

    return Selector("s", 1e6, 8e5, "made up", 2 if language else 0, 32 if language else 0)


def test_only_what_may_win_is_batched(setup: PlanSetup) -> None:
    search = setup.search
    search.best()
    assert 0 < search.batches.exact.sum() < len(search.points) / 2


@pytest.mark.parametrize("budget", [1e11, 4e11, 3e12, 1e15])
def test_no_band_and_no_number_of_examples_is_better(setup: PlanSetup, budget: float) -> None:
    """Every band batched, and for each of them two hundred numbers of examples up to all that the budget buys."""
    search = setup.search.under(Budget("total_flops", budget))
    best = search.best()
    assert best is not None
    every = every_pair(np.array([0]), np.arange(len(search.points)))
    search.batches.make_exact(search.points.band)
    most = search.evaluator.most(every, search.limits)
    able = np.flatnonzero(most >= 1.0)
    numbers = np.unique(np.floor(np.geomspace(1.0, most[able], 200)), axis=0)
    trials = Trials(np.zeros(numbers.size, np.intp), np.tile(able, len(numbers)), numbers.ravel())
    assert best.score <= search.evaluator.expected(trials).min() + 1e-9


def test_more_examples_may_be_worse_and_then_fewer_are_taken(cases: ModuleType) -> None:
    """Drift so strong that 1 + b3·x is below 0 for long examples: the fewest are best, and the plan says so."""
    case = replace(
        cases.random_case(1), b=(0.0, 0.0, -2.5), kap={}, rstar=None, gamma=None, epochs=(1.0,), avg_tokens=None
    )
    case = replace(case, models=case.models[:1], budgets={"examples": 1e9}, length_range=(1.0, 1000.0))
    lengths = np.random.default_rng(0).integers(1, 200, 2000).tolist()
    problem = replace(cases.to_problem(case), pool=from_lengths(lengths, name="pool", source="-"), max_length=200)
    search = set_up(problem, cases.to_fit(replace(case, length_ref=50.0, length_range=(100.0, 150.0)))).search
    assert not search.points.fixed
    best = search.best()
    assert best is not None
    assert best.examples == 1
    pairs = every_pair(np.array([0]), np.arange(len(search.points)))
    assert search.evaluator.falls(pairs).all()


def test_many_choices_are_thinned_without_losing_the_best(
    quickstart: Problem, fit: Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    problem = replace(quickstart, series="", methods=None, epochs=(1.0, 2.0, 3.0), assume=_assumed())
    search = set_up(problem, fit).search
    whole = search.best()
    monkeypatch.setattr(searching, "MOST_PAIRS", 100)
    monkeypatch.setattr(searching, "KEPT", 2)
    thinned = search.best()
    assert len(search._promising()) < len(search.choices)
    assert whole is not None
    assert thinned is not None
    assert (thinned.score, thinned.index, thinned.examples) == (whole.score, whole.index, whole.examples)


def _assumed() -> Any:
    from ftplan.plan.problem import Assumed

    kaps = {f"kap[{m}]": (0.05 * i, 0.0, 0.3) for i, m in enumerate(("length", "bm25"))}
    return (Assumed("a", {**kaps, "Rstar": (8.0, 4.0, 16.0)}, "made up"),)


def test_a_large_search_gives_the_best_of_every_kind(quickstart: Problem, fit: Fit) -> None:
    problem = replace(quickstart, series="", methods=None, epochs=(1.0, 2.0), assume=_assumed())
    found = set_up(problem, fit).search.best_of_each()
    assert {c.choice.method.name for c in found} == {"random", "length", "bm25"}
    assert [c.score for c in found] == sorted(c.score for c in found)


def test_the_pessimistic_quantile_is_maximised(cases: ModuleType) -> None:
    """Against every point of a small pool, the quantile taken here."""
    case = replace(cases.random_case(11, rows=12), avg_tokens=None)
    problem = replace(cases.to_problem(case), risk=0.2)
    search: Search = set_up(problem, cases.to_fit(case)).search
    best = search.best()
    assert best is not None
    every = every_pair(np.arange(len(search.choices)), np.arange(len(search.points)))
    most = search.evaluator.most(every, search.limits)
    able = np.flatnonzero(most > 0.0)
    draws = search.evaluator.draws(every.take(able).of(most[able]))
    assert best.score == pytest.approx(np.quantile(draws, 0.8, axis=0).min(), rel=1e-12)
