"""Weights & Biases: the .wandb file of a run that was logged offline (0.19 to 0.31), and a history as CSV.

There is no summary beside it: settings, steps and the end are records of the file. A run that was killed has no
record of its end. A run that was resumed is several files with one id.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ftplan.readers.histories import History, Row
from ftplan.readers.histories.lines import as_lightning, headers, homes, number, table
from ftplan.readers.histories.records import fields, first, leveldb, text
from ftplan.readers.logs.wandb import TOOL as TOOL
from ftplan.readers.logs.wandb import flat
from ftplan.readers.raw import plain

MAGIC = b":W&B"
_START = 7
#: kinds of records; of a run: id, project, config, name
_HISTORY, _SUMMARY, _CONFIG, _RUN, _EXIT = 2, 3, 5, 17, 18
_RUN_ID, _RUN_CONFIG, _RUN_NAME = 1, 4, 8
#: of an item: key, its parts, value as JSON
_KEY, _NESTED, _JSON = 1, 2, 16
#: a trainer's own steps, before the tracker's count of calls
_STEPS = ("train/global_step", "trainer/global_step", "global_step", "_step")


@dataclass
class _Run:
    """One id, over its files."""

    place: str
    name: str = ""
    rows: list[Row] = field(default_factory=list)
    config: dict[str, Any] = field(default_factory=dict)
    summary: dict[str, Any] = field(default_factory=dict)
    code: int | None = None


def recognise(head: bytes, file: Path) -> bool:  # noqa: ARG001
    """Its first bytes; or its own columns beside logged ones."""
    return head.startswith(MAGIC) or {"_step", "_runtime"} <= set(headers(head))


def read(files: Sequence[Path]) -> Iterable[History]:
    """A run an id."""
    runs: dict[str, _Run] = {}
    for file in sorted({file.resolve(): file for file in files}.values()):  # `latest-run` is a link to one of them
        data = file.read_bytes()
        if data.startswith(MAGIC):
            _read(data, file, runs)
        else:
            yield from _tables([file])
    for key, run in runs.items():
        facts = {plain(name): written for name, written in flat({**run.config, **_closing(run)}).items() if written}
        ended = run.code == 0 if run.code is not None else False
        yield History(run.place, run.name or key, as_lightning(run.rows), facts, ended, keys=(key,))


def _read(data: bytes, file: Path, runs: dict[str, _Run]) -> None:
    run = _Run(str(file))
    begun = False
    for record in leveldb(data, _START):
        kinds = fields(record)
        if own := first(kinds, _RUN, b""):
            begun, head = True, fields(own)
            run = runs.setdefault(text(head, _RUN_ID) or file.stem, run)
            run.name = text(head, _RUN_NAME) or run.name
            run.config |= _items(first(head, _RUN_CONFIG, b""))
        elif config := first(kinds, _CONFIG, b""):
            run.config |= _items(config)
        elif summary := first(kinds, _SUMMARY, b""):
            run.summary |= _items(summary)
        elif history := first(kinds, _HISTORY, b""):
            run.rows += _rows(_items(history))
        elif _EXIT in kinds:
            run.code = int(first(fields(first(kinds, _EXIT, b"")), 1, 0))
    if not begun:  # killed before its first record was written
        runs[file.stem] = run


def _closing(run: _Run) -> dict[str, Any]:
    """What was written into the summary alone: the figures that end a training."""
    logged = {name for row in run.rows for name in row.values}
    return {key: value for key, value in run.summary.items() if plain(key) not in logged and not key.startswith("_")}


def _items(message: bytes) -> dict[str, Any]:
    """{key: value} of updates; parts of a key are joined as the website does."""
    out = {}
    for item in fields(message).get(1, ()):
        held = fields(item) if isinstance(item, bytes) else {}
        parts = [p.decode("utf-8", errors="replace") for p in held.get(_NESTED, []) if isinstance(p, bytes)]
        key = text(held, _KEY) or ".".join(parts)
        try:
            out[key] = json.loads(text(held, _JSON))
        except (ValueError, RecursionError):
            continue
    return out


def _rows(logged: Mapping[str, Any]) -> list[Row]:
    step = next((value for name in _STEPS if (value := number(logged.get(name))) is not None), None)
    if step is None:
        return []
    values = {plain(k): v for k, each in logged.items() if k not in _STEPS and (v := number(each)) is not None}
    return [Row(step, values)]


def _tables(files: Sequence[Path]) -> Iterable[History]:
    """A history as CSV, as `run.history()` and the website give it."""
    for file, _ in homes(files):
        rows = [row for cells in table(file).rows for row in _rows(cells)]
        yield History(str(file), file.stem, as_lightning(rows))
