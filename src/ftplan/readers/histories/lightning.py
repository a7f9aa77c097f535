"""Lightning: metrics.csv of its CSVLogger, whose steps count from 0 (2.6); rates of a LearningRateMonitor."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from ftplan.readers.histories import History, Row
from ftplan.readers.histories.lines import as_lightning, headers, homes, numbers, table, with_shares

TOOL = "Lightning"
_FOLDER = re.compile(r"version_[0-9]+")


def recognise(head: bytes, file: Path) -> bool:
    """Its file, with the two counters that it always writes."""
    columns = set(headers(head))
    return file.name == "metrics.csv" and {"epoch", "step"} <= columns and "iter_time" not in columns


def read(files: Sequence[Path]) -> Iterable[History]:
    """One run a folder: name/version_0."""
    for file, name in homes(files):
        parent = file.resolve().parent
        rows = [row(numbers(cells)) for cells in table(file).rows]
        called = f"{parent.parent.name}/{name}" if _FOLDER.fullmatch(name) and parent.parent.name else name
        yield History(str(file), called, _shifted(rows), keys=(str(file.parent),))


def row(values: dict[str, float]) -> Row:
    """Its step, and what was logged at it."""
    return Row(values.pop("step", 0.0), values)


def _shifted(rows: Sequence[Row]) -> tuple[Row, ...]:
    """Steps counted as done, also where no monitor of rates was on."""
    seen = as_lightning(rows)
    return seen if seen != tuple(rows) else with_shares([Row(each.step + 1.0, each.values) for each in rows])
