"""`ftplan plan`: the best data plan under a budget."""

from __future__ import annotations

from typing import Annotated

import typer

from ftplan.cli import complete, options
from ftplan.cli.gate import Asks, answer, calibrated, pool_path, run_check, with_constraints
from ftplan.cli.inputs import law_of
from ftplan.cli.output import check_target, deliver
from ftplan.errors import Infeasible, InputError

SHORT = "Find the best data plan under a budget."
HELP = """Examples:

\b
  ftplan plan quickstart                      a shipped problem and its runs
  ftplan plan quickstart --budget 8e11flops   the same with another budget
  ftplan plan my.toml --fit fit.yaml -o plan.yaml
  ftplan plan --runs runs.csv --pool lengths.csv --model llama-3.1-8b \\
      --tuning lora --gpu h100-sxm:8 --budget 500usd
  ftplan plan quickstart --get data.examples  one bare value, for scripts
  ftplan plan --check plan.yaml --require 'loss<=4.45@0.9'

How many examples, how long, chosen how, for how many epochs; the score to expect, what it costs, what was close.
Flags override what the problem file says. --check counts a committed plan again, with today's prices, budgets and
pool. Exit code 1 means no: nothing fits the budget, the target is out of reach, or a constraint fails.
"""

_PROGRAM_FORMATS = ("json", "yaml", "github", "junit", "markdown")

Problem = Annotated[
    str | None,
    typer.Argument(metavar="[PROBLEM]", help="TOML file, or a shipped problem.", autocompletion=complete.problems),
]
FitFile = Annotated[str | None, typer.Option("--fit", metavar="FILE", help="Fit file: the law to plan with.")]
Runs = Annotated[
    str | None,
    typer.Option(
        "--runs", metavar="RUNS", autocompletion=complete.runs, help="Run table to fit on the spot, instead of --fit."
    ),
]
Series = Annotated[str | None, typer.Option("--series", metavar="KEY", help="Which series of the fit to plan for.")]
Budgets = Annotated[
    list[str] | None,
    typer.Option(
        "--budget", metavar="LIMIT", help="1e18flops, 64gpuh, 500usd, 8h (wall-clock), 20000examples; repeatable."
    ),
]
GpuName = Annotated[
    str | None,
    typer.Option("--gpu", metavar="NAME[:COUNT]", autocompletion=complete.gpus, help="GPU preset and count."),
]
Price = Annotated[
    float | None, typer.Option("--price", metavar="USD", min=0.0, help="USD per GPU-hour; shipped prices are dated.")
]
Mfu = Annotated[
    float | None, typer.Option("--mfu", metavar="X", min=0.001, max=1.0, help="Share of the GPU's peak that is used.")
]
ModelName = Annotated[
    str | None,
    typer.Option("--model", metavar="NAME", autocompletion=complete.models, help="Model preset to fine-tune."),
]
Tuning = Annotated[
    str | None,
    typer.Option(
        "--tuning", metavar="full|lora|qlora", autocompletion=lambda: ["full", "lora", "qlora"], help="What is trained."
    ),
]
LoraR = Annotated[int | None, typer.Option("--lora-r", metavar="R", min=1, help="Rank of the adapters.")]
PoolFile = Annotated[
    str | None,
    typer.Option(
        "--pool", metavar="POOL", help="Histogram of lengths: tokens,examples or lo,hi,examples; or a problem."
    ),
]
Methods = Annotated[
    list[str] | None,
    typer.Option(
        "--methods", metavar="NAME,...", autocompletion=complete.methods, help="Selection methods to consider."
    ),
]
Epochs = Annotated[list[str] | None, typer.Option("--epochs", metavar="E,...", help="Epochs to consider.")]
AvgTokens = Annotated[
    float | None, typer.Option("--avg-tokens", metavar="L", min=1.0, help="Mean tokens per example, held fixed.")
]
MaxLength = Annotated[
    int | None, typer.Option("--max-length", metavar="S", min=1, help="Longer examples are cut to this many tokens.")
]
Packing = Annotated[
    bool | None, typer.Option("--packing/--no-packing", help="Several examples per sequence, or padding.")
]
Batch = Annotated[int | None, typer.Option("--batch", metavar="B", min=1, help="Examples per optimiser step.")]
Assume = Annotated[
    list[str] | None,
    typer.Option(
        "--assume",
        metavar="NAME",
        autocompletion=complete.assumptions,
        help="Allow an assumption the runs do not back; repeatable.",
    ),
]
Target = Annotated[
    str | None, typer.Option("--target", metavar="METRIC=X", help="Reach this at the lowest cost, e.g. accuracy=0.62.")
]
Risk = Annotated[
    float | None,
    typer.Option(
        "--risk", metavar="P", min=0.001, max=0.999, help="Maximise what is missed with chance P, not the mean."
    ),
]
Check = Annotated[
    str | None,
    typer.Option("--check", metavar="PLAN", help="Hold a plan file against today's prices, budgets and pool."),
]
Require = Annotated[
    list[str] | None,
    typer.Option("--require", metavar="METRIC>=X[@P]", help="Fail unless expected, or with probability P; repeatable."),
]
Calibrate = Annotated[
    str | None,
    typer.Option(
        "--calibrate", metavar="RUN", help="MFU from a past run: trainer_state.json, or a table row FILE:LINE."
    ),
]
PlanSeed = Annotated[int | None, typer.Option("--seed", metavar="N", min=0, help="Same seed, same bytes.")]
Get = Annotated[
    str | None, typer.Option("--get", metavar="PATH", help="Print one bare value of the plan, e.g. data.examples.")
]


def plan(
    ctx: typer.Context,
    problem: Problem = None,
    fit: FitFile = None,
    runs: Runs = None,
    series: Series = None,
    budget: Budgets = None,
    gpu: GpuName = None,
    price: Price = None,
    mfu: Mfu = None,
    model: ModelName = None,
    tuning: Tuning = None,
    lora_r: LoraR = None,
    pool: PoolFile = None,
    methods: Methods = None,
    epochs: Epochs = None,
    avg_tokens: AvgTokens = None,
    max_length: MaxLength = None,
    packing: Packing = None,
    batch: Batch = None,
    assume: Assume = None,
    target: Target = None,
    risk: Risk = None,
    seed: PlanSeed = None,
    get: Get = None,
    check: Check = None,
    require: Require = None,
    calibrate: Calibrate = None,
    form: options.Format = "table",
    output: options.Output = None,
    quiet: options.Quiet = False,
) -> None:
    """Read, plan, render, write; or check a plan that was written before."""
    if mfu is not None and calibrate is not None:
        raise InputError("--mfu and --calibrate are two answers to one question", hint="give one of them")
    if check is not None:
        check_target(output)
        asks = Asks(tuple(budget or ()), gpu, price, mfu, calibrate, pool, tuple(require or ()))
        run_check(ctx, check, asks, form=form, output=output, quiet=quiet, get=get)
        return
    from ftplan.formats.documents.plan import document, refusal
    from ftplan.plan import make_plan
    from ftplan.plan.check import with_facts
    from ftplan.readers.problems import Flags, aimed_at, read_problem

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
        methods=_split(methods),
        epochs=_numbers("--epochs", epochs),
        avg_tokens=avg_tokens,
        max_length=max_length,
        packing=packing,
        batch_examples=batch,
        assume=_split(assume),
        target=target,
        risk=risk,
        seed=seed,
    )
    asked = read_problem(problem, flags)
    if calibrate is not None:
        asked = calibrated(asked, calibrate)
    law = law_of(asked, quiet=quiet)
    aimed = aimed_at(asked, law.metric)
    try:
        best = with_facts(make_plan(aimed, law), aimed, pool_path(asked, output))
    except Infeasible as error:
        if form in _PROGRAM_FORMATS and not get:
            deliver(refusal(error), form, None, quiet=quiet)
        raise
    shown = with_constraints(best, document(best), tuple(require or ()))
    answer(shown, form, output, quiet=quiet, get=get)


def _split(items: list[str] | None) -> tuple[str, ...]:
    """`--methods a,b --methods c` -> (a, b, c)."""
    return tuple(word.strip() for item in items or () for word in item.split(",") if word.strip())


def _numbers(option: str, items: list[str] | None) -> tuple[float, ...]:
    words = _split(items)
    try:
        numbers = tuple(float(word) for word in words)
    except ValueError:
        numbers = (0.0,)
    if any(not number > 0.0 for number in numbers):
        raise InputError(f"{option} {','.join(words)!r} is not a list of numbers above 0", hint=f"{option} 1,2,3")
    return numbers
