"""A folder of logs: which of its files hold runs, and which run each belongs to."""

from __future__ import annotations

import io
import os
import re
import zipfile
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ftplan.errors import InputError
from ftplan.plain import parse_json
from ftplan.readers.histories import HEAD, Logger
from ftplan.readers.histories.ends import ends, is_store, store_of
from ftplan.readers.logs import Evaluation, Found, Run, inspect_ai, tool_of, tools
from ftplan.readers.logs.trainer import BEST_LOADED, is_of
from ftplan.readers.logs.values import number
from ftplan.readers.raw import listed
from ftplan.readers.source import decode, read_bytes
from ftplan.readers.structured import read_plain

_CHECKPOINT = re.compile(r"checkpoint-([0-9]+)")
_TABLES = {".csv", ".tsv", ".jsonl", ".parquet", ".gz"}
#: one object after the other: JSONL
_LINES = re.compile(rb"}\s*\n\s*{")
#: larger JSON files are tokenizers and data, not logs
_LARGEST = 64 * 2**20
#: trackers log what a trainer logs too; of one folder only the first tool that has runs in it is read
_FIRST = "Hugging Face Trainer"


@dataclass(frozen=True)
class Folder:
    """What a folder holds. tables: files beside the logs that may hold runs or facts of them.

    below: whether the tables lie in sub-folders, which are looked into only where there is nothing else.
    """

    runs: tuple[Run, ...]
    evaluations: tuple[Evaluation, ...]
    tables: tuple[str, ...]
    told: tuple[str, ...]
    below: bool = False


def read_folder(path: str) -> Folder:
    """All logs below `path`; of a run with checkpoints only the final state. Raises InputError for a damaged log."""
    root = Path(path)
    by_tool: dict[str, list[Run]] = {}
    evaluations: list[Evaluation] = []
    for file in _files(root):
        if (content := _log(file)) is None:
            continue
        tool, value = content
        found = tool.read(value, str(file), name_in(file, root))
        evaluations += found.evaluations
        by_tool.setdefault(tool.TOOL, []).extend(replace(r, keys=(*r.keys, str(home_of(file)))) for r in found.runs)
    told: list[str] = []
    left: list[Run] = []
    for tracker, files in _stores(root).items():
        if not by_tool.get(tracker.TOOL):  # else the tracker's own summaries lie beside
            kept = ends(tracker, files)
            by_tool[tracker.TOOL] = list(kept.runs)
            left += kept.left
            told += kept.told
    runs = by_tool.pop(_FIRST if by_tool.get(_FIRST) else next(iter(by_tool), _FIRST), [])
    if others := [name for name, left in by_tool.items() if left]:
        told.append(f"{' and '.join(others)} logs in {path} are not read: trackers log the same runs again")
    runs, states = _final(runs)
    if states:
        told.append(f"of the {states} states that trainers saved, the final one of each run is read")
    tables = sorted(str(file) for file in root.iterdir() if file.is_file() and file.suffix.lower() in _TABLES)
    if below := not runs and not evaluations and not tables:
        tables = [str(file) for file in _files(root, _TABLES) if file.stat().st_size and not is_store(file)]
    if below and not tables and left:
        raise InputError(
            f"{path}: none of its {len(left)} runs finished: {listed([run.name for run in left], 3)}",
            hint=f"ftplan runs {path} --histories reads the evaluations they made on the way",
        )
    if below and not tables:
        raise InputError(
            f"{path}: no log in this folder",
            hint="ftplan runs --help lists the logs and tables that are read",
        )
    return Folder(tuple(runs), tuple(evaluations), tuple(tables), tuple(told), below)


def read_log(data: bytes, place: str) -> Found | None:
    """What a JSON file of its own holds, None where no tool wrote it."""
    path = Path(place)
    if path.suffix == inspect_ai.SUFFIX and zipfile.is_zipfile(io.BytesIO(data)):
        return inspect_ai.read(inspect_ai.header(data, place), place, path.stem)
    value = _parsed(data, place)
    tool = tool_of(value) if value is not None else None
    if tool is None or value is None:
        return None
    return tool.read(_with_config(value, path), place, name_in(path, path.parent))


def _files(root: Path, endings: Collection[str] = (".json", inspect_ai.SUFFIX)) -> Iterator[Path]:
    for folder, below, names in os.walk(root):
        below[:] = sorted(name for name in below if not name.startswith("."))
        yield from (Path(folder, name) for name in sorted(names) if Path(name).suffix.lower() in endings)


def _log(file: Path) -> tuple[Any, Mapping[str, Any]] | None:
    """(tool, value) of a JSON file that a tool wrote."""
    if file.stat().st_size == 0 or file.stat().st_size > _LARGEST:
        return None
    data = read_bytes(str(file))
    if file.suffix == inspect_ai.SUFFIX:
        try:
            return inspect_ai, inspect_ai.header(data, str(file))
        except InputError:
            return None  # killed: a folder has others
    if not any(mark in data for tool in tools() for mark in tool.MARKS):
        return None
    value = _parsed(data, str(file))
    tool = tool_of(value) if value is not None else None
    return None if tool is None or value is None else (tool, _with_config(value, file))


def _parsed(data: bytes, place: str) -> Mapping[str, Any] | None:
    """The object in a JSON file; None where it holds anything else."""
    if not data.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{"):
        return None
    try:
        value = parse_json(decode(data, place), place)
    except InputError:
        if any(mark in data for tool in tools() for mark in tool.MARKS) and not _LINES.search(data):
            raise
        return None
    return value if isinstance(value, dict) else None


def _with_config(value: Mapping[str, Any], file: Path) -> Mapping[str, Any]:
    """W&B keeps a run's config beside its summary."""
    config = file.parent / "config.yaml"
    if file.name == "wandb-summary.json" and config.is_file():
        return {**value, "config": read_plain(str(config))}
    return value


def _stores(root: Path) -> dict[Logger, list[Path]]:
    """The stores of trackers below a folder, by tracker; a link to one of them is not another."""
    found: dict[Logger, dict[Path, Path]] = {}
    for folder, below, names in os.walk(root):
        below[:] = sorted(name for name in below if not name.startswith("."))
        for file in (Path(folder, name) for name in sorted(names)):
            if is_store(file) and file.is_file():
                with file.open("rb") as opened:
                    head = opened.read(HEAD)
                if (store := store_of(head, file)) is not None:
                    found.setdefault(store, {})[file.resolve()] = file
    return {store: list(files.values()) for store, files in found.items()}


def home_of(file: Path) -> Path:
    """The folder of the run that a log belongs to."""
    home = file.parent
    while _CHECKPOINT.fullmatch(home.name) or home.name == "files":
        home = home.parent
    return home


def name_in(file: Path, root: Path) -> str:
    """What to call the run of a log: its folder below `root`, else the folder's own name."""
    home, top = home_of(file), root.resolve()
    below = home.resolve().relative_to(top) if home.resolve().is_relative_to(top) else Path()
    return str(below) if below.parts else home.resolve().name


def _final(runs: list[Run]) -> tuple[list[Run], int]:
    """One run per folder, its logs merged: the last trainer_state.json, then what flat results say besides.

    Also the number of states where a run had several, else 0.
    """
    homes: dict[str, list[Run]] = {}
    for run in runs:
        homes.setdefault(run.keys[-1], []).append(run)
    merged, states, doubled = [], 0, False
    for logs in homes.values():
        saved = [log for log in logs if "global_step" in log.facts]
        states += len(saved)
        doubled |= len(saved) > 1
        last = max(saved or logs, key=_order)
        flat = [log for log in logs if log not in saved and checkpoint(log.place) is None]
        facts, told = dict(last.facts), list(last.told)
        for log in flat:
            known = {key: text for key, text in log.facts.items() if text}
            if last.best and is_of(*map(_values, (known, last.best, last.facts))):
                known = {
                    key: text for key, text in known.items() if not (key.startswith("eval_") and key in last.facts)
                }
                told.append(BEST_LOADED)
            facts |= known
            told += log.told
        merged.append(replace(last, facts=facts, told=tuple(dict.fromkeys(told))))
    return merged, states if doubled else 0


def _values(facts: Mapping[str, str]) -> dict[str, float]:
    return {key: value for key in facts if (value := number(facts, key)) is not None}


def checkpoint(place: str) -> int | None:
    match = _CHECKPOINT.fullmatch(Path(place).parent.name)
    return int(match[1]) if match else None


def _order(run: Run) -> tuple[bool, int]:
    """The state beside the final model is after all checkpoints, these go by their number."""
    number = checkpoint(run.place)
    return number is None, number or 0
