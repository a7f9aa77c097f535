"""The command: makes the runs of a design that are not there yet, then writes the table of all of them."""

from __future__ import annotations

import argparse
import csv
import json
import multiprocessing
import os
import random
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

from experiments.design import Cell, Design, full, quick
from experiments.keep import made

if TYPE_CHECKING:
    from experiments.run import Laboratory

COLUMNS = (
    *("trained", "model_params", "examples", "avg_tokens", "tokens", "epochs", "method", "selector_params"),
    *("pool_examples", "seed", "loss", "target_share", "steps", "train_flops", "selection_flops", "cell"),
)
#: work already done is found again here; the folder is of no use to anything else
WORK = Path(__file__).parents[1] / "build" / "experiments"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m experiments", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a handful of runs, under five minutes")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="runs at a time, one thread each")
    parser.add_argument("-o", "--output", type=Path, help="the table; default build/experiments/<design>.csv")
    asked = parser.parse_args()
    design = quick() if asked.quick else full()
    rows = WORK / design.name / "rows"
    rows.mkdir(parents=True, exist_ok=True)
    todo = [cell for cell in design.cells if not (rows / f"{cell.key}.json").is_file()]
    # in no order: workers seldom wait for one another's scores, and what is done so far is a fair sample of the design
    random.Random(0).shuffle(todo)
    print(f"{design.name}: {len(design.cells)} runs, {len(design.cells) - len(todo)} of them done", file=sys.stderr)
    begin = time.monotonic()
    try:
        with multiprocessing.get_context("spawn").Pool(asked.workers, _start, (design,)) as workers:
            for i, (cell, loss) in enumerate(workers.imap_unordered(_run, todo), 1):
                spent = time.monotonic() - begin
                print(f"{i}/{len(todo)} {cell.key}: loss {loss:.3f} ({spent:.0f} s)", file=sys.stderr, flush=True)
    except KeyboardInterrupt:
        print("interrupted; the same command goes on from here", file=sys.stderr)
        return 130
    output = asked.output or WORK / f"{design.name}.csv"
    write(design, rows, output)
    print(f"wrote {output}", file=sys.stderr)
    return 0


def write(design: Design, rows: Path, output: Path) -> None:
    """All runs of the design that are done, in its order."""
    paths = {cell: rows / f"{cell.key}.json" for cell in design.cells}
    found = [{**json.loads(path.read_text()), "cell": cell.point} for cell, path in paths.items() if path.is_file()]
    part = output.with_suffix(".part")
    with part.open("w", newline="", encoding="utf-8") as lines:
        table = csv.DictWriter(lines, COLUMNS, restval="", lineterminator="\n")
        table.writeheader()
        table.writerows(found)
    part.replace(output)


#: what a worker process keeps between its runs
_shared: dict[str, Laboratory] = {}


def _start(design: Design) -> None:
    """In each worker: one thread, and the same laboratory for all its runs."""
    import torch

    from experiments.run import Laboratory

    # Ctrl-C is the parent's: a session of its own lets a worker end without a traceback
    os.setsid()
    torch.set_num_threads(1)
    _shared["laboratory"] = Laboratory(design, WORK / design.name)


def _run(cell: Cell) -> tuple[Cell, float]:
    """Makes one run and keeps its row."""
    own = _shared["laboratory"]
    path = made(own.work / "rows" / f"{cell.key}.json", lambda part: part.write_text(json.dumps(own.run(cell))))
    return cell, float(json.loads(path.read_text())["loss"])
