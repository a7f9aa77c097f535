"""LLaMA-Factory: trainer_log.jsonl, a row per logging step; a trainer_state.json of the run says more.

A run that is resumed writes on into the same file (src/llamafactory/train/callbacks.py, 0.9.5).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ftplan.readers.histories import History, Row
from ftplan.readers.histories.lines import homes, keys, numbers, table

TOOL = "LLaMA-Factory"
#: its short names
_NAMES = {"lr": "learning_rate", "current_steps": "step", "accuracy": "train_accuracy"}


def recognise(head: bytes, file: Path) -> bool:  # noqa: ARG001
    """Its two counters of steps."""
    return {"current_steps", "total_steps"} <= keys(head)


def read(files: Sequence[Path]) -> Iterable[History]:
    """One run a file. The row that ends it has no loss, and the last evaluation may stand after it."""
    for file, name in homes(files):
        rows = []
        total = 0.0
        for cells in table(file).rows:
            values = {_NAMES.get(key, key): value for key, value in numbers(cells).items()}
            total = values.pop("total_steps", total)
            values.pop("percentage", None)
            rows.append(Row(values.pop("step", 0.0), values))
        ended = bool(rows) and total > 0.0 and max(row.step for row in rows) >= total
        yield History(str(file), name, tuple(rows), {"max_steps": f"{total:g}"}, ended, keys=(str(file.parent),))
