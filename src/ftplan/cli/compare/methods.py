"""`ftplan compare methods`: which way to choose examples pays, at which budget, with how large a selection model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from ftplan.cli import options
from ftplan.cli.flags import with_flags

if TYPE_CHECKING:
    from ftplan.readers.problems import Flags

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


@with_flags()
def methods(
    flags: Flags,
    problem: options.Problem = None,
    first: options.From = None,
    last: options.To = None,
    steps: options.Steps = 9,
    gain: Gain = None,
    explain: Explain = False,
    form: options.Format = "table",
    output: options.Output = None,
    quiet: options.Quiet = False,
) -> None:
    """Read, compare, render, write."""
    from ftplan.cli.inputs import law_of
    from ftplan.cli.output import check_target, deliver
    from ftplan.compare.methods import compare_methods
    from ftplan.formats.documents import with_repairs
    from ftplan.formats.documents.methods import document
    from ftplan.readers.problems import read_problem
    from ftplan.readers.sweeps import spaced

    check_target(output)
    asked = read_problem(problem, flags)
    limits = spaced([b for b in asked.problem.budgets if b.kind != "examples"], first, last, steps)
    law = law_of(asked, quiet=quiet)
    found = compare_methods(asked.problem, law, limits, gain=gain, explain=explain)
    deliver(with_repairs(document(found), law.repairs), form, output, quiet=quiet)
