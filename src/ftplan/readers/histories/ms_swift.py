"""ms-swift: logging.jsonl, a row per logging step, which stands as '10/20' in `global_step/max_steps`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from ftplan.readers.histories import History, Row
from ftplan.readers.histories.lines import homes, keys, numbers, part, table

TOOL = "ms-swift"
STEP = "global_step/max_steps"


def recognise(head: bytes, file: Path) -> bool:  # noqa: ARG001
    """Its counter of steps."""
    return STEP in keys(head)


def read(files: Sequence[Path]) -> Iterable[History]:
    """One run a file; lines at the end that hold no step sum up the run."""
    for file, name in homes(files):
        rows = []
        total = 0.0
        for cells in table(file).rows:
            if (step := part(cells.get(STEP, ""))) is not None:
                total = step[1]
                rows.append(Row(step[0], numbers(cells)))
        ended = bool(rows) and max(row.step for row in rows) >= total
        yield History(str(file), name, tuple(rows), {"max_steps": f"{total:g}"}, ended, keys=(str(file.parent),))
