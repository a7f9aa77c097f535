"""`ftplan compare methods`: which way to choose examples pays, at which budget, with how large a selection model."""

from __future__ import annotations

from typing import Annotated

import typer

from ftplan.cli import options
from ftplan.cli.inputs import law_of
from ftplan.cli.output import check_target, deliver

SHORT = "When a selection method pays: budgets and model sizes."
HELP = """Examples:

\b
  ftplan compare methods lora-8b
  ftplan compare methods lora-8b --from 1usd --to 1000usd --explain
  ftplan compare methods --runs runs.csv --pool pool.csv --model llama-2-7b \\
      --budget 1e18flops
  ftplan compare methods my.toml --fit fit.yaml --format csv > methods.csv

At equal totals, scoring included: the best way to choose examples under each budget, the budget from which each method
pays, and how many times larger than its selection model the trained model must be. All with intervals; where the runs
cannot tell, it says so.
"""

Gain = Annotated[
    float | None,
    typer.Option(
        "--gain",
        metavar="X",
        min=0.0,
        help="What a doubling of the budget must bring. [default: the spread between runs that are alike]",
    ),
]
Explain = Annotated[bool, typer.Option("--explain", help="Work every break-even out step by step.")]


def methods(
    problem: options.Problem = None,
    fit: options.FitFile = None,
    runs: options.Runs = None,
    series: options.Series = None,
    budget: options.Budgets = None,
    first: options.From = None,
    last: options.To = None,
    steps: options.Steps = 9,
    gain: Gain = None,
    explain: Explain = False,
    gpu: options.GpuName = None,
    price: options.Price = None,
    mfu: options.Mfu = None,
    model: options.ModelName = None,
    tuning: options.Tuning = None,
    lora_r: options.LoraR = None,
    pool: options.PoolFile = None,
    methods: options.Methods = None,
    epochs: options.Epochs = None,
    avg_tokens: options.AvgTokens = None,
    max_length: options.MaxLength = None,
    packing: options.Packing = None,
    batch: options.Batch = None,
    assume: options.Assume = None,
    seed: options.PlanSeed = None,
    form: options.Format = "table",
    output: options.Output = None,
    quiet: options.Quiet = False,
) -> None:
    """Read, compare, render, write."""
    from ftplan.compare.methods import compare_methods
    from ftplan.formats.documents.methods import document
    from ftplan.readers.problems import Flags, read_problem
    from ftplan.readers.sweeps import spaced

    check_target(output)
    flags = Flags(
        fit=fit,
        runs=runs,
        series=series,
        budgets=tuple(budget or ()),
        gpu=gpu,
        usd_per_gpu_hour=price,
        mfu=mfu,
        model=model,
        tuning=tuning,
        lora_r=lora_r,
        pool=pool,
        methods=options.words(methods),
        epochs=options.numbers("--epochs", epochs),
        avg_tokens=avg_tokens,
        max_length=max_length,
        packing=packing,
        batch_examples=batch,
        assume=options.words(assume),
        seed=seed,
    )
    asked = read_problem(problem, flags)
    limits = spaced([b for b in asked.problem.budgets if b.kind != "examples"], first, last, steps)
    found = compare_methods(asked.problem, law_of(asked, quiet=quiet), limits, gain=gain, explain=explain)
    deliver(document(found), form, output, quiet=quiet)
