"""`ftplan fit`: laws fitted to a table of finished runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, cast

import typer

from ftplan.cli import complete, options

if TYPE_CHECKING:
    from ftplan.fit.series import Extent
    from ftplan.fit.solve import Objective

HELP = """Examples:

\b
  ftplan fit runs.csv                  all laws the runs allow, ranked
  ftplan fit outputs/                  logs of trainers and trackers
  ftplan fit runs.csv -o fit.yaml      keep the fit for predict and plan
  ftplan fit runs.csv --law power --law rectified+length --by model
  zcat runs.csv.gz | ftplan fit - --metric eval_loss --format json

Fit laws to a table of finished runs: which law the runs support, how far it can be trusted, and its parameters.
One row is one run: examples, avg_tokens (or tokens) and a metric. CSV, TSV, JSONL, gzip of those, or - for stdin.
Logs are read as they are: `ftplan runs` shows what is read from them. Several RUNS are one table.
"""

Runs = Annotated[
    list[str],
    typer.Argument(
        metavar="RUNS...", help="Run table, log, folder of logs, or a shipped table.", autocompletion=complete.runs
    ),
]


def fit(
    runs: Runs,
    law: options.Laws = None,
    metric: options.MetricName = None,
    direction: options.Direction = None,
    by: options.By = None,
    column_map: options.Map = None,
    share: options.Share = None,
    objective: options.Objective = "squares",
    bootstrap: options.Draws = 1000,
    seed: options.Seed = 0,
    form: options.Format = "table",
    output: options.Output = None,
    quiet: options.Quiet = False,
) -> None:
    """Read, fit, render, write."""
    from ftplan.cli.inputs import TableOptions, load_runs, with_other_metrics
    from ftplan.cli.output import check_target, deliver, progress
    from ftplan.fit import fit_runs
    from ftplan.formats.documents.fit import document

    check_target(output)
    reading = TableOptions(metric, direction, by, options.parse_map(column_map or []))
    table = load_runs(*runs, reading=reading, quiet=quiet)
    how = cast("Objective", objective)
    # the screen has intervals of the law in use alone
    extent: Extent = "ranked" if form == "table" and output is None else "full"
    with progress(quiet=quiet) as show:
        fitted = fit_runs(
            table,
            law or ["auto"],
            objective=how,
            draws=bootstrap,
            seed=seed,
            share=share,
            progress=show,
            extent=extent,
        )
    fitted = with_other_metrics(fitted, *runs, reading=reading)
    deliver(document(fitted), form, output, quiet=quiet)
