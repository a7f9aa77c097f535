"""What holds for every command: exit codes, which stream, and what a mistake looks like."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import NoReturn

import pytest

from ftplan import __version__
from ftplan.cli import app, tree
from ftplan.errors import Infeasible, InputError
from tests.cli.conftest import interruptible


def ftplan(*args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """The command in its own process, without what would colour its output."""
    clean = {k: v for k, v in os.environ.items() if k not in ("GITHUB_ACTIONS", "FORCE_COLOR", "PY_COLORS")}
    return subprocess.run(
        [sys.executable, "-m", "ftplan", *args],
        capture_output=True,
        text=True,
        env={**clean, **environment},
        check=False,
    )


def raising(error: BaseException) -> Callable[..., NoReturn]:
    def fail(*_: object, **__: object) -> NoReturn:
        raise error

    return fail


def test_version() -> None:
    done = ftplan("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"ftplan {__version__}\n", "")


def test_no_arguments_print_the_help_and_exit_2(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run([]) == 2
    bare = capsys.readouterr().out
    assert app.run(["--help"]) == 0
    assert capsys.readouterr().out == bare


@pytest.mark.parametrize("group", ["compare", "simulate"])
def test_a_group_alone_prints_its_help_and_exits_2(group: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert app.run([group]) == 2
    assert f"Usage: ftplan {group}" in capsys.readouterr().out


def _commands() -> list[list[str]]:
    """Every command and group there is."""
    found: list[list[str]] = [[]]
    for words in found:
        command = tree.root()
        for word in words:
            command = command.commands[word].now
        found += [[*words, name] for name in getattr(command, "commands", ())]
    return found


@pytest.mark.parametrize("command", _commands(), ids=" ".join)
@pytest.mark.parametrize("option", ["-h", "--help"])
def test_help_begins_with_examples_and_fits_80_columns(
    command: list[str], option: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    assert app.run([*command, option]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert max(map(len, lines)) <= 80
    examples = next(i for i, line in enumerate(lines) if line.rstrip().endswith("Examples:"))
    assert examples < 4
    assert lines[examples + 2].startswith("    ftplan ")


@pytest.mark.parametrize(
    ("args", "message", "hint"),
    [
        (["paln"], "no such command 'paln'", "did you mean plan?"),
        (["plan", "--buget", "1usd"], "no such option: --buget", "did you mean --budget?"),
        (["simulate", "budget"], "no such command 'budget'", "did you mean budgets?"),
        (["plan", "quikstart"], "quikstart", "quickstart"),
        (["fit", "pyfun"], "pyfun", "did you mean pyfunc?"),
        (["fit", "pyfunc", "--format", "xml"], "unknown format 'xml'", "one of: csv, github, json, junit, markdown,"),
        (["fit", "pyfunc", "--seed", "x"], "'x' is not a whole number", "ftplan fit --help"),
        (["fit", "pyfunc", "--objective", "huberr"], "'huberr' is not one of", "did you mean huber?"),
        (["fit", "pyfunc", "--map", "examples"], "is not theirs=ours", "--map n_docs=examples"),
        (["fit"], "missing argument 'RUNS...'", "ftplan fit --help"),
        (["fit", "missing.csv"], "missing.csv: no such file", None),
        (["fit", "pyfunc", "-o", "nowhere/fit.yaml"], "nowhere: no such folder", "mkdir -p nowhere"),
        (["plan", "quickstart", "--budget", "lots"], "budget 'lots'", "1e18flops"),
        (["plan", "quickstart", "--epochs", "1,two"], "--epochs '1,two'", "--epochs 1,2,3"),
        (["plan", "quickstart", "--fit", "a.yaml", "--runs", "b.csv"], "two laws for one plan", "give one of them"),
    ],
)
def test_a_mistake_is_one_message_with_a_hint_and_exits_2(
    args: list[str], message: str, hint: str | None, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.run(args) == 2
    out, err = capsys.readouterr()
    lines = err.splitlines()
    assert out == ""
    assert lines[0].startswith("error: ")
    assert message in lines[0]
    assert len(lines) == (1 if hint is None else 2)
    assert hint is None or (lines[1].startswith("hint: ") and hint in lines[1])


def test_a_no_exits_1(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("ftplan.readers.problems.load_problem", raising(Infeasible("over budget", hint="more")))
    assert app.run(["plan", "quickstart"]) == 1
    assert capsys.readouterr().err == "error: over budget\nhint: more\n"


def test_a_bug_is_one_line_and_exits_2(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("ftplan.readers.tables.read_runs", raising(ZeroDivisionError("float\ndivision")))
    assert app.run(["fit", "pyfunc"]) == 2
    assert "error: internal error: ZeroDivisionError: float division\nhint: " in capsys.readouterr().err
    monkeypatch.setenv("FTPLAN_DEBUG", "1")
    with pytest.raises(ZeroDivisionError):
        app.run(["fit", "pyfunc"])


def test_interruption_exits_130(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ftplan.readers.tables.read_runs", raising(KeyboardInterrupt()))
    assert app.run(["fit", "pyfunc"]) == 130


def test_ctrl_c_while_reading_stdin_exits_130_without_a_traceback() -> None:
    command = [sys.executable, "-m", "ftplan", "fit", "-"]
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stderr=subprocess.PIPE, text=True, preexec_fn=interruptible
    ) as running:
        assert running.stdin is not None
        assert running.stderr is not None
        # the first megabyte is taken only once the command reads
        running.stdin.write("examples,avg_tokens,loss\n" + "10,100,2.5\n" * 100_000)
        running.stdin.flush()
        time.sleep(0.5)  # ... and then it waits for the rest: Python sees a signal between two reads only at the third
        running.send_signal(signal.SIGINT)
        assert running.wait(timeout=30) == 130
        assert "Traceback" not in running.stderr.read()


def test_a_closed_pipe_is_no_failure() -> None:
    script = 'set -o pipefail; "$0" -m ftplan plan --help | true; echo "${PIPESTATUS[0]}"'
    done = subprocess.run(["bash", "-c", script, sys.executable], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_a_full_disk_is_an_error() -> None:
    done = subprocess.run(
        ["bash", "-c", '"$0" -m ftplan --help > /dev/full', sys.executable], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.startswith("error: ")
    assert "Traceback" not in done.stderr


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("redirected", ["2>/dev/full", ">/dev/full 2>/dev/full", "2>&-"])
@pytest.mark.parametrize("words", ["runs nope.csv", "bogus", "plan --price x"])
def test_a_full_disk_behind_stderr_changes_no_exit_code(words: str, redirected: str) -> None:
    done = subprocess.run(
        ["bash", "-c", f'"$0" -m ftplan {words} {redirected}', sys.executable], capture_output=True, check=False
    )
    assert done.returncode == 2


def test_messages_survive_a_terminal_without_unicode() -> None:
    done = ftplan("fit", "läufe.csv", PYTHONIOENCODING="ascii")
    assert done.returncode == 2
    assert done.stderr.startswith("error: l\\xe4ufe.csv")


def test_errors_carry_their_exit_codes() -> None:
    assert (InputError("x").exit_code, Infeasible("x").exit_code) == (2, 1)


def test_python_m_is_the_command(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "ftplan", "--version"], capture_output=True, text=True, cwd=tmp_path, check=True
    )
    assert done.stdout == f"ftplan {__version__}\n"
