"""`ftplan compare plans`: what differs between plan files."""

from __future__ import annotations

from typing import Annotated

import typer

from ftplan.cli import options
from ftplan.errors import InputError

HELP = """Examples:

\b
  ftplan compare plans plan.yaml cheaper.yaml
  ftplan compare plans plan.yaml cheaper.yaml --fit fit.yaml
  ftplan compare plans a.yaml b.yaml c.yaml --format csv

What differs between plan files, against the first of them. Each file holds the interval of its own prediction; --fit
adds the interval of the difference, which is narrower, since plans of one fit share its error.
"""


def plans(
    files: Annotated[list[str], typer.Argument(metavar="PLAN PLAN...", help="Plan files, two or more.")],
    fit: Annotated[
        str | None,
        typer.Option("--fit", metavar="FIT", help="The fit, runs or shipped law that the plans were made from."),
    ] = None,
    form: options.Format = "table",
    output: options.Output = None,
    quiet: options.Quiet = False,
) -> None:
    """Read the files, set them against the first, render."""
    from ftplan.cli.inputs import law_named
    from ftplan.cli.output import check_target, deliver
    from ftplan.compare.plans import compare_plans
    from ftplan.compare.redrawn import redraw
    from ftplan.formats.documents.plans import document
    from ftplan.readers.plans import read_plan, stated

    check_target(output)
    if len(files) < 2:
        raise InputError("compare plans takes two plan files or more", hint="ftplan compare plans a.yaml b.yaml")
    found = [stated(read_plan(file), file) for file in files]
    intervals = None if fit is None else redraw(found, law_named(fit, quiet=quiet))
    deliver(document(compare_plans(found, intervals)), form, output, quiet=quiet)
