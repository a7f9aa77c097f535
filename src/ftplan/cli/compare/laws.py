"""`ftplan compare laws`: the laws on one or more run tables."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import typer

from ftplan.cli import complete, options
from ftplan.cli.inputs import Reading, load_runs
from ftplan.cli.output import check_target, deliver, progress

if TYPE_CHECKING:
    from ftplan.fit.solve import Objective

SHORT = "Every law on every series of some run tables."
HELP = """Examples:

\b
  ftplan compare laws runs.csv
  ftplan compare laws runs.csv other.csv --law power --law rectified+length

Every law on every series of the run tables: how often each is chosen, and its errors.
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
    seed: options.Seed = 0,
    form: options.Format = "table",
    output: options.Output = None,
    quiet: options.Quiet = False,
) -> None:
    """Fit each table, then rank the laws over all of them."""
    from ftplan.fit import fit_runs
    from ftplan.formats.documents.comparison import document

    check_target(output)
    reading = Reading(metric, direction, by, options.parse_map(column_map or []))
    tables = [load_runs(source, reading) for source in runs]
    how = cast("Objective", objective)
    with progress(quiet=quiet) as show:
        # no interval is shown here, so no draws are made
        fits = [fit_runs(t, law or ["auto"], objective=how, draws=0, seed=seed, progress=show) for t in tables]
    deliver(document(list(zip(runs, fits, strict=True))), form, output, quiet=quiet)
