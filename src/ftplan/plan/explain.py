"""From the winning candidate to the plan: prediction, costs, what binds, what was close, what it rests on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ftplan.costs.bill import Bill, Job
from ftplan.costs.chain import Chosen, cost_chain, reached_epochs, total_steps
from ftplan.fit.result import Fit, SeriesFit
from ftplan.plan import answers
from ftplan.plan.allowed import Allowed
from ftplan.plan.inputs import inputs
from ftplan.plan.lengths import ends, over_budget
from ftplan.plan.notes import assumptions, measured_on, objective, rounded_up, size_beyond, warnings
from ftplan.plan.packs import packs
from ftplan.plan.problem import Problem
from ftplan.plan.result import Alternative, BudgetUse, Cost, Plan, PlannedData, Prediction, Recipe, Selection, Training
from ftplan.plan.search import Candidate, Search

#: a band's own mean this close to L needs no mean to draw for
SAME_MEAN = 1e-9


def explain(
    problem: Problem, fit: Fit, series: SeriesFit, space: Allowed, search: Search, found: Sequence[Candidate]
) -> Plan:
    """The plan record of the optimum, the first of `found`; the others are the best of other choices, best first."""
    best, others = found[0], found[1:]
    chosen = _chosen(problem, search, best)
    job = best.choice.trained.job
    prediction = predict(problem, search, best)
    off = ends(problem, search, best)
    return Plan(
        name=problem.name,
        data=data_of(problem, search, best),
        selection=selection_of(best),
        training=_training(problem, best, chosen),
        cost=costs_of(best),
        budgets=uses_of(search, best),
        prediction=prediction,
        binding=answers.binding(search, best),
        alternatives=alternatives(problem, search, best, others),
        chain=cost_chain(job, problem.cut, chosen, best.bill, problem.gpu.name if problem.gpu else ""),
        assumptions=assumptions(problem, fit, series, space, best, off),
        warnings=(
            *warnings(problem, fit, series, space, search, best),
            *rounded_up(chosen.epochs, reached_epochs(job, chosen), total_steps(job, chosen)),
            *(over_budget(off, search.limits) if off else ()),
        ),
        inputs=inputs(problem, fit, series, best),
        measured_on=measured_on(problem, fit, series, search.evaluator.predictor, best),
        objective=objective(problem, prediction.metric),
        sensitivity=answers.sensitivity(search, best) if search.target is None else (),
        frontier=answers.frontier(search, best),
        regret=answers.regret(search, best, others),
        size_beyond=size_beyond(series, best),
    )


def data_of(problem: Problem, search: Search, c: Candidate) -> PlannedData:
    own_mean = abs(float(search.points.scale[c.point]) - 1.0) <= SAME_MEAN
    return PlannedData(
        examples=c.examples,
        avg_tokens=c.avg_tokens,
        total_tokens=c.examples * c.avg_tokens,
        epochs=c.choice.epochs,
        recipe=Recipe(
            band=c.band,
            sampling=c.choice.method.sampling,
            cut_tokens=problem.max_length,
            seed=problem.seed,
            mean_tokens=None if own_mean else c.avg_tokens,
        ),
    )


def selection_of(c: Candidate) -> Selection:
    s = c.choice.selector
    return Selection(c.choice.method.name, s.name if s else "", s.params if s else 0.0, c.eligible)


def _chosen(problem: Problem, search: Search, c: Candidate) -> Chosen:
    return Chosen(
        examples=c.examples,
        avg_tokens=c.avg_tokens,
        epochs=c.choice.epochs,
        band=c.band,
        eligible_examples=c.eligible,
        method=c.choice.method.name,
        selector=c.choice.selector.name if c.choice.selector else "",
        max_length=problem.max_length,
        packing=problem.packing,
        batching=search.batches.of(int(search.points.band[c.point]), float(search.points.scale[c.point])),
        batch_examples=problem.batch_examples,
        grad_accum=problem.grad_accum,
        packs=_packs(problem, c) if problem.packing else None,
    )


def _packs(problem: Problem, c: Candidate) -> int:
    band = problem.cut.pool.band(*c.band)
    return packs(band, c.examples, c.avg_tokens, problem.max_length, problem.seed)


def _training(problem: Problem, c: Candidate, chosen: Chosen) -> Training:
    trained = c.choice.trained
    return Training(
        model=trained.model.name,
        model_params=trained.model.flop_params,
        tuning=trained.tuning,
        lora_r=None if trained.tuning == "full" else trained.job.lora_r,
        max_length=problem.max_length,
        packing=problem.packing,
        batch_examples=problem.batch_examples,
        grad_accum=problem.grad_accum,
        steps=total_steps(trained.job, chosen),
    )


def costs_of(c: Candidate) -> Cost:
    return cost_of_bill(c.choice.trained.job, c.bill)


def cost_of_bill(job: Job, b: Bill[float]) -> Cost:
    """A bill with the ranges of its hours and money."""
    hours, wall, paid = (
        (None, None) if v is None else job.hours_range(v) or (None, None)
        for v in (b.gpu_hours, b.wall_hours, b.compute_usd)
    )
    usd = [None if v is None or b.usd is None else v + b.data_usd for v in paid]
    return Cost(
        b.train_flops, b.selection_flops, b.total_flops, b.gpu_hours, b.wall_hours, b.usd, b.compute_usd, b.data_usd,
        *hours, *wall, *usd,
    )  # fmt: skip


def uses_of(search: Search, c: Candidate) -> tuple[BudgetUse, ...]:
    """Every budget with what the candidate takes of it."""
    return tuple(
        BudgetUse(b.kind, b.limit, float(c.examples) if b.kind == "examples" else float(getattr(c.bill, b.kind)))
        for b in search.limits
    )


def predict(problem: Problem, search: Search, c: Candidate) -> Prediction:
    """The metric of a new run of this candidate, noise included."""
    model = search.evaluator.predictor
    if c.choice.kap is None and c.choice.repeats is None:
        low, high = model.interval(search.evaluator.rows(c.trial), problem.level)
    else:
        tail = (1.0 - problem.level) / 2.0
        draws = model.sign * search.evaluator.draws(c.trial)
        low, high = np.quantile(model.with_noise(draws), [tail, 1.0 - tail], axis=0)
    return Prediction(
        metric=model.metric,
        value=model.sign * c.loss,
        low=float(low[0]),
        high=float(high[0]),
        level=problem.level,
        extrapolation=answers.extrapolation(search, c),
        pessimistic=None if problem.risk is None else model.sign * c.score,
    )


def alternatives(
    problem: Problem, search: Search, best: Candidate, others: Sequence[Candidate]
) -> tuple[Alternative, ...]:
    """The best plan of every other method and kind, then the same choice at other lengths."""
    named = answers.runners_up(best, others)
    if search.target is None:
        named += answers.other_lengths(search, best)
    wins = answers.better_probability(search, best, [c for _, c in named])
    return tuple(
        Alternative(
            what=what,
            data=data_of(problem, search, c),
            selection=selection_of(c),
            prediction=predict(problem, search, c),
            cost=costs_of(c),
            # with a target the cheapest plan wins, and another may well have the better metric
            worse_by=c.loss - best.loss if search.target is not None or search.evaluator.risk else _loss(best, c),
            better_probability=better,
        )
        for (what, c), better in zip(named, wins, strict=True)
    )


def _loss(best: Candidate, c: Candidate) -> float:
    return max(c.loss - best.loss, 0.0)
