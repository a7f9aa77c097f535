"""`ftplan predict`: what a fit expects of runs not made yet."""

from __future__ import annotations

from typing import Annotated

import typer

from ftplan.cli import complete, options

HELP = """Examples:

\b
  ftplan predict fit.yaml planned.csv
  ftplan predict fit.yaml planned.csv --format csv > predicted.csv
  ftplan predict runs.csv planned.csv --level 0.5

The rows of TABLE with prediction, low, high (an interval for one new run) and extrapolation: how far beyond the
fitted runs a row lies, as a factor. --format csv keeps the columns of TABLE as they are.
"""


def predict(
    fit: Annotated[
        str,
        typer.Argument(
            metavar="FIT", help="Fit file, or a run table to fit on the spot.", autocompletion=complete.runs
        ),
    ],
    table: Annotated[str, typer.Argument(metavar="TABLE", help="Runs to predict: the columns of a run table.")],
    column_map: options.Map = None,
    level: options.Level = 0.9,
    form: options.Format = "table",
    output: options.Output = None,
    quiet: options.Quiet = False,
) -> None:
    """Read, predict, render, write."""
    from ftplan.cli.inputs import load_fit
    from ftplan.cli.output import check_target, deliver
    from ftplan.fit import predict_rows
    from ftplan.formats.documents import with_repairs
    from ftplan.formats.documents.predictions import document
    from ftplan.readers.planned import read_planned

    check_target(output)
    fitted = load_fit(fit, quiet=quiet)
    planned = read_planned(table, fitted, options.parse_map(column_map or []))
    predicted = predict_rows(fitted, planned.table, level=level)
    repairs = (*fitted.repairs, *planned.table.repairs)
    shown = with_repairs(document(fitted.metric, planned, predicted, level), repairs)
    deliver(shown, form, output, quiet=quiet, artefact="csv")
