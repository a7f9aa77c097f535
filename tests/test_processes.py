"""No process of a pool outlives what it works for, and none of them says a word of Python's own."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ftplan.processes import worker_pool

from .cli.conftest import interruptible

if sys.platform == "win32":
    pytest.skip("signals of POSIX", allow_module_level=True)

#: the whole command line, its processes busy for a minute
BUSY = """
import os, sys, time
from ftplan.cli import app
from ftplan.readers.examples import scan
def slow(block, reading):
    os.write(1, b"%d\\n" % os.getpid())
    time.sleep(60)
scan.count_block = slow
app.main()
"""


def gone(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except OSError:
        return True
    return state == "Z"


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="asks /proc")
@pytest.mark.parametrize(
    ("stop", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143), (signal.SIGKILL, -signal.SIGKILL)]
)
def test_workers_end_with_the_command(tmp_path: Path, stop: signal.Signals, code: int) -> None:
    pool = tmp_path / "pool.jsonl"
    pool.write_text('{"text": "word word"}\n' * 300_000)
    with subprocess.Popen(
        [sys.executable, "-c", BUSY, "profile", "pool.jsonl", "-o", "pool.yaml", "--jobs", "2"],
        cwd=tmp_path,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=interruptible,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    ) as command:
        assert command.stdout is not None
        assert command.stderr is not None
        workers = [int(command.stdout.readline()) for _ in range(2)]
        command.send_signal(stop)
        began = time.monotonic()
        while not all(map(gone, workers)):
            assert time.monotonic() - began < 10.0, "a worker goes on"
            time.sleep(0.02)
        assert command.wait() == code
        assert command.stderr.read() == b""
    assert [path.name for path in tmp_path.iterdir()] == ["pool.jsonl"]


def test_workers_killed_in_the_middle_of_an_answer_are_not_waited_for() -> None:
    began = time.monotonic()
    with pytest.raises(KeyError):
        stopped_while_answering()
    assert time.monotonic() - began < 20.0


def stopped_while_answering() -> None:
    with worker_pool(2, multiprocessing.get_context("fork")) as executor:
        for _ in range(4):
            executor.submit(bytes, 1 << 26)
        time.sleep(0.1)
        raise KeyError
