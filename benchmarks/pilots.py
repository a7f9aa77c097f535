"""`simulate pilots` against what it forecasts, against other designs at equal cost, and against real fits and plans.

    OMP_NUM_THREADS=1 python benchmarks/pilots.py           # about ten CPU minutes
    OMP_NUM_THREADS=1 python benchmarks/pilots.py --quick   # one prior, fewer truths

Every case asks for advice with seed 0, then draws other truths (another bootstrap of the prior, another seed) and
simulates the recommended design, a full factorial of as many runs (every amount of data at three lengths), and a
ladder at one length, all at the same cost.
"""

from __future__ import annotations

import sys
from dataclasses import replace

import numpy as np
from figures import cpu_seconds, pyfunc, series

from ftplan.fit import borrowed_fit, fit_runs
from ftplan.fit.result import Fit
from ftplan.laws.parts import Floats
from ftplan.plan import make_plan
from ftplan.plan.problem import Problem
from ftplan.presets import load_law
from ftplan.readers.problems import Flags, read_problem
from ftplan.simulate import designs
from ftplan.simulate.advice import RESAMPLES, RESOLUTION, Advice, advise, summary
from ftplan.simulate.candidate_grid import plain
from ftplan.simulate.layout import laid_out
from ftplan.simulate.pilots import Study, Task, Work, chosen, done, held, measured, simulate
from ftplan.simulate.replans import shortfall
from ftplan.simulate.studies import PilotStudy, study_of

#: prior, model, the plan's budget and that of the pilots, in FLOPs
CASES = (
    ("s", "pyfunc-s", 4e11, 4e11),
    ("s", "pyfunc-s", 4e11, 1.2e12),
    ("s", "pyfunc-s", 4e12, 1e12),
    ("xs", "pyfunc-xs", 2e11, 2e11),
    ("m", "pyfunc-m", 1e13, 5e12),
    ("borrowed", "pyfunc-s", 4e11, 4e11),
    ("borrowed", "pyfunc-s", 4e11, 1.2e12),
    ("no length", "pyfunc-s", 4e11, 4e11),
)
RUNS = (12, 15)
OTHER_SEED = 1234


def prior(name: str) -> Fit:
    """The fit of one size of the shipped runs, a shipped law, or a fit in which length makes no difference."""
    if name == "borrowed":
        return borrowed_fit(load_law("pyfunc-s"))
    runs = pyfunc(untuned=True)
    if name == "no length":
        return fit_runs(series(runs, "s"), ("rectified",))
    return fit_runs(series(runs, name))


def problem(model: str, budget: float) -> Problem:
    return read_problem("quickstart", Flags(model=model, budgets=(f"{budget:g}flops",), series="")).problem


def ask(fit: Fit, about: Problem, pilots: float, truths: int, seed: int) -> PilotStudy:
    return study_of(about, fit, pilots=f"{pilots:g}flops", runs=RUNS, truths=truths, noise=None, seed=seed)


def here(study: Study) -> Work:
    return lambda tasks: (simulate(study, task) for task in tasks)


def case(name: str, model: str, budget: float, pilots: float, truths: int) -> str:
    fit = prior(name)
    about = replace(problem(model, budget), series=fit.series[0].key)
    asked = ask(fit, about, pilots, truths, 0)
    advice: Advice = advise(asked.study, here(asked.study), asked.own_plan, RESOLUTION * asked.one_run)
    best = advice.best
    other = ask(replace(fit, seed=OTHER_SEED), about, pilots, 4 * truths, OTHER_SEED).study
    rivals = {"factorial": designs.shape("factorial", best.runs), "ladder": designs.shape("ladder", best.runs)}
    layouts = {
        "best": best.layout,
        **{k: laid_out(shape, other.grid, asked.budget.limit) for k, shape in rivals.items() if shape is not None},
    }
    study = replace(other, layouts=layouts)
    under = done(study, list(layouts), here(study))
    found = {k: summary(v) for k, v in under.items()}
    forecast, seen = advice.forecast.median, found["best"].median
    off = seen / forecast - 1.0 if forecast > 0.0 else 0.0
    flat = max(seen, forecast) < advice.nothing
    return (
        f"{name:10s} {budget:8.1e} {pilots:8.1e}  {best.design + ' ' + str(best.runs):14s} {forecast:9.5f} {seen:9.5f} "
        f"{off:+7.0%}{' (nothing)' if flat else '':10s} {found['factorial'].median:9.5f} {found['ladder'].median:9.5f} "
        f"{advice.sample.median:9.5f}  {'yes' if advice.helps else 'no':5s} {sum(s.tied for s in advice.standings)}"
        f"   {ahead(under['factorial'], under['best'])}  {ahead(under['ladder'], under['best'])}"
    )


def ahead(rival: Floats, best: Floats) -> str:
    """How many times the best design's median shortfall the rival's is; 90 % interval over resampled truths, both
    designs under the same.
    """
    pick = np.random.default_rng(0).integers(0, len(best), size=(RESAMPLES, len(best)))
    with np.errstate(divide="ignore", invalid="ignore"):
        times = np.median(rival[pick], axis=1) / np.median(best[pick], axis=1)
        middle = np.median(rival) / np.median(best)
    low, high = np.nanquantile(times, [0.05, 0.95])
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def agreement(replicates: int) -> str:
    """How often a batch of replicates chooses what `fit_runs` and `make_plan` do, one table at a time."""
    fit = prior("s")
    of, near, apart = 0, 0, []
    about = replace(problem("pyfunc-s", 4e11), series="s")
    study = ask(fit, about, 1.2e12, 200, 0).study
    names = [name for name in ("factorial/12", "footing/15", "staircase/12", "optimal/9") if name in study.layouts]
    for name in names:
        task = Task(name, 0, forecast=False)
        truths, design, values = measured(study, task)
        plan, examples = chosen(study, truths, design, values)
        short = shortfall(truths, study.grid, plan, examples)
        for b in range(replicates // len(names)):
            value = design.value.copy()
            value[design.examples > 0.0] = values[b]
            one = fit_runs(replace(design, value=value), draws=1)
            real = make_plan(replace(plain(about), series=one.series[0].key), one).data
            near += bool(abs(np.log(real.avg_tokens / study.grid.avg_tokens[plan[b]])) < 0.03)
            row = study.grid.nearest(np.array([real.avg_tokens]))
            truth = held(study.truth, study.draws(task)[[b]])
            apart.append(abs(short[b] - shortfall(truth, study.grid, row, np.array([float(real.examples)]))[0]))
            of += 1
    alike = sum(a < 0.001 for a in apart)
    return (
        f"{near} of {of} plans have the real one's length within 3 %; {alike} fall short as it does within 0.001 nats"
    )


def main() -> int:
    quick = "--quick" in sys.argv
    study = ask(prior("s"), replace(problem("pyfunc-s", 4e11), series="s"), 1.2e12, 1000, 0).study
    tasks = study.tasks("factorial/12", forecast=False)
    _, seconds = cpu_seconds(lambda: [simulate(study, task) for task in tasks])
    print(f"1,000 replicates of fit-and-plan, 12 runs: {seconds:.1f} CPU s (target 20)", flush=True)
    print(f"agreement with fit_runs and make_plan: {agreement(20 if quick else 60)}", flush=True)
    print("\nmedian shortfall, nats                                            realised on other truths")
    print(
        "prior       plan's   pilots'   recommended    forecast  realised    off            factorial    ladder"
        "  no runs   helps ties   factorial, ladder in multiples of the recommended"
    )
    for name, model, budget, pilots in CASES[:1] if quick else CASES:
        print(case(name, model, budget, pilots, 100 if quick else 200), flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
