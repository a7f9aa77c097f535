"""Measure `ftplan` and its rivals in one run, and print a table: python benchmarks/fit.py [NAME]... [--full].

Needs ftplan installed. PyPI `chinchilla` 0.2.0 is measured where it is installed too. Numbers are CPU seconds; set
OMP_NUM_THREADS=1 so that a linear-algebra library does not count its idle threads.
"""

from __future__ import annotations

import argparse
import time
from importlib import import_module

from figures import Absent, Figure

NAMES = (
    "optimum",
    "speed",
    "composition",
    "extrapolation",
    "selection",
    "regret",
    "honesty",
    "strategies",
    "methods",
    "evidence",
    "forecast",
)
VERDICT = {True: "yes", False: "NO", None: ""}


def show(name: str, figures: list[Figure], spent: float) -> None:
    """A Markdown table."""
    print(
        f"\n### {name} ({spent:.0f} CPU s)\n\n"
        "| figure | ftplan | target | holds | rivals, or more |\n| --- | --- | --- | --- | --- |"
    )
    for f in figures:
        print(f"| {f.what} | {f.ours} | {f.target} | {VERDICT[f.holds]} | {f.rivals} |", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description="Measure ftplan and its rivals in one run.")
    parser.add_argument(
        "names", nargs="*", metavar="NAME", help=f"which benchmarks; all by default: {', '.join(NAMES)}"
    )
    parser.add_argument("--full", action="store_true", help="all starts and all simulated tables: about an hour")
    asked = parser.parse_args()
    if unknown := set(asked.names) - set(NAMES):
        parser.error(f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    for name in asked.names or NAMES:
        start = time.process_time()
        try:
            figures = import_module(name).measure(asked.full)
        except Absent as missing:
            print(f"\n### {name}\n\n{missing}")
            continue
        show(name, figures, time.process_time() - start)


if __name__ == "__main__":
    main()
