"""`python -m tests.fuzz [--each N] [--kind NAME] [--kept FILE]`: many inputs, resumable over several nights.

Every input depends on its kind and number alone. What was tried is kept in FILE, a line per hundred; the same command
goes on from there. Each hundred runs in a process of its own, so that memory is measured afresh.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import sys
from pathlib import Path
from typing import Any

from .harness import chunk
from .seeds import KINDS

CHUNK = 100


def main() -> int:
    """Try, keep, count."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--each", type=int, default=4000, help="inputs of each kind")
    parser.add_argument("--kind", default="", help="only kinds whose name begins so")
    parser.add_argument("--kept", default="build/fuzz.jsonl", help="what was tried")
    parser.add_argument("--jobs", type=int, default=1)
    asked = parser.parse_args()
    kept = Path(asked.kept)
    kept.parent.mkdir(parents=True, exist_ok=True)
    done = [json.loads(line) for line in kept.read_text().splitlines()] if kept.exists() else []
    ready = {(line["kind"], line["first"]) for line in done}
    todo = [
        (kind.name, first, min(CHUNK, asked.each - first))
        for first in range(0, asked.each, CHUNK)
        for kind in KINDS
        if kind.name.startswith(asked.kind) and (kind.name, first) not in ready
    ]
    with multiprocessing.get_context("spawn").Pool(asked.jobs, maxtasksperchild=1) as pool, kept.open("a") as file:
        for (name, first, count), faults in zip(todo, pool.imap(chunk, todo), strict=True):
            for fault in faults:
                print(f"{fault.kind} {fault.number}: {fault.what}: ftplan {' '.join(fault.words)}")
            line = {"kind": name, "first": first, "count": count, "faults": [fault.number for fault in faults]}
            file.write(json.dumps(line) + "\n")
            file.flush()
            done.append(line)
    for kind in KINDS:
        of_it = [line for line in done if line["kind"] == kind.name]
        if of_it:
            print(f"{kind.name:15} {_count(of_it):7,} inputs, {_faults(of_it):,} faults")
    print(f"{_count(done):,} inputs, {_faults(done):,} faults")
    return int(_faults(done) > 0)


def _count(lines: list[dict[str, Any]]) -> int:
    return sum(line["count"] for line in lines)


def _faults(lines: list[dict[str, Any]]) -> int:
    return sum(len(line["faults"]) for line in lines)


if __name__ == "__main__":
    sys.exit(main())
