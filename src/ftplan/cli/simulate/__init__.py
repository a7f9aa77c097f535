"""`ftplan simulate`: what a law and a problem say before anything is run, one file a sub-command."""

from __future__ import annotations

import typer

from ftplan.cli.config import Command
from ftplan.cli.simulate import budgets

SHORT = "See what more or less budget would buy."
HELP = """Examples:

\b
  ftplan simulate budgets quickstart
  ftplan simulate budgets fit.yaml --problem my.toml --from 50usd --to 500usd
"""

app = typer.Typer(suggest_commands=False, rich_markup_mode=None, no_args_is_help=True)
app.command("budgets", cls=Command, help=budgets.HELP, short_help=budgets.SHORT)(budgets.budgets)


@app.callback()
def _group() -> None:
    """A group even while it has one command."""
