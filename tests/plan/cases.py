"""Random planning problems as plain numbers, and the same as `Problem` and `Fit`.

A case is what brute force is told (`brute_force.py`); nothing of the planner's is in it but the records of models.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from ftplan.costs.model import Gpu, Model, Selector
from ftplan.fit import borrowed_fit
from ftplan.fit.result import Fit
from ftplan.origin import Origin, Sourced
from ftplan.plan.problem import Assumed, Problem
from ftplan.pool import from_lengths
from ftplan.units import Budget

#: rates of the cases are asked for
GIVEN = Origin("asked", "the case")
METHODS = ("random", "length", "bm25", "embedding", "perplexity", "gradient")


@dataclass(frozen=True)
class Case:
    """lengths: of every row before the cut; curve, law: name and parameters in the formula's own units.

    b: (b1, b2, b3) or () where length has no effect; kap: method -> (kap, S_ref); eta, rstar: None where not assumed;
    gamma: None where model size has no effect. avg_tokens: held mean, None for free or the pool's.
    """

    lengths: tuple[int, ...]
    max_length: int
    packing: bool
    batch_examples: int
    curve: str
    law: dict[str, float]
    b: tuple[float, ...]
    length_ref: float
    kap: dict[str, tuple[float, float]]
    eta: float | None
    rstar: float | None
    gamma: float | None
    direction: str
    models: tuple[Model, ...]
    tunings: tuple[str, ...]
    lora_r: int
    selectors: tuple[Selector, ...]
    epochs: tuple[float, ...]
    length_range: tuple[float, float]
    avg_tokens: float | None
    peak_flops: float
    mfu: float
    gpus: int
    usd_per_gpu_hour: float
    usd_per_example: float
    usd_per_1k_tokens: float
    budgets: dict[str, float]
    target: float | None = None

    @property
    def free_length(self) -> bool:
        return bool(self.b) and self.avg_tokens is None

    @property
    def sign(self) -> float:
        return 1.0 if self.direction == "min" else -1.0


def model(rng: np.random.Generator, name: str) -> Model:
    layers, width = int(rng.integers(1, 5)), int(rng.integers(2, 9)) * 8
    block = layers * 12.0 * width * width
    vocabulary = 100.0 * width
    return Model(
        name=name,
        layers=layers,
        d_model=width,
        d_ff=4 * width,
        kv_dim=width // 2,
        q_dim=width,
        block_params=block,
        embedding_params=vocabulary,
        total_params=block + 2.0 * vocabulary,
        context_tokens=4096,
        source="made up",
        gated=bool(rng.integers(0, 2)),
    )


def selectors(rng: np.random.Generator, count: int, sizes: tuple[float, ...]) -> tuple[Selector, ...]:
    """Encoders (no layers) and language models in turn; costs differ more than sizes."""
    out = []
    for i in range(count):
        size = sizes[i % len(sizes)] * float(rng.uniform(0.95, 1.05))
        language = bool(i % 2)
        forward = size * float(rng.uniform(0.3, 1.0))
        out.append(Selector(f"s{i}", size, forward, "made up", 2 if language else 0, 16 if language else 0))
    return tuple(out)


def lengths(rng: np.random.Generator, rows: int, longest: int) -> tuple[int, ...]:
    """Spread evenly, lumped at few lengths, or skewed."""
    kind = rng.integers(0, 3)
    if kind == 0:
        values = rng.integers(1, longest + 1, rows)
    elif kind == 1:
        values = rng.choice(rng.integers(1, longest + 1, int(rng.integers(1, 6))), rows)
    else:
        values = np.clip(rng.lognormal(np.log(longest / 4), 0.8, rows), 1, longest).astype(int)
    return tuple(int(v) for v in values)


def curve(rng: np.random.Generator, tokens: float, direction: str) -> tuple[str, dict[str, float]]:
    """A curve that bends or falls somewhere below the tokens of the pool."""
    name = str(rng.choice(["power", "rectified", "saturating"]))
    low, high = (2.0, 5.0) if direction == "min" else (60.0, 40.0)
    bend = tokens * float(rng.uniform(0.05, 1.0))
    beta = float(rng.uniform(0.2, 1.2))
    if name == "power":
        return name, {"E": low, "A": (high - low) * bend**beta, "beta": beta}
    if name == "rectified":
        return name, {"E": low, "y0": high, "D0": bend, "beta": beta}
    return name, {"Pbar": low, "P0": high, "D_s": bend}


def random_case(seed: int, rows: int = 40, longest: int = 64) -> Case:
    """One case, the same for one seed: at most `rows` rows of at most `longest` tokens."""
    rng = np.random.default_rng(seed)
    chance = rng.random(12)
    pool = lengths(rng, int(rng.integers(2, rows + 1)), longest)
    cut = int(rng.integers(longest // 2, 2 * longest))
    tokens = float(sum(min(v, cut) for v in pool))
    direction = "min" if chance[0] < 0.6 else "max"
    name, law = curve(rng, tokens, direction)
    slopes = (float(rng.normal(0, 0.6)), float(rng.normal(-0.3, 0.3)), float(rng.normal(0, 0.5)))
    b: tuple[float, ...] = () if chance[1] < 0.2 else slopes[:2] if chance[1] < 0.6 else slopes
    eta = float(rng.uniform(0.05, 0.6)) if chance[2] < 0.3 else None
    sizes = (100.0, 300.0) if eta is not None else (100.0,)
    chosen = [m for m in METHODS[1:] if rng.random() < 0.5]
    several = chance[3] < 0.3
    case = Case(
        lengths=pool,
        max_length=cut,
        packing=bool(chance[4] < 0.6),
        batch_examples=int(rng.integers(1, 5)),
        curve=name,
        law=law,
        b=b,
        length_ref=float(np.exp(np.mean(np.log(np.minimum(pool, cut))))),
        kap={m: (float(rng.uniform(-0.3, 0.8)), 100.0) for m in chosen},
        eta=eta,
        rstar=float(rng.uniform(0.5, 10.0)) if chance[5] < 0.5 else None,
        gamma=float(rng.uniform(0.05, 0.4)) if several else None,
        direction=direction,
        models=tuple(model(rng, f"m{i}") for i in range(3 if several else 1)),
        tunings=("full", "lora") if chance[6] < 0.2 else ("lora",) if chance[6] < 0.4 else ("full",),
        lora_r=int(rng.integers(1, 9)),
        selectors=selectors(rng, 4, sizes),
        epochs=(1.0, 2.0, 3.0),
        length_range=(1.0, float(longest)) if chance[7] < 0.7 else (longest / 8.0, longest / 2.0),
        avg_tokens=None,
        peak_flops=1e7,
        mfu=0.4,
        gpus=int(rng.integers(1, 5)),
        usd_per_gpu_hour=float(rng.uniform(0.5, 4.0)),
        usd_per_example=float(rng.choice([0.0, 0.01])),
        usd_per_1k_tokens=float(rng.choice([0.0, 0.05])),
        budgets={},
    )
    if chance[8] < 0.15:
        case = replace(case, avg_tokens=float(np.mean(np.minimum(pool, cut)) * rng.uniform(0.7, 1.3)))
    return replace(case, budgets=_budgets(case, rng))


def _budgets(case: Case, rng: np.random.Generator) -> dict[str, float]:
    """One to four limits, each on its own worth between a small part of the pool and more than all of it."""
    first = case.models[0]
    tokens = float(sum(min(v, case.max_length) for v in case.lengths))
    flops = 6.0 * (first.block_params + first.embedding_params) * tokens
    hours = flops / (case.peak_flops * case.mfu * 3600.0)
    usd = hours * case.usd_per_gpu_hour + case.usd_per_example * len(case.lengths)
    usd += case.usd_per_1k_tokens * tokens / 1000.0
    whole = {
        "total_flops": flops,
        "gpu_hours": hours,
        "wall_hours": hours / case.gpus,
        "usd": usd,
        "examples": float(len(case.lengths)),
    }
    kinds = rng.permutation(list(whole))[: int(rng.integers(1, 5))]
    return {str(k): whole[str(k)] * float(np.exp(rng.uniform(np.log(0.05), np.log(3.0)))) for k in kinds}


def to_fit(case: Case) -> Fit:
    """The law of a case as a fit without runs: what its parameters say holds exactly."""
    terms = ["drift"] if len(case.b) == 3 else ["length"] if case.b else []
    terms += ["selection"] if case.kap else []
    terms += ["factor"] if case.gamma is not None else []
    params = {**case.law, **dict(zip(("b1", "b2", "b3"), case.b, strict=False))}
    if case.gamma is not None:
        params["gamma"] = case.gamma
    tokens = float(sum(min(v, case.max_length) for v in case.lengths))
    doc: dict[str, Any] = {
        "title": "made up",
        "origin": "measured",
        "source": "nowhere",
        "measured_on": "nothing",
        "law": "+".join([case.curve, *terms]),
        "residual_sd": 0.01,
        "metric": {"name": "loss" if case.direction == "min" else "score", "direction": case.direction, "unit": ""},
        "ranges": {
            "examples": [1, len(case.lengths)],
            "avg_tokens": list(case.length_range),
            "tokens": [1, tokens],
            "model_params": [1, 1e9],
            "epochs": [1, 1],
        },
        "L_ref_tokens": case.length_ref,
        "params": {k: {"estimate": v, "low": v, "high": v} for k, v in params.items()},
        "selection": {
            m: {"estimate": k, "low": k - 0.1, "high": k + 0.05, "selector_params": s} for m, (k, s) in case.kap.items()
        },
    }
    fit = borrowed_fit(doc)
    series = fit.series[0]
    what = {**series.identified.what, "model_params": case.gamma is not None}
    identified = replace(series.identified, what=what)
    # 60 draws are enough to be exercised
    return replace(fit, draws=60, series=(replace(series, identified=identified),))


def to_problem(case: Case) -> Problem:
    """A case as the planner is given it."""
    assume = []
    if case.eta is not None:
        assume.append(Assumed("eta", {"eta": (case.eta, case.eta * 0.5, case.eta * 1.5)}, "made up"))
    if case.rstar is not None:
        assume.append(Assumed("epochs", {"Rstar": (case.rstar, case.rstar * 0.5, case.rstar * 2.0)}, "made up"))
    gpu = Gpu("g", case.peak_flops, 8e10, {}, "made up", None, "", "", "made up")
    return Problem(
        name="case",
        pool=from_lengths(case.lengths, name="pool", source="made up"),
        model=case.models[0],
        models=case.models[1:],
        budgets=tuple(Budget(kind, limit) for kind, limit in case.budgets.items()),
        tuning=case.tunings[0],
        tunings=case.tunings[1:],
        lora_r=case.lora_r,
        max_length=case.max_length,
        packing=case.packing,
        batch_examples=case.batch_examples,
        avg_tokens=case.avg_tokens,
        epochs=case.epochs if case.rstar is not None else None,
        selectors=case.selectors,
        assume=tuple(assume),
        gpu=gpu,
        gpu_count=case.gpus,
        mfu=Sourced(case.mfu, GIVEN),
        usd_per_gpu_hour=Sourced(case.usd_per_gpu_hour, GIVEN),
        usd_per_example=case.usd_per_example,
        usd_per_1k_tokens=case.usd_per_1k_tokens,
        target=case.target,
    )
