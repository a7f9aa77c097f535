"""`ftplan compare strategies`: few long examples, many short ones, the pool as it comes, and the optimum."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from ftplan.cli import options
from ftplan.cli.flags import with_flags

if TYPE_CHECKING:
    from ftplan.readers.problems import Flags

HELP = """Examples:

\b
  ftplan compare strategies quickstart
  ftplan compare strategies quickstart --budget 1e11flops --budget 1e12flops
  ftplan compare strategies my.toml --fit fit.yaml --format csv

What the same budget makes of few long examples, of many short ones and of the pool as it comes, beside the best plan:
examples, length, expected metric, and what each loses. Each --budget is compared by itself, in place of those in the
problem.
"""


@with_flags(without=("avg_tokens",))
def strategies(
    flags: Flags,
    problem: options.Problem = None,
    form: options.Format = "table",
    output: options.Output = None,
    quiet: options.Quiet = False,
) -> None:
    """Read, compare, render, write."""
    from ftplan.cli.inputs import law_of
    from ftplan.cli.output import check_target, deliver
    from ftplan.compare.strategies import compare_strategies
    from ftplan.formats.documents import with_repairs
    from ftplan.formats.documents.strategies import document
    from ftplan.readers.problems import read_problem
    from ftplan.readers.sweeps import one_of_each_kind
    from ftplan.units import parse_budget

    check_target(output)
    asked = read_problem(problem, replace(flags, budgets=one_of_each_kind(flags.budgets)))
    own = flags.budgets
    limits = [(parse_budget(text),) for text in own] if own else [asked.problem.budgets]
    law = law_of(asked, quiet=quiet)
    shown = document(compare_strategies(asked.problem, law, limits))
    deliver(with_repairs(shown, law.repairs), form, output, quiet=quiet)
