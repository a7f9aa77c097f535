"""What may be trained: each model with each tuning method, its job, and its size as the runs count it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ftplan.costs.bill import Job
from ftplan.costs.model import Gpu, Model
from ftplan.costs.training import TUNINGS, Tuning
from ftplan.costs.utilisation import spread
from ftplan.errors import InputError
from ftplan.fit.result import Fit, SeriesFit
from ftplan.laws.parts import Floats
from ftplan.origin import Origin, Sourced
from ftplan.plan.problem import Problem
from ftplan.plan.result import Assumption

#: rank of adapters where the problem gives none
LORA_R = 16
#: run tables write 7B for 6.74e9; a size within 2 % is the same model
SAME_SIZE = 0.02
#: ways to count a model's parameters, the model card's first
COUNTS = ("total_params", "block_params", "flop_params")


@dataclass(frozen=True)
class Trained:
    """One thing to train. size: M in the runs' own count; job: its costs."""

    model: Model
    tuning: Tuning
    size: float
    job: Job


def trained(problem: Problem, fit: Fit, series: SeriesFit, used: list[Assumption]) -> tuple[Trained, ...]:
    """Every model with every tuning method. Raises InputError where the runs cannot tell models apart."""
    models = tuple(dict.fromkeys((problem.model, *problem.models)))
    if len(models) > 1 and not series.identified.what.get("model_params", False):
        why = series.identified.why.get("model_params", "the runs give no model sizes")
        raise InputError(
            f"{len(models)} models to choose from, and the runs cannot tell what another size does: {why}",
            hint="name one model, or add runs of three sizes",
        )
    for model in models:
        if problem.max_length > model.context_tokens:
            raise InputError(
                f"max_length {problem.max_length:,} is longer than the {model.context_tokens:,} tokens that "
                f"{model.name} can read",
                hint=f"--max-length {model.context_tokens}",
            )
    tunings = tuple(_tuning(name) for name in dict.fromkeys((problem.tuning, *problem.tunings)))
    if len(tunings) > 1:
        used.append(Assumption("tuning", ", ".join(tunings), "taken to score alike: only their costs differ here"))
    sizes = sizes_in_runs(models, fit)
    return tuple(
        Trained(model, tuning, size, job_of(problem, model, tuning))
        for model, size in zip(models, sizes, strict=True)
        for tuning in tunings
    )


def job_of(problem: Problem, model: Model, tuning: Tuning) -> Job:
    """The training job of one model and tuning method."""
    mfu = mfu_of(problem, tuning)
    return Job(
        model=model,
        tuning=tuning,
        lora_r=0 if tuning == "full" else problem.lora_r or LORA_R,
        peak_flops=problem.gpu.peak_flops if problem.gpu else 0.0,
        mfu=mfu.value if mfu else 0.0,
        mfu_range=mfu.range if mfu else None,
        gpus=problem.gpu_count,
        usd_per_gpu_hour=problem.usd_per_gpu_hour.value if problem.usd_per_gpu_hour else None,
        usd_per_example=problem.usd_per_example,
        usd_per_1k_tokens=problem.usd_per_1k_tokens,
    )


def mfu_of(problem: Problem, tuning: Tuning) -> Sourced | None:
    """The MFU of one tuning method: the one that was given, else the GPU's default for it; None without a GPU.

    A calibrated MFU is of the tuning that its run had, the problem's own: the other tunings keep their defaults.
    """
    given, gpu = problem.mfu, problem.gpu
    if given is not None and (given.origin.kind != "calibrated" or tuning == problem.tuning):
        return given
    return None if gpu is None else shipped_mfu(gpu, tuning, problem.cut.pool.mean, problem.gpu_count)


def shipped_mfu(gpu: Gpu, tuning: str, length: float, gpus: int) -> Sourced:
    """A GPU's default utilisation for a tuning method, with the range of published runs like it."""
    value = gpu.mfu[tuning]
    found = spread(gpu.measured, gpu.name, tuning, length, gpus, value)
    said = gpu.mfu_source if found is None else f"{gpu.mfu_source}; {found}"
    return Sourced(
        value, Origin("preset", f"gpus/{gpu.name}", said), None if found is None else (found.low, found.high)
    )


def _tuning(name: str) -> Tuning:
    found = next((t for t in TUNINGS if t == name), None)
    if found is None:
        raise InputError(f"unknown tuning {name!r}", hint=f"one of: {', '.join(TUNINGS)}")
    return found


def sizes_in_runs(models: tuple[Model, ...], fit: Fit) -> list[float]:
    """M of each model, with or without embeddings: the count in which most models have a size that runs have."""
    known = fit.runs.model_params if fit.runs is not None else np.empty(0)
    known = known[np.isfinite(known)]

    def met(count: str) -> int:
        sizes: Floats = np.array([[getattr(model, count)] for model in models])
        return int((np.abs(np.log(sizes / known)) < SAME_SIZE).any(axis=1).sum())

    count = max(COUNTS, key=met) if len(known) else COUNTS[0]
    return [float(getattr(model, count)) for model in models]
