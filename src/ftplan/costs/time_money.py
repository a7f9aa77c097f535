"""FLOPs to GPU-hours, wall-clock hours and money.

Limits: utilisation (MFU) is one number for the whole job, selection included, and the GPUs share the work evenly;
start-up, evaluation and checkpoint writing are not in it. Defaults and their sources stand in `presets/gpus`.
"""

from __future__ import annotations

from ftplan.costs.training import Number

SECONDS_PER_HOUR = 3600.0


def gpu_hours(flops: Number, peak_flops: float, mfu: float) -> Number:
    """GPU-hours: flops / (peak_flops * mfu * 3600). peak_flops: dense bf16 FLOP/s of one GPU; mfu: 0 to 1."""
    return flops / (peak_flops * mfu * SECONDS_PER_HOUR)


def wall_hours(hours: Number, gpus: int) -> Number:
    """GPU-hours shared evenly by `gpus` GPUs."""
    return hours / gpus


def compute_usd(hours: Number, usd_per_gpu_hour: float) -> Number:
    """US dollars for GPU-hours."""
    return hours * usd_per_gpu_hour


def data_usd(examples: Number, tokens: Number, usd_per_example: float, usd_per_1k_tokens: float) -> Number:
    """US dollars to label or generate unique data: per example, and per 1,000 tokens."""
    return examples * usd_per_example + tokens * (usd_per_1k_tokens / 1000.0)
