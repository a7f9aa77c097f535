"""The whole chain from pool rows to money, one step a line, for the plan that won."""

from __future__ import annotations

import math
from dataclasses import dataclass

from ftplan.costs.bill import Bill, Job
from ftplan.costs.packing import Batching, epochs_trained, steps_per_epoch
from ftplan.costs.training import train_flops_per_token
from ftplan.pool import Cut


@dataclass(frozen=True)
class Step:
    """One link of the cost chain. value: the number; unit: its unit; how: formula or source in a few words."""

    name: str
    value: float
    unit: str
    how: str


@dataclass(frozen=True)
class Chosen:
    """The candidate to explain. examples: N of the eligible P_e in the band (tokens, inclusive); avg_tokens: L.

    batch_examples: sequences per device and forward pass; selector: '' where the method needs none.
    packs: packs of an epoch where they have been counted (`plan.packs`); None: as many as `batching` has.
    """

    examples: int
    avg_tokens: float
    epochs: float
    band: tuple[int, int]
    eligible_examples: int
    method: str
    selector: str
    max_length: int
    packing: bool
    batching: Batching
    batch_examples: int
    grad_accum: int
    packs: int | None = None


def rows_per_epoch(chosen: Chosen) -> int:
    """Sequences an epoch runs through: examples, or packs when packed; the last pack may be part full."""
    if chosen.packs is not None:
        return chosen.packs
    # a count a rounding error above a whole number is that number
    return max(1, math.ceil(chosen.examples * chosen.batching.rows * (1.0 - 1e-9)))


def total_steps(job: Job, chosen: Chosen) -> int:
    """Optimiser steps over all epochs."""
    each = steps_per_epoch(rows_per_epoch(chosen), chosen.batch_examples, chosen.grad_accum, job.gpus)
    return math.ceil(each * chosen.epochs)


def reached_epochs(job: Job, chosen: Chosen) -> float:
    """Epochs that a trainer reaches, which rounds the planned ones up to whole steps."""
    return epochs_trained(rows_per_epoch(chosen), chosen.batch_examples, chosen.grad_accum, job.gpus, chosen.epochs)


def rows_cut(cut: Cut, longest: int) -> int:
    """Cut rows in a band up to `longest` tokens: all of them or none, for after the cut they are the longest."""
    return cut.rows_cut if longest >= cut.pool.longest else 0


def cost_chain(job: Job, cut: Cut, chosen: Chosen, bill: Bill[float], gpu: str = "") -> tuple[Step, ...]:
    """Pool rows -> rows kept -> tokens -> computed tokens -> steps -> FLOPs -> hours -> money."""
    return _data_steps(cut, chosen) + _compute_steps(job, chosen, bill) + _money_steps(job, bill, gpu)


def _data_steps(cut: Cut, chosen: Chosen) -> tuple[Step, ...]:
    lo, hi = chosen.band
    scored = f" by {chosen.selector}" if chosen.selector else ""
    computed = chosen.examples * chosen.batching.computed_tokens
    unique = chosen.examples * chosen.avg_tokens
    real = f"{unique / computed:.1%} of them real"
    packed = f"in packs of {chosen.max_length:,}"
    how = f"{packed if chosen.packing else f'padded to the longest of {chosen.batch_examples}'}, {real}"
    shortened = rows_cut(cut, hi)
    lost = cut.pool.total_tokens * (1.0 / cut.tokens_kept - 1.0) if shortened else 0.0
    left = cut.pool.band(lo, hi).total_tokens
    short = f"cut at {chosen.max_length:,}: {shortened:,} eligible rows shortened, "
    short += f"{left / (left + lost):.1%} of tokens kept"
    return (
        Step("pool", cut.pool.examples, "examples", cut.pool.name),
        Step("eligible", chosen.eligible_examples, "examples", f"length band {lo:,} to {hi:,} tokens"),
        Step("kept", chosen.examples, "examples", f"{chosen.method} selection{scored}"),
        Step("tokens", unique, "tokens", short),
        Step("computed tokens", computed, "tokens per epoch", how),
    )


def _compute_steps(job: Job, chosen: Chosen, bill: Bill[float]) -> tuple[Step, ...]:
    attention = chosen.batching.attention_tokens
    per_token = train_flops_per_token(
        job.model, job.tuning, attention, lora_r=job.lora_r, checkpointing=job.checkpointing
    )
    devices = f" x {job.gpus} GPUs" if job.gpus > 1 else ""
    rows = rows_per_epoch(chosen)
    sequence = ("pack" if chosen.packing else "example") + ("" if rows == 1 else "s")
    passes = f"{chosen.epochs:g} epoch" + ("" if chosen.epochs == 1 else "s")
    batch = f"{rows:,} {sequence}, {chosen.batch_examples} x {chosen.grad_accum} accumulated{devices}, {passes}"
    adapter = f" r {job.lora_r}" if job.tuning != "full" else ""
    scored = f"{chosen.method} over the {chosen.eligible_examples:,} eligible examples, once"
    return (
        Step("steps", total_steps(job, chosen), "steps", batch),
        Step(
            "training per token",
            per_token,
            "FLOPs",
            f"{job.tuning}{adapter} of {job.model.name}, attention over {attention:,.0f} tokens",
        ),
        Step("training", bill.train_flops, "FLOPs", "computed tokens x epochs x FLOPs per token"),
        Step("selection", bill.selection_flops, "FLOPs", scored),
        Step("total", bill.total_flops, "FLOPs", "training + selection"),
    )


def _money_steps(job: Job, bill: Bill[float], gpu: str) -> tuple[Step, ...]:
    """Only what is known: hours need a GPU, money a price."""
    steps: list[Step] = []
    if bill.gpu_hours is not None and bill.wall_hours is not None:
        rate = f"{gpu or 'GPU'} at {job.mfu:.0%} of {job.peak_flops / 1e12:,.4g} TFLOP/s"
        on = f"on {job.gpus} GPU{'s' if job.gpus > 1 else ''}"
        steps.append(Step("GPU time", bill.gpu_hours, "GPU-hours", rate))
        steps.append(Step("wall-clock", bill.wall_hours, "hours", on + _range(job, bill.wall_hours)))
    if bill.compute_usd is not None:
        at = f"at {job.usd_per_gpu_hour:g} USD per GPU-hour"
        steps.append(Step("compute", bill.compute_usd, "USD", at + _range(job, bill.compute_usd)))
    if bill.data_usd:
        prices = f"{job.usd_per_example:g} USD per example, {job.usd_per_1k_tokens:g} USD per 1,000 tokens, unique"
        steps.append(Step("data", bill.data_usd, "USD", prices))
    if bill.usd is not None:
        steps.append(Step("money", bill.usd, "USD", "compute + data" if bill.data_usd else "compute"))
    return tuple(steps)


def _range(job: Job, value: float) -> str:
    """What hours or the money for them may turn out to be, in words; '' where nothing tells."""
    ends = job.hours_range(value)
    return "" if ends is None else f"; 90 % range {ends[0]:,.3g} to {ends[1]:,.3g}"
