"""What a plan file states, in the order that a reader asks for it: one row of a comparison each."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias

Value: TypeAlias = str | int | float | bool | None


@dataclass(frozen=True)
class Fact:
    """key: path in the plan file; words: what a person calls it; unit: of a number, '' for a plain one or for words."""

    key: str
    words: str
    unit: str = ""

    @property
    def in_metric(self) -> bool:
        """Whether the number is one of the metric, and has its unit."""
        return self.key in ("prediction.value", "prediction.low", "prediction.high")


#: `budgets.KIND` is the limit of that kind, `data.recipe.band` the words for its two ends
FACTS = (
    Fact("prediction.metric", "metric"),
    Fact("prediction.value", "predicted"),
    Fact("prediction.low", "interval from"),
    Fact("prediction.high", "interval to"),
    Fact("prediction.extrapolation", "times beyond the runs"),
    Fact("data.examples", "examples", "examples"),
    Fact("data.avg_tokens", "tokens each", "tokens"),
    Fact("data.total_tokens", "unique tokens", "tokens"),
    Fact("data.epochs", "epochs", "epochs"),
    Fact("data.recipe.band", "length band, tokens"),
    Fact("data.recipe.sampling", "drawn"),
    Fact("data.recipe.cut_tokens", "cut at", "tokens"),
    Fact("data.recipe.seed", "seed of the draw"),
    Fact("selection.method", "chosen by"),
    Fact("selection.model", "selection model"),
    Fact("selection.eligible_examples", "eligible examples", "examples"),
    Fact("training.model", "trained model"),
    Fact("training.tuning", "tuning"),
    Fact("training.lora_r", "rank of adapters"),
    Fact("training.max_length", "longest sequence", "tokens"),
    Fact("training.packing", "packed"),
    Fact("training.batch_examples", "batch", "examples"),
    Fact("training.grad_accum", "batches per step"),
    Fact("training.steps", "steps", "steps"),
    Fact("cost.total_flops", "compute in all", "FLOPs"),
    Fact("cost.train_flops", "training", "FLOPs"),
    Fact("cost.selection_flops", "selection", "FLOPs"),
    Fact("cost.gpu_hours", "GPU time", "GPU-h"),
    Fact("cost.wall_hours", "wall-clock", "h"),
    Fact("cost.usd", "money", "USD"),
    Fact("cost.compute_usd", "of it compute", "USD"),
    Fact("cost.data_usd", "of it data", "USD"),
    Fact("inputs.costs.gpu.name", "GPU"),
    Fact("inputs.costs.gpu.count", "GPUs"),
    Fact("inputs.costs.gpu.mfu", "share of the peak used"),
    Fact("inputs.costs.price.usd_per_gpu_hour", "price of a GPU-hour", "USD"),
    Fact("inputs.costs.acquisition.usd_per_example", "price of an example", "USD"),
    Fact("inputs.costs.acquisition.usd_per_1k_tokens", "price of 1,000 tokens", "USD"),
    Fact("budgets.total_flops", "limit on compute", "FLOPs"),
    Fact("budgets.gpu_hours", "limit on GPU time", "GPU-h"),
    Fact("budgets.usd", "limit on money", "USD"),
    Fact("budgets.wall_hours", "limit on wall-clock", "h"),
    Fact("budgets.examples", "limit on examples", "examples"),
    Fact("objective", "aim"),
    Fact("inputs.problem", "problem"),
    Fact("inputs.pool.name", "pool"),
    Fact("inputs.series", "series of the fit"),
)
