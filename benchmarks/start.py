"""How soon ftplan answers: CPU seconds of a start, each as a ratio to an empty Python's, side by side in one run.

python benchmarks/start.py
"""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Mapping

REPEATS = 15
TAB = {"_FTPLAN_COMPLETE": "complete_bash", "COMP_WORDS": "ftplan plan --gpu ", "COMP_CWORD": "3"}
FTPLAN = [sys.executable, "-m", "ftplan"]
#: what is started -> command, variables, most times an empty Python that it may take (None: only for comparison)
STARTS: dict[str, tuple[list[str], Mapping[str, str], float | None]] = {
    "import ftplan": ([sys.executable, "-c", "import ftplan"], {}, 1.5),
    "ftplan --version": ([*FTPLAN, "--version"], {}, 2.0),
    "a Tab press after `ftplan plan --gpu`": (FTPLAN, TAB, 7.0),
    "import typer": ([sys.executable, "-c", "import typer"], {}, None),
}


def cpu_seconds(command: list[str], variables: Mapping[str, str]) -> float:
    """User and system time of one process, its start included."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, env={**os.environ, **variables}, capture_output=True, check=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def main() -> int:
    """Rounds of all of them, so that a busy machine slows each alike; the least time of each counts."""
    every = {"an empty Python": ([sys.executable, "-c", "pass"], {}, None), **STARTS}
    times: dict[str, list[float]] = {name: [] for name in every}
    for _ in range(REPEATS):
        for name, (command, variables, _most) in every.items():
            times[name].append(cpu_seconds(command, variables))
    empty, missed = min(times["an empty Python"]), 0
    for name, (_, _, most) in every.items():
        ratio = min(times[name]) / empty
        missed += most is not None and ratio > most
        asked = "" if most is None else f", at most {most:g} asked: {'holds' if ratio <= most else 'MISSED'}"
        print(f"{name}: {1e3 * min(times[name]):.1f} CPU ms, {ratio:.2f} times an empty Python{asked}")
    return int(missed > 0)


if __name__ == "__main__":
    sys.exit(main())
