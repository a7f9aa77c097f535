"""How fast the search is, and whether it is ever beaten: figures for the README and for `pytest`-free checks.

    python benchmarks/plan.py speed     one large search, with and without the bootstrap behind its answers
    python benchmarks/plan.py brute     500 random problems, larger than those of the test suite, against enumeration

Both print a line for each figure; `brute` exits 1 where a plan is worse than one that enumeration found.
"""

from __future__ import annotations

import argparse
import sys
import time
from dataclasses import replace
from importlib.util import module_from_spec, spec_from_file_location
from pathlib import Path
from types import ModuleType

import numpy as np

from ftplan.costs.model import Model, Selector
from ftplan.errors import Infeasible
from ftplan.fit import fit_runs
from ftplan.plan import PlanSetup, make_plan, set_up, solve
from ftplan.plan.problem import Assumed, Problem
from ftplan.plan.search import Search
from ftplan.presets import load_model, runs_path
from ftplan.readers.problems import Flags, read_problem
from ftplan.readers.tables import read_runs
from ftplan.selection import load, names
from ftplan.units import Budget

TESTS = Path(__file__).parents[1] / "tests" / "plan"
PROBLEMS = 500
#: how much worse than enumeration a plan may be, as a share of the metric's range over the problem
WORSE = 1e-6


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("what", choices=("speed", "brute"))
    parser.add_argument("--problems", type=int, default=PROBLEMS)
    asked = parser.parse_args()
    return speed() if asked.what == "speed" else brute(asked.problems)


def speed() -> int:
    """20 models x 6 methods x 8 selection models x 4 numbers of epochs, on the runs and the pool of the quickstart."""
    fit = fit_runs(read_runs(str(runs_path("pyfunc"))), share="shape")
    setup = set_up(large_problem(), fit)
    choices, points = len(setup.search.choices), len(setup.search.points)
    print(f"{choices} choices, {points} length bands, law {fit.series[0].selected[0].law}")
    for flops in (4e12, 4e13):
        timed(replace(setup, search=setup.search.under(Budget("total_flops", flops))))
    return 0


def timed(setup: PlanSetup) -> None:
    """The search, and the search with all that is asked of its plan, three times each; the quickest counts."""
    alone, whole = [], []
    for _ in range(3):
        search = fresh(setup.search)
        begin = time.process_time()
        found = search.best_of_each()
        alone.append(time.process_time() - begin)
        begin = time.process_time()
        plan = solve(replace(setup, search=fresh(setup.search)))
        whole.append(time.process_time() - begin)
    print(
        f"budget {setup.search.limits[-1].limit:g} FLOPs: {len(found)} kinds of plan, {found[0].examples:,} examples, "
        f"{plan.prediction.extrapolation:.2g} times beyond the runs; search {min(alone):.3f} CPU s, with all answers "
        f"over {setup.search.evaluator.predictor.n_draws} draws {min(whole):.3f} CPU s"
    )


def fresh(search: Search) -> Search:
    """The same search with no band batched yet."""
    return replace(search, evaluator=search.evaluator.at(search.points))


def large_problem() -> Problem:
    """The quickstart with more of everything to choose from."""
    problem = read_problem("quickstart", Flags()).problem
    small = load_model("pyfunc-s")
    models = tuple(scaled(small, f"m{i}", 0.3 * 1.15**i) for i in range(20))
    selectors = tuple(
        Selector(f"s{i}", 1e3 * 2.0**i, 1e3 * 2.0**i, "made up", 0 if i % 2 else 2, 0 if i % 2 else 32)
        for i in range(16)
    )
    kap = {m: (0.1 + 0.1 * i, 0.05 * i, 0.2 + 0.1 * i) for i, m in enumerate(n for n in names() if n != "random")}
    sizes = {m: 1e3 for m in kap if load(m).needs_model}
    methods = Assumed("methods", {f"kap[{m}]": v for m, v in kap.items()}, "made up", sizes)
    other = Assumed("other", {"eta": (0.1, 0.05, 0.2), "Rstar": (15.4, 5.1, 46.0)}, "made up")
    return replace(
        problem,
        series="",
        model=models[0],
        models=models[1:],
        methods=tuple(names()),
        selectors=selectors,
        assume=(methods, other),
        epochs=(1.0, 2.0, 3.0, 4.0),
        budgets=(Budget("examples", 30_000), Budget("total_flops", 4e12)),
    )


def scaled(model: Model, name: str, factor: float) -> Model:
    """A model with so many times the parameters."""
    return replace(
        model,
        name=name,
        block_params=model.block_params * factor,
        embedding_params=model.embedding_params * factor,
        total_params=model.total_params * factor,
    )


def module(name: str) -> ModuleType:
    """Random problems and enumeration are the tests' own."""
    spec = spec_from_file_location(f"plan_{name}", TESTS / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    found = module_from_spec(spec)
    sys.modules[spec.name] = found
    spec.loader.exec_module(found)
    return found


def brute(problems: int) -> int:
    """Plans of random problems against enumeration: pools of up to 60 rows of up to 64 tokens, every fifth up to 500
    rows of up to 96 tokens.
    """
    cases, by_force = module("cases"), module("brute_force")
    worst, infeasible, bad = 0.0, 0, []
    for seed in range(1000, 1000 + problems):
        case = cases.random_case(seed, rows=500, longest=96) if seed % 5 == 0 else cases.random_case(seed, rows=60)
        found = by_force.best(case)
        try:
            plan = make_plan(cases.to_problem(case), cases.to_fit(case))
        except Infeasible:
            infeasible += 1
            bad += [] if found.value is None else [seed]
            continue
        if found.value is None:
            bad.append(seed)
            continue
        short = case.sign * (plan.prediction.value - found.value) / (found.spread or 1.0)
        worst = max(worst, short)
        if short > WORSE or any(use.used > use.limit for use in plan.budgets):
            bad.append(seed)
    print(
        f"{problems} problems, {infeasible} infeasible; worst shortfall {worst:.1e} of the metric's range; bad: {bad}"
    )
    return 1 if bad else 0


if __name__ == "__main__":
    np.seterr(all="raise", under="ignore")
    sys.exit(main())
