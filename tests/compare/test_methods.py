"""Selection methods against truths worked out by other means: bisection on effective data, and the planner's search."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from ftplan.compare import affordable
from ftplan.compare.methods import MethodComparison, compare_methods
from ftplan.compare.ratios import LEAD, LEAST_RATIO, MOST_RATIO
from ftplan.compare.supported_methods import supported_methods
from ftplan.costs.model import as_selector
from ftplan.costs.training import train_flops_per_token
from ftplan.errors import InputError
from ftplan.fit import fit_runs
from ftplan.fit.result import Fit
from ftplan.plan import make_plan
from ftplan.pool import from_histogram, from_lengths
from ftplan.presets import load_model
from ftplan.runs import from_rows
from ftplan.units import Budget

from .made_selection import LENGTH, LOSS, MODEL, POOL, SIZES, curve, problem, table, worth

EXAMPLE = train_flops_per_token(MODEL, "full", float(LENGTH)) * LENGTH
FULL = EXAMPLE * POOL
KAP, ETA = 0.35, 0.4
OWN = Budget("total_flops", 0.2 * FULL)
BUDGETS = tuple(Budget("total_flops", share * FULL) for share in (0.02, 0.063, 0.2, 0.63, 2.0))


@pytest.fixture(scope="module")
def fit() -> Fit:
    return fit_runs(table({"perplexity": (KAP, ETA), "bm25": (0.1, 0.0)}), draws=100)


@pytest.fixture(scope="module")
def found(fit: Fit) -> MethodComparison:
    return compare_methods(problem(OWN.limit), fit, BUDGETS, explain=True)


def gain(kap: float, scoring: float, budget: float, lead: float, rival: float = 0.0) -> float:
    """Logarithm of effective data over that of a rival with kap `rival`, nothing to score and so much more budget."""
    left = min((budget - scoring) / EXAMPLE, POOL)
    other = min(budget * (1.0 + lead) / EXAMPLE, POOL)
    if left < 1.0:
        return -np.inf
    return float((1.0 - kap) * np.log(left / POOL) - (1.0 - rival) * np.log(other / POOL))


def first_above(start: float, stop: float, function: object) -> float:
    """The lowest x at which function(x) > 0, by a fine scan."""
    x = np.geomspace(start, stop, 20_001)
    above = np.array([function(v) > 0.0 for v in x])  # type: ignore[operator]
    return float(x[np.argmax(above)]) if above.any() else np.inf


@pytest.mark.parametrize("lead", [0.0, LEAD])
@pytest.mark.parametrize(("against", "rival"), [("random", 0.0), ("cheaper", 0.1)])
@pytest.mark.parametrize("budget", [OWN, BUDGETS[1], BUDGETS[3]])
def test_the_ratio_is_that_of_the_truth(
    found: MethodComparison, budget: Budget, against: str, rival: float, lead: float
) -> None:
    def by_ratio(ratio: float) -> float:
        size = MODEL.total_params / ratio
        return gain(worth(KAP, ETA, size), 2.0 * size * POOL * LENGTH, budget.limit, lead, rival)

    (ratio,) = [r for r in found.ratios if (r.budget, r.against, r.lead) == (budget, against, lead)]
    assert ratio.method == "perplexity"
    assert ratio.pays_from.estimate == pytest.approx(first_above(LEAST_RATIO, MOST_RATIO, by_ratio), rel=0.01)
    assert ratio.pays_from.told
    assert ratio.pays_from.low < ratio.pays_from.estimate < ratio.pays_from.high


def test_what_scoring_costs_is_known_to_three_per_cent(
    found: MethodComparison, fit: Fit, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(affordable, "COST_SD", 0.0)
    sure = compare_methods(problem(OWN.limit), fit, BUDGETS)
    widths = [
        next(np.log(r.pays_from.high / r.pays_from.low) for r in c.ratios if r.budget == OWN) for c in (sure, found)
    ]
    assert widths[0] < 0.02
    # 2 x 1.645 x 3 %, and more where a larger model also chooses better
    assert 0.08 < widths[1] < 0.18


@pytest.mark.parametrize("lead", [0.0, LEAD])
def test_the_budget_is_that_of_the_truth(lead: float) -> None:
    runs = fit_runs(table({"perplexity": (KAP, ETA)}, (2e9,)), draws=60)
    compared = compare_methods(problem(OWN.limit), runs, BUDGETS)
    scoring = 2.0 * 2e9 * POOL * LENGTH

    def by_budget(budget: float) -> float:
        return gain(worth(KAP, ETA, 2e9), scoring, budget, lead)

    (over,) = [t for t in compared.take_overs if t.lead == lead]
    assert (over.method, over.selector, over.against) == ("perplexity", "a 2.00B model", "random")
    start, stop = BUDGETS[0].limit, BUDGETS[-1].limit
    begins = first_above(start, stop, by_budget)
    assert over.pays_from.estimate == pytest.approx(begins, rel=0.01)
    assert over.pays_to.estimate == pytest.approx(first_above(begins * 1.01, stop, lambda b: -by_budget(b)), rel=0.02)


def test_one_size_of_selection_model_cannot_tell_the_ratio() -> None:
    compared = compare_methods(
        problem(OWN.limit), fit_runs(table({"perplexity": (KAP, ETA)}, (2e9,)), draws=60), BUDGETS, explain=True
    )
    assert compared.ratios == ()
    assert compared.heat is None
    assert "one size of model, 2.00B parameters" in compared.why_not["perplexity"]
    assert [a.method for a in compared.arithmetic] == ["perplexity"]


def test_the_frontier_is_what_plan_finds(fit: Fit) -> None:
    named = tuple(as_selector(load_model(name)) for name in ("pythia-70m", "llama-3.2-1b", "llama-2-7b"))
    asked = problem(OWN.limit, selectors=named)
    for point in compare_methods(asked, fit, BUDGETS[1:4:2]).frontier:
        plan = make_plan(replace(asked, budgets=(point.budget,)), fit)
        assert point.plan is not None
        assert point.prediction is not None
        assert point.plan.choice.method.name == plan.selection.method
        assert point.plan.examples == plan.data.examples
        assert point.prediction == plan.prediction


def test_the_map_agrees_with_the_thresholds(found: MethodComparison) -> None:
    heat = found.heat
    assert heat is not None
    for i, budget in enumerate(heat.budgets):
        (ratio,) = [r for r in found.ratios if (r.budget, r.against, r.lead) == (budget, "cheaper", 0.0)]
        inside = (heat.ratios > ratio.pays_from.estimate * 1.01) & (heat.ratios < ratio.pays_to.estimate / 1.01)
        outside = heat.ratios < ratio.pays_from.estimate / 1.01
        best = np.array([heat.methods[k] for k in heat.best[i]])
        assert (best[inside] == "perplexity").all()
        assert (best[outside] != "perplexity").all()
    assert heat.whole[-1].any()
    assert not heat.whole[0].any()


def test_equal_totals_and_equal_effective_data(found: MethodComparison) -> None:
    (worked,) = [a for a in found.arithmetic if a.method == "perplexity"]
    line = {each.name: each for each in worked.lines}
    budget, scoring, left = (line[name] for name in ("budget", "scoring", "left to train"))
    assert budget.own == budget.rival == OWN.limit
    assert scoring.own == pytest.approx(2.0 * worked.selector_params * POOL * LENGTH)
    assert scoring.own + left.own == pytest.approx(OWN.limit)  # type: ignore[operator]
    assert line["examples, N"].own * line["one example"].own == pytest.approx(left.own)  # type: ignore[operator]
    assert line["effective data"].own == pytest.approx(line["effective data"].rival, rel=1e-2)
    assert line["expected loss"].own == pytest.approx(line["expected loss"].rival, rel=1e-3)
    assert line["kap(S)"].own == pytest.approx(worth(KAP, ETA, worked.selector_params), abs=0.01)


def test_doubling_buys_less_beyond_the_tipping_point(fit: Fit) -> None:
    least = 0.08
    compared = compare_methods(problem(OWN.limit), fit, BUDGETS, gain=least)
    (tip,) = [t.budget.estimate for t in compared.tipping if t.method == "random"]

    def gains(budget: float) -> float:
        first, second = (curve(min(b / EXAMPLE, POOL) * LENGTH) for b in (budget, 2.0 * budget))
        return first - second

    assert gains(tip / 1.05) > least > gains(tip * 1.05)


def test_the_default_gain_is_the_noise_of_a_run(found: MethodComparison, fit: Fit) -> None:
    assert {t.gain for t in found.tipping} == {fit.series[0].residual_sd}


def test_random_is_the_baseline_even_where_it_was_not_asked_for(fit: Fit) -> None:
    compared = compare_methods(problem(OWN.limit, methods=("perplexity",)), fit, BUDGETS)
    assert {t.method for t in compared.tipping} == {"", "random", "perplexity"}


@pytest.mark.parametrize("sizes", [SIZES, (2e9,)])
def test_without_fractions_there_is_nothing_to_compare(sizes: tuple[float, ...]) -> None:
    runs = fit_runs(table({"perplexity": (KAP, ETA)}, sizes, fractions=False), draws=20)
    with pytest.raises(InputError, match=r"nothing to compare.*left out: perplexity was run at 0 fractions"):
        compare_methods(problem(OWN.limit), runs, BUDGETS)


def test_a_method_of_unknown_cost_is_left_out_aloud() -> None:
    runs = fit_runs(table({"perplexity": (KAP, ETA), "taste": (0.2, 0.0)}, (2e9,)), draws=20)
    compared = compare_methods(problem(OWN.limit), runs, BUDGETS)
    assert "taste is left out: ftplan does not know what scoring with it costs" in compared.warnings


def test_a_budget_of_examples_has_no_costs(fit: Fit) -> None:
    with pytest.raises(InputError, match="budget of examples"):
        compare_methods(problem(OWN.limit), fit, [Budget("examples", 100.0)])


def test_limits_that_are_not_swept_are_left_out_aloud(fit: Fit) -> None:
    more = replace(problem(OWN.limit), budgets=(OWN, Budget("examples", 10.0)), target=2.0)
    compared = compare_methods(more, fit, BUDGETS)
    assert compared.warnings[:2] == ("the other limits are left out: 10 examples", "the target is left out")
    plan = compared.frontier[-1].plan
    assert plan is not None
    assert plan.examples == POOL


def test_lengths_that_vary_are_chosen_for_each_method() -> None:
    """With a length term, tables of methods too: the frontier is still the planner's."""
    rows = []
    for length in (50, 200, 800):
        one = table({"perplexity": (KAP, ETA)}, (0.5e9, 5e9), noise=5e-3)
        bend = 1.0 + 0.05 * np.log(length / 150.0) ** 2
        rows += [
            {**row, "avg_tokens": length, "tokens": float(row["examples"]) * length, "loss": float(row["loss"]) * bend}
            for row in one.rows()
        ]
    fit = fit_runs(from_rows(rows, LOSS), draws=40)
    pool = from_histogram([[20, 1500, 40_000]], name="pool", source="made up")
    asked = problem(OWN.limit, selectors=(as_selector(load_model("pythia-1b")),))
    asked = replace(asked, pool=pool, packing=True)
    (point,) = compare_methods(asked, fit, [OWN]).frontier
    plan = make_plan(asked, fit)
    assert fit.series[0].identified.what["avg_tokens"]
    assert point.plan is not None
    assert point.prediction is not None
    assert point.plan.choice.method.name == plan.selection.method
    assert point.prediction.value == pytest.approx(plan.prediction.value, rel=3e-3)
    assert point.prediction.value >= plan.prediction.value - 1e-9


def test_a_small_pool_is_taken_as_a_whole(fit: Fit) -> None:
    pool = from_lengths(np.arange(150, 250), name="small", source="made up")
    budgets = [Budget("total_flops", EXAMPLE * n) for n in (30, 60, 120)]
    compared = compare_methods(replace(problem(budgets[1].limit), pool=pool), fit, budgets)
    assert [p.plan.eligible for p in compared.frontier if p.plan is not None] == [100, 100, 100]
    assert compared.frontier[-1].plan is not None
    assert compared.frontier[-1].plan.examples == 100


def test_every_draw_has_its_own_scoring_cost(fit: Fit) -> None:
    """A draw with dearer scoring trains on fewer examples: as by buying with a budget that is less by as much."""
    supported = supported_methods(problem(OWN.limit), fit, OWN)
    by_budget = supported.by_budget
    (method,) = [a for a in supported.methods if a.name == "perplexity"]
    candidates = by_budget.sized(method.any_size, np.array([1e9]))
    drawn = by_budget.draws(by_budget.evaluate(candidates, [OWN]))[:, 0, 0]
    for draw in (0, 7):
        dearer = (by_budget.cost_noise[draw] - 1.0) * 2.0 * 1e9 * POOL * LENGTH
        less = by_budget.evaluate(candidates, [Budget("total_flops", OWN.limit - dearer)])
        predictor = by_budget.search.evaluator.predictor
        exact = (
            predictor.sign * predictor.draws(less.evaluator.rows(less.trials((np.array([0]), np.array([0])))))[draw, 0]
        )
        assert drawn[draw] == pytest.approx(exact)
