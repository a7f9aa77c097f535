"""Plan files, as `ftplan plan --check` needs them: what was planned, at today's prices, with today's pool."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from shlex import quote
from typing import Any

from ftplan import schemas
from ftplan.apply import Order
from ftplan.compare.plan_facts import FACTS, Value
from ftplan.compare.plans import Stated
from ftplan.costs.bill import Job
from ftplan.costs.training import TUNINGS
from ftplan.errors import Infeasible, InputError
from ftplan.formats.documents import SCHEMA_VERSION
from ftplan.formats.documents.plan_file import plan_of_dict, plan_to_dict
from ftplan.origin import Origin, Sourced
from ftplan.plan.check import Committed
from ftplan.plan.jobs import shipped_mfu
from ftplan.plan.require import parse_requirement
from ftplan.plan.result import Plan
from ftplan.pool import Pool
from ftplan.presets import load_gpu, names
from ftplan.readers.hardware import gpu_and_count, shipped_price
from ftplan.readers.mistaken import SAID, kind_of
from ftplan.readers.pools import read_pool
from ftplan.readers.source import decode, read_bytes, source_name
from ftplan.readers.structured import parse_plain
from ftplan.units import Budget, parse_budget

_AGAIN = "write it again with: ftplan plan ... -o plan.yaml"
#: how a plan file is had from what was named in its place
_FIRST = {
    "rows": "the plan comes first: ftplan apply plan.yaml {}; it is written by: ftplan plan ... -o plan.yaml",
    "problem": "plan it first: ftplan plan {} -o plan.yaml",
    "pool": "plan with it first: ftplan plan ... --pool {} -o plan.yaml",
    "fit": "plan with it first: ftplan plan ... --fit {} -o plan.yaml",
}


@dataclass(frozen=True)
class Today:
    """What the command line says in place of the file; None and () where it says nothing.

    budgets take the place of the file's of the same kind, the others stay; gpu: NAME or NAME:COUNT.
    """

    budgets: tuple[str, ...] = ()
    gpu: str | None = None
    usd_per_gpu_hour: Sourced | None = None
    mfu: Sourced | None = None
    require: tuple[str, ...] = ()


def read_plan(path: str) -> Plan:
    """A file written by `ftplan plan -o`. Raises InputError, and Infeasible where it says that there is no plan."""
    source = source_name(path)
    data = read_bytes(path)
    what = kind_of(data)
    if what is not None and what != "plan":
        raise InputError(f"{source}: {SAID[what]}, not a plan file", hint=_FIRST[what].format(quote(source)))
    plain = _values(decode(data, source), source, cut=what == "plan")
    if not isinstance(plain, dict) or plain.get("kind") != "plan":
        seen = plain.get("kind") if isinstance(plain, dict) else type(plain).__name__
        raise InputError(f"{source}: not a plan file (kind: {seen!r})", hint=_AGAIN)
    if plain.get("schema_version") != SCHEMA_VERSION:
        raise InputError(
            f"{source}: schema_version {plain.get('schema_version')!r}, this ftplan reads {SCHEMA_VERSION}", hint=_AGAIN
        )
    schemas.check("plan", plain, source, hint=_AGAIN)
    if not plain["feasible"]:
        raise Infeasible(f"{source} holds no plan: {plain['reason']}", hint=plain.get("hint"))
    return plan_of_dict(plain)


def _values(text: str, source: str, *, cut: bool) -> Any:
    """cut: the file begins as a plan does, so what cannot be read is a damaged one."""
    try:
        return parse_plain(text, source)
    except InputError as error:
        if not cut:
            raise
        place, _, why = error.message.partition(": ")
        raise InputError(f"{place}: this plan file is damaged or cut short ({why})", hint=_AGAIN) from error


def todays(plan: Committed, today: Today) -> tuple[Committed, tuple[str, ...]]:
    """The plan at today's prices and limits, and what to say about them. Raises InputError.

    A price is that of the command line, else that of a GPU named there, else the file's; but a shipped price gives
    way to a later one of the same GPU.
    """
    notes: tuple[str, ...] = ()
    if today.gpu is not None:
        plan = _on_gpu(plan, today.gpu)
    elif today.usd_per_gpu_hour is None:
        plan, notes = _newer_price(plan)
    job = plan.job
    if job.peak_flops == 0.0 and (today.usd_per_gpu_hour is not None or today.mfu is not None):
        raise InputError("the plan names no GPU, so a price or an MFU counts nothing", hint="--gpu NAME")
    if today.usd_per_gpu_hour is not None:
        job = replace(job, usd_per_gpu_hour=today.usd_per_gpu_hour.value)
        plan = replace(plan, price_origin=today.usd_per_gpu_hour.origin)
    if today.mfu is not None:
        job = replace(job, mfu=today.mfu.value, mfu_range=today.mfu.range)
        plan = replace(plan, mfu_origin=today.mfu.origin)
    added = tuple(map(parse_requirement, today.require))
    every = tuple(dict.fromkeys((*plan.requirements, *added)))
    return replace(plan, job=job, budgets=_limits(plan.budgets, today.budgets), requirements=every), notes


def pool_of_plan(plan: Committed, plan_path: str, override: str | None) -> Pool:
    """Today's pool: the one given, else the plan's own, beside the plan file or in this folder, or shipped."""
    if override is not None:
        return read_pool(override)
    if not plan.pool_path:
        raise InputError("the plan does not say where its pool lies", hint="--pool FILE")
    if (found := pool_file(plan, plan_path)) is not None:
        return _pool_named_by_a_plan(found)
    folder = Path() if plan_path == "-" else Path(plan_path).parent
    if plan.pool_path in names("problems"):
        return read_pool(plan.pool_path)
    raise InputError(f"{folder / plan.pool_path}: the pool of the plan is not there", hint="--pool FILE")


def pool_file(plan: Committed, plan_path: str) -> str | None:
    """Where the plan's own pool lies: beside the plan file, else in this folder; None where it is not there."""
    folder = Path() if plan_path == "-" else Path(plan_path).parent
    for candidate in (folder / plan.pool_path, Path(plan.pool_path)):
        if plan.pool_path and candidate.is_file():
            return str(candidate)
    return None


def _pool_named_by_a_plan(path: str) -> Pool:
    """As `read_pool`, but what is wrong is said without a word of the file: a plan may name any file there is."""
    try:
        return read_pool(path)
    except InputError:
        raise InputError(
            f"{path}, which the plan names as its pool, is no pool file", hint="--pool FILE names another"
        ) from None


def committed(plan: Plan) -> Committed:
    """The plan as its costs are counted again."""
    data, training, costs = plan.data, plan.training, plan.inputs.costs
    gpu, price = costs.gpu, costs.price
    return Committed(
        name=plan.name,
        job=_job(plan),
        gpu=gpu.name if gpu else "",
        mfu_origin=gpu.mfu_origin or _origin(gpu.mfu_source) if gpu else None,
        price_origin=price.origin or _origin(price.source, price.shipped_date) if price else None,
        examples=data.examples,
        avg_tokens=data.avg_tokens,
        epochs=data.epochs,
        band=data.recipe.band,
        mean_tokens=data.recipe.mean_tokens,
        method=plan.selection.method,
        selector=costs.selector,
        max_length=training.max_length,
        packing=training.packing,
        batch_examples=training.batch_examples,
        budgets=tuple(Budget(use.kind, use.limit) for use in plan.budgets),
        prediction=plan.prediction,
        pool_path=plan.inputs.pool.path or "",
        pool_sha256=plan.inputs.pool.sha256,
        cost={**vars(plan.cost), "examples": float(data.examples)},
        requirements=tuple(parse_requirement(one.requirement) for one in plan.requirements),
    )


def order_of(plan: Plan, path: str) -> Order:
    """What `ftplan apply` takes from the plan at `path`. A pool file names its tokenizer from where it lies itself, and
    a plan its pool file likewise.
    """
    measure, tokenizer = plan.inputs.pool.measure, ""
    if measure is not None and measure.tokenizer:
        folder = Path() if path == "-" else Path(path).parent
        tokenizer = str((folder / (plan.inputs.pool.path or "")).parent / measure.tokenizer)
    return Order(plan.data, plan.selection.method, measure, tokenizer)


def stated(plan: Plan, path: str) -> Stated:
    """What `ftplan compare plans` sets side by side: every fact that the plan at `path` states."""
    inputs, plain = plan.inputs, plan_to_dict(plan)
    return Stated(
        source=source_name(path),
        plan=committed(plan),
        facts={fact.key: value for fact in FACTS if (value := _fact(plain, fact.key)) is not None},
        eligible=plan.selection.eligible_examples,
        fit_sha256=inputs.fit_sha256,
        series=inputs.series,
        laws=tuple(law.law for law in inputs.laws),
        law=plan.measured_on,
        size_told=inputs.model_size_told,
    )


def _fact(plain: dict[str, Any], key: str) -> Value:
    """The value at a path; None where the plan says nothing, or that there is none."""
    if key.startswith("budgets."):
        kind = key.removeprefix("budgets.")
        return next((float(budget["limit"]) for budget in plain["budgets"] if budget["kind"] == kind), None)
    value: Any = plain
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    if key == "data.recipe.band":
        return f"{value[0]:,} to {value[1]:,}"
    return None if value == "" else value


def _job(plan: Plan) -> Job:
    training, costs = plan.training, plan.inputs.costs
    gpu, price = costs.gpu, costs.price
    return Job(
        model=costs.model,
        tuning=next(t for t in TUNINGS if t == training.tuning),
        lora_r=training.lora_r or 0,
        peak_flops=gpu.peak_flops_per_second if gpu else 0.0,
        mfu=gpu.mfu if gpu else 0.0,
        mfu_range=(gpu.mfu_low, gpu.mfu_high) if gpu and gpu.mfu_low and gpu.mfu_high else None,
        gpus=gpu.count if gpu else 1,
        usd_per_gpu_hour=price.usd_per_gpu_hour if price else None,
        **vars(costs.acquisition),
    )


def _origin(said: str, shipped: str | None = None) -> Origin:
    """Where a number comes from by an older file, which says it in words, with the date of a shipped price."""
    if shipped is not None:
        return Origin("preset", "the plan file", said.removesuffix(f", {shipped}"), shipped)
    return Origin("configured", "the plan file", said)


def _on_gpu(plan: Committed, flag: str) -> Committed:
    """The plan on the GPUs of `--gpu`; another GPU brings its own peak, utilisation and price."""
    name, count = gpu_and_count(flag)
    gpu = load_gpu(name)
    if gpu.name == plan.gpu:
        return replace(plan, job=replace(plan.job, gpus=count))
    mfu, price = shipped_mfu(gpu, plan.job.tuning, plan.avg_tokens, count), shipped_price(gpu)
    job = replace(
        plan.job,
        peak_flops=gpu.peak_flops,
        mfu=mfu.value,
        mfu_range=mfu.range,
        gpus=count,
        usd_per_gpu_hour=gpu.usd_per_hour,
    )
    return replace(plan, job=job, gpu=gpu.name, mfu_origin=mfu.origin, price_origin=price.origin if price else None)


def _newer_price(plan: Committed) -> tuple[Committed, tuple[str, ...]]:
    then = plan.price_origin
    if then is None or then.kind != "preset" or plan.gpu not in names("gpus"):
        return plan, ()
    now = shipped_price(load_gpu(plan.gpu))
    # ISO dates sort as text
    if now is None or now.origin.date <= then.date:
        return plan, ()
    said = (
        f"{plan.gpu} now costs {now.value:g} USD an hour ({now.origin}); "
        f"the plan was made with {plan.job.usd_per_gpu_hour:g} of {then.date}"
    )
    job = replace(plan.job, usd_per_gpu_hour=now.value)
    return replace(plan, job=job, price_origin=now.origin), (said,)


def _limits(written: tuple[Budget, ...], texts: tuple[str, ...]) -> tuple[Budget, ...]:
    """The plan's own budgets, each in place of which the command line may give another of its kind."""
    given = [parse_budget(text) for text in texts]
    kinds = [budget.kind for budget in given]
    for kind in kinds:
        if kinds.count(kind) > 1:
            twice = " and ".join(text for text, budget in zip(texts, given, strict=True) if budget.kind == kind)
            raise InputError(f"two budgets of one kind: {twice}", hint="keep the lower one")
    return (*(b for b in written if b.kind not in kinds), *given)
