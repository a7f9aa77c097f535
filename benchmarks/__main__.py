"""Measure `ftplan` and its rivals in one run, and print a table: python benchmarks [NAME]... [--full].

A benchmark is a file of this folder with `measure(full) -> list[Figure]`; those that have a command line of their own
instead (`main`) are started with it: python benchmarks profile --gigabytes 1. Numbers are CPU seconds; set
OMP_NUM_THREADS=1 so that a linear-algebra library does not count its idle threads.
"""

from __future__ import annotations

import argparse
import runpy
import sys
import time
from importlib import import_module
from pathlib import Path

from figures import Absent, Figure

HERE = Path(__file__).parent
VERDICT = {True: "yes", False: "NO", None: ""}


def show(name: str, figures: list[Figure], spent: float) -> None:
    """A Markdown table."""
    print(
        f"\n### {name} ({spent:.0f} CPU s)\n\n"
        "| figure | ftplan | target | holds | rivals, or more |\n| --- | --- | --- | --- | --- |"
    )
    for f in figures:
        print(f"| {f.what} | {f.ours} | {f.target} | {VERDICT[f.holds]} | {f.rivals} |", flush=True)


def having(function: str) -> list[str]:
    """The files of this folder with such a function."""
    return sorted(
        path.stem
        for path in HERE.glob("*.py")
        if not path.stem.startswith("_") and f"\ndef {function}(" in path.read_text(encoding="utf-8")
    )


def main() -> None:
    """Measure those that were named, else all that need no command line of their own."""
    names, commands = having("measure"), [name for name in having("main") if name not in having("measure")]
    if sys.argv[1:] and sys.argv[1] in commands:
        path = HERE / f"{sys.argv[1]}.py"
        sys.argv[:2] = [str(path)]
        runpy.run_path(str(path), run_name="__main__")
        return
    parser = argparse.ArgumentParser(
        prog="python benchmarks",
        description="Measure ftplan and its rivals in one run.",
        epilog=f"With options of their own: {', '.join(f'python benchmarks {name} --help' for name in commands)}",
    )
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"all by default: {', '.join(names)}")
    parser.add_argument("--full", action="store_true", help="all starts and all simulated tables: about an hour")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(names):
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(names)}")
    for name in asked.names or names:
        start = time.process_time()
        try:
            figures = import_module(name).measure(asked.full)
        except Absent as missing:
            print(f"\n### {name}\n\n{missing}")
            continue
        show(name, figures, time.process_time() - start)


if __name__ == "__main__":
    main()
