"""`ftplan compare`: things side by side, one file a sub-command."""

from __future__ import annotations

import typer

from ftplan.cli.compare import laws
from ftplan.cli.config import Command

SHORT = "Put laws side by side."
HELP = """Examples:

\b
  ftplan compare laws runs.csv
  ftplan compare laws runs.csv other.csv --law power --law rectified+length
"""

app = typer.Typer(suggest_commands=False, rich_markup_mode=None, no_args_is_help=True)
app.command("laws", cls=Command, help=laws.HELP, short_help=laws.SHORT)(laws.laws)


@app.callback()
def _group() -> None:
    """A group even while it has one command."""
