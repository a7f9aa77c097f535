"""What one candidate plan costs, from examples and lengths to FLOPs, hours and money."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Generic

import numpy as np
import numpy.typing as npt

from ftplan.costs.model import Model
from ftplan.costs.time_money import compute_usd, data_usd, gpu_hours, wall_hours
from ftplan.costs.training import Number, Tuning, train_flops_per_token
from ftplan.errors import InputError
from ftplan.units import Budget, format_budget


@dataclass(frozen=True)
class Job:
    """What stays the same over all candidate data: the training job and its prices.

    peak_flops, mfu    of one GPU; 0 where no GPU is known: hours and money are then None
    usd_per_gpu_hour   None where no price is known
    mfu_range          90 % range of the utilisation, None where nothing tells
    """

    model: Model
    tuning: Tuning = "full"
    lora_r: int = 16
    checkpointing: bool = False
    peak_flops: float = 0.0
    mfu: float = 0.0
    gpus: int = 1
    usd_per_gpu_hour: float | None = None
    usd_per_example: float = 0.0
    usd_per_1k_tokens: float = 0.0
    mfu_range: tuple[float, float] | None = None

    def hours_range(self, hours: float) -> tuple[float, float] | None:
        """What `hours` may turn out to be, by the range of the utilisation."""
        if self.mfu_range is None or not self.mfu:
            return None
        low, high = self.mfu_range
        return hours * self.mfu / high, hours * self.mfu / low


@dataclass(frozen=True)
class Bill(Generic[Number]):
    """Costs of one candidate (floats) or of many (arrays of one shape). usd = compute_usd + data_usd."""

    train_flops: Number
    selection_flops: Number
    total_flops: Number
    gpu_hours: Number | None
    wall_hours: Number | None
    compute_usd: Number | None
    data_usd: Number
    usd: Number | None


def train_flops_per_example(job: Job, computed_tokens: Number, attention_tokens: Number) -> Number:
    """FLOPs of one epoch per example; computed_tokens, attention_tokens: see `costs.packing.Batching`."""
    per_token = train_flops_per_token(
        job.model, job.tuning, attention_tokens, lora_r=job.lora_r, checkpointing=job.checkpointing
    )
    return computed_tokens * per_token


def plan_cost(
    job: Job,
    *,
    examples: Number,
    avg_tokens: Number,
    epochs: Number,
    computed_tokens: Number,
    attention_tokens: Number,
    selection_flops: Number,
) -> Bill[Number]:
    """The bill of training on `examples` unique examples of avg_tokens for `epochs`, selection_flops charged once.

    Linear in `examples`, for every cost: its value at 0 examples is what selection costs, and the slope is the rate.
    Unique data is paid for once, however many epochs see it.
    """
    train = examples * train_flops_per_example(job, computed_tokens, attention_tokens) * epochs
    total = train + selection_flops
    data = data_usd(examples, examples * avg_tokens, job.usd_per_example, job.usd_per_1k_tokens)
    if not job.peak_flops * job.mfu:
        return Bill(train, selection_flops, total, None, None, None, data, None)
    hours = gpu_hours(total, job.peak_flops, job.mfu)
    paid = None if job.usd_per_gpu_hour is None else compute_usd(hours, job.usd_per_gpu_hour)
    everything = None if paid is None else paid + data
    return Bill(train, selection_flops, total, hours, wall_hours(hours, job.gpus), paid, data, everything)


def over(
    bill: Bill[npt.NDArray[np.float64]], examples: npt.NDArray[np.float64], limits: tuple[Budget, ...]
) -> npt.NDArray[np.bool_]:
    """(n,) whether any limit is exceeded."""
    exceeded = np.zeros(len(examples), dtype=bool)
    for budget in limits:
        exceeded |= spent(bill, budget, examples) > budget.limit
    return exceeded


def cost_of(bill: Bill[Number], budget: Budget) -> Number:
    """The part of a bill that a budget limits, in the budget's unit. InputError where it cannot be counted."""
    value: Number | None = getattr(bill, budget.kind)
    if value is None:
        price = "--price USD_PER_GPU_HOUR"
        lacks, hint = ("a GPU and a price", f"--gpu NAME {price}") if budget.kind == "usd" else ("a GPU", "--gpu NAME")
        if bill.gpu_hours is not None:
            lacks, hint = "a price", price
        raise InputError(
            f"a budget of {format_budget(budget.kind, budget.limit)} needs {lacks} to count with", hint=hint
        )
    return value


def spent(bill: Bill[Number], budget: Budget, examples: Number) -> Number:
    """What trials take of a budget, in its unit."""
    return examples if budget.kind == "examples" else cost_of(bill, budget)


def price(bill: Bill[Number]) -> Number:
    """What "cheaper" means: money where a price is known, else FLOPs."""
    return bill.usd if bill.usd is not None else bill.total_flops


def price_kind(bill: Bill[Number]) -> str:
    """The kind of budget that `price` counts in."""
    return "usd" if bill.usd is not None else "total_flops"


def scalar(bill: Bill[npt.NDArray[np.float64]], i: int) -> Bill[float]:
    """The bill of trial i."""
    values = {f.name: getattr(bill, f.name) for f in fields(bill)}
    # which of them may be None is as it was in the bill
    return Bill(**{k: None if v is None else float(v[i]) for k, v in values.items()})  # type: ignore[arg-type]
