"""`ftplan plan`: the best data plan under a budget."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from ftplan.cli import complete, options
from ftplan.cli.flags import with_flags
from ftplan.errors import Infeasible, InputError

if TYPE_CHECKING:
    from ftplan.readers.problems import Flags

HELP = """Examples:

\b
  ftplan plan quickstart                      a shipped problem and its runs
  ftplan plan quickstart --budget 8e11flops   the same with another budget
  ftplan plan my.toml --fit fit.yaml -o plan.yaml
  ftplan plan --runs runs.csv --pool lengths.csv --model llama-3.1-8b \\
      --tuning lora --gpu h100-sxm:8 --budget 500usd
  ftplan plan my.toml --export trl=sft.yaml   a trainer's config with it
  ftplan plan quickstart --get data.examples  one bare value, for scripts
  ftplan plan --check plan.yaml --require 'loss<=4.45@0.9'

How many examples, how long, chosen how, for how many epochs; the score to expect, what it costs, what was close.
Flags override what the problem file says. --check counts a committed plan again, with today's prices, budgets and
pool. Exit code 1 means no: nothing fits the budget, the target is out of reach, or a constraint fails.
"""

_PROGRAM_FORMATS = ("json", "yaml", "github", "junit", "markdown")

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
Export = Annotated[
    list[str] | None,
    typer.Option(
        "--export",
        metavar="TRAINER=FILE",
        autocompletion=complete.exports,
        help="Write a trainer's configuration, e.g. trl=sft.yaml or axolotl=axolotl.yaml; repeatable.",
    ),
]
Get = Annotated[
    str | None, typer.Option("--get", metavar="PATH", help="Print one bare value of the plan, e.g. data.examples.")
]


@with_flags()
def plan(
    ctx: typer.Context,
    flags: Flags,
    problem: options.Problem = None,
    metric: options.MetricName = None,
    target: Target = None,
    risk: Risk = None,
    get: Get = None,
    export: Export = None,
    check: Check = None,
    require: Require = None,
    calibrate: Calibrate = None,
    form: options.Format = "table",
    output: options.Output = None,
    quiet: options.Quiet = False,
) -> None:
    """Read, plan, render, write; or check a plan that was written before."""
    from ftplan.cli.export import parse
    from ftplan.cli.gate import CheckOptions, answer, calibrated, pool_path, run_check, with_constraints
    from ftplan.cli.inputs import law_of
    from ftplan.cli.output import check_target, deliver

    if flags.mfu is not None and calibrate is not None:
        raise InputError("--mfu and --calibrate are two answers to one question", hint="give one of them")
    exports = parse(export)
    check_target(output)
    if check is not None:
        options = CheckOptions(
            budgets=flags.budgets,
            gpu=flags.gpu,
            price=flags.sourced("usd_per_gpu_hour", "--price"),
            mfu=flags.sourced("mfu", "--mfu"),
            calibrate=calibrate,
            pool=flags.pool,
            require=tuple(require or ()),
            exports=exports,
        )
        run_check(ctx, check, options, form=form, output=output, quiet=quiet, get=get)
        return
    from ftplan.formats.documents import with_repairs
    from ftplan.formats.documents.plan import document, refusal
    from ftplan.plan import make_plan
    from ftplan.plan.inputs import with_pool_path
    from ftplan.readers.problems import aimed_at, read_problem

    asked = read_problem(problem, replace(flags, target=target, risk=risk))
    asked = asked if metric is None else replace(asked, metric=metric)
    asked = calibrated(asked, calibrate)
    law = law_of(asked, quiet=quiet)
    if metric is not None and metric != law.metric.name:
        raise InputError(
            f"--metric {metric}: the law is of {law.metric.name}", hint=f"ftplan fit RUNS --metric {metric} -o fit.yaml"
        )
    aimed = aimed_at(asked, law.metric)
    try:
        best = with_pool_path(make_plan(aimed, law), pool_path(asked, output))
    except Infeasible as error:
        if form in _PROGRAM_FORMATS and not get:
            deliver(refusal(error), form, None, quiet=quiet)
        raise
    shown = with_repairs(with_constraints(best, document(best), tuple(require or ())), law.repairs)
    answer(shown, form, output, quiet=quiet, get=get, exports=exports.of(best, aimed.pool, output))
