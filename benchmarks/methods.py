"""Simulated tables with a known break-even ratio: how often is it told, and does its interval hold the truth?

A truth is a curve, what choosing is worth (kap), how it grows with the selection model (eta), and a budget. A table has
random choice and one method with three sizes of selection model, at six fractions of the pool, with 2 % noise. What is
fitted, and the law chosen, is left to the defaults. The true ratio comes from the truth's own effective data at equal
totals, by bisection; it shares no code with what is measured, but for the FLOPs of a training token.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
from figures import DATA, Figure, share, table

from ftplan.compare.methods import compare_methods
from ftplan.compare.ratios import LEAD, LEAST_RATIO, MOST_RATIO, Ratio, ratios
from ftplan.compare.supported_methods import supported_methods
from ftplan.costs.training import train_flops_per_token
from ftplan.fit import fit_runs
from ftplan.plan.problem import Problem
from ftplan.pool import from_lengths
from ftplan.presets import load_model
from ftplan.runs import Metric, RunTable, from_rows
from ftplan.units import Budget

NOISE, TABLES = 0.02, 200
POOL, LENGTH = 100_000, 200
FRACTIONS = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5)
SIZES = (0.1e9, 0.7e9, 5e9)
MODEL = load_model("llama-2-7b")
PER_TOKEN = train_flops_per_token(MODEL, "full", float(LENGTH))
#: the whole pool
FULL = PER_TOKEN * POOL * LENGTH
#: FLOPs a token and parameter of the selection model: a forward pass, and 3 x (4 checkpoints + 5 % x 4 epochs) of them
SCORING = {"perplexity": 2.0, "gradient": 2.0 * 3.0 * 4.2}
LOSS, ACCURACY = Metric("loss", "min", "nats"), Metric("accuracy", "max", "percent")


@dataclass(frozen=True)
class Truth:
    """kap: at the geometric mean of SIZES; budget: as a share of training on the whole pool; seeds: runs of a cell."""

    name: str
    metric: Metric
    curve: Callable[[float], float]
    kap: float
    eta: float
    budget: float
    seeds: int = 3
    method: str = "perplexity"

    def effective(self, examples: float, size: float) -> float:
        """D: N·L·(P/N)^kap(S), in tokens; size 0 is random."""
        reference = float(np.prod(SIZES)) ** (1.0 / len(SIZES))
        kap = 1.0 - (1.0 - self.kap) ** ((size / reference) ** self.eta) if size else 0.0
        return examples * LENGTH * (POOL / examples) ** kap

    def table(self, rng: np.random.Generator) -> RunTable:
        rows = []
        for fraction in FRACTIONS:
            for size in (0.0, *SIZES):
                for _ in range(self.seeds):
                    value = self.curve(self.effective(fraction * POOL, size)) * (1.0 + NOISE * rng.standard_normal())
                    rows.append(
                        {
                            "examples": fraction * POOL,
                            "avg_tokens": LENGTH,
                            "tokens": fraction * POOL * LENGTH,
                            "model_params": 7e9,
                            "pool_examples": POOL,
                            "method": self.method if size else "random",
                            self.metric.name: value,
                        }
                        | ({"selector_params": size} if size else {})
                    )
        return from_rows(rows, self.metric)

    def gain(self, ratio: float, lead: float) -> float:
        """Logarithm of the method's effective data over those of random with so much more budget."""
        size, total = MODEL.total_params / ratio, self.budget * FULL
        random = min(total * (1.0 + lead) / (PER_TOKEN * LENGTH), POOL)
        examples = min((total - SCORING[self.method] * size * POOL * LENGTH) / (PER_TOKEN * LENGTH), POOL)
        if examples < 1.0:
            return -np.inf
        return float(np.log(self.effective(examples, size) / self.effective(random, 0.0)))

    def ratio(self, lead: float) -> float:
        """The lowest ratio at which the method leads; infinite where there is none."""
        tried = np.geomspace(LEAST_RATIO, MOST_RATIO, 4001)
        gains = np.array([self.gain(r, lead) for r in tried])
        if not (gains > 0.0).any():
            return np.inf
        first = int(np.argmax(gains > 0.0))
        if not first:
            return -np.inf
        low, high = tried[first - 1], tried[first]
        for _ in range(60):
            middle = float(np.sqrt(low * high))
            low, high = (low, middle) if self.gain(middle, lead) > 0.0 else (middle, high)
        return high

    @property
    def problem(self) -> Problem:
        pool = from_lengths(np.full(POOL, LENGTH), name="pool", source="simulated")
        budget = Budget("total_flops", self.budget * FULL)
        return Problem("simulated", pool, MODEL, (budget,), packing=False, batch_examples=1)


def power(data: float) -> float:
    return 1.0 + 1.2 * (data / 1e6) ** -0.3


def rectified(data: float) -> float:
    return 1.0 + 2.5 / (1.0 + (data / 1e6) ** 0.8)


def saturating(data: float) -> float:
    return 1.2 + 1.5 * float(np.exp(-data / 4e6))


def score(data: float) -> float:
    return 75.0 - 50.0 / (1.0 + (data / 1e6) ** 0.8)


TRUTHS = (
    Truth("power", LOSS, power, 0.3, 0.5, 0.5),
    Truth("power", LOSS, power, 0.2, 0.3, 0.6),
    Truth("power", LOSS, power, 0.4, 0.3, 0.03),
    Truth("rectified", LOSS, rectified, 0.3, 0.2, 0.1, seeds=1),
    Truth("rectified", LOSS, rectified, 0.15, 0.2, 0.5),
    Truth("saturating", LOSS, saturating, 0.25, 0.5, 0.005),
    Truth("accuracy", ACCURACY, score, 0.4, 0.5, 0.2),
    Truth("power", LOSS, power, 0.5, 0.3, 0.3, method="gradient"),
)


def answer(truth: Truth, runs: RunTable) -> dict[float, Ratio]:
    """By lead, against random at the truth's budget."""
    problem = truth.problem
    found = supported_methods(problem, fit_runs(runs), problem.budgets[0])
    return {r.lead: r for r in ratios(found, problem.budgets, problem.level) if r.against == "random"}


def tried(truth: Truth, count: int) -> dict[float, list[tuple[bool, bool, float]]]:
    """By lead: (told, held, width as a factor) for every table."""
    out: dict[float, list[tuple[bool, bool, float]]] = {0.0: [], LEAD: []}
    for seed in range(count):
        found = answer(truth, truth.table(np.random.default_rng(seed)))
        for lead, results in out.items():
            first = found[lead].pays_from
            held = first.low <= truth.ratio(lead) <= first.high
            results.append((first.told, held, first.high / first.low))
    return out


def figures(truths: Sequence[Truth], count: int) -> list[Figure]:
    out = []
    for truth in truths:
        for lead, results in tried(truth, count).items():
            told = [r for r in results if r[0]]
            held = sum(r[1] for r in told)
            untold = count - len(told)
            runs = len(FRACTIONS) * (1 + len(SIZES)) * truth.seeds
            out.append(
                Figure(
                    f"{truth.method}, {truth.name}, {runs} runs, kap {truth.kap:g}, eta {truth.eta:g}, "
                    f"budget {truth.budget:g} of full training, lead {lead:.0%}: true ratio {truth.ratio(lead):.3g}",
                    f"covers {share(held, max(len(told), 1))}, cannot tell {share(untold, count)}",
                    "" if lead else "covers >= 85 %, cannot tell <= 20 %",
                    None if lead else held >= 0.85 * len(told) and untold <= 0.2 * count,
                    f"median width a factor {np.median([r[2] for r in told]):.2f}" if told else "",
                )
            )
    return out


def published() -> list[Figure]:
    """The published runs, one selector size."""
    runs = table("ccds/runs_mmlu.csv")
    small = runs.subset(np.array([g == "Llama-2-7B" for g in runs.group]))
    problem = replace(TRUTHS[0].problem, budgets=(Budget("total_flops", 4e18),))
    found = compare_methods(problem, fit_runs(small), [Budget("total_flops", v) for v in (1e18, 4e18)])
    why = "; ".join(f"{m}: {why}" for m, why in found.why_not.items())
    return [Figure("published runs: ratio", why or "told", "cannot be told", not found.ratios and bool(why))]


def measure(full: bool) -> list[Figure]:
    there = (DATA / "ccds" / "runs_mmlu.csv").is_file()
    return [*figures(TRUTHS, TABLES if full else 15), *(published() if there else [])]
