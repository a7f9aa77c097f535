"""TensorBoard: event files, whoever wrote them; a folder of them is one run.

Hugging Face's Trainer opens a second file for an evaluation after the training, and a second folder below `runs` when
a run is resumed; its settings stand as JSON in text summaries (transformers 5.24).
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ftplan.readers.histories import History, Row
from ftplan.readers.histories.lines import as_lightning
from ftplan.readers.histories.records import fields, first, text, tfrecords
from ftplan.readers.logs.values import text_of
from ftplan.readers.raw import plain

TOOL = "TensorBoard"
#: of an event: step, summary; of a value: tag, simple_value, tensor; of a tensor: content, floats, texts
_STEP, _SUMMARY, _VALUE, _TAG, _SIMPLE, _TENSOR = 2, 5, 1, 1, 2, 8
_CONTENT, _FLOATS, _TEXTS = 4, 5, 8
_SETTINGS = ("args/text_summary", "model_config/text_summary")


@dataclass
class _Folder:
    """The events of one folder, in the order of writing."""

    path: Path
    rows: list[Row] = field(default_factory=list)
    facts: dict[str, str] = field(default_factory=dict)
    tags: set[str] = field(default_factory=set)


def recognise(head: bytes, file: Path) -> bool:  # noqa: ARG001
    """The first event says the version of the format."""
    return b"brain.Event:" in head[:64]


def read(files: Sequence[Path]) -> Iterable[History]:
    """A run a folder; folders side by side below `runs` of which one goes on where the other ended are one run."""
    folders: dict[Path, _Folder] = {}
    for file in sorted(files):
        folder = folders.setdefault(file.parent, _Folder(file.parent))
        for step, tag, value in _values(file.read_bytes()):
            _add(folder, step, tag, value)
    runs: list[_Folder] = []
    for folder in folders.values():
        begun = min((row.step for row in folder.rows if row.step > 0.0), default=0.0)
        last = runs[-1] if runs and runs[-1].path.parent == folder.path.parent else None
        if last and folder.path.parent.name == "runs" and begun > 1.0 and last.rows:
            last.rows += folder.rows
            last.tags |= folder.tags
        else:
            runs.append(folder)
    for run in runs:
        home = run.path.resolve().parent
        home = home.parent if home.name == "runs" else run.path.resolve()
        ended = True if "train/train_loss" in run.tags else None
        yield History(str(run.path), home.name, as_lightning(run.rows), run.facts, ended, keys=(str(home),))


def _add(folder: _Folder, step: float, tag: str, value: float | str) -> None:
    if isinstance(value, str):
        if tag in _SETTINGS:
            folder.facts |= _settings(value)
        return
    folder.tags.add(tag)
    name = plain(tag)
    if folder.rows and folder.rows[-1].step == step:
        folder.rows[-1] = Row(step, {**folder.rows[-1].values, name: value})
    else:
        folder.rows.append(Row(step, {name: value}))


def _values(data: bytes) -> Iterator[tuple[float, str, float | str]]:
    """(step, tag, value) of every scalar and text."""
    for record in tfrecords(data):
        event = fields(record)
        step = float(first(event, _STEP, 0))
        for written in fields(first(event, _SUMMARY, b"")).get(_VALUE, ()):
            value = fields(written) if isinstance(written, bytes) else {}
            if _SIMPLE in value:
                yield step, text(value, _TAG), float(value[_SIMPLE][-1])
            elif (held := _held(fields(first(value, _TENSOR, b"")))) is not None:
                yield step, text(value, _TAG), held


def _held(tensor: dict[int, list[Any]]) -> float | str | None:
    """A number or text in a tensor; None where it holds neither, or several."""
    if texts := tensor.get(_TEXTS):
        return bytes(texts[0]).decode("utf-8", errors="replace") if isinstance(texts[0], bytes) else None
    packed = first(tensor, _FLOATS, b"") or first(tensor, _CONTENT, b"")
    if len(packed) == 4:
        return float(struct.unpack("<f", packed)[0])
    single = tensor.get(_FLOATS, [])
    return float(single[0]) if len(single) == 1 and isinstance(single[0], float) else None


def _settings(written: str) -> dict[str, str]:
    try:
        value = json.loads(written)
    except (ValueError, RecursionError):
        return {}
    held = value if isinstance(value, dict) else {}
    return {plain(k): t for k, v in held.items() if not isinstance(v, dict | list) and (t := text_of(v))}
