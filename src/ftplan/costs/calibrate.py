"""Utilisation (MFU) from a past run: the planner's FLOPs for it over what its GPUs could have done in that time.

    MFU = tokens computed * FLOPs per token / (seconds * GPUs * peak)

The formula is the one that plans are costed with, so what it leaves out (data loading, evaluation inside the run,
checkpoint writing) ends up in the MFU, where it belongs. A trainer's own `total_flos` is not used: it knows neither
attention nor that LoRA skips the gradients of frozen weights.
Limits: the model, batching and lengths of the past run are taken to be those given; utilisation of one GPU model and
one tuning method says nothing about another.
"""

from __future__ import annotations

from dataclasses import dataclass

from ftplan.costs.bill import Job
from ftplan.costs.packing import Batching
from ftplan.costs.training import train_flops_per_token
from ftplan.costs.utilisation import own_spread
from ftplan.errors import InputError
from ftplan.origin import Origin, Sourced
from ftplan.units import format_count, format_flops

#: outside of this a fact of the run is wrong: another GPU or model, or a handful of examples that only warmed it up
LEAST, MOST = 0.01, 1.0


@dataclass(frozen=True)
class PastRun:
    """Facts of a finished run; '' and None for what the source does not say.

    source          how to name it: 'trainer_state.json', 'runs.csv:3'
    seconds         wall-clock of the training
    tokens          over all epochs, on all GPUs
    counts_padding  whether `tokens` has padding in it; None where nothing tells
    """

    source: str
    seconds: float
    tokens: float
    counts_padding: bool | None
    gpus: int | None = None
    gpu: str = ""
    model: str = ""
    model_params: float | None = None
    tuning: str = ""
    lora_r: int | None = None


@dataclass(frozen=True)
class RunSetting:
    """What the run did as far as a problem tells. batching: of examples of `avg_tokens` tokens; gpu: its name."""

    job: Job
    batching: Batching
    avg_tokens: float
    gpu: str


def calibrate(run: PastRun, setting: RunSetting) -> Sourced:
    """The MFU of a run, 0 to 1, with the run and all that went into it as its origin.

    Raises InputError where it is below 1 % or above 100 % of the peak.
    """
    job = setting.job
    gpus = run.gpus or job.gpus
    ratio = setting.batching.computed_tokens / setting.avg_tokens if run.counts_padding is False else 1.0
    tokens = run.tokens * ratio
    per_token = train_flops_per_token(
        job.model,
        job.tuning,
        setting.batching.attention_tokens,
        lora_r=job.lora_r,
        checkpointing=job.checkpointing,
    )
    flops = tokens * per_token
    mfu = flops / (run.seconds * gpus * job.peak_flops)
    facts = (
        f"{format_flops(flops)} FLOPs ({_tokens(run, ratio)}, {job.tuning} tuning of {job.model.name}, attention over "
        f"{setting.batching.attention_tokens:,.0f} tokens) in {run.seconds:,.4g} s on {gpus} x {setting.gpu}"
    )
    if not LEAST <= mfu <= MOST:
        raise InputError(
            f"{run.source} would have used {100.0 * mfu:.2g} % of the GPUs' peak: {facts}",
            hint="check the GPU and how many, the model, and what the tokens count; or give --mfu",
        )
    _, low, high = own_spread([mfu])
    return Sourced(mfu, Origin("calibrated", run.source, facts), (low, high))


def _tokens(run: PastRun, ratio: float) -> str:
    count = format_count(run.tokens)
    if run.counts_padding is False:
        return f"{count} tokens, x {ratio:.3g} as batched here"
    return f"{count} tokens with padding" if run.counts_padding else f"{count} tokens, taken to count padding"
