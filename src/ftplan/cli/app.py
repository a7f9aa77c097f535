"""The `ftplan` command: its sub-commands, and what every failure looks like to the person who meets it.

Exit codes: 0 yes or done; 1 the answer is no; 2 cannot answer; 130 interrupted. Nothing unexpected exits 1.
"""

from __future__ import annotations

import contextlib
import io
import os
import re
import sys
from difflib import get_close_matches
from typing import Annotated

import typer

from ftplan import __version__
from ftplan.cli import apply, compare, complete, fit, plan, predict, profile, runs, simulate
from ftplan.cli.config import Command
from ftplan.cli.inputs import pilots_for
from ftplan.cli.wording import plain
from ftplan.errors import FtplanError
from ftplan.text import one_line

CANNOT_ANSWER = 2
INTERRUPTED = 130

_EXAMPLES = """Which data should a fine-tune see on a budget? Examples:

\b
  ftplan plan quickstart               a plan from measured runs, all shipped
  ftplan fit runs.csv -o fit.yaml      laws fitted to your own finished runs
  ftplan plan my.toml --fit fit.yaml --budget 500usd
  ftplan simulate budgets quickstart   what more or less budget would buy
"""

app = typer.Typer(
    name="ftplan",
    help=_EXAMPLES,
    rich_markup_mode=None,
    suggest_commands=False,  # `_usage` says it in the hint
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command("fit", cls=Command, help=fit.HELP, short_help=fit.SHORT)(fit.fit)
app.command("runs", cls=Command, help=runs.HELP, short_help=runs.SHORT)(runs.runs)
app.command("predict", cls=Command, help=predict.HELP, short_help=predict.SHORT)(predict.predict)
app.command("plan", cls=Command, help=plan.HELP, short_help=plan.SHORT)(plan.plan)
app.command("profile", cls=Command, help=profile.HELP, short_help=profile.SHORT)(profile.profile)
app.command("apply", cls=Command, help=apply.HELP, short_help=apply.SHORT)(apply.apply)
app.add_typer(compare.app, name="compare", help=compare.HELP, short_help=compare.SHORT)
app.add_typer(simulate.app, name="simulate", help=simulate.HELP, short_help=simulate.SHORT)


def _version(asked: bool) -> None:
    if asked:
        typer.echo(f"ftplan {__version__}")
        raise typer.Exit


@app.callback()
def _options(
    version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version and exit.")
    ] = False,
) -> None:
    """What stands before a sub-command."""


def main() -> None:
    """Run the command line and exit."""
    sys.exit(run(sys.argv[1:]))


def run(args: list[str]) -> int:
    """Run one command line and return its exit code; whatever went wrong has been said on stderr."""
    complete.prepare()
    # a process started with a closed stdout or stderr (`>&-`) has none: what it says goes nowhere
    sys.stdout = sys.stdout or io.StringIO()
    sys.stderr = sys.stderr or io.StringIO()
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # a terminal that cannot show a character gets an escape instead of a failure
            stream.reconfigure(errors="backslashreplace")
    try:
        code = _run(args)
        sys.stdout.flush()
    except BrokenPipeError:
        code = _closed_pipe()
    return code


def _run(args: list[str]) -> int:
    try:
        code = typer.main.get_command(app).main(args or ["--help"], prog_name="ftplan", standalone_mode=False)
        return int(code or 0) if args else CANNOT_ANSWER
    except FtplanError as error:
        _say(error.message, error.hint or pilots_for(error))
        return error.exit_code
    except typer.TyperException as error:
        return _usage(error)
    except (typer.Abort, KeyboardInterrupt):
        return INTERRUPTED
    except SystemExit as stop:
        # typer exits by itself after a completion, and with 1 where the reader of a pipe has gone
        if isinstance(stop.__context__, BrokenPipeError):
            raise BrokenPipeError from stop
        return int(stop.code or 0)
    except BrokenPipeError:
        raise
    except OSError as error:
        _say(f"{error.filename or 'output'}: {error.strerror or error}")
        return CANNOT_ANSWER
    except Exception as error:
        if os.environ.get("FTPLAN_DEBUG"):
            raise
        _say(
            f"internal error: {type(error).__name__}: {' '.join(str(error).split())}",
            "this is a bug, please report it; FTPLAN_DEBUG=1 shows where it happened",
        )
        return CANNOT_ANSWER


def _usage(error: typer.TyperException) -> int:
    """A command line that cannot be understood: what is wrong, the nearest right word, where the help is."""
    if type(error).__name__ == "NoArgsIsHelpError":
        typer.echo(error.message)
        return CANNOT_ANSWER
    context = getattr(error, "ctx", None)
    message = error.message if getattr(error, "possibilities", None) else error.format_message()
    hint = f"{context.command_path} --help" if context is not None else "ftplan --help"
    if meant := _meant(error, message, context):
        hint = f"did you mean {meant}?"
    _say(plain(message), hint)
    return CANNOT_ANSWER


def _meant(error: typer.TyperException, message: str, context: typer.Context | None) -> str | None:
    """The nearest option or command to what was typed."""
    if typed := getattr(error, "option_name", None):
        known = list(getattr(error, "possibilities", None) or ())
    elif match := re.fullmatch(r"No such command '(.*)'\.", message):
        typed, known = match[1], list(getattr(getattr(context, "command", None), "commands", ()))
    else:
        return None
    return next(iter(get_close_matches(typed, known, n=1)), None)


def _say(message: str, hint: str | None = None) -> None:
    for what, text in (("error", message), ("hint", hint)):
        if text:
            with contextlib.suppress(OSError):  # a full disk behind 2> changes no exit code
                print(f"{what}: {one_line(text)}", file=sys.stderr, flush=True)  # noqa: T201


def _closed_pipe() -> int:
    """The reader (`| head -1`) has all it wanted; keep Python from complaining at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
