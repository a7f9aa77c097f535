"""The `ftplan` command: its sub-commands, and what every failure looks like to the person who meets it.

Exit codes: 0 yes or done; 1 the answer is no; 2 cannot answer; 130 interrupted, 143 terminated. Nothing unexpected
exits 1.
"""

from __future__ import annotations

import gc
import os
import sys

from ftplan import __version__
from ftplan.errors import FtplanError, did_you_mean

TYPE_CHECKING = False
if TYPE_CHECKING:
    import typer

CANNOT_ANSWER = 2
INTERRUPTED = 130
TERMINATED = 143
#: what a shell sets when it asks for completions
_TAB = "_FTPLAN_COMPLETE"


def main() -> None:
    """Run the command line and exit."""
    if _TAB not in os.environ:
        if sys.argv[1:2] != ["--version"]:
            _answer_signals()
        sys.exit(run(sys.argv[1:]))
    # a Tab press is waited for: nothing of it lives long enough to be collected or cleared away
    gc.disable()
    code = run([])
    sys.stdout.flush()
    os._exit(code)


def _answer_signals() -> None:
    """SIGTERM, what a build server sends, ends a command as Ctrl-C does: what was begun is cleared away, then it exits.

    A second Ctrl-C does not disturb the clearing; a second SIGTERM ends it at once.
    """
    import signal

    def terminated(*_: object) -> None:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)
        raise SystemExit(TERMINATED)

    def interrupted(*_: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        raise KeyboardInterrupt

    if signal.getsignal(signal.SIGTERM) == signal.SIG_DFL:
        signal.signal(signal.SIGTERM, terminated)
    if signal.getsignal(signal.SIGINT) == signal.default_int_handler:
        signal.signal(signal.SIGINT, interrupted)


def run(args: list[str]) -> int:
    """Run one command line and return its exit code; whatever went wrong has been said on stderr."""
    # a process started with a closed stdout or stderr (`>&-`) has none: what it says goes nowhere
    sys.stdout = sys.stdout or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115  (pathlib is not loaded)
    sys.stderr = sys.stderr or open(os.devnull, "w", encoding="utf-8")  # noqa: PTH123, SIM115
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            # a terminal that cannot show a character gets an escape instead of a failure
            stream.reconfigure(errors="backslashreplace")
    try:
        if _TAB in os.environ:
            from ftplan.cli.complete import without_rich

            without_rich()
        # the version is what scripts ask first: no need to load a command line for it
        code = _version() if args[:1] == ["--version"] else _run(args)
        sys.stdout.flush()
    except BrokenPipeError:
        code = _closed_pipe()
    except KeyboardInterrupt:  # before there was a command
        code = INTERRUPTED
    return code


def _version() -> int:
    print(f"ftplan {__version__}")  # noqa: T201
    return 0


def _run(args: list[str]) -> int:
    import typer

    from ftplan.cli import tree

    try:
        code = tree.root().main(args or ["--help"], prog_name="ftplan", standalone_mode=False)
        return int(code or 0) if args else CANNOT_ANSWER
    except FtplanError as error:
        from ftplan.cli.inputs import pilots_for

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
        _say(*_unexpected(error))
        return CANNOT_ANSWER


def _unexpected(error: Exception) -> tuple[str, str | None]:
    """What to say of what no reader refused: message and hint."""
    if isinstance(error, RecursionError):
        return "something in the input is nested too deeply", None
    if isinstance(error, MemoryError):
        return "there is not enough memory for this input", None
    return (
        f"internal error: {type(error).__name__}: {' '.join(str(error).split())}",
        "this is a bug, please report it; FTPLAN_DEBUG=1 shows where it happened",
    )


def _usage(error: typer.TyperException) -> int:
    """A command line that cannot be understood: what is wrong, the nearest right word, where the help is."""
    if type(error).__name__ == "NoArgsIsHelpError":
        print(error.message)  # noqa: T201
        return CANNOT_ANSWER
    from ftplan.cli.wording import plain

    context = getattr(error, "ctx", None)
    message = error.message if getattr(error, "possibilities", None) else error.format_message()
    hint = f"{context.command_path} --help" if context is not None else "ftplan --help"
    _say(plain(message), _meant(error, message, context) or hint)
    return CANNOT_ANSWER


def _meant(error: typer.TyperException, message: str, context: typer.Context | None) -> str | None:
    """A hint with the nearest option or command to what was typed."""
    if typed := getattr(error, "option_name", None):
        known = list(getattr(error, "possibilities", None) or ())
    elif message.startswith("No such command '"):
        typed, known = message.split("'")[1], list(getattr(getattr(context, "command", None), "commands", ()))
    else:
        return None
    return did_you_mean(typed, known)


def _say(message: str, hint: str | None = None) -> None:
    import contextlib

    from ftplan.text import one_line

    for what, text in (("error", message), ("hint", hint)):
        if text:
            with contextlib.suppress(OSError):  # a full disk behind 2> changes no exit code
                print(f"{what}: {one_line(text)}", file=sys.stderr, flush=True)  # noqa: T201


def _closed_pipe() -> int:
    """The reader (`| head -1`) has all it wanted; keep Python from complaining at exit."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0
