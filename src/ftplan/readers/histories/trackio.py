"""trackio (0.43): a project's SQLite file. NaN is a text; a run is its id, not its name; nothing says it ended."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from ftplan.readers.histories import History, Row
from ftplan.readers.histories.lines import number
from ftplan.readers.histories.sqlite import columns, has, opened
from ftplan.readers.logs.wandb import flat
from ftplan.readers.raw import plain

TOOL = "trackio"
_STEPS = ("train/global_step", "global_step")


def recognise(head: bytes, file: Path) -> bool:
    """A database with its tables."""
    return has(head, file, "metrics", "configs", "system_metrics")


def read(files: Sequence[Path]) -> Iterable[History]:
    """A run an id, in the order that it was first logged; older files have names only."""
    for file in files:
        with opened(file) as store:
            key = "run_id" if "run_id" in columns(store, "metrics") else "run_name"
            rows: dict[str, list[Row]] = {}
            names: dict[str, str] = {}
            for line in store.execute(f"SELECT {key} AS run, run_name, step, metrics FROM metrics ORDER BY id"):
                names[line["run"]] = line["run_name"]
                rows.setdefault(line["run"], []).append(_row(line["step"], _object(line["metrics"])))
            configs = {
                line["run"]: _object(line["config"])
                for line in store.execute(f"SELECT {key} AS run, config FROM configs")
            }
        for run, logged in rows.items():
            facts = {plain(name): text for name, text in flat(configs.get(run, {})).items() if text}
            ended = True if any("train_loss" in row.values for row in logged) else None
            yield History(str(file), names[run] or run, tuple(logged), facts, ended, keys=(run,))


def _row(step: Any, logged: Mapping[str, Any]) -> Row:
    at = next((value for name in _STEPS if (value := number(logged.get(name))) is not None), number(step) or 0.0)
    return Row(at, {plain(k): v for k, each in logged.items() if k not in _STEPS and (v := number(each)) is not None})


def _object(written: Any) -> dict[str, Any]:
    try:
        value = json.loads(written)
    except (TypeError, ValueError, RecursionError):
        return {}
    return value if isinstance(value, dict) else {}
