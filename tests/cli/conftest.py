"""What tests of the command line share."""

from __future__ import annotations

import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from ftplan.cli import app

#: words of a command line -> exit code, stdout, stderr
Run = Callable[..., tuple[int, str, str]]


def interruptible() -> None:
    """For a child process, before it begins: Ctrl-C reaches it also where these tests run in the background of a shell,
    which has its jobs ignore it.
    """
    signal.signal(signal.SIGINT, signal.SIG_DFL)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """A command in an empty folder."""
    monkeypatch.chdir(tmp_path)

    def once(*args: str) -> tuple[int, str, str]:
        code = app.run(list(args))
        out, err = capsys.readouterr()
        return code, out, err

    return once
