"""Lightning: metrics.csv of its CSVLogger, whose steps count from 0 (2.6); rates of a LearningRateMonitor."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from ftplan.readers.histories import History, Row
from ftplan.readers.histories.lines import headers, homes, numbers, table, with_shares

TOOL = "Lightning"
_FOLDER = re.compile(r"version_[0-9]+")
#: `lr-AdamW`, `lr-AdamW/pg1`
RATE = re.compile(r"lr-\w+([/-]pg1)?")


def recognise(head: bytes, file: Path) -> bool:
    """Its file, with the two counters that it always writes."""
    columns = set(headers(head))
    return file.name == "metrics.csv" and {"epoch", "step"} <= columns and "iter_time" not in columns


def read(files: Sequence[Path]) -> Iterable[History]:
    """One run a folder: name/version_0."""
    for file, name in homes(files):
        parent = file.resolve().parent
        rows = [row(cells) for cells in table(file).rows]
        called = f"{parent.parent.name}/{name}" if _FOLDER.fullmatch(name) and parent.parent.name else name
        yield History(str(file), called, with_shares(rows), keys=(str(file.parent),))


def row(cells: Mapping[str, str]) -> Row:
    """With the learning rate under its usual name, and steps counted as done."""
    rate = next((text for header, text in cells.items() if RATE.fullmatch(header) and text), None)
    values = numbers({header: text for header, text in cells.items() if not RATE.fullmatch(header)})
    if rate is not None:
        values |= numbers({"learning_rate": rate})
    return Row(values.pop("step", 0.0) + 1.0, values)
