"""SwanLab: the .swanlab file of an offline run (0.10), framed as Weights & Biases' is; settings in files/config.yaml.

A run that was killed has no record of its end. A step or value of 0 is left out of its record.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from ftplan.readers.histories import History, Row
from ftplan.readers.histories.lines import as_lightning
from ftplan.readers.histories.records import fields, first, leveldb, text
from ftplan.readers.logs.wandb import flat
from ftplan.readers.raw import plain
from ftplan.readers.structured import read_plain

TOOL = "SwanLab"
MAGIC = b":SWL"
_START = 7
#: kinds of records; of a run: name, id; of a scalar: key, step, value; of an end: state
_RUN, _END, _SCALAR = 10, 11, 13
_NAME, _ID = 4, 10
_KEY, _STEP, _VALUE = 1, 2, 5
_SUCCESS = 1


def recognise(head: bytes, file: Path) -> bool:  # noqa: ARG001
    """Its first bytes."""
    return head.startswith(MAGIC)


def read(files: Sequence[Path]) -> Iterable[History]:
    """A run a file."""
    for file in files:
        rows: list[Row] = []
        name, key, state = "", file.stem, 0
        for record in leveldb(file.read_bytes(), _START):
            kinds = fields(record)
            if own := first(kinds, _RUN, b""):
                name, key = text(fields(own), _NAME), text(fields(own), _ID) or key
            elif _SCALAR in kinds:
                scalar = fields(first(kinds, _SCALAR, b""))
                step, value = float(first(scalar, _STEP, 0)), first(fields(first(scalar, _VALUE, b"")), 1, 0.0)
                values = {plain(text(scalar, _KEY)): value}
                if rows and rows[-1].step == step:
                    rows[-1] = Row(step, {**rows[-1].values, **values})
                else:
                    rows.append(Row(step, values))
            elif _END in kinds:
                state = first(fields(first(kinds, _END, b"")), 1, 0)
        settings = flat(_settings(file.parent / "files" / "config.yaml"))
        facts = {plain(header): cell for header, cell in settings.items() if cell}
        yield History(str(file), name or key, as_lightning(rows), facts, state == _SUCCESS, keys=(key,))


def _settings(file: Path) -> dict[str, Any]:
    """{key: value} of {key: {desc, sort, value}}."""
    held = read_plain(str(file)) if file.is_file() and file.stat().st_size else {}
    pairs = held.items() if isinstance(held, dict) else ()
    return {str(key): entry["value"] for key, entry in pairs if isinstance(entry, dict) and "value" in entry}
