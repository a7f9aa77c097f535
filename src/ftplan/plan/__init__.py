"""The best data plan under every budget given: `make_plan`."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from ftplan.costs.bill import Job
from ftplan.costs.model import as_selector
from ftplan.costs.training import TUNINGS, Tuning
from ftplan.errors import Infeasible, InputError
from ftplan.fit import predictor
from ftplan.fit.predictor import Predictor
from ftplan.fit.result import Fit, SeriesFit
from ftplan.plan.allowed import Allowed, Choice, allowed
from ftplan.plan.explain import explain
from ftplan.plan.problem import Problem
from ftplan.plan.result import Plan
from ftplan.plan.search import MEANS, REFINED, Candidate, Offer, Search, better
from ftplan.units import Budget, format_budget, format_flops

__all__ = ["Problem", "as_selector", "make_plan"]


def make_plan(problem: Problem, fit: Fit) -> Plan:
    """The optimum over everything the fit identifies or the problem assumes, with what an engineer asks next.

    Raises Infeasible when no example is affordable or the target is out of reach, InputError for a question that
    the fit cannot carry.
    """
    if not problem.budgets and problem.target is None:
        raise InputError(
            "no budget and no target: nothing limits the plan", hint="--budget 1e18flops, 64gpuh or 500usd"
        )
    series = series_of(fit, problem.series)
    model = predictor(fit, series.key)
    search = new_search(problem, fit, model)
    space = allowed(problem, series, model)
    offer = offers(search, space, model)
    best, runners, beyond = optimum(search, space, offer)
    return explain(search, fit, series, replace(space, notes=(*space.notes, *beyond)), best, runners)


def series_of(fit: Fit, key: str) -> SeriesFit:
    """The series to plan for; InputError where the name is unknown or one has to be chosen."""
    if not key and len(fit.series) == 1:
        return fit.series[0]
    for series in fit.series:
        if series.key == key:
            return series
    known = ", ".join(s.key for s in fit.series)
    what = f"the fit has no series {key!r}" if key else f"the fit has {len(fit.series)} series"
    raise InputError(what, hint=f"--series, one of: {known}")


def new_search(problem: Problem, fit: Fit, model: Predictor) -> Search:
    """The problem with its pool cut and its job described."""
    job = Job(
        model=problem.model,
        tuning=_tuning(problem.tuning),
        lora_r=problem.lora_r or 0,
        peak_flops=problem.gpu.peak_flops if problem.gpu else 0.0,
        mfu=problem.mfu or 0.0,
        gpus=problem.gpu_count,
        usd_per_gpu_hour=problem.usd_per_gpu_hour,
        usd_per_example=problem.usd_per_example,
        usd_per_1k_tokens=problem.usd_per_1k_tokens,
    )
    counts = "tokens" if fit.runs is None else fit.runs.data_unit
    return Search(problem, problem.pool.cut(problem.max_length).pool, job, model, counts)


def _tuning(name: str) -> Tuning:
    found: Tuning = next(t for t in TUNINGS if t == name)
    return found


def offers(search: Search, space: Allowed, model: Predictor) -> Offer:
    """The bands to look at: all mean lengths inside the measured range where length may vary, else one band."""
    pool, wanted = search.pool, search.problem.avg_tokens
    if wanted is not None:
        offer = search.offer(np.array([wanted]))
        if not len(offer.computed):
            raise Infeasible(
                f"no length band of the pool has a mean of {wanted:g} tokens",
                hint=f"its examples have {pool.shortest} to {pool.longest} tokens after the cut",
            )
        return offer
    if not space.varies_length:
        return search.whole_pool()
    low, high = model.ranges["avg_tokens"]
    offer = search.offer(np.geomspace(max(low, pool.shortest), min(high, pool.longest), MEANS))
    return offer if len(offer.computed) else search.whole_pool()


def optimum(search: Search, space: Allowed, offer: Offer) -> tuple[Candidate, list[Candidate], list[str]]:
    """The best candidate, the best of each other choice, and which choices no budget allows. Raises Infeasible."""
    found, beyond = [], []
    for choice in space.choices:
        best = search.best(choice, offer)
        if best is not None and space.varies_length:
            best = better(best, search.best(choice, refined(search, best)), search.problem.target is not None)
        if best is not None:
            found.append(best)
        elif search.problem.target is None:
            beyond.append(unaffordable(search, choice, offer))
    if not found:
        raise refusal(search, space, offer)
    winner = None
    for candidate in found:
        winner = better(winner, candidate, search.problem.target is not None)
    assert winner is not None
    return winner, [c for c in found if c is not winner], list(dict.fromkeys(beyond))


def unaffordable(search: Search, choice: Choice, offer: Offer) -> str:
    """Why a choice is not among the runners-up: what scoring the pool costs before anything is trained."""
    every = np.arange(len(offer.computed))
    scoring = float(np.min(search.bill(choice, offer, np.zeros(len(every)), every).selection_flops))
    by = f" by {choice.selector.name}" if choice.selector else ""
    return f"{choice.method.name}{by} is beyond the budget: scoring alone costs {format_flops(scoring)} FLOPs"


def refined(search: Search, best: Candidate) -> Offer:
    """Bands with means close to the best one's: between its neighbours of the first look, evenly."""
    step = (search.pool.longest / search.pool.shortest) ** (1.0 / MEANS)
    return search.offer(np.linspace(best.avg_tokens / step, best.avg_tokens * step, REFINED))


def refusal(search: Search, space: Allowed, offer: Offer) -> Infeasible:
    """Why nothing is feasible: the limit that binds first, and the smallest change that would help."""
    problem = search.problem
    everything = replace(search, problem=replace(problem, target=None))
    reachable = [c for c in (everything.best(choice, offer) for choice in space.choices) if c is not None]
    if reachable:
        top = min(reachable, key=lambda c: c.turned)
        value = search.predictor.sign * top.turned
        return Infeasible(
            f"the target of {problem.target:g} is out of reach: the best plan within the limits gives {value:.4g}",
            hint=f"raise the budget, or lower the target to {value:.4g}",
        )
    choice = next((c for c in space.choices if c.selector is None), space.choices[0])
    most = search.most_examples(choice, offer)
    kind = min((k for k in most if k != "pool"), key=lambda k: float(most[k].max()), default="pool")
    budget = next(b for b in problem.budgets if b.kind == kind)
    every = np.arange(len(offer.computed))
    one = search.bill(choice, offer, np.ones(len(every)), every)
    needed = 1.0 if kind == "examples" else float(np.min(np.asarray(getattr(one, kind))))
    return Infeasible(
        f"the budget of {format_budget(kind, budget.limit)} is below one example: the cheapest one costs "
        f"{format_budget(kind, needed)}",
        hint=f"the smallest budget that buys one example: {format_budget(kind, _up(needed))}",
    )


def _up(value: float) -> float:
    """Rounded up to three digits, so that the number printed is enough."""
    return float(np.format_float_scientific(value * 1.005, precision=2))


def with_budget(problem: Problem, budget: Budget) -> Problem:
    """The problem with one budget in place of that of its kind."""
    others = tuple(b for b in problem.budgets if b.kind != budget.kind)
    return replace(problem, budgets=(*others, budget))
