"""`ftplan simulate`: what a law and a problem say before anything is run, one file a sub-command."""

from __future__ import annotations

import typer

from ftplan.cli.config import Command
from ftplan.cli.simulate import budgets, pilots, runs

SHORT = "Try before you run: budgets, pilot runs, synthetic runs."
HELP = """Examples:

\b
  ftplan simulate budgets quickstart
  ftplan simulate budgets fit.yaml --problem my.toml --from 50usd --to 500usd
  ftplan simulate pilots quickstart --pilots 1e12flops
  ftplan simulate runs pyfunc-s -o runs.csv
"""

app = typer.Typer(suggest_commands=False, rich_markup_mode=None, no_args_is_help=True)
app.command("budgets", cls=Command, help=budgets.HELP, short_help=budgets.SHORT)(budgets.budgets)
app.command("pilots", cls=Command, help=pilots.HELP, short_help=pilots.SHORT)(pilots.pilots)
app.command("runs", cls=Command, help=runs.HELP, short_help=runs.SHORT)(runs.runs)


@app.callback()
def _group() -> None:
    """A group even while it has one command."""
