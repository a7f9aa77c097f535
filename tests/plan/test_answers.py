"""What is asked of a plan next: other budgets, runners-up, regret; and what its choices are made of."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from ftplan.errors import InputError
from ftplan.fit import borrowed_fit
from ftplan.fit.result import Fit
from ftplan.plan import PlanSetup, make_plan, set_up, solve
from ftplan.plan.answers import CHANGE, MULTIPLES
from ftplan.plan.problem import Assumed, Problem
from ftplan.plan.result import Plan
from ftplan.presets import load_law, load_model
from ftplan.readers.problems import Flags, read_problem
from ftplan.units import Budget


@pytest.fixture(scope="module")
def fit() -> Fit:
    return borrowed_fit(load_law("ccds-mmlu-7b"))


@pytest.fixture(scope="module")
def problem() -> Problem:
    flags = Flags(budgets=("8usd", "4h"), gpu="a100-80gb:2", usd_per_gpu_hour=2.0, mfu=0.35)
    return read_problem("lora-8b", flags).problem


@pytest.fixture(scope="module")
def setup(problem: Problem, fit: Fit) -> PlanSetup:
    return set_up(problem, fit)


@pytest.fixture(scope="module")
def plan(setup: PlanSetup) -> Plan:
    return solve(setup)


def test_sensitivity_is_the_plan_under_that_budget(plan: Plan, problem: Problem, fit: Fit) -> None:
    assert [(s.kind, s.change) for s in plan.sensitivity] == [
        (kind, change) for kind in ("usd", "wall_hours") for change in (CHANGE, -CHANGE)
    ]
    more = plan.sensitivity[0]
    other = make_plan(replace(problem, budgets=(Budget("usd", 8.8), Budget("wall_hours", 4.0))), fit)
    assert more.limit == pytest.approx(8.8)
    assert (more.examples, more.value) == (other.data.examples, other.prediction.value)
    assert more.gain == pytest.approx(other.prediction.value - plan.prediction.value)
    assert more.gain is not None
    assert more.gain > 0.0 > (plan.sensitivity[1].gain or 0.0)


def test_a_limit_that_does_not_bind_changes_nothing(plan: Plan) -> None:
    assert plan.binding == ("usd",)
    for change in plan.sensitivity[2:]:
        assert (change.gain, change.examples) == (0.0, plan.data.examples)


def test_a_budget_that_buys_nothing_when_lowered(problem: Problem, fit: Fit) -> None:
    tight = make_plan(replace(problem, budgets=(Budget("examples", 1.0),)), fit)
    less = tight.sensitivity[1]
    assert less.limit == pytest.approx(0.9)
    assert less.value is less.gain is less.examples is None


def test_the_frontier_costs_more_to_be_better(plan: Plan) -> None:
    costs = [point.cost for point in plan.frontier]
    values = [point.value for point in plan.frontier]
    assert costs == sorted(costs)
    assert values == sorted(values)
    assert len(set(values)) == len(values)
    assert all(cost <= 8.0 * max(MULTIPLES) for cost in costs)
    own = next(point for point in plan.frontier if point.examples == plan.data.examples)
    assert own.value == plan.prediction.value
    assert own.cost == plan.cost.usd


def test_every_other_method_is_a_runner_up_or_beyond_the_budget(plan: Plan) -> None:
    methods = {other.selection.method for other in plan.alternatives} | {plan.selection.method}
    assert methods == {"random", "bm25", "embedding", "perplexity"}
    assert any(w.startswith("gradient by llama-2-7b is beyond the budget: scoring alone") for w in plan.warnings)
    losses = [other.worse_by for other in plan.alternatives]
    assert losses == sorted(losses)
    assert min(losses) >= 0.0


def test_the_probability_of_being_better_is_a_share_of_draws(plan: Plan, setup: PlanSetup) -> None:
    """Recounted from the draws of the two plans alone."""
    other = next(a for a in plan.alternatives if a.selection.method == "bm25")
    found = {c.choice.method.name: c for c in setup.search.best_of_each()}
    draws = {m: setup.search.evaluator.draws(found[m].trial)[:, 0] for m in (plan.selection.method, "bm25")}
    assert other.better_probability == np.mean(draws["bm25"] < draws[plan.selection.method])
    assert 0.0 < (other.better_probability or 0.0) < 0.5


def test_regret_is_never_negative_and_nothing_where_there_is_one_plan(plan: Plan, problem: Problem, fit: Fit) -> None:
    assert plan.regret is not None
    assert plan.regret.expected > 0.0
    assert 0.3 < plan.regret.same_method < 1.0
    alone = make_plan(replace(problem, methods=("random",)), fit)
    assert alone.regret is not None
    assert (alone.regret.expected, alone.regret.same_method) == (0.0, 1.0)


def test_with_a_target_cost_is_what_counts(problem: Problem, fit: Fit) -> None:
    plan = make_plan(replace(problem, target=46.5), fit)
    assert plan.objective == "cheapest with accuracy 46.5"
    assert plan.binding == ("target",)
    assert plan.regret is None
    assert plan.sensitivity == ()
    assert plan.prediction.value >= 46.5
    assert all(other.cost.usd is not None and other.cost.usd >= (plan.cost.usd or 0.0) for other in plan.alternatives)


def test_risk_is_said_and_shown(problem: Problem, fit: Fit) -> None:
    plan = make_plan(replace(problem, risk=0.1), fit)
    assert plan.objective == "best accuracy that is missed with a chance of 0.1"
    assert plan.prediction.pessimistic is not None
    assert plan.prediction.pessimistic < plan.prediction.value


def test_an_assumed_method_predicts_as_a_fitted_one(problem: Problem, fit: Fit) -> None:
    """Kap borrowed by assumption gives the numbers that it gives as part of the law."""
    doc = load_law("ccds-mmlu-7b")
    kap = doc["selection"]["bm25"]
    without = {k: v for k, v in doc.items() if k != "selection"} | {"law": "saturating"}
    borrowed = Assumed("x", {"kap[bm25]": (kap["estimate"], kap["low"], kap["high"])}, "made up")
    only = replace(problem, methods=("random", "bm25"))
    assumed = make_plan(replace(only, assume=(borrowed,)), borrowed_fit(without))
    fitted = make_plan(only, fit)
    assert assumed.data == fitted.data
    assert assumed.prediction.value == pytest.approx(fitted.prediction.value, rel=1e-12)
    assert assumed.assumptions[0].name == "kap[bm25]"
    assert assumed.prediction.low < fitted.prediction.value < assumed.prediction.high


def test_an_assumption_counts_ahead_of_the_data_too() -> None:
    """With a mixture ahead of the runs its curves get the assumed term, and its line a row for it."""
    from ftplan.fit import fit_runs
    from ftplan.presets import runs_path
    from ftplan.readers.tables import read_runs

    table = dict(read_runs(str(runs_path("pyfunc"))).series())["s"]
    problem = replace(read_problem("quickstart", Flags()).problem, series="", methods=None)
    problem = replace(problem, budgets=(Budget("total_flops", 4e12),))
    kap = Assumed("a", {"kap[length]": (0.3, 0.2, 0.4), "Rstar": (8.0, 4.0, 16.0)}, "made up")
    plan = make_plan(replace(problem, assume=(kap,), epochs=(1.0, 2.0)), fit_runs(table, draws=50))
    assert plan.prediction.extrapolation > 1.0
    assert plan.selection.method == "length"
    assert plan.prediction.low < plan.prediction.value < plan.prediction.high
    random = next(a for a in plan.alternatives if a.selection.method == "random")
    assert random.worse_by > 0.0
    assert random.better_probability is not None
    assert random.better_probability < 0.5


def quickstart(*budgets: Budget, **asked: object) -> tuple[Plan, float]:
    """A plan from the shipped runs of series s with something else asked, and the most tokens that a run had."""
    from ftplan.fit import fit_runs
    from ftplan.presets import runs_path
    from ftplan.readers.tables import read_runs

    table = dict(read_runs(str(runs_path("pyfunc"))).series())["s"]
    problem = replace(read_problem("quickstart", Flags()).problem, series="", budgets=budgets)
    plan = make_plan(replace(problem, **asked), fit_runs(table, draws=50))  # type: ignore[arg-type]
    return plan, float(table.volume.max())


def test_epochs_beyond_the_runs_are_an_extrapolation() -> None:
    """By hand: 275k tokens for 8 epochs count 1 + R*·(1 - exp(-7/R*)) times, and no run had more than one epoch."""
    repeats = (Assumed("r", {"Rstar": (15.4, 5.1, 46.0)}, "made up"),)
    limits = (Budget("examples", 1000.0), Budget("total_flops", 1e13))
    plan, most = quickstart(*limits, assume=repeats, epochs=(1.0, 2.0, 4.0, 8.0))
    assert plan.data.epochs == 8.0
    worth = 1.0 + 15.4 * (1.0 - np.exp(-7.0 / 15.4))
    assert plan.prediction.extrapolation == pytest.approx(plan.data.total_tokens * worth / most)
    own = next(p for p in plan.frontier if p.examples == plan.data.examples and p.avg_tokens == plan.data.avg_tokens)
    assert own.extrapolation == plan.prediction.extrapolation
    assert sum("drawn at random and seen for 8 epochs, " in w for w in plan.warnings) == 1


def test_chosen_examples_beyond_the_runs_are_an_extrapolation() -> None:
    kap = (Assumed("k", {"kap[bm25]": (0.27, 0.07, 0.42)}, "made up"),)
    plan, most = quickstart(Budget("total_flops", 4e11), assume=kap, methods=("random", "bm25"))
    data, chosen = plan.data, plan.selection
    worth = (chosen.eligible_examples / data.examples) ** 0.27
    assert chosen.method == "bm25"
    assert data.total_tokens < most
    assert plan.prediction.extrapolation == pytest.approx(data.total_tokens * worth / most)
    random = next(a for a in plan.alternatives if a.selection.method == "random")
    assert random.prediction.extrapolation == 1.0
    assert any("chosen by bm25 and seen for 1 epoch, " in w for w in plan.warnings)


def test_another_name_for_the_whole_pool_is_no_runner_up(problem: Problem, fit: Fit) -> None:
    """With money for all of it every method trains on the same examples."""
    every = make_plan(replace(problem, methods=("random", "bm25"), budgets=(Budget("usd", 1e9),)), fit)
    assert every.data.examples == every.selection.eligible_examples
    assert all(other.worse_by > 0.0 for other in every.alternatives)
    assert "pool" in every.binding


def test_tuning_is_chosen_by_cost_alone(problem: Problem, fit: Fit) -> None:
    both = make_plan(replace(problem, tuning="full", lora_r=None, tunings=("lora",)), fit)
    assert both.training.tuning == "lora"
    assert both.training.lora_r == 16
    assert any(a.name == "tuning" and "taken to score alike" in a.why for a in both.assumptions)
    assert any(other.what == "full tuning" for other in both.alternatives)
    with pytest.raises(InputError, match="unknown tuning 'half'"):
        make_plan(replace(problem, tunings=("half",)), fit)


def test_models_are_counted_as_the_runs_count_them() -> None:
    """The table of the quickstart has sizes without embeddings."""
    from ftplan.fit import fit_runs
    from ftplan.presets import runs_path
    from ftplan.readers.tables import read_runs

    fit = fit_runs(read_runs(str(runs_path("pyfunc"))), ["power+length+factor"], share="shape", draws=20)
    models = tuple(load_model(f"pyfunc-{size}") for size in ("xs", "m"))
    problem = replace(read_problem("quickstart", Flags()).problem, series="", models=models)
    sizes = {c.trained.size for c in set_up(problem, fit).search.choices}
    assert sizes == {m.block_params for m in (problem.model, *models)}
    plan = make_plan(problem, fit)
    alone = [make_plan(replace(problem, model=m, models=()), fit) for m in (problem.model, *models)]
    assert plan.prediction.value == min(p.prediction.value for p in alone)
    assert sum(other.what.startswith("training pyfunc-") for other in plan.alternatives) == 2


def test_a_problem_file_may_name_models_tunings_and_a_risk(tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(
        '[training]\nmodel = "pyfunc-s"\nmodels = ["pyfunc-m"]\ntunings = ["lora"]\n'
        "[pool]\nhistogram_tokens = [[1, 9, 50]]\n[goal]\nrisk = 0.2\n"
    )
    read = read_problem(str(file), Flags(budgets=("1e12flops",))).problem
    assert ([m.name for m in read.models], read.tunings, read.risk) == (["pyfunc-m"], ("lora",), 0.2)
    flagged = read_problem(str(file), Flags(budgets=("1e12flops",), model="pyfunc-xs", tuning="full", risk=0.1)).problem
    assert (flagged.models, flagged.tunings, flagged.risk) == ((), (), 0.1)
