"""Choosing a selection method on published runs (MMLU, three models): measured points lost against the best method.

At budgets of 0.2, 0.5 and 1 times full-data training each method buys the fraction of the pool that its own scoring
leaves money for; what it measured there is read off its published points, linear in ln(fraction) between two of them.
The plan's method is the one that the fit predicts best at its own fraction.
"""

from __future__ import annotations

import numpy as np
from figures import DATA, Absent, Figure, series, table

from ftplan.fit import fit_runs, predictor
from ftplan.fit.predictor import Predictor
from ftplan.laws.parts import Floats
from ftplan.plan.result import TIED
from ftplan.runs import RunTable, from_rows

BUDGETS = (0.2, 0.5, 1.0)
#: selection FLOPs of the published figures (`ccds/README.md`); scoring was always by Llama-2-7B
SCORING_FLOPS = {"ppl": 1.53133e18, "less": 8.2692e18}
#: full-data training FLOPs of the published figures
FULL_FLOPS = {"Llama-2-7B": 4.5931e18, "Llama-2-13B": 8.638e18, "Llama-2-70B": 4.92608e19}


def measure(full: bool) -> list[Figure]:
    del full
    if not (DATA / "ccds" / "runs_mmlu.csv").is_file():
        raise Absent("ccds/runs_mmlu.csv is not beside the checkout: left out")
    runs = table("ccds/runs_mmlu.csv")
    once = runs.subset(runs.epochs == 1.0)
    small = once.subset(once.examples <= 0.26 * once.pool_examples)
    return [regret(once, small, "fractions up to 25 %"), regret(once, once, "all fractions")]


def regret(measured: RunTable, fitted: RunTable, what: str) -> Figure:
    """Mean regret over the nine cells, beside that of every method held constant."""
    lost: dict[str, list[float]] = {"plan": []}
    ties: list[str] = []
    for model in measured.groups:
        runs = series(measured, model)
        model_fit = predictor(fit_runs(series(fitted, model), draws=400), model)
        for budget in BUDGETS:
            bought = affordable(runs, model, budget)
            score = {m: measured_at(runs, m, f) for m, f in bought.items()}
            best = max(score.values())
            expected, drawn = expect(model_fit, runs, bought)
            plan = max(expected, key=lambda m: expected[m])
            lost["plan"].append(best - score[plan])
            tied = [m for m in bought if m != plan and float(np.mean(drawn[m] >= drawn[plan])) > TIED]
            ties.append(f"{model} {budget:g}: {plan}" + (f" ~ {', '.join(tied)}" if tied else ""))
            for method in dict.fromkeys(runs.method):
                lost.setdefault(method, []).append(best - score[method] if method in score else np.nan)
    mean = {m: float(np.mean(v)) for m, v in lost.items()}
    ours = mean.pop("plan")
    rivals = ", ".join(f"{m} {v:.3f}" if np.isfinite(v) else f"{m} not always affordable" for m, v in mean.items())
    best_constant = min(v for v in mean.values() if np.isfinite(v))
    return Figure(
        f"mean regret over 9 cells, points, fitted on {what}",
        f"{ours:.3f}",
        f"<= best constant method, {best_constant:.3f}",
        ours <= best_constant,
        f"{rivals}; chosen ~ tied within one standard error: {'; '.join(ties)}",
    )


def affordable(runs: RunTable, model: str, budget: float) -> dict[str, float]:
    """Method -> fraction of the pool it can train on, where that is no less than was ever run."""
    out = {}
    for method in dict.fromkeys(runs.method):
        fraction = min(budget - SCORING_FLOPS.get(method, 0.0) / FULL_FLOPS[model], 1.0)
        if fraction >= float(fractions(runs, method)[0].min()):
            out[method] = fraction
    return out


def fractions(runs: RunTable, method: str) -> tuple[Floats, Floats]:
    """Fractions of the pool a method was run at, ascending, and the scores."""
    own = np.array([m == method for m in runs.method])
    share = runs.examples[own] / runs.pool_examples[own]
    order = np.argsort(share)
    return share[order], runs.value[own][order]


def measured_at(runs: RunTable, method: str, fraction: float) -> float:
    share, score = fractions(runs, method)
    return float(np.interp(np.log(fraction), np.log(share), score))


def expect(model: Predictor, runs: RunTable, bought: dict[str, float]) -> tuple[dict[str, float], dict[str, Floats]]:
    """Expected score of each method at its fraction, and the same under every draw of the fit."""
    pool = float(runs.pool_examples[0])
    rows = [
        {"examples": f * pool, "pool_examples": pool, "method": m, "group": runs.group[0], "epochs": 1.0}
        for m, f in bought.items()
    ]
    seen = model.features(from_rows(rows, runs.metric))
    point, draws = model.point(seen), model.draws(seen)
    return {m: float(point[i]) for i, m in enumerate(bought)}, {m: draws[:, i] for i, m in enumerate(bought)}
