"""`ftplan compare strategies`: few long examples, many short ones, the pool as it comes, and the optimum."""

from __future__ import annotations

from ftplan.cli import options
from ftplan.cli.inputs import law_of
from ftplan.cli.output import check_target, deliver

SHORT = "Few long examples, many short ones, or the best between."
HELP = """Examples:

\b
  ftplan compare strategies quickstart
  ftplan compare strategies quickstart --budget 1e11flops --budget 1e12flops
  ftplan compare strategies my.toml --fit fit.yaml --format csv

What the same budget makes of few long examples, of many short ones and of the pool as it comes, beside the best plan:
examples, length, expected metric, and what each loses. Each --budget is compared by itself, in place of those in the
problem.
"""


def strategies(
    problem: options.Problem = None,
    fit: options.FitFile = None,
    runs: options.Runs = None,
    series: options.Series = None,
    budget: options.Budgets = None,
    gpu: options.GpuName = None,
    price: options.Price = None,
    mfu: options.Mfu = None,
    model: options.ModelName = None,
    tuning: options.Tuning = None,
    lora_r: options.LoraR = None,
    pool: options.PoolFile = None,
    methods: options.Methods = None,
    epochs: options.Epochs = None,
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
    from ftplan.compare.strategies import compare_strategies
    from ftplan.formats.documents.strategies import document
    from ftplan.readers.problems import Flags, read_problem
    from ftplan.readers.sweeps import one_of_each_kind
    from ftplan.units import parse_budget

    check_target(output)
    flags = Flags(
        fit=fit,
        runs=runs,
        series=series,
        budgets=one_of_each_kind(budget or ()),
        gpu=gpu,
        usd_per_gpu_hour=price,
        mfu=mfu,
        model=model,
        tuning=tuning,
        lora_r=lora_r,
        pool=pool,
        methods=options.words(methods),
        epochs=options.numbers("--epochs", epochs),
        max_length=max_length,
        packing=packing,
        batch_examples=batch,
        assume=options.words(assume),
        seed=seed,
    )
    asked = read_problem(problem, flags)
    limits = [(parse_budget(text),) for text in budget] if budget else [asked.problem.budgets]
    deliver(document(compare_strategies(asked.problem, law_of(asked, quiet=quiet), limits)), form, output, quiet=quiet)
