"""`ftplan simulate budgets`: the best plan over a sweep of budgets."""

from __future__ import annotations

from ftplan.cli import options

HELP = """Examples:

\b
  ftplan simulate budgets quickstart     a tenth to ten times its own budget
  ftplan simulate budgets fit.yaml --problem my.toml --from 50usd --to 500usd
  ftplan simulate budgets pyfunc-s --problem my.toml     with a borrowed law
  ftplan simulate budgets quickstart --format csv > sweep.csv

The best plan under each budget of a sweep: predicted metric, examples and their length.
"""


def budgets(
    source: options.LawOrProblem,
    problem: options.OtherProblem = None,
    series: options.Series = None,
    first: options.From = None,
    last: options.To = None,
    steps: options.Steps = 9,
    plot: options.PlotFile = None,
    form: options.Format = "table",
    output: options.Output = None,
    quiet: options.Quiet = False,
) -> None:
    """Read, plan once per budget, render, write."""
    from ftplan.cli.inputs import law_and_problem, law_of
    from ftplan.cli.output import check_plot, check_target, deliver, drawn
    from ftplan.formats.documents import with_repairs
    from ftplan.formats.documents.budgets import document, panels
    from ftplan.readers.problems import Flags, aimed_at, read_problem
    from ftplan.readers.sweeps import spaced
    from ftplan.simulate.budgets import budget_sweep

    check_target(output)
    check_plot(plot)
    fit, named = law_and_problem(source, problem, quiet=quiet)
    asked = read_problem(named, Flags(fit=fit, series=series))
    limits = spaced(asked.problem.budgets, first, last, steps)
    law = law_of(asked, quiet=quiet, command="simulate budgets")
    plans = budget_sweep(aimed_at(asked, law.metric), law, limits)
    shown = with_repairs(document(limits, plans), law.repairs)
    deliver(shown, form, output, quiet=quiet, beside=drawn(plot, panels(limits, plans), quiet=quiet))
