"""ClearML: the folder of an offline task (2.1), or the zip of it; metrics.jsonl has a JSON array a line.

NaN is stored as 0.0, so a loss of 0.0 is no result. Nothing says whether a task ended; the zip of one that crashed
lacks its metrics.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ftplan.errors import InputError
from ftplan.readers import metrics
from ftplan.readers.histories import History, Row
from ftplan.readers.histories.lines import as_lightning, number
from ftplan.readers.raw import plain

TOOL = "ClearML"
_METRICS, _TASK = "metrics.jsonl", "task.json"
#: what a single value's step is
_NO_STEP = -(2**31)
#: larger members of a zip are no log
_LARGEST = 2**30


def recognise(head: bytes, file: Path) -> bool:
    """Arrays of values with a metric and a variant; or the zip of an offline task."""
    if file.name == _METRICS:
        return head.startswith(b"[") and b'"variant"' in head
    return head.startswith(b"PK\x03\x04") and file.name.startswith("offline-")


def read(files: Sequence[Path]) -> Iterable[History]:
    """A run a task; of its folder and its zip the folder, which is whole also after a crash."""
    seen = set()
    for file in sorted(files, key=lambda each: each.suffix == ".zip"):
        key = file.stem if file.suffix == ".zip" else file.resolve().parent.name
        if key not in seen:
            seen.add(key)
            lines, task = _members(file)
            yield _history(str(file), key, lines, _object(task))


def _members(file: Path) -> tuple[str, str]:
    """The text of the metrics and of the task."""
    if file.name == _METRICS:
        task = file.parent / _TASK
        return file.read_text(errors="replace"), task.read_text(errors="replace") if task.is_file() else ""
    try:
        with zipfile.ZipFile(file) as archive:
            sizes = {info.filename: info.file_size for info in archive.infolist()}
            held = [
                archive.read(name).decode(errors="replace") if 0 < sizes.get(name, 0) < _LARGEST else ""
                for name in (_METRICS, _TASK)
            ]
    except (OSError, zipfile.BadZipFile, RuntimeError) as error:
        raise InputError(f"{file}: not a readable zip of a ClearML task: {error}") from error
    return held[0], held[1]


def _history(place: str, key: str, lines: str, task: Mapping[str, Any]) -> History:
    rows: list[Row] = []
    for line in lines.splitlines():
        for event in _list(line):
            step, value = number(event.get("iter")), number(event.get("value"))
            if step is None or value is None or step == _NO_STEP:
                continue
            name = plain(f"{event.get('metric')}/{event.get('variant')}")
            value = float("nan") if value == 0.0 and _is_loss(name) else value
            if rows and rows[-1].step == step:
                rows[-1] = Row(step, {**rows[-1].values, name: value})
            else:
                rows.append(Row(step, {name: value}))
    facts = {}
    for section in _values(task.get("hyperparams")):
        for setting, entry in section.items():
            if isinstance(entry, dict) and entry.get("value") not in (None, ""):
                facts[plain(str(setting))] = str(entry["value"])
    ended = True if any("train_loss" in row.values for row in rows) else None
    return History(place, str(task.get("name") or key), as_lightning(rows), facts, ended, keys=(key,))


def _is_loss(name: str) -> bool:
    rule = metrics.known(name)
    return rule is not None and rule[1] in ("nats", "cost")


def _list(line: str) -> list[dict[str, Any]]:
    try:
        value = json.loads(line)
    except (ValueError, RecursionError):  # a run that was killed ends within a line
        return []
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _object(written: str) -> dict[str, Any]:
    try:
        value = json.loads(written)
    except (ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}


def _values(sections: Any) -> list[dict[str, Any]]:
    return [each for each in sections.values() if isinstance(each, dict)] if isinstance(sections, dict) else []
