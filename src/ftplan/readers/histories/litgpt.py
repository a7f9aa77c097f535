"""LitGPT: metrics.csv, whose steps are micro-batches, and whose learning rate is that of the step after (0.5.13).

The final evaluation of a LoRA run is written without a step, and stands at step 0.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from ftplan.readers.histories import History, Row
from ftplan.readers.histories.lines import headers, numbers, table, with_shares

TOOL = "LitGPT"
#: folders below that of the run: logs/csv/version_0
_BELOW = re.compile(r"version_[0-9]+|csv|logs")


def recognise(head: bytes, file: Path) -> bool:  # noqa: ARG001
    """Its time per iteration and its count of tokens."""
    return {"iter_time", "total_tokens"} <= set(headers(head))


def read(files: Sequence[Path]) -> Iterable[History]:
    """One run a file; a rate holds until the optimiser's next step, over the micro-batches of an accumulation."""
    for file in files:
        rows: list[Row] = []
        for cells in table(file).rows:
            values = numbers(cells)
            step = values.pop("step", 0.0)
            values = {key: value for key, value in values.items() if key not in ("tokens", "iter")}
            rows.append(Row(step, values))
        trained = [row.step for row in rows if "loss" in row.values]
        last = max(trained, default=0.0)
        begun = next((i for i, row in enumerate(rows) if row.step > 0.0), len(rows))
        # a full tune's stands one step after the last
        moved = [
            Row(last, row.values) if i > begun and (row.step == 0.0 or row.step > last) else row
            for i, row in enumerate(rows)
        ]
        home = next(folder for folder in file.resolve().parents if not _BELOW.fullmatch(folder.name))
        yield History(str(file), home.name, with_shares(moved), keys=(str(home),), ahead=True)
