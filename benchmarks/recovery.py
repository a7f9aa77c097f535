"""Recovery: do the intervals of the parameters hold the truth as often as they say?

    OMP_NUM_THREADS=1 python benchmarks/recovery.py [--tables 500] [LAW ...]

For each law: random truths (every nonlinear parameter from the middle half of the range that the fit scans, a floor and
a gain as fine-tuning losses have them), tables of 60 runs with 2 % multiplicative noise, fitted by `fit_runs` with that
law. Counted are the parameters whose status is ok; the share of the others is printed beside.
"""

from __future__ import annotations

import argparse
from collections import defaultdict
from dataclasses import dataclass, replace
from itertools import product

import numpy as np

from ftplan.errors import NotIdentified
from ftplan.fit import fit_runs
from ftplan.fit.features import Data, prepare
from ftplan.laws.law import Law, parse
from ftplan.laws.parts import Floats
from ftplan.runs import Metric, RunTable, from_rows

RUNS, NOISE, DRAWS = 60, 0.02, 300
LAWS = (
    "power",
    "rectified",
    "anchored",
    "saturating",
    "power+composition",
    "rectified+composition",
    "rectified+length",
    "rectified+drift",
    "saturating+length",
    "power+selection",
    "rectified+selection",
    "power+repetition",
    "power+factor",
    "additive",
    "rectified+length+added",
)
LOSS = Metric("loss", "min", "nats")


def design(law: Law) -> list[dict[str, object]]:
    """60 runs that vary what the law is about, spread evenly over two decades and a half of tokens."""
    lengths: tuple[float, ...] = (100.0,)
    others: dict[str, tuple[object, ...]] = {}
    if law.has("composition") or law.has("length") or law.has("drift"):
        lengths = (32.0, 64.0, 128.0, 256.0, 448.0)
    if law.size is not None:
        others["model_params"] = (1e8, 4e8, 1.6e9, 6.4e9)
    if law.has("repetition"):
        others["epochs"] = (1.0, 2.0, 4.0, 8.0)
    if law.has("selection"):
        others["method"] = ("random", "embed", "ppl")
    levels = list(product(lengths, *others.values()))
    sizes = np.geomspace(4e3, 1e6, -(-RUNS // len(levels)))
    rows = []
    for (length, *values), tokens in product(levels, sizes):
        row: dict[str, object] = {"tokens": tokens, "avg_tokens": length, "examples": tokens / length, "epochs": 1.0}
        row |= dict(zip(others, values, strict=True))
        if law.has("selection"):
            row["pool_examples"] = 4e4
        rows.append(row)
    return rows[:RUNS]


@dataclass(frozen=True)
class Truth:
    """One random truth of a law on its design: the table of expected values, and the parameters in natural units."""

    table: RunTable
    params: dict[str, float]


def truth(law: Law, rng: np.random.Generator) -> Truth:
    """Drawn anew for every table."""
    before: list[dict[str, object]] = [{"examples": 0.0, "tokens": 0.0, "loss": 3.9}] if law.curve.anchored else []
    # values that differ, so that no two rows look like one run listed twice
    rows = [{**row, "loss": 1.0 + 1e-3 * i} for i, row in enumerate(design(law))]
    blank = from_rows([*before, *rows], LOSS, source="simulated")
    data: Data = prepare(blank)
    theta = [p.scan[0] + (0.25 + 0.5 * rng.random()) * (p.scan[1] - p.scan[0]) for p in law.nonlinear(data.refs)]
    names = law.linear(data.refs)
    # a floor of about 2 nats and gains of about 1
    amplitudes = np.array([rng.uniform(1.5, 2.5) if n.startswith("E") else rng.uniform(0.5, 1.5) for n in names])
    at = law.evaluate(data.rows, np.array([theta]), data.refs)
    values: Floats = at.predict(amplitudes[None])[0]
    named = law.natural(np.array([theta]), amplitudes[None], data.refs)
    full = np.concatenate([np.full(len(before), 3.9), values])
    return Truth(replace(blank, value=full), {k: float(v[0]) for k, v in named.items()})


@dataclass
class Count:
    """How often one parameter's interval held the truth, of those with status ok, of all."""

    held: int = 0
    told: int = 0
    all: int = 0

    def __str__(self) -> str:
        return f"{100 * self.held / max(self.told, 1):.0f} ({100 - 100 * self.told / self.all:.0f})"


def recover(name: str, tables: int, seed: int) -> tuple[dict[str, Count], int]:
    """Counts by parameter, and the number of tables that were refused."""
    law = parse(name)
    rng = np.random.default_rng(seed)
    counts: dict[str, Count] = defaultdict(Count)
    refused = 0
    for i in range(tables):
        drawn = truth(law, rng)
        noisy = drawn.table.value * np.exp(NOISE * rng.standard_normal(len(drawn.table.value)))
        runs = replace(drawn.table, value=np.where(drawn.table.examples > 0.0, noisy, drawn.table.value))
        try:
            fitted = fit_runs(runs, [name], draws=DRAWS, seed=i).series[0].laws[0]
        except NotIdentified:
            refused += 1
            continue
        for key, value in drawn.params.items():
            param, count = fitted.params[key], counts[key]
            count.all += 1
            if param.status == "ok" and param.low is not None and param.high is not None:
                count.told += 1
                count.held += param.low <= value <= param.high
    return counts, refused


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("laws", nargs="*", default=list(LAWS))
    parser.add_argument("--tables", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    asked = parser.parse_args()
    print(f"{asked.tables} tables a law; nominal 90 %, to be 85-95 %; at most 20 % excluded")
    for name in asked.laws:
        counts, refused = recover(name, asked.tables, asked.seed)
        held, told, every = (sum(getattr(c, k) for c in counts.values()) for k in ("held", "told", "all"))
        each = ", ".join(
            f"{k} {100 * c.held / max(c.told, 1):.0f} ({100 - 100 * c.told / c.all:.0f})" for k, c in counts.items()
        )
        print(
            f"{name:24s} covered {100 * held / told:.1f} %, excluded {100 - 100 * told / every:.1f} %, "
            f"refused {refused}; by parameter, covered (excluded): {each}",
            flush=True,
        )


if __name__ == "__main__":
    main()
