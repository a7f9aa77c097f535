"""From the winning candidate to the plan: prediction, costs, what binds, what was close, what it rests on."""

from __future__ import annotations

import numpy as np

from ftplan.costs.chain import Chosen, cost_chain, total_steps
from ftplan.fit.result import Fit, SeriesFit
from ftplan.laws.parts import Floats
from ftplan.plan.allowed import Allowed, Choice
from ftplan.plan.result import (
    Alternative,
    Assumption,
    BudgetUse,
    Cost,
    Data,
    Plan,
    Prediction,
    Recipe,
    Selection,
    Training,
)
from ftplan.plan.search import Candidate, Search, used
from ftplan.units import format_count

#: other lengths shown beside the best, as factors of it: what "longer" or "shorter" examples would cost
LENGTH_FACTORS = (0.5, 2.0)
#: a prediction this far outside the fitted runs is a warning
WARN_BEYOND = 1.05


def explain(
    search: Search,
    fit: Fit,
    series: SeriesFit,
    space: Allowed,
    best: Candidate,
    runners: list[Candidate],
) -> Plan:
    """The plan record of the optimum `best`; `runners` are the best of every other discrete choice."""
    cut = search.problem.pool.cut(search.problem.max_length)
    chosen = _chosen(search, best)
    prediction = predict(search, best)
    return Plan(
        name=search.problem.name,
        data=data_of(search, best),
        selection=_selection(best),
        training=_training(search, chosen),
        cost=_cost(best),
        budgets=budget_uses(search, best),
        prediction=prediction,
        binding=binding(search, best),
        alternatives=tuple(alternatives(search, space, best, runners)),
        chain=cost_chain(search.job, cut, chosen, best.bill, search.problem.gpu.name if search.problem.gpu else ""),
        assumptions=_assumptions(search, fit, series, space),
        warnings=_warnings(search, fit, series, space, best, prediction),
        inputs=_inputs(search, fit, series),
        measured_on=_measured_on(search, fit, series, best),
    )


def data_of(search: Search, c: Candidate) -> Data:
    bands = c.offer.bands
    return Data(
        examples=c.examples,
        avg_tokens=c.avg_tokens,
        total_tokens=c.examples * c.avg_tokens,
        epochs=c.choice.epochs,
        recipe=Recipe(
            band=(int(bands.lo[c.band]), int(bands.hi[c.band])),
            sampling=c.choice.method.sampling,
            cut_tokens=search.problem.max_length,
            seed=search.problem.seed,
        ),
    )


def _selection(c: Candidate) -> Selection:
    s = c.choice.selector
    return Selection(c.choice.method.name, s.name if s else "", s.params if s else 0.0, c.eligible)


def _chosen(search: Search, c: Candidate) -> Chosen:
    p, bands = search.problem, c.offer.bands
    return Chosen(
        examples=c.examples,
        avg_tokens=c.avg_tokens,
        epochs=c.choice.epochs,
        band=(int(bands.lo[c.band]), int(bands.hi[c.band])),
        eligible_examples=c.eligible,
        method=c.choice.method.name,
        selector=c.choice.selector.name if c.choice.selector else "",
        max_length=p.max_length,
        packing="isolated" if p.packing else "none",
        batching=c.offer.batching(c.band),
        batch_examples=p.batch_examples,
        grad_accum=p.grad_accum,
    )


def _training(search: Search, chosen: Chosen) -> Training:
    p = search.problem
    return Training(
        model=p.model.name,
        model_params=p.model.flop_params,
        tuning=p.tuning,
        lora_r=p.lora_r,
        max_length=p.max_length,
        packing=p.packing,
        batch_examples=p.batch_examples,
        grad_accum=p.grad_accum,
        steps=total_steps(search.job, chosen),
    )


def _cost(c: Candidate) -> Cost:
    b = c.bill
    return Cost(
        b.train_flops, b.selection_flops, b.total_flops, b.gpu_hours, b.wall_hours, b.usd, b.compute_usd, b.data_usd
    )


def budget_uses(search: Search, c: Candidate) -> tuple[BudgetUse, ...]:
    """Every budget with what the candidate takes of it."""
    return tuple(
        BudgetUse(b.kind, b.limit, float(c.examples) if b.kind == "examples" else float(getattr(c.bill, b.kind)))
        for b in search.problem.budgets
    )


def binding(search: Search, c: Candidate) -> tuple[str, ...]:
    """The limits that one more example would break, in words."""
    if search.problem.target is not None:
        return ("target",)
    pick = np.array([c.band])
    more = search.bill(c.choice, c.offer, np.array([c.examples + 1.0]), pick)
    out = [b.kind for b in search.problem.budgets if used(more, b, c.examples + 1) > b.limit]
    return (*out, "pool") if c.examples >= c.eligible else tuple(out)


def draws_of(search: Search, c: Candidate) -> Floats:
    """(B,) expected metric of a candidate under each draw of the fit and of what is assumed."""
    pick, n = np.array([c.band]), np.array([float(c.examples)])
    rows = search.rows(c.choice, c.offer, n, pick)
    count = search.predictor.n_draws
    assumed = None
    if c.choice.kap is not None or c.choice.rstar is not None:
        assumed = (_spread(c.choice.kap, count, 11), np.maximum(_spread(c.choice.rstar, count, 12), 1e-3))
    return search.predictor.draws(search.shifted(rows, c.choice, c.offer, n, pick, assumed))[:, 0]


def _spread(values: tuple[float, float, float] | None, count: int, seed: int) -> Floats:
    """(count, 1) draws around an estimate whose 5 % and 95 % points are the range, each side its own normal half."""
    if values is None:
        return np.zeros((count, 1))
    z = np.random.default_rng(seed).standard_normal((count, 1)) / 1.6448536
    estimate, low, high = values
    return estimate + np.where(z > 0.0, z * (high - estimate), z * (estimate - low))


def predict(search: Search, c: Candidate) -> Prediction:
    """The metric of a new run of this candidate, noise included."""
    level = search.problem.level
    if c.choice.kap is None and c.choice.rstar is None:
        rows = search.rows(c.choice, c.offer, np.array([float(c.examples)]), np.array([c.band]))
        low, high = search.predictor.interval(rows, level)
    else:
        tail = (1.0 - level) / 2.0
        low, high = np.quantile(search.predictor.with_noise(draws_of(search, c)[:, None]), [tail, 1.0 - tail], axis=0)
    volume = c.examples * (c.avg_tokens if search.counts == "tokens" else 1.0)
    return Prediction(
        metric=search.predictor.metric,
        value=search.predictor.sign * c.turned,
        low=float(low[0]),
        high=float(high[0]),
        level=level,
        extrapolation=float(search.predictor.extrapolation(np.array([volume]))[0]),
    )


def alternatives(search: Search, space: Allowed, best: Candidate, runners: list[Candidate]) -> list[Alternative]:
    """The best plan of every other choice, then the same choice at other lengths, best first in each part."""
    others = [(_named(c.choice, space), c) for c in _best_of_each_method(runners)]
    if search.problem.target is None:
        others += _other_lengths(search, space, best)
    reference = draws_of(search, best)
    sign = search.predictor.sign
    out = []
    for what, c in others:
        wins = float(np.mean(sign * draws_of(search, c) < sign * reference))
        out.append(
            Alternative(
                what=what,
                data=data_of(search, c),
                selection=_selection(c),
                prediction=predict(search, c),
                cost=_cost(c),
                loss=max(c.turned - best.turned, 0.0) if search.problem.target is None else c.turned - best.turned,
                better_probability=wins,
            )
        )
    return out


def _best_of_each_method(runners: list[Candidate]) -> list[Candidate]:
    """The best plan of every method and number of epochs, best first: of many selection models only the best one."""
    seen: dict[tuple[str, float], Candidate] = {}
    for c in sorted(runners, key=lambda c: c.turned):
        seen.setdefault((c.choice.method.name, c.choice.epochs), c)
    return list(seen.values())


def _named(choice: Choice, space: Allowed) -> str:
    """A choice by what sets it apart from the others."""
    epochs = len({c.epochs for c in space.choices}) > 1
    selector = f" by {choice.selector.name}" if choice.selector else ""
    return f"{choice.method.name}{selector}" + (f", {choice.epochs:g} epochs" if epochs else "")


def _other_lengths(search: Search, space: Allowed, best: Candidate) -> list[tuple[str, Candidate]]:
    """The same choice with all of the pool, and with shorter and longer examples, each with all the budget buys."""
    out = []
    if space.varies_length:
        for factor in LENGTH_FACTORS:
            low, high = search.predictor.ranges["avg_tokens"]
            mean = best.avg_tokens * factor
            offer = search.offer(np.array([mean])) if low <= mean <= high else None
            if offer is not None and len(offer.computed):
                found = search.best(best.choice, offer)
                out += [("longer examples" if factor > 1 else "shorter examples", found)] if found else []
    if search.problem.avg_tokens is not None or space.varies_length:
        found = search.best(best.choice, search.whole_pool())
        out += [("no length band", found)] if found and found.eligible != best.eligible else []
    return out


def _assumptions(search: Search, fit: Fit, series: SeriesFit, space: Allowed) -> tuple[Assumption, ...]:
    p = search.problem
    out = list(space.assumptions)
    if fit.borrowed:
        out.append(Assumption("law", series.selected[0].law, f"borrowed, not measured on your runs: {fit.borrowed}"))
    if search.job.peak_flops:
        out.append(Assumption("MFU", f"{search.job.mfu:.0%}", p.mfu_why))
    if p.usd_per_gpu_hour is not None and p.price_why:
        out.append(Assumption("price", f"{p.usd_per_gpu_hour:g} USD per GPU-hour", p.price_why))
    if not p.pool.exact:
        out.append(Assumption("pool lengths", "a histogram", p.pool.source))
    return tuple(out)


def _warnings(
    search: Search, fit: Fit, series: SeriesFit, space: Allowed, best: Candidate, prediction: Prediction
) -> tuple[str, ...]:
    out = list(search.problem.warnings)
    if prediction.extrapolation > WARN_BEYOND:
        low, high = series.ranges["tokens"]
        out.append(
            f"extrapolation: {format_count(best.examples * best.avg_tokens)} tokens is "
            f"{prediction.extrapolation:.2g} times outside the runs ({format_count(low)} to {format_count(high)})"
        )
    out += space.notes
    out += _other_model(search, series)
    if not fit.borrowed:
        out += [w for law in series.laws if law.name in {m.law for m in series.selected} for w in law.warnings]
    return tuple(out)


def _other_model(search: Search, series: SeriesFit) -> list[str]:
    """A law measured on one model says nothing certain about another."""
    if series.identified.what.get("model_params", False) or "model_params" not in series.ranges:
        return []
    low, high = series.ranges["model_params"]
    own = (search.problem.model.flop_params, search.problem.model.block_params, search.problem.model.total_params)
    # run tables count parameters with or without embeddings; any of the model's own counts will do
    if any(low * 0.98 <= size <= high * 1.02 for size in own):
        return []
    return [
        f"the runs trained models of {format_count(low)} parameters, this plan trains one of {format_count(own[0])}: "
        "the score is carried over, not measured"
    ]


def _inputs(search: Search, fit: Fit, series: SeriesFit) -> dict[str, object]:
    p = search.problem
    return {
        "fit_sha256": fit.runs_sha256,
        "series": series.key,
        "laws": [{"law": m.law, "weight": m.weight} for m in series.selected],
        "pool": {"name": p.pool.name, "sha256": p.pool.sha256, "examples": p.pool.examples},
        "problem": p.name,
    }


def _measured_on(search: Search, fit: Fit, series: SeriesFit, best: Candidate) -> str:
    """Where the prediction comes from, and the problem's own note."""
    if fit.borrowed:
        said = f"Law borrowed from {fit.borrowed}"
    else:
        of = f" of series {series.key}" if series.key else ""
        ahead = search.predictor.ahead is not None and best.examples * best.avg_tokens > series.ranges["tokens"][1]
        laws = ", ".join(m.law for m in series.selected if m.zone == "within" or ahead)
        said = f"Law {laws}, fitted to {series.n_runs} runs{of}"
    return f"{said}; {search.problem.note}." if search.problem.note else f"{said}."
