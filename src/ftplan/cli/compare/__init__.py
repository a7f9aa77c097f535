"""`ftplan compare`: things side by side, one file a sub-command."""

from __future__ import annotations

import typer

from ftplan.cli.compare import laws, methods, plans, strategies
from ftplan.cli.config import Command

SHORT = "Put laws, strategies, methods or plans side by side."
HELP = """Examples:

\b
  ftplan compare laws runs.csv
  ftplan compare laws runs.csv other.csv --law power --law rectified+length
  ftplan compare strategies quickstart --budget 1e11flops --budget 1e12flops
  ftplan compare methods lora-8b
  ftplan compare plans plan.yaml cheaper.yaml
"""

app = typer.Typer(suggest_commands=False, rich_markup_mode=None, no_args_is_help=True)
app.command("laws", cls=Command, help=laws.HELP, short_help=laws.SHORT)(laws.laws)
app.command("methods", cls=Command, help=methods.HELP, short_help=methods.SHORT)(methods.methods)
app.command("strategies", cls=Command, help=strategies.HELP, short_help=strategies.SHORT)(strategies.strategies)
app.command("plans", cls=Command, help=plans.HELP, short_help=plans.SHORT)(plans.plans)


@app.callback()
def _group() -> None:
    """A group even while it has one command."""
