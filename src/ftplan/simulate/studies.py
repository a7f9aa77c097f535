"""What `simulate pilots` is asked, as a study: the prior, the problem made plain, the pilot budget and the designs."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ftplan.errors import Infeasible, InputError
from ftplan.fit import predictor
from ftplan.fit.predictor import Predictor
from ftplan.fit.result import Fit, SeriesFit
from ftplan.laws.parts import Floats
from ftplan.plan import PlanSetup, series_of, set_up, solve
from ftplan.plan.problem import Problem
from ftplan.plan.result import PlannedData
from ftplan.simulate.candidate_grid import CandidateGrid, candidate_grid, plain
from ftplan.simulate.layout import LEAST_EXAMPLES, Layout
from ftplan.simulate.pilots import Study, layouts
from ftplan.simulate.synthetic import multiplicative, scatter, truth_of
from ftplan.units import Budget, format_budget, parse_budget

#: numbers of runs compared where none are asked for
RUNS = (6, 9, 12, 15, 18, 24)
#: of the problem's budget, where no pilot budget is given; doubled, up to the whole, while that buys no design: a small
#: budget is a few hundred examples, and a tenth of them is not six runs
SHARE = 0.1
#: truths that designs are compared under where no number is given: all designs of RUNS take half a CPU minute. For
#: quickstart with 1e12 FLOPs of pilots and a noise of 0.017 nats, the 90 % interval of the best one's median is then
#: 0.0027 to 0.0052 nats in the search, and 0.0031 to 0.0041 under the FORECAST times as many of the forecast
TRUTHS = 100


@dataclass(frozen=True)
class PilotStudy:
    """A study and what its answer has to say about itself."""

    study: Study
    #: of the pilot runs together
    budget: Budget
    #: the problem's own
    plan_budgets: tuple[Budget, ...]
    #: row of the grid and examples of the plan by the prior's estimates, None where there is none
    own_plan: tuple[int, float] | None
    #: noise of one run in the metric's unit
    one_run: float
    #: where the law that is taken for true comes from, in words
    prior: str
    notes: tuple[str, ...]


def study_of(
    problem: Problem, fit: Fit, *, pilots: str | None, runs: Sequence[int], truths: int, noise: float | None, seed: int
) -> PilotStudy:
    """Raises InputError for a question that pilots cannot answer, Infeasible where the budgets buy nothing."""
    if not problem.budgets:
        raise InputError(
            "no budget for the plan: pilot runs are judged by the plan they lead to", hint="--budget 500usd"
        )
    if problem.avg_tokens is not None:
        raise InputError(
            f"the problem holds examples at {problem.avg_tokens:g} tokens, and pilot runs are to tell how long they "
            "should be",
            hint="leave avg_tokens out of the problem",
        )
    series = series_of(fit, problem.series)
    tried = [pilot_budget(text, problem.budgets) for text in ([pilots] if pilots is not None else _shares())]
    truth = truth_of(predictor(fit, series.key))
    bare = replace(plain(problem), series=series.key)
    setup = set_up(bare, fit)
    own = _plan(setup)
    grid = candidate_grid(setup, own.epochs if own else None, truth, tried[0].kind)
    values = _typical(fit, series, truth)
    level = scatter(truth, series.residual_sd, values) if noise is None else noise
    share = multiplicative(truth.metric, values)
    counts = sorted(set(runs or RUNS))
    try:
        budget, found, small = _first_that_buys(tried, grid, truth, counts)
    except Infeasible as error:
        raise Infeasible(error.message, hint=_enough(problem.budgets, grid, truth, counts)) from None
    own_plan = (int(grid.nearest(np.array([own.avg_tokens]))[0]), float(own.examples)) if own else None
    study = Study(truth, level, grid, found, truths, seed)
    one_run = level * float(values.mean()) if share else level
    notes = (*_short_of(tried[0], budget, small, found), *_notes(problem, bare), *_epochs(setup, grid))
    return PilotStudy(study, budget, problem.budgets, own_plan, one_run, _prior(fit, series), notes)


def _plan(setup: PlanSetup) -> PlannedData | None:
    """The plan by the prior's estimates; None where the budgets allow none."""
    try:
        return solve(setup).data
    except Infeasible:
        return None


def _epochs(setup: PlanSetup, grid: CandidateGrid) -> tuple[str, ...]:
    """That all plans and pilot runs have the plan's own number of epochs, where others were possible."""
    others = sorted({choice.epochs for choice in setup.space.choices} - {grid.epochs})
    if not others:
        return ()
    said = " and ".join(f"{epochs:g}" for epochs in others)
    return (
        f"every pilot run and every plan here is trained for {grid.epochs:g} epoch{'s' * (grid.epochs != 1.0)}, as the "
        f"plan by the prior is; {said} {'is' if len(others) == 1 else 'are'} not considered",
    )


def _shares() -> list[str]:
    """Of the default pilot budget: 10%, 20% and so on."""
    return [f"{100 * SHARE * 2**k:g}%" for k in range(int(np.log2(1.0 / SHARE)) + 1)]


def _first_that_buys(
    budgets: Sequence[Budget], grid: CandidateGrid, truth: Predictor, runs: Sequence[int]
) -> tuple[Budget, dict[str, Layout], list[str]]:
    """The first of some pilot budgets that buys a design, with what it buys and what not. Raises Infeasible."""
    for budget in budgets:
        try:
            return budget, *layouts(truth, grid, budget.limit, runs)
        except Infeasible as error:
            refused = error
    raise refused


def _enough(own: Sequence[Budget], grid: CandidateGrid, truth: Predictor, runs: Sequence[int]) -> str:
    """A hint: a pilot budget that buys runs, where a share of the problem's budget does."""
    shares = {pilot_budget(text, own): text for text in _shares()}
    try:
        return (
            f"--pilots {shares[_first_that_buys(list(shares), grid, truth, runs)[0]]}, or other numbers of runs: --runs"
        )
    except Infeasible:
        return "a larger --pilots, or other numbers of runs: --runs"


def _short_of(first: Budget, budget: Budget, small: Sequence[str], kept: Collection[str]) -> tuple[str, ...]:
    """What the pilot budget is too small for."""
    out = []
    limit = format_budget(budget.kind, budget.limit)
    if budget != first:
        out.append(
            f"{100 * SHARE:g} % of the problem's budget ({format_budget(first.kind, first.limit)}) buys no pilot runs "
            f"that a law can be fitted to: counted with {limit}, {100 * SHARE * budget.limit / first.limit:g} %; "
            "--pilots sets it"
        )
    if small:
        out.append(
            f"left out, since {limit} is less than {LEAST_EXAMPLES} examples a run or buys runs too much alike to fit "
            f"a law to: {_left_out(small, kept)}"
        )
    return tuple(out)


def _left_out(small: Sequence[str], kept: Collection[str]) -> str:
    """Names such as 'ladder/6' in words: numbers of runs that no design is left with, then single designs."""
    left = {int(name.split("/")[1]) for name in kept}
    counts: dict[str, list[int]] = {}
    for name, count in (text.split("/") for text in small):
        counts.setdefault(name if int(count) in left else "every design", []).append(int(count))
    said = {name: sorted(set(found)) for name, found in counts.items()}
    return "; ".join(f"{name} with {', '.join(map(str, found))} runs" for name, found in sorted(said.items()))


def pilot_budget(text: str | None, own: Sequence[Budget]) -> Budget:
    """`20usd`, or a share of the problem's first budget: `10%`. Raises InputError."""
    text = f"{100 * SHARE:g}%" if text is None else text.strip()
    if not text.endswith("%"):
        return parse_budget(text)
    try:
        share = float(text[:-1]) / 100.0
    except ValueError:
        share = 0.0
    if not 0.0 < share < float("inf"):
        raise InputError(f"pilot budget {text!r} is no share", hint="--pilots 10%, or a limit: --pilots 20usd")
    return Budget(own[0].kind, own[0].limit * share)


def _typical(fit: Fit, series: SeriesFit, truth: Predictor) -> Floats:
    """Values of the metric as the prior has seen them."""
    if fit.runs is not None:
        return dict(fit.runs.series())[series.key].value if series.key else fit.runs.value
    low, high = truth.ranges["tokens"]
    tokens = np.geomspace(low, high, 5)
    length = np.full(5, float(np.sqrt(np.prod(truth.ranges.get("avg_tokens", (1.0, 1.0))))))
    rows = truth.design(
        examples=tokens / length,
        avg_tokens=length,
        epochs=1.0,
        method="random",
        selector_params=0.0,
        eligible=tokens / length,
        model_params=truth.ranges.get("model_params", (1.0,))[0],
        counts="tokens",
    )
    return truth.point(rows)


def _prior(fit: Fit, series: SeriesFit) -> str:
    law = next(w.law for w in series.selected if w.zone == "within")
    if fit.borrowed:
        return f"{law}, borrowed: {fit.borrowed}"
    return f"{law}, fitted to {series.n_runs} runs" + (f" of series {series.key}" if series.key else "")


def _notes(problem: Problem, bare: Problem) -> tuple[str, ...]:
    """What was left out of the problem, and what else a reader has to know."""
    out = []
    if problem.methods not in (None, ("random",)) or problem.assume:
        out.append("only random selection is considered: these pilot runs are about length and amount of data")
    if problem.models or problem.tunings:
        out.append(f"only {bare.model.name} with {bare.tuning} tuning is considered")
    if problem.risk is not None or problem.target is not None:
        out.append("plans are judged by the metric they are expected to reach: target and risk are left out")
    return tuple(out)
