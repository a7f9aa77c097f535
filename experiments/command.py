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
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from experiments import histories
from experiments.design import Cell, Design, full, quick
from experiments.histories import Histories, History
from experiments.keep import made

COLUMNS = (
    *("trained", "model_params", "examples", "avg_tokens", "tokens", "epochs", "method", "selector_params"),
    *("pool_examples", "seed", "loss", "target_share", "steps", "train_flops", "selection_flops", "cell"),
)
#: work already done is found again here; the folder is of no use to anything else
WORK = Path(__file__).parents[1] / "build" / "experiments"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m experiments", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a handful of runs, under five minutes")
    parser.add_argument("--histories", action="store_true", help="runs evaluated on the way, under four schedules")
    parser.add_argument("--workers", type=int, default=os.cpu_count() or 1, help="runs at a time, one thread each")
    parser.add_argument("-o", "--output", type=Path, help="the table; default build/experiments/<design>.csv")
    asked = parser.parse_args()
    design = histories.histories() if asked.histories else quick() if asked.quick else full()
    rows = WORK / design.name / "rows"
    rows.mkdir(parents=True, exist_ok=True)
    todo = [cell for cell in design.cells if not (rows / f"{cell.key}.json").is_file()]
    if isinstance(design, Design):
        # in no order: workers seldom wait for one another's scores, and what is done so far is a fair sample of it
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


def write(design: Design | Histories, rows: Path, output: Path) -> None:
    """All runs of the design that are done, in its order."""
    found = [row for cell in design.cells for row in _kept(cell, rows / f"{cell.key}.json")]
    columns = COLUMNS if isinstance(design, Design) else histories.COLUMNS
    part = output.with_suffix(".part")
    with part.open("w", newline="", encoding="utf-8") as lines:
        table = csv.DictWriter(lines, columns, restval="", lineterminator="\n")
        table.writeheader()
        table.writerows(found)
    part.replace(output)


def _kept(cell: Cell | History, path: Path) -> list[dict[str, str | int | float]]:
    """The rows of a run that is done: one, or one an evaluation."""
    if not path.is_file():
        return []
    read = json.loads(path.read_text())
    return [{**read, "cell": cell.point}] if isinstance(cell, Cell) else read["evaluations"]


#: what a worker process keeps between its runs: how a cell is run
_shared: dict[str, Callable[[Any], Mapping[str, Any]]] = {}
#: where their rows are kept
_folder: list[Path] = []


def _start(design: Design | Histories) -> None:
    """In each worker: one thread, and the same laboratory for all its runs."""
    import torch

    # Ctrl-C is the parent's: a session of its own lets a worker end without a traceback
    os.setsid()
    torch.set_num_threads(1)
    work = WORK / design.name
    if isinstance(design, Design):
        from experiments.run import Laboratory

        _shared["run"] = Laboratory(design, work).run
    else:
        from experiments.traced import Tracer

        _shared["run"] = Tracer(work).run
    _folder.append(work / "rows")


def _run(cell: Cell | History) -> tuple[Cell | History, float]:
    """Makes one run and keeps its row."""
    path = made(_folder[0] / f"{cell.key}.json", lambda part: part.write_text(json.dumps(_shared["run"](cell))))
    return cell, float(json.loads(path.read_text())["loss"])
