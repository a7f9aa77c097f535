"""What a plan was made from: all that its costs take to be counted again, and how its pool and its fit are known."""

from __future__ import annotations

from dataclasses import replace

from ftplan.fit.result import Fit, SeriesFit
from ftplan.plan.jobs import mfu_of
from ftplan.plan.problem import Problem
from ftplan.plan.result import Acquisition, Facts, GpuUsed, Inputs, LawUsed, Plan, PoolUsed, PriceUsed
from ftplan.plan.search import Candidate


def inputs(problem: Problem, fit: Fit, series: SeriesFit, best: Candidate) -> Inputs:
    """The inputs of the best plan."""
    pool = problem.pool
    return Inputs(
        fit_sha256=fit.runs_sha256,
        series=series.key,
        laws=tuple(LawUsed(m.law, m.weight, m.zone) for m in series.selected),
        pool=PoolUsed(pool.name, pool.sha256, pool.examples, pool.measure),
        model_size_told=bool(series.identified.what.get("model_params", False)),
        problem=problem.name,
        costs=_facts(problem, best),
    )


def with_pool_path(plan: Plan, path: str | None) -> Plan:
    """The plan with how its file names the pool."""
    return replace(plan, inputs=replace(plan.inputs, pool=replace(plan.inputs.pool, path=path)))


def _facts(problem: Problem, best: Candidate) -> Facts:
    job, gpu, price = best.choice.trained.job, problem.gpu, problem.usd_per_gpu_hour
    mfu = mfu_of(problem, job.tuning)
    known = gpu is not None and mfu is not None
    return Facts(
        model=job.model,
        selector=best.choice.selector,
        gpu=GpuUsed(gpu.name, job.gpus, job.peak_flops, mfu.value, str(mfu.origin), mfu.origin, *(mfu.range or ()))
        if gpu and mfu
        else None,
        price=PriceUsed(
            price.value, str(price.origin), price.origin.date if price.origin.kind == "preset" else None, price.origin
        )
        if known and price
        else None,
        acquisition=Acquisition(job.usd_per_example, job.usd_per_1k_tokens),
    )
