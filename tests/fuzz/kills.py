"""`python -m tests.fuzz.kills [--each N] [--kept FILE]`: commands killed at any moment, and disks that fill up.

Each command starts in a folder where its outputs are there already, from other settings. Whenever it ends, they must be
all as they were or all new; a second later nothing of it runs; and the next run leaves the same bytes as one that was
never stopped, and no other file. What was tried is kept in FILE; the same command goes on from there.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from .seeds import PROBLEM, ROWS

#: how a command is stopped; DISK: no file of it may be larger than some random size
DISK = "DISK"
STOPS = ("SIGKILL", "SIGTERM", "SIGINT", DISK)
#: exit codes of a command that was stopped, or that was done before
CODES = {"SIGKILL": {0, -9}, "SIGTERM": {0, 143, -15}, "SIGINT": {0, 130, -2}, DISK: {0, 2}}
#: seconds after which nothing may be left running
ORPHANS = 1.0
_COPIES = 3000


@dataclass(frozen=True)
class Work:
    """name: of the command; words: its words; other: further ones (or a plan in place of good.yaml) that make the old
    outputs; outputs: files that appear together.
    """

    name: str
    words: tuple[str, ...]
    other: tuple[str, ...]
    outputs: tuple[str, ...]


_SETS = ("--export", "trl=trl.yaml", "--export", "axolotl=axolotl.yaml", "--export", "llama-factory=llama.yaml")
WORKS = (
    Work("profile", ("profile", "pool.jsonl", "-o", "lengths.yaml", "--jobs", "2"), ("--turn-tokens", "9"),
         ("lengths.yaml",)),
    Work("apply", ("apply", "good.yaml", "pool.jsonl", "-o", "rows.jsonl", "--jobs", "2"), ("other.yaml",),
         ("rows.jsonl",)),
    Work("plan", ("plan", "good.toml", "-o", "plan.yaml", *_SETS), ("--budget", "4e10flops"),
         ("plan.yaml", "trl.yaml", "axolotl.yaml", "llama.yaml")),
    Work("pilots", ("simulate", "pilots", "good.toml", "--keep", "kept.jsonl", "--runs", "6", "--truths", "60",
                    "--pilots", "300%", "--jobs", "2", "-o", "pilots.yaml"), ("--seed", "7"), ("pilots.yaml",)),
)  # fmt: skip


@dataclass(frozen=True)
class Ready:
    """A folder to begin in, what its outputs become, and how long that takes."""

    work: Work
    folder: Path
    old: dict[str, bytes]
    new: dict[str, bytes]
    names: frozenset[str]
    seconds: float


def main() -> int:
    """Try, keep, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=25, help="of each command and each way to stop it")
    parser.add_argument("--kept", default="build/kills.jsonl", help="what was tried")
    asked = parser.parse_args()
    kept = Path(asked.kept)
    kept.parent.mkdir(parents=True, exist_ok=True)
    done = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    ready = {(line["work"], line["stop"], line["number"]) for line in done}
    with tempfile.TemporaryDirectory() as made, kept.open("a") as file:
        for work in WORKS:
            todo = [(s, n) for n in range(asked.each) for s in STOPS if (work.name, s, n) not in ready]
            begun = prepared(work, Path(made)) if todo else None
            for stop, number in todo:
                assert begun is not None
                faults = list(stopped(begun, stop, number))
                for fault in faults:
                    print(f"{work.name} {stop} {number}: {fault}", flush=True)
                line = {"work": work.name, "stop": stop, "number": number, "faults": faults}
                file.write(json.dumps(line) + "\n")
                file.flush()
                done.append(line)
    for stop in STOPS:
        of_it = [line for line in done if line["stop"] == stop]
        print(f"{stop:8} {len(of_it):5,} times, {sum(map(bool, (line['faults'] for line in of_it)))} with a fault")
    return int(any(line["faults"] for line in done))


def prepared(work: Work, made: Path) -> Ready:
    """The folder that a command begins in."""
    folder = made / work.name
    folder.mkdir()
    rows = "".join(json.dumps(row) + "\n" for row in ROWS)
    (folder / "pool.jsonl").write_text(rows * _COPIES if work.name == "profile" else rows * 100)
    (folder / "good.toml").write_text(PROBLEM)
    _finished(folder, ("profile", "pool.jsonl", "-o", "pool.yaml"))
    _finished(folder, ("plan", "good.toml", "-o", "good.yaml"))
    _finished(folder, ("plan", "good.toml", "-o", "other.yaml", "--seed", "7"))
    plan = work.other[0] if work.other[0].endswith(".yaml") else ""
    words = tuple(plan if plan and word == "good.yaml" else word for word in work.words)
    _finished(folder, words if plan else (*words, *work.other))
    old = _outputs(folder, work)
    for name in ("kept.jsonl", ".kept.jsonl.ftplan"):  # of other settings
        (folder / name).unlink(missing_ok=True)
    whole = shutil.copytree(folder, made / f"{work.name}-whole")
    began = time.monotonic()
    _finished(whole, work.words)
    seconds = time.monotonic() - began
    new = _outputs(whole, work)
    assert new != old, work
    return Ready(work, folder, old, new, frozenset(path.name for path in whole.iterdir()), seconds)


def stopped(ready: Ready, stop: str, number: int) -> Iterator[str]:
    """What was wrong with one command that was stopped, and with the one after it."""
    chance = random.Random(zlib.crc32(f"{ready.work.name}/{stop}/{number}".encode()))
    with tempfile.TemporaryDirectory() as made:
        folder = shutil.copytree(ready.folder, Path(made) / "here")
        limit = chance.randrange(1, max(map(len, ready.new.values())) + 1000) if stop == DISK else None
        command = _started(folder, ready.work.words, limit)
        if stop != DISK:
            time.sleep(chance.uniform(0.0, 1.05 * ready.seconds))
            command.send_signal(getattr(signal, stop))
        _, err = command.communicate()
        if command.returncode not in CODES[stop]:
            yield f"exit {command.returncode}"
        # what helpers of a process that was killed say of it is said to nobody
        if stop != "SIGKILL" and (b"Traceback" in err or b"internal error" in err):
            yield "Python's own words: " + err.decode(errors="replace").strip().splitlines()[-1]
        now = _outputs(folder, ready.work)
        if now not in (ready.old, ready.new):
            yield f"a mixed set: {[name for name in now if now[name] not in (ready.old.get(name), None)]}"
        time.sleep(ORPHANS)
        if left := _running(folder):
            yield f"{len(left)} processes left"
        _finished(folder, ready.work.words)
        if _outputs(folder, ready.work) != ready.new:
            yield "other bytes after the next run"
        if others := {path.name for path in folder.iterdir()} - ready.names:
            yield f"leftovers: {sorted(others)}"


def _outputs(folder: Path, work: Work) -> dict[str, bytes]:
    return {name: (folder / name).read_bytes() for name in work.outputs if (folder / name).exists()}


def _started(folder: Path, words: tuple[str, ...], limit: int | None = None) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "ftplan", *words],
        cwd=folder,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(Path(__file__).parents[2] / "src"), *sys.path])},
        preexec_fn=_limited(limit),
    )


def _limited(limit: int | None) -> Callable[[], None]:
    """In the new process: Ctrl-C means what it does in a terminal, and no file grows beyond `limit` bytes."""

    def begin() -> None:
        import resource

        signal.signal(signal.SIGINT, signal.default_int_handler)
        if limit is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))

    return begin


def _finished(folder: Path, words: tuple[str, ...]) -> None:
    command = _started(folder, words)
    _, err = command.communicate()
    if command.returncode != 0:
        raise AssertionError(f"{words}: exit {command.returncode}: {err.decode(errors='replace')}")


def _running(folder: Path) -> list[int]:
    """Processes that are in a folder."""
    found = []
    for process in Path("/proc").glob("[0-9]*"):
        try:
            if (process / "cwd").readlink() == folder and b"Z" not in (process / "stat").read_bytes().split()[2:3]:
                found.append(int(process.name))
        except OSError:
            continue
    return found


if __name__ == "__main__":
    sys.exit(main())
