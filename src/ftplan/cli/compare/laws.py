"""`ftplan compare laws`: the laws on one or more run tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import typer

from ftplan.cli import complete, options

if TYPE_CHECKING:
    from ftplan.fit.solve import Objective

HELP = """Examples:

\b
  ftplan compare laws runs.csv
  ftplan compare laws runs.csv other.csv --law power --law rectified+length
  ftplan compare laws pyfunc --plot laws.png   the curves as a picture
  ftplan compare laws pyfunc --format json     the table and the curves

Every law on every series of the run tables: its error in sample, cross-validated and on the largest runs, predicted
from the smaller ones; how much worse that is than the best law's, with a standard error; when not to trust it.
"""


def laws(
    runs: Annotated[
        list[str],
        typer.Argument(metavar="RUNS...", help="Run tables, or names of shipped ones.", autocompletion=complete.runs),
    ],
    law: options.Laws = None,
    metric: options.MetricName = None,
    direction: options.Direction = None,
    by: options.By = None,
    column_map: options.Map = None,
    objective: options.Objective = "squares",
    plot: options.PlotFile = None,
    form: options.Format = "table",
    output: options.Output = None,
    quiet: options.Quiet = False,
) -> None:
    """Fit each table, then rank the laws over all of them."""
    from ftplan.cli.inputs import TableOptions, load_runs
    from ftplan.cli.output import check_plot, check_target, deliver, drawn, progress
    from ftplan.compare.laws import compare_laws
    from ftplan.formats.documents import with_repairs
    from ftplan.formats.documents.comparison import document, panels

    check_target(output)
    check_plot(plot)
    reading = TableOptions(metric, direction, by, options.parse_map(column_map or []))
    tables = [load_runs(source, reading=reading, quiet=quiet) for source in runs]
    how = cast("Objective", objective)
    with progress(quiet=quiet) as show:
        named = zip(runs, tables, strict=True)
        found = [s for n, t in named for s in compare_laws(n, t, law or ["auto"], objective=how, progress=show)]
    repairs = tuple(f"{table.source}: {text}" for table in tables for text in table.repairs)
    shown = with_repairs(document(found), repairs)
    deliver(shown, form, output, quiet=quiet, beside=drawn(plot, panels(found), quiet=quiet))
