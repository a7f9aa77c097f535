"""The commands by name: a module is imported when its command is run, asked for help or completed in."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand

from ftplan import __version__
from ftplan.cli.config import Command

_EXAMPLES = """Which data should a fine-tune see on a budget? Examples:

\b
  ftplan plan quickstart               a plan from measured runs, all shipped
  ftplan fit runs.csv -o fit.yaml      laws fitted to your own finished runs
  ftplan plan my.toml --fit fit.yaml --budget 500usd
  ftplan simulate budgets quickstart   what more or less budget would buy
"""
#: command -> what it does, in the order of --help; `ftplan.cli.NAME` has its HELP, and either a function of that name
#: or the COMMANDS below it
_COMMANDS = {
    "fit": "Fit laws to finished runs and rank them.",
    "runs": "Show the run table in logs, or write it as CSV.",
    "predict": "Predict the metric of planned runs.",
    "plan": "Find the best data plan under a budget.",
    "profile": "Count a pool of training examples: how many, how long, repeats.",
    "apply": "Draw the examples that a plan asks for.",
    "compare": "Put laws, strategies, methods or plans side by side.",
    "simulate": "Try before you run: budgets, pilot runs, synthetic runs.",
}


class Later(TyperCommand):
    """A command as its group lists it; `now` is the command itself."""

    def __init__(self, module: str, name: str, short: str) -> None:
        super().__init__(name, short_help=short)
        self._module = module
        self._now: Any = None

    @property
    def now(self) -> Any:
        if self._now is None:
            module: Any = import_module(self._module)
            below = getattr(module, "COMMANDS", None)
            app = typer.Typer(add_completion=False, rich_markup_mode=None)
            if below is None:
                app.command(self.name, cls=Command, help=module.HELP)(getattr(module, str(self.name)))
                self._now = typer.main.get_command(app)
            else:
                self._now = _group(app, lambda: None, self._module, below, help=module.HELP, no_args_is_help=True)
        return self._now

    def make_context(self, *args: Any, **given: Any) -> Any:
        """Of the command itself: it parses, runs and completes from here on."""
        return self.now.make_context(*args, **given)


@cache
def root() -> Any:
    """`ftplan` itself."""
    app = typer.Typer(rich_markup_mode=None)
    settings = {"help_option_names": ["-h", "--help"]}
    return _group(app, _options, "ftplan.cli", _COMMANDS, help=_EXAMPLES, context_settings=settings)


def _group(app: typer.Typer, callback: Any, package: str, commands: Mapping[str, str], **settings: Any) -> Any:
    """A group of the commands of a package, none of them imported. commands: name -> what it does."""
    app.callback(**settings)(callback)
    app.suggest_commands = False  # the hint of a mistake does
    group: Any = typer.main.get_command(app)
    group.commands = {name: Later(f"{package}.{name}", name, short) for name, short in commands.items()}
    return group


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"ftplan {__version__}")
        raise typer.Exit


def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """What stands before a sub-command."""
