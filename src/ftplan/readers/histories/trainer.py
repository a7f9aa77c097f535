"""Hugging Face's Trainer and what is built on it: the log_history of trainer_state.json.

A row's learning rate is the one that its step was taken with (transformers 4.46 and later; the next step's before).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ftplan.plain import parse_json
from ftplan.readers.folders import checkpoint, home_of
from ftplan.readers.histories import History, Row
from ftplan.readers.histories.arguments import arguments
from ftplan.readers.logs import trainer
from ftplan.readers.raw import plain
from ftplan.readers.source import decode, read_bytes

TOOL = trainer.TOOL
FILE = "trainer_state.json"


def recognise(head: bytes, file: Path) -> bool:
    """A state, whatever it is called: counters of steps stand before its rows."""
    return head.lstrip()[:1] == b"{" and (b'"log_history"' in head or (file.name == FILE and b'"global_step"' in head))


def read(files: Sequence[Path]) -> Iterable[History]:
    """One run a folder: of its states the one that has got furthest, the final one before a checkpoint's."""
    homes: dict[Path, list[tuple[tuple[bool, int], Path]]] = {}
    for file in files:
        number = checkpoint(str(file))
        homes.setdefault(home_of(file), []).append(((number is None, number or 0), file))
    for home, states in homes.items():
        last = max(states)[1]
        content = parse_json(decode(read_bytes(str(last)), str(last)), str(last))
        if isinstance(content, dict) and "log_history" in content:
            yield _history(content, last, home)


def _history(content: Mapping[str, Any], file: Path, home: Path) -> History:
    rows = trainer.history(content, str(file))
    ended = any("train_loss" in row for row in rows)
    run = trainer.read(content, str(file), home.name).runs[0]
    beside = [file.parent, *sorted(home.glob("checkpoint-*"))]
    saved = next((found for folder in beside if (found := arguments(folder))), {})
    facts = {**saved, **_flat(home), **run.facts}
    return History(str(file), home.name, tuple(map(_row, rows)), facts, ended, keys=(str(home),))


def _row(row: Mapping[str, Any]) -> Row:
    numbers = {plain(k): float(v) for k, v in row.items() if isinstance(v, int | float) and not isinstance(v, bool)}
    return Row(numbers.pop("step", 0.0), numbers)


def _flat(home: Path) -> dict[str, str]:
    """train_samples of all_results.json: the number of examples, where the training script writes it."""
    file = home / "all_results.json"
    if not file.is_file():
        return {}
    try:
        value = json.loads(file.read_bytes())
    except (ValueError, RecursionError):
        return {}
    return (
        {"train_samples": str(value["train_samples"])} if isinstance(value, dict) and "train_samples" in value else {}
    )
